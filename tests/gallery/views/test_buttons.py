"""The buttons of the console, from the draft to the end of voting."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from generation.models import Artwork, CurationDecision, Drop
from minting.models import ChainTransaction, Commitment
from sentiment.models import Proposal, Round, Voter
from sentiment.services import cast_vote
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import PRICE_WEI, InState, offered, press, read, undecide

State = Drop.State
Status = Artwork.Status


def decide(browser: Client, work: Artwork, status: str) -> Any:
    return browser.post(reverse("gallery:decide", args=[work.pk]), {"status": status})


def test_a_draft_is_rendered_once(console: Client, in_state: InState) -> None:
    drop = in_state(State.DRAFT, 100)

    first = press(console, "render", drop.pk)
    second = press(console, "render", drop.pk)

    assert first == ["Drop 1 is being rendered."]
    assert second == ["drop 1 is rendering, not draft"]
    assert drop.jobs.count() == 2


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.REJECTED])
def test_a_work_is_decided_and_the_decision_taken_back(
    console: Client, lead: User, make_drop: MakeDrop, status: Status
) -> None:
    drop = make_drop(2, State.CURATING)
    undecide(drop, 0, 1)
    work = drop.artworks.get(index=0)

    decided = decide(console, work, status).content.decode()
    work.refresh_from_db()
    after = work.status
    undone = decide(console, work, Status.PENDING).content.decode()
    work.refresh_from_db()

    assert (after, work.status) == (status, Status.PENDING)
    assert f"Undo: {status}" in decided
    assert ">Accept<" in undone
    assert decided.count("<li") == 1
    decisions = CurationDecision.objects.order_by("pk").values_list("status", "curator")
    assert list(decisions) == [(status, lead.pk), (Status.PENDING, lead.pk)]
    assert drop.artworks.get(index=1).status == Status.PENDING


def test_the_same_decision_twice_is_written_once(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1, State.CURATING)
    undecide(drop, 0)

    replies = [decide(console, drop.artworks.get(), Status.ACCEPTED) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert CurationDecision.objects.count() == 1


@pytest.mark.parametrize("word", ["duplicate", "", "ACCEPTED", "sold"])
def test_an_unknown_decision_is_refused(console: Client, make_drop: MakeDrop, word: str) -> None:
    drop = make_drop(1, State.CURATING)
    undecide(drop, 0)

    assert decide(console, drop.artworks.get(), word).status_code == 400
    assert drop.artworks.get().status == Status.PENDING


def test_a_duplicate_stays_one(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1, State.CURATING)
    drop.artworks.update(status=Status.DUPLICATE)

    decide(console, drop.artworks.get(), Status.ACCEPTED)

    assert drop.artworks.get().status == Status.DUPLICATE


@pytest.mark.parametrize("state", [State.RENDERING, State.COMMITTED, State.MINTING])
def test_no_work_is_decided_outside_curation(
    console: Client, in_state: InState, state: State
) -> None:
    work = in_state(state).artworks.order_by("index")[0]

    reply = decide(console, work, Status.REJECTED)

    assert reply.status_code == 409
    assert Artwork.objects.get(pk=work.pk).status == work.status
    assert not CurationDecision.objects.filter(kind="decided").exists()


def test_the_rest_is_accepted_at_once(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(5, State.CURATING)
    undecide(drop, 0, 1, 2)
    drop.artworks.filter(index=3).update(status=Status.REJECTED)

    said = press(console, "decide-all", drop.pk)

    assert said == ["3 works accepted."]
    assert drop.artworks.counts() == {"pending": 0, "accepted": 4, "rejected": 1, "duplicate": 0}
    assert CurationDecision.objects.count() == 3


def test_a_drop_with_an_undecided_work_is_not_committed(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(3, State.CURATING)
    undecide(drop, 1)

    said = press(console, "commit", drop.pk)

    drop.refresh_from_db()
    assert said == ["drop 1 is curating, not completely curated"]
    assert (drop.state, drop.curated_at) == (State.CURATING, None)
    assert not Commitment.objects.exists()
    assert not ChainTransaction.objects.exists()


def test_a_drop_without_an_accepted_work_is_not_committed(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(2, State.CURATING)
    drop.artworks.update(status=Status.REJECTED)

    press(console, "commit", drop.pk)

    drop.refresh_from_db()
    assert drop.curated_at is None
    assert not Commitment.objects.exists()


def test_a_commitment_goes_to_the_outbox_once(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(3, State.CURATING)

    said = [press(console, "commit", drop.pk) for _ in range(2)]

    kinds = ChainTransaction.objects.order_by("kind").values_list("kind", flat=True)
    assert said == [["Curation of drop 1 is closed; its roots go to the chain."]] * 2
    assert sorted(set(kinds)) == ["commit", "deploy", "library"]
    assert (list(kinds).count("commit"), list(kinds).count("deploy")) == (1, 1)
    assert "The commitment is on its way to the chain." in read(console)


def test_a_picture_that_is_gone_stops_the_commitment(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(3, State.CURATING)
    work = drop.artworks.get(index=1)
    work.image_path.unlink()

    said = press(console, "commit", drop.pk)

    drop.refresh_from_db()
    assert work.image_digest in said[0]
    assert drop.curated_at is None
    assert not Commitment.objects.exists()


def test_a_picture_that_was_changed_stops_the_commitment(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(3, State.CURATING)
    work = drop.artworks.get(index=1)
    work.image_path.write_bytes(b"something else")

    said = press(console, "commit", drop.pk)

    drop.refresh_from_db()
    assert work.image_digest in said[0]
    assert drop.curated_at is None
    assert not Commitment.objects.exists()


def test_what_the_chain_refused_is_shown_and_can_be_tried_again(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(3, State.CURATING)
    press(console, "commit", drop.pk)
    refused = ChainTransaction.objects.filter(drop=drop)
    refused.update(state=ChainTransaction.State.REVERTED, error="NotTheOwner")

    html = read(console)
    press(console, "commit", drop.pk)

    assert "NotTheOwner" in html
    assert offered(html) == {"commit"}
    states = refused.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["reverted", "pending"]
    assert "NotTheOwner" not in read(console)


def test_why_a_transaction_waits_is_shown(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(3, State.CURATING)
    press(console, "commit", drop.pk)
    ChainTransaction.objects.filter(drop=drop).update(error="the node is away")

    assert "the node is away" in read(console)


def test_a_sale_opens_at_the_price_that_was_typed(console: Client, in_state: InState) -> None:
    drop = in_state(State.COMMITTED)

    said = press(console, "open-sale", drop.pk, price_eth="0.02", cap="5")

    phase = Commitment.objects.get(drop=drop).phases.get()
    assert said == ["The sale opens with the next block."]
    assert (phase.price_wei, phase.max_per_transaction) == (PRICE_WEI, 5)
    assert ChainTransaction.objects.filter(kind="open_sale").count() == 1


@pytest.mark.parametrize("price", ["0", "0.000000000000000001", "10000"])
def test_free_and_very_small_and_large_prices_are_exact(
    console: Client, in_state: InState, price: str
) -> None:
    drop = in_state(State.COMMITTED)

    press(console, "open-sale", drop.pk, price_eth=price, cap="1")

    expected = {"0": 0, "0.000000000000000001": 1, "10000": 10**22}
    assert Commitment.objects.get(drop=drop).phases.get().price_wei == expected[price]


@pytest.mark.parametrize(
    "price",
    ["NaN", "sNaN", "Infinity", "-1", "1e30", "10000.1", "", " ", "0.0000000000000000001", "x"],
)
def test_a_price_that_is_none_is_refused(console: Client, in_state: InState, price: str) -> None:
    drop = in_state(State.COMMITTED)

    said = press(console, "open-sale", drop.pk, price_eth=price, cap="5")

    assert said[0].startswith("price eth: ")
    assert not ChainTransaction.objects.filter(kind="open_sale").exists()
    assert not Commitment.objects.get(drop=drop).phases.exists()


@pytest.mark.parametrize("cap", ["0", "21", "-1", "", "x", "1.5"])
def test_a_cap_that_is_none_is_refused(console: Client, in_state: InState, cap: str) -> None:
    drop = in_state(State.COMMITTED)

    said = press(console, "open-sale", drop.pk, price_eth="1", cap=cap)

    assert said[0].startswith("cap: ")
    assert not ChainTransaction.objects.filter(kind="open_sale").exists()


def test_other_terms_for_a_sale_on_its_way_are_refused(console: Client, in_state: InState) -> None:
    drop = in_state(State.COMMITTED)
    press(console, "open-sale", drop.pk, price_eth="0.02", cap="5")

    said = press(console, "open-sale", drop.pk, price_eth="0.03", cap="5")

    assert said == ["the sale of drop 1 was asked for with other terms"]
    assert Commitment.objects.get(drop=drop).phases.get().price_wei == PRICE_WEI


def test_a_sale_on_its_way_is_not_offered_again(console: Client, in_state: InState) -> None:
    drop = in_state(State.COMMITTED)
    press(console, "open-sale", drop.pk, price_eth="0.02", cap="5")

    html = read(console)

    assert offered(html) == set()
    assert "The sale is on its way to the chain." in html


@pytest.mark.parametrize("state", [State.DRAFT, State.CURATING])
def test_no_sale_opens_before_the_commitment(
    console: Client, in_state: InState, state: State
) -> None:
    drop = in_state(state)

    said = press(console, "open-sale", drop.pk, price_eth="1", cap="5")

    assert said == [f"drop 1 is {state}, not committed"]
    assert not ChainTransaction.objects.exists()


@pytest.mark.parametrize("state", [State.DRAFT, State.RENDERING, State.CURATING, State.COMMITTED])
def test_no_voting_opens_before_the_sale(console: Client, in_state: InState, state: State) -> None:
    drop = in_state(state)

    said = press(console, "open-voting", drop.pk)

    assert said == [f"drop 1 is {state}, not minting"]
    assert not Round.objects.exists()
    assert Drop.objects.get(pk=drop.pk).state == state


def test_voting_opens_once(console: Client, in_state: InState) -> None:
    drop = in_state(State.MINTING)

    said = [press(console, "open-voting", drop.pk) for _ in range(2)]

    assert said == [["Voting is open."]] * 2
    assert Round.objects.count() == 1
    assert Drop.objects.get(pk=drop.pk).state == State.LISTENING


def test_the_console_counts_votes_and_voters(
    console: Client, voter: Voter, in_state: InState
) -> None:
    drop = in_state(State.LISTENING)
    a, b, c = drop.artworks.order_by("index").values_list("pk", flat=True)[:3]
    current = Round.objects.get(drop=drop)
    for left, right in ((a, b), (a, c)):
        cast_vote(round=current, voter=voter, left_id=left, right_id=right, winner_id=a)

    assert "2 votes of 1 voter · 1 of 6 minted" in read(console)


def test_voting_is_closed_and_scored_once(console: Client, in_state: InState) -> None:
    drop = in_state(State.LISTENING)

    said = [press(console, "close-voting", drop.pk) for _ in range(2)]

    assert said == [["Voting is closed and scored."]] * 2
    assert Proposal.objects.count() == 1
    assert Drop.objects.get(pk=drop.pk).state == State.SCORED


def test_no_voting_closes_that_never_opened(console: Client, in_state: InState) -> None:
    drop = in_state(State.MINTING)

    assert console.post(reverse("gallery:close-voting", args=[drop.pk])).status_code == 404
    assert Drop.objects.get(pk=drop.pk).state == State.MINTING
