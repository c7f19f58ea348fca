"""The numbers behind the console's charts."""

import pytest
from django.test import Client
from django.urls import reverse

from generation.models import Collection, Drop, ParameterSet
from sentiment.models import Round, Voter
from sentiment.services import cast_vote
from tests.gallery.conftest import InState, read

PAGE = "/console/charts/portraits"


def charts(browser: Client) -> dict[str, dict[str, list[float]]]:
    reply = browser.get(reverse("gallery:chart-numbers", args=["portraits"]))
    assert reply.status_code == 200
    return {
        chart["key"]: {one["name"]: one["values"] for one in chart["series"]}
        for chart in reply.json()["charts"]
    }


def test_the_numbers_are_for_leads(client: Client, wallet: Client, collection: Collection) -> None:
    for browser in (client, wallet):
        assert browser.get(f"{PAGE}/numbers").status_code == 403
        assert browser.get(PAGE).headers["Location"] == f"/sign-in?next={PAGE}"


def test_before_the_first_drop_the_page_says_so(console: Client, collection: Collection) -> None:
    assert "Nothing to draw yet" in read(console, PAGE)
    assert charts(console) == {}


def test_turnout_counts_votes_voters_minted_works_and_sales(
    console: Client, in_state: InState, voter: Voter
) -> None:
    drop = in_state(Drop.State.LISTENING)
    left, right, third = drop.artworks.in_order()[:3]
    for pair in ((left, right), (left, third)):
        cast_vote(
            round=Round.objects.get(),
            voter=voter,
            left_id=pair[0].pk,
            right_id=pair[1].pk,
            winner_id=left.pk,
        )

    found = charts(console)

    assert found["turnout-votes"] == {"votes": [2]}
    assert found["turnout-voters"] == {"voters": [1]}
    assert found["turnout-minted"] == {"works minted": [1]}
    assert found["turnout-sales"] == {"sales": [0]}


def test_parameters_and_their_evenness_follow_the_drops(
    console: Client, in_state: InState, parameter_set: ParameterSet
) -> None:
    in_state(Drop.State.DRAFT)
    body = parameter_set.parameters.to_json()
    heads = dict.fromkeys(body["distributions"]["head"], 0.0)
    heads["bun"] = 1.0
    body["distributions"]["head"] = heads
    narrow = ParameterSet.objects.create(
        collection=parameter_set.collection,
        number=2,
        parent=parameter_set,
        source="lead",
        reason="",
        body=body,
    )
    second = in_state(Drop.State.DRAFT)
    Drop.objects.filter(pk=second.pk).update(parameter_set=narrow)

    found = charts(console)

    assert found["share-head"]["bun"] == [pytest.approx(100 / len(heads), abs=0.01), 100]
    assert found["entropy"]["head"] == [1, 0]


def test_the_page_has_every_number_in_a_table(console: Client, in_state: InState) -> None:
    in_state(Drop.State.LISTENING)

    html = read(console, PAGE)

    assert html.count("<table") == html.count('class="plot"') == len(charts(console))
