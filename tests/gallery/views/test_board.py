"""The curation board: what it shows, what it never hides, and decisions of several curators."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generation.models import Artwork, ArtworkTrait, CurationDecision, Drop
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, read, undecide

State = Drop.State
Status = Artwork.Status


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """A drop of which everything is undecided."""
    made = make_drop(8, State.CURATING)
    undecide(made, *range(8))
    return made


@pytest.fixture
def other(db: None) -> Client:
    """The browser of a second curator."""
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_staff=True))
    return browser


def address(drop: Drop, query: str = "", name: str = "board") -> str:
    return reverse(f"gallery:{name}", args=[drop.pk]) + (f"?{query}" if query else "")


def shown(html: str) -> list[int]:
    return [int(index) for index in re.findall(r'<li class="work[^>]*data-index="(\d+)"', html)]


def wish(work: Artwork, status: str, seen: int = 0) -> dict[str, Any]:
    return {"id": work.pk, "status": status, "seen": seen}


def send(browser: Client, drop: Drop, *works: Any) -> Any:
    body = {"works": list(works)}
    return browser.post(address(drop, name="board-decide"), body, "application/json")


def work(drop: Drop, index: int) -> Artwork:
    return drop.artworks.get(index=index)


def statuses(drop: Drop) -> list[str]:
    return list(drop.artworks.in_order().values_list("status", flat=True))


def test_visitors_and_wallets_do_not_reach_the_board(
    client: Client, wallet: Client, drop: Drop
) -> None:
    for browser in (client, wallet):
        assert browser.get(address(drop)).status_code == 302
        assert browser.get(address(drop, name="board-works")).status_code == 403
        assert send(browser, drop, wish(work(drop, 0), "accepted")).status_code == 403
    assert not CurationDecision.objects.exists()


def test_a_forged_decision_is_refused(lead: User, drop: Drop) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lead)

    assert send(browser, drop, wish(work(drop, 0), "accepted")).status_code == 403
    assert work(drop, 0).status == Status.PENDING


def test_undecided_works_come_first(console: Client, drop: Drop) -> None:
    drop.artworks.filter(index__in=[1, 4]).update(status=Status.ACCEPTED)

    html = read(console, address(drop))

    assert shown(html) == [0, 2, 3, 5, 6, 7]
    assert "6 undecided of 8" in html
    assert "outside this filter" not in html


def test_what_a_filter_leaves_out_is_counted(console: Client, drop: Drop) -> None:
    drop.artworks.filter(index__in=[2, 5]).update(confidence=0.5)

    html = read(console, address(drop, "below=60"))

    assert shown(html) == [2, 5]
    assert "8 undecided of 8" in html
    assert "6 outside this filter" in html


def test_works_are_filtered_by_a_trait_and_by_its_absence(console: Client, drop: Drop) -> None:
    ArtworkTrait.objects.filter(trait_type="accessory").delete()
    ArtworkTrait.objects.create(artwork=work(drop, 3), trait_type="accessory", value="glasses")

    having = read(console, address(drop, "trait=accessory:glasses"))
    without = read(console, address(drop, "trait=accessory:none"))

    assert shown(having) == [3]
    assert shown(without) == [0, 1, 2, 4, 5, 6, 7]


def test_works_that_look_alike_stand_side_by_side(console: Client, drop: Drop) -> None:
    drop.artworks.filter(index__in=[1, 6]).update(similar_group=1)
    drop.artworks.filter(index__in=[0, 4]).update(similar_group=0)

    assert shown(read(console, address(drop, "alike=on"))) == [0, 4, 1, 6]
    assert shown(read(console, address(drop, "sort=group"))) == [0, 4, 1, 6, 2, 3, 5, 7]


def test_the_least_sure_come_first_when_asked(console: Client, drop: Drop) -> None:
    for index, confidence in enumerate([0.9, 0.2, 0.5, 0.2, 0.8, 0.7, 0.6, 0.3]):
        drop.artworks.filter(index=index).update(confidence=confidence)

    html = read(console, address(drop, "sort=confidence"))

    assert shown(html) == [1, 3, 7, 2, 6, 5, 4, 0]


@pytest.mark.parametrize("sort", ["index", "confidence", "group"])
def test_pages_show_every_undecided_work_though_some_are_decided_on_the_way(
    console: Client, make_drop: MakeDrop, sort: str
) -> None:
    drop = make_drop(110, State.CURATING)
    undecide(drop, *range(110))
    seen: list[int] = []
    query = f"sort={sort}"
    while query:
        html = read(console, address(drop, query))
        seen += shown(html)
        drop.artworks.filter(index__in=shown(html)[::2]).update(status=Status.ACCEPTED)
        found = re.search(r'href="\?([^"]*)" rel="next"', html)
        query = found[1].replace("&amp;", "&") if found else ""

    assert sorted(seen) == list(range(110))
    assert len(seen) == 110


def test_a_page_can_be_left_backwards(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(110, State.CURATING)
    undecide(drop, *range(110))
    third = read(console, address(drop, f"after={work(drop, 95).pk}"))

    back = re.search(r'href="\?([^"]*)">Earlier', third)

    assert back is not None
    assert shown(read(console, address(drop, back[1].replace("&amp;", "&")))) == [*range(48, 96)]


@pytest.mark.parametrize(
    "query",
    ["status=sold", "below=x", "below=-1", "trait=:", "trait=%00:a", "sort=beauty", "after=zz"],
)
def test_a_filter_that_makes_no_sense_shows_the_undecided(
    console: Client, drop: Drop, query: str
) -> None:
    assert console.get(address(drop, query)).status_code == 200
    assert "8 undecided of 8" in read(console, address(drop, query))


def test_the_part_keeps_the_works_that_were_decided_since(console: Client, drop: Drop) -> None:
    ids = ",".join(str(work(drop, index).pk) for index in range(3))
    send(console, drop, wish(work(drop, 1), "rejected"))

    html = read(console, address(drop, f"ids={ids}", "board-part"))

    assert shown(html) == [0, 1, 2]
    assert "rejected by lead" in html
    assert "7 undecided of 8" in html


def test_the_queries_do_not_depend_on_the_works(console: Client, make_drop: MakeDrop) -> None:
    counts = []
    for n_works in (5, 48):
        drop = make_drop(n_works, State.CURATING)
        undecide(drop, *range(n_works))
        with CaptureQueriesContext(connection) as queries:
            read(console, address(drop))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16


def test_one_work_is_shown_with_its_history_and_its_likes(console: Client, drop: Drop) -> None:
    drop.artworks.filter(index__in=[2, 5]).update(similar_group=2)
    first = send(console, drop, wish(work(drop, 2), "accepted")).json()["decisions"][0]["seen"]
    send(console, drop, wish(work(drop, 2), "pending", first))

    html = read(console, address(drop, f"work={work(drop, 2).pk}"))

    assert html.index("reopened by lead") < html.index("accepted by lead")
    assert shown(html) == [5]
    assert "Next" in html
    assert "Previous" in html


def test_a_batch_is_decided_whole(console: Client, lead: User, drop: Drop) -> None:
    wishes = [wish(work(drop, index), "rejected") for index in (1, 2, 3)]

    reply = send(console, drop, *wishes)

    assert reply.status_code == 200
    assert [one["id"] for one in reply.json()["decisions"]] == [one["id"] for one in wishes]
    assert statuses(drop).count(Status.REJECTED) == 3
    assert set(CurationDecision.objects.values_list("curator", flat=True)) == {lead.pk}


def test_a_batch_that_is_sent_twice_counts_once_and_answers_the_same(
    console: Client, drop: Drop
) -> None:
    wishes = [wish(work(drop, index), "accepted") for index in range(4)]

    replies = [send(console, drop, *wishes) for _ in range(2)]

    assert replies[0].json() == replies[1].json()
    assert CurationDecision.objects.count() == 4


def test_who_decides_unseen_over_another_curator_is_told_and_nothing_is_written(
    console: Client, other: Client, drop: Drop
) -> None:
    send(other, drop, wish(work(drop, 1), "rejected"))

    reply = send(console, drop, wish(work(drop, 0), "accepted"), wish(work(drop, 1), "accepted"))

    assert (reply.status_code, reply.json()["code"]) == (409, "changed_meanwhile")
    assert "#1 was rejected by ada" in reply.json()["detail"]
    assert statuses(drop)[:2] == [Status.PENDING, Status.REJECTED]
    assert CurationDecision.objects.count() == 1


def test_who_has_seen_the_decision_may_overrule_it_and_both_stay(
    console: Client, other: Client, drop: Drop
) -> None:
    reply = send(other, drop, wish(work(drop, 1), "rejected"))
    seen = reply.json()["decisions"][0]["seen"]

    assert send(console, drop, wish(work(drop, 1), "accepted", seen)).status_code == 200
    decisions = CurationDecision.objects.order_by("pk").values_list("status", flat=True)
    assert list(decisions) == ["rejected", "accepted"]
    assert work(drop, 1).status == Status.ACCEPTED


def test_two_curators_of_one_mind_do_not_collide(
    console: Client, other: Client, drop: Drop
) -> None:
    send(other, drop, wish(work(drop, 1), "accepted"))

    reply = send(console, drop, wish(work(drop, 1), "accepted"))

    assert reply.json() == {"decisions": []}
    assert CurationDecision.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"works": []},
        {"works": "all"},
        {"works": [{"id": 1, "status": "sold", "seen": 0}]},
        {"works": [{"id": 1, "status": "duplicate", "seen": 0}]},
        {"works": [{"id": 1, "status": "accepted"}]},
        {"works": [{"id": 2**70, "status": "accepted", "seen": 0}]},
        {"works": [{"id": 1, "status": "accepted", "seen": 0}] * 2},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(console: Client, drop: Drop, body: Any) -> None:
    reply = console.post(address(drop, name="board-decide"), body, "application/json")

    assert (reply.status_code, reply.json()["code"]) == (400, "invalid")


def test_works_of_other_drops_and_duplicates_are_not_decided(
    console: Client, drop: Drop, make_drop: MakeDrop
) -> None:
    foreign = work(make_drop(1, State.CURATING, seed=1), 0)
    drop.artworks.filter(index=0).update(status=Status.DUPLICATE)

    for one in (foreign, work(drop, 0)):
        assert send(console, drop, wish(one, "rejected")).status_code == 409
    assert not CurationDecision.objects.exists()


@pytest.mark.parametrize("state", [State.COMMITTED, State.MINTING])
def test_after_curation_the_board_is_read_only(
    console: Client, in_state: InState, state: State
) -> None:
    drop = in_state(state)

    reply = send(console, drop, wish(work(drop, 0), "rejected"))
    html = read(console, address(drop, "status=all"))

    assert (reply.status_code, reply.json()["code"]) == (409, "wrong_state")
    assert "not open for curation" in html
    assert "data-wish" not in html


def test_all_of_a_filter_can_be_asked_for(console: Client, drop: Drop) -> None:
    drop.artworks.filter(index__in=[2, 5]).update(confidence=0.5)
    decided = send(console, drop, wish(work(drop, 2), "accepted")).json()["decisions"][0]

    reply = console.get(address(drop, "below=60&status=all", "board-works"))

    assert reply.json()["works"] == [
        {"id": decided["id"], "index": 2, "status": "accepted", "seen": decided["seen"]},
        {"id": work(drop, 5).pk, "index": 5, "status": "pending", "seen": 0},
    ]


def test_the_drop_can_be_committed_from_the_board_once_all_is_decided(
    console: Client, drop: Drop
) -> None:
    before = read(console, address(drop))
    drop.artworks.update(status=Status.ACCEPTED)

    after = read(console, address(drop))

    assert '<button class="small primary" disabled>Close' in before
    assert '<button class="small primary" >Close' in after
    assert "Every work is decided" in after


def test_a_part_of_a_page_whose_session_ended_gets_a_sentence_and_a_link(
    client: Client, drop: Drop
) -> None:
    page = f"http://testserver{address(drop)}?status=all"

    reply = client.get(
        address(drop, name="board-part"), headers={"hx-request": "true", "hx-current-url": page}
    )

    html = reply.content.decode()
    assert (reply.status_code, reply["HX-Retarget"]) == (401, "#session")
    assert "<form" not in html
    assert f"/sign-in?next=%2Fconsole%2Fdrops%2F{drop.pk}%2Fboard%3Fstatus%3Dall" in html
