"""What a lead makes of a proposal in the console, and the drop that follows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from gallery.serializers import sources_of
from generation.models import Drop, ParameterSet
from minting.models import Commitment
from sentiment.models import Proposal
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, press

State = Proposal.State


def typed(proposal: Proposal, **changed: str) -> dict[str, str]:
    """The form as the page fills it in, in percent, with a lead's changes to heads."""
    shares = proposal.base.parameters.distributions
    form = {
        f"{attribute}.{value}": f"{100 * share:.1f}"
        for attribute, values in shares.items()
        for value, share in values.items()
    }
    return form | {f"head.{value}": percent for value, percent in changed.items()}


def assert_untouched(proposal: Proposal) -> None:
    proposal.refresh_from_db()
    assert (proposal.state, proposal.applied, proposal.resulting) == (State.PENDING, None, None)
    assert ParameterSet.objects.count() == 1
    assert Drop.objects.get(pk=proposal.drop_id).state == Drop.State.SCORED


def test_the_proposal_is_on_the_console_with_every_value(
    console: Client, proposal: Proposal
) -> None:
    html = console.get("/console").content.decode()

    assert all(f'name="{name}"' in html for name in typed(proposal))
    assert f"From {proposal.score_run.n_votes} votes of 12 voters." in html
    assert all(escape(row["why"]) in html for row in proposal.rows)
    assert proposal.score_run.input_hash[:16] in html


def test_a_source_that_moved_nothing_to_speak_of_is_not_told() -> None:
    moved = {"votes": -0.024, "comments": -0.0004, "interaction": 0.0004}

    assert sources_of({"without": moved}) == "votes -2.4 points"


def test_leads_and_visitors_can_download_what_a_proposal_was_computed_from(
    client: Client, console: Client, proposal: Proposal
) -> None:
    link = reverse("round-bundle", args=[proposal.score_run.round_id])

    pages = [console.get("/console"), client.get("/collections/portraits/drops/1")]

    assert all(f'href="{link}"' in page.content.decode() for page in pages)


def test_visitors_do_not_see_a_proposal(client: Client, proposal: Proposal) -> None:
    html = client.get("/collections/portraits/drops/1").content.decode()

    assert 'id="proposal"' not in html


def test_approval_makes_the_proposed_parameters_current(
    console: Client, lead: User, proposal: Proposal
) -> None:
    said = press(console, "decide-proposal", proposal.pk, decision="approve", reason="As voted")

    proposal.refresh_from_db()
    assert said == ["The decision is recorded: approve."]
    assert (proposal.state, proposal.decided_by, proposal.reason) == (
        State.APPROVED,
        lead,
        "As voted",
    )
    assert proposal.resulting is not None
    assert proposal.resulting.body == proposal.proposed


def test_a_lead_s_own_numbers_are_applied(console: Client, proposal: Proposal) -> None:
    form = typed(proposal, bald="2.5", bun="22.5")

    press(console, "decide-proposal", proposal.pk, decision="edit", **form)

    proposal.refresh_from_db()
    assert proposal.state == State.EDITED
    assert proposal.applied is not None
    heads = proposal.applied["distributions"]["head"]
    assert heads == pytest.approx(dict.fromkeys(heads, 0.125) | {"bald": 0.025, "bun": 0.225})
    assert sum(heads.values()) == pytest.approx(1, abs=1e-12)


def test_numbers_left_as_they_are_shown_are_those_that_were_proposed(
    console: Client, proposal: Proposal
) -> None:
    shown = {
        f"{attribute}.{value}": f"{100 * share:.1f}"
        for attribute, values in proposal.proposed["distributions"].items()
        for value, share in values.items()
    }

    press(console, "decide-proposal", proposal.pk, decision="edit", **shown)

    proposal.refresh_from_db()
    assert proposal.applied is not None
    for attribute, shares in proposal.proposed["distributions"].items():
        assert proposal.applied["distributions"][attribute] == pytest.approx(shares, abs=1e-12)


def test_percentages_that_are_rounded_come_to_all(console: Client, proposal: Proposal) -> None:
    form = typed(proposal)
    form |= {name: "12.4" for name in form if name.startswith("head.")}

    press(console, "decide-proposal", proposal.pk, decision="edit", **form)

    proposal.refresh_from_db()
    assert proposal.applied is not None
    assert proposal.applied["distributions"]["head"]["long"] == pytest.approx(1 / 8)


def test_numbers_beyond_what_any_may_change_are_refused(
    console: Client, proposal: Proposal
) -> None:
    form = typed(proposal)
    form |= {name: "0" for name in form if name.startswith("head.")} | {"head.bald": "100"}

    said = press(console, "decide-proposal", proposal.pk, decision="edit", **form)

    assert "head: bun is below 2.0%" in said[0]
    assert_untouched(proposal)


def test_rejection_keeps_the_parameters(console: Client, proposal: Proposal) -> None:
    said = press(console, "decide-proposal", proposal.pk, decision="reject", reason="Too bold")

    proposal.refresh_from_db()
    assert said == ["The decision is recorded: reject."]
    assert (proposal.state, proposal.resulting) == (State.REJECTED, None)
    assert ParameterSet.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"bald": "14.6"},
        {"bald": "0"},
        {"bald": "-10", "bun": "35"},
        {"bald": "112.5", "bun": "-75"},
        {"bald": "NaN"},
        {"bald": "sNaN"},
        {"bald": "Infinity"},
        {"bald": "1e400"},
        {"bald": "1e999999"},
        {"bald": ""},
        {"bald": "x"},
    ],
)
def test_shares_that_do_not_come_to_100_are_refused(
    console: Client, proposal: Proposal, changed: dict[str, str]
) -> None:
    form = typed(proposal, **changed)

    said = press(console, "decide-proposal", proposal.pk, decision="edit", **form)

    assert said[0].startswith("head")
    assert len(said[0]) < 100
    assert_untouched(proposal)


def test_a_form_without_one_of_the_values_is_refused(console: Client, proposal: Proposal) -> None:
    form = typed(proposal)
    del form["accessory.none"]

    said = press(console, "decide-proposal", proposal.pk, decision="edit", **form)

    assert said == ["accessory none: '' is not a percentage"]
    assert_untouched(proposal)


@pytest.mark.parametrize("form", [{}, {"decision": "sell"}, {"decision": ""}])
def test_a_decision_that_is_none_is_refused(
    console: Client, proposal: Proposal, form: dict[str, str]
) -> None:
    said = press(console, "decide-proposal", proposal.pk, **form)

    assert said[0].startswith("decision: ")
    assert_untouched(proposal)


def test_a_reason_has_300_characters_at_most(console: Client, proposal: Proposal) -> None:
    press(console, "decide-proposal", proposal.pk, decision="approve", reason="x" * 301)

    assert_untouched(proposal)


def test_a_reason_is_escaped(console: Client, proposal: Proposal) -> None:
    reason = "<script>x</script>"

    press(console, "decide-proposal", proposal.pk, decision="reject", reason=reason)

    html = console.get("/console").content.decode()
    assert reason not in html
    assert "&lt;script&gt;x" in html


def test_another_decision_is_refused(console: Client, proposal: Proposal) -> None:
    press(console, "decide-proposal", proposal.pk, decision="reject")

    said = press(console, "decide-proposal", proposal.pk, decision="approve")

    assert said == ["the proposal is rejected already"]
    assert ParameterSet.objects.count() == 1


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_the_next_drop_follows_the_decision(
    console: Client, proposal: Proposal, decision: str
) -> None:
    press(console, "decide-proposal", proposal.pk, decision=decision)

    said = press(console, "next-drop", "portraits", size="70")

    drop = Drop.objects.get(number=2)
    number = 2 if decision == "approve" else 1
    assert said == [f"Drop 2 is being rendered with parameters {number}."]
    assert (drop.size, drop.state) == (70, Drop.State.RENDERING)
    assert drop.parameter_set.number == number
    assert drop.jobs.count() == 2


def test_the_first_drop_of_a_collection_needs_no_proposal(
    console: Client, parameter_set: ParameterSet
) -> None:
    said = press(console, "next-drop", "portraits", size="5")

    assert said == ["Drop 1 is being rendered with parameters 1."]


@pytest.mark.parametrize("state", [state for state in Drop.State if state != Drop.State.CLOSED])
def test_no_drop_starts_before_the_present_one_is_closed(
    console: Client, in_state: InState, state: Drop.State
) -> None:
    in_state(state)

    said = press(console, "next-drop", "portraits", size="5")

    assert said == [f"drop 1 is {state}, not closed"]
    assert Drop.objects.count() == 1


@pytest.mark.parametrize("size", ["0", "10001", "-1", "", "x", "1.5", "1e3", "9" * 40])
def test_a_size_out_of_bounds_is_refused(console: Client, in_state: InState, size: str) -> None:
    in_state(Drop.State.CLOSED)

    said = press(console, "next-drop", "portraits", size=size)

    assert said[0].startswith("size: ")
    assert Drop.objects.count() == 1


@pytest.mark.parametrize("size", ["1", "10000"])
def test_the_smallest_and_the_largest_drop_start(
    console: Client, in_state: InState, size: str
) -> None:
    in_state(Drop.State.CLOSED)

    press(console, "next-drop", "portraits", size=size)

    assert Drop.objects.get(number=2).size == int(size)


def test_a_second_press_starts_no_second_drop(console: Client, in_state: InState) -> None:
    in_state(Drop.State.CLOSED)
    press(console, "next-drop", "portraits", size="5")

    said = press(console, "next-drop", "portraits", size="5")

    assert said == ["drop 2 is rendering, not closed"]
    assert Drop.objects.count() == 2


def at_once(call: Callable[[], Any], n: int = 4) -> list[Any]:
    """Results of equal calls, each on a connection of its own."""

    def run(_: int) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 2])
def test_leads_who_start_a_drop_at_once_start_one(
    in_state: InState, lead: User, parameter_set: ParameterSet, number: int
) -> None:
    if number == 2:
        in_state(Drop.State.CLOSED)

    def start() -> int:
        browser = Client()
        browser.force_login(lead)
        address = reverse("gallery:next-drop", args=["portraits"])
        return browser.post(address, {"size": 5}).status_code

    statuses = at_once(start)

    assert statuses == [302] * 4
    assert Drop.objects.filter(number__gte=number).count() == 1
    assert Drop.objects.get(number=number).jobs.count() == 1


@pytest.mark.parametrize("kind", Drop.Kind.values)
def test_what_follows_commits_to_the_votes_that_led_to_it(
    console: Client, proposal: Proposal, make_drop: MakeDrop, kind: str
) -> None:
    press(console, "decide-proposal", proposal.pk, decision="approve")
    proposal.refresh_from_db()
    assert proposal.resulting is not None
    living = kind == Drop.Kind.ON_THE_FLY
    following = make_drop(2, Drop.State.DRAFT if living else Drop.State.CURATING)
    following.kind, following.parameter_set = Drop.Kind(kind), proposal.resulting
    following.save()

    with patch("minting.revealing.choose_block", return_value=100):
        press(console, "commit", following.pk)

    commitment = Commitment.objects.get(drop=following)
    assert commitment.vote_tally_root == proposal.score_run.tally_root
