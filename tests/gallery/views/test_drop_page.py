"""The drop page: complete from the database alone, in every state."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from generation.models import Artwork, Drop, DropPlan, Job
from generation.traits.planner import Quota
from minting.models import Commitment
from tests.fixtures.chain import ALICE
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, page_address, undecide

State = Drop.State


def read(browser: Client, drop: Drop, query: str = "", name: str = "drop") -> str:
    reply = browser.get(page_address(drop, name) + query)
    assert reply.status_code == 200
    return reply.content.decode()


def shown(html: str) -> list[int]:
    """Places of the works in the grid."""
    return [int(index) for index in re.findall(r'id="work-(\d+)"', html)]


def n_queries(browser: Client, drop: Drop) -> int:
    with CaptureQueriesContext(connection) as queries:
        read(browser, drop)
    return len(queries)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", ["drop", "drop-live"])
def test_every_state_has_a_page(client: Client, in_state: InState, state: State, name: str) -> None:
    drop = in_state(state)

    html = read(client, drop, name=name)

    assert f'data-state="{state}"' in html
    assert re.findall(r'aria-current="step">(\w+)<', html) == [state]
    assert len(shown(html)) == (0 if state == State.DRAFT else 6)


def test_the_live_part_is_in_the_page_as_it_is_sent_alone(
    client: Client, in_state: InState
) -> None:
    drop = in_state(State.LISTENING)

    assert read(client, drop, name="drop-live").strip() in read(client, drop)


def test_the_page_does_not_need_the_cache(client: Client, in_state: InState) -> None:
    drop = in_state(State.LISTENING)
    before = read(client, drop, name="drop-live")

    cache.clear()

    assert read(Client(), drop, name="drop-live") == before


def test_a_draft_says_that_nothing_is_drawn_yet(client: Client, in_state: InState) -> None:
    assert "its rendering has not begun" in read(client, in_state(State.DRAFT))


def test_rendering_shows_how_far_it_is(client: Client, in_state: InState) -> None:
    html = read(client, in_state(State.RENDERING, 130))

    assert '<progress max="130" value="64"' in html
    assert "64 of 130 works" in html
    assert shown(html) == list(range(64))


def test_a_part_that_failed_is_shown_with_its_error(client: Client, in_state: InState) -> None:
    drop = in_state(State.RENDERING, 130)
    failing = drop.jobs.order_by("-pk")[0]
    Job.objects.filter(pk=failing.pk).update(state=Job.State.FAILED, error="out of memory")

    assert "1 part failed: out of memory" in read(client, drop)


def test_a_planned_drop_shows_its_present_round(client: Client, in_state: InState) -> None:
    drop = in_state(State.RENDERING, 130)
    for n, job in enumerate(drop.jobs.order_by("pk")):
        Job.objects.filter(pk=job.pk).update(args={"round": min(n, 1)})
    quota = Quota([{"head": "bob"}] * 130)
    for slot in range(64):
        quota.offer(slot, {"head": "bob" if slot < 60 else "bun"}, 1.0, 2.0)
    DropPlan.objects.create(
        drop=drop,
        request_body={},
        quota_body=quota.to_json(),
        floors=[],
        n_rounds=1,
        max_attempts=40,
    )

    html = read(client, drop)

    assert '<progress max="66" value="0"' in html
    assert "0 of 66 pictures in round 2 · 60 of 130 places filled" in html


def test_other_states_have_no_progress_bar(client: Client, in_state: InState) -> None:
    assert "<progress" not in read(client, in_state(State.CURATING))


@pytest.mark.parametrize("status", [Artwork.Status.REJECTED, Artwork.Status.DUPLICATE])
def test_rejected_works_and_duplicates_are_not_shown(
    client: Client, make_drop: MakeDrop, status: Artwork.Status
) -> None:
    drop = make_drop(5, State.CURATING)
    undecide(drop, 0)
    drop.artworks.filter(index=3).update(status=status)

    html = read(client, drop)

    assert shown(html) == [0, 1, 2, 4]
    assert drop.artworks.get(index=3).image_digest not in html
    assert "<dt>Works</dt><dd>4</dd>" in html
    assert "<dt>Accepted</dt><dd>3</dd>" in html


def test_traits_are_those_that_were_read_not_those_asked_for(
    client: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(1)
    drop.artworks.update(
        requested={"head": "asked"}, parsed={"head": "seen", "facial_hair": "moustache"}
    )

    html = read(client, drop)

    assert "<dt>head</dt><dd>seen</dd><dt>facial hair</dt><dd>moustache</dd>" in html
    assert 'alt="Portrait: head seen, facial hair moustache"' in html
    assert "asked" not in html


def test_a_trait_that_is_absent_is_left_out(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1)
    drop.artworks.update(parsed={"head": "bun", "accessory": "none"})

    html = read(client, drop)

    assert '<dl class="traits"><dt>head</dt><dd>bun</dd></dl>' in html
    assert "accessory" not in html


def test_what_a_parser_read_is_escaped(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1)
    drop.artworks.update(parsed={"head": '"><script>x</script>'})

    html = read(client, drop)

    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


def test_rarity_is_shown_once_it_is_known(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(2)
    drop.artworks.filter(index=1).update(rarity_score=1.23456, rarity_rank=1)

    html = read(client, drop)

    assert "#1 · rank 1" in html
    assert "1.235" in html
    assert html.count("<dt>rarity</dt>") == 1


def test_the_hashes_are_shown_once_the_chain_has_them(client: Client, in_state: InState) -> None:
    drop = in_state(State.COMMITTED)

    html = read(client, drop)

    commitment = Commitment.objects.get(drop=drop)
    named = (
        commitment.metadata_root,
        commitment.image_root,
        commitment.params_hash,
        drop.checkpoint.sha256,
    )
    assert all(f'<dd class="hash">{digest}</dd>' in html for digest in named)


def test_a_commitment_on_its_way_is_not_shown_as_one_on_chain(
    client: Client, in_state: InState
) -> None:
    drop = in_state(State.COMMITTED)
    Drop.objects.filter(pk=drop.pk).update(state=State.CURATING)

    assert "Committed on chain" not in read(client, drop)


def test_the_seed_is_not_given_away(client: Client, in_state: InState) -> None:
    drop = in_state(State.CURATING)

    assert drop.seed not in read(client, drop)


@pytest.mark.parametrize("state", [State.MINTING, State.LISTENING, State.SCORED, State.CLOSED])
def test_an_open_sale_says_its_price_and_where_to_buy(
    client: Client, in_state: InState, state: State
) -> None:
    html = read(client, in_state(state))

    assert "0.02 ETH a work · 5 of 6 left" in html
    assert 'href="/collections/portraits/drops/1/mint"' in html


def test_a_drop_that_is_sold_out_offers_no_mint(client: Client, in_state: InState) -> None:
    drop = in_state(State.MINTING)
    Commitment.objects.filter(drop=drop).update(count=1)

    html = read(client, drop)

    assert "Sold out." in html
    assert 'href="/collections/portraits/drops/1/mint"' not in html
    assert 'href="/collections/portraits/market"' in html.split('id="sale"')[1]


def test_there_is_no_sale_before_it_opens(client: Client, in_state: InState) -> None:
    assert 'id="sale"' not in read(client, in_state(State.COMMITTED))


def test_a_minted_work_has_its_owner(client: Client, in_state: InState) -> None:
    html = read(client, in_state(State.MINTING))

    assert "<dt>Minted</dt><dd>1</dd>" in html
    assert html.count(f'<dd title="{ALICE}">') == 1


@pytest.mark.parametrize("state", State)
def test_the_way_to_vote_is_there_while_a_round_is_open(
    client: Client, in_state: InState, state: State
) -> None:
    drop = in_state(state)

    found = page_address(drop, "vote") in read(client, drop)

    assert found == (state == State.LISTENING)


def test_works_come_in_pages_of_96(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(100)

    assert shown(read(client, drop)) == list(range(96))
    assert shown(read(client, drop, "?page=2")) == [96, 97, 98, 99]
    assert "Page 2 of 2" in read(client, drop, "?page=2")


def test_96_works_are_one_page(client: Client, make_drop: MakeDrop) -> None:
    html = read(client, make_drop(96))

    assert len(shown(html)) == 96
    assert 'class="pager"' not in html


@pytest.mark.parametrize(
    ("page", "first"),
    [("3", 96), ("999999999999999999999999", 96), ("0", 96), ("-1", 96), ("x", 0), ("", 0)],
)
def test_a_page_that_is_not_there_is_answered_with_the_nearest(
    client: Client, make_drop: MakeDrop, page: str, first: int
) -> None:
    assert shown(read(client, make_drop(98), f"?page={page}"))[0] == first


def test_the_live_part_stays_on_the_page_it_shows(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(98)

    html = read(client, drop, "?page=2")

    assert f'hx-get="{page_address(drop, "drop-live")}?page=2"' in html


@pytest.mark.parametrize("number", ["2", "0", "99999999999999999999999999", "-1", "x"])
def test_a_drop_that_is_not_there_is_not_found(
    client: Client, make_drop: MakeDrop, number: str
) -> None:
    make_drop(1)

    assert client.get(f"/collections/portraits/drops/{number}").status_code == 404
    assert client.get(f"/collections/others/drops/{number}").status_code == 404


@pytest.mark.parametrize("name", ["drop", "drop-live", "vote"])
def test_pages_are_read_only(client: Client, make_drop: MakeDrop, name: str) -> None:
    assert client.post(page_address(make_drop(1), name)).status_code == 405


def test_the_number_of_queries_does_not_depend_on_the_works(
    client: Client, make_drop: MakeDrop
) -> None:
    assert n_queries(client, make_drop(10)) == n_queries(client, make_drop(96))


@pytest.mark.parametrize("state", State)
def test_no_state_takes_more_than_12_queries(
    client: Client,
    in_state: InState,
    state: State,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    drop: Any = in_state(state)

    with django_assert_max_num_queries(12):
        read(client, drop)
