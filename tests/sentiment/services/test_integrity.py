"""Signals from rows, money from a real chain, and what a lead makes of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from generation.models import Artwork
from minting.provenance.canonical import canonicalize
from sentiment.derivation import bundle
from sentiment.derivation.replay import replay
from sentiment.models import Discount, Funding, Round, Vote, Voter
from sentiment.services import (
    NotALeadError,
    RoundClosedError,
    cast_vote,
    close_round,
    discount_voters,
    open_round,
    read_funding,
    read_turnout,
    register_wallet,
    round_bundle,
    round_inputs,
    suspicions,
)
from sentiment.services.evidence import current_belief
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.sentiment.conftest import vote_by


def vote(round: Round, voter: Voter, place: int = 0) -> Vote:
    left, right = list(round.drop.artworks.order_by("pk"))[place : place + 2]
    return cast_vote(
        round=round, voter=voter, left_id=left.pk, right_id=right.pk, winner_id=left.pk
    )


def in_step(round: Round, voters: list[Voter]) -> None:
    """Let each vote of these voters come half a second behind that of the one before."""
    now = timezone.now()
    for lag, voter in enumerate(voters):
        for n, one in enumerate(Vote.objects.filter(round=round, voter=voter).order_by("pk")):
            at = now + timedelta(seconds=97 * n + 0.4 * lag)
            Vote.objects.filter(pk=one.pk).update(cast_at=at)


def test_voters_in_step_are_shown_and_nothing_changes(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    vote_by(open_one, voters[:6], lambda work: float(hash((work.pk, 1)) % 7), every=2)
    now = timezone.now()
    for n, one in enumerate(Vote.objects.order_by("voter_id", "pk")):
        Vote.objects.filter(pk=one.pk).update(cast_at=now + timedelta(seconds=1000 * n))
    in_step(open_one, voters[:2])
    before = round_inputs(round=open_one)["votes"]

    found = [one for one in suspicions(open_one) if one.rule == "bursts"]

    assert [[voter.address for voter in one.voters] for one in found] == [
        [voter.address for voter in voters[:2]]
    ]
    assert round_inputs(round=open_one)["votes"] == before


def discounted(round: Round, voters: list[Voter], lead: User, **options: Any) -> list[Discount]:
    asked: dict[str, Any] = {"factor": 0.1, "rule": "bursts", "reason": "One hand"} | options
    addresses = [voter.address for voter in voters]
    return discount_voters(round=round, addresses=addresses, lead=lead, **asked)


def weights(round: Round) -> dict[str, float]:
    return {row[3]: row[5] for row in round_inputs(round=round)["votes"]["rows"]}


def test_a_lead_lets_votes_count_less_and_takes_it_back(
    open_one: Round, voters: list[Voter], lead: User
) -> None:
    ann, bob, *_ = voters
    vote_by(open_one, [ann, bob], lambda work: work.index, every=3)
    before = read_turnout(open_one).heaviest[0].share, current_belief(open_one).belief.mean

    discounted(open_one, [ann], lead)
    less = weights(open_one), read_turnout(open_one), current_belief(open_one).belief.mean
    discounted(open_one, [ann], lead, factor=1, reason="They showed who they are")

    assert less[0] == {ann.address: 0.1, bob.address: 1.0}
    assert less[1].heaviest[0].address == bob.address
    assert less[1].heaviest[0].share > before[0]
    assert (less[2] != before[1]).any()
    assert weights(open_one) == {ann.address: 1.0, bob.address: 1.0}
    assert Discount.objects.count() == 2
    assert not open_one.discounts.in_force().exists()


def test_what_a_lead_decided_stands_in_the_bundle_and_replays(
    open_one: Round, voters: list[Voter], lead: User
) -> None:
    vote_by(open_one, voters[:4], lambda work: work.index, every=3)
    discounted(open_one, voters[:1], lead, factor=0.25)
    close_round(round=open_one)

    told = bundle.read(round_bundle(round=open_one))
    found = {one.check: one for one in replay(told)}
    told["weighing"]["discounts"]["rows"] = []
    hidden = {one.check: one for one in replay(bundle.read(canonicalize(told)))}

    assert found["weights"].state == "pass"
    assert "1 voter counts less" in found["weights"].why
    assert hidden["weights"].state == "fail"


def test_only_a_lead_in_an_open_round_for_a_reason_and_for_who_voted(
    open_one: Round, voters: list[Voter], lead: User
) -> None:
    ann, bob, *_ = voters
    vote(open_one, ann)

    with pytest.raises(NotALeadError):
        discounted(open_one, [ann], bob.user)
    with pytest.raises(ValueError, match="voters of this round"):
        discounted(open_one, [ann, bob], lead)
    with pytest.raises(ValueError, match="reason"):
        discounted(open_one, [ann], lead, reason=" ")
    with pytest.raises(ValueError, match="factor"):
        discounted(open_one, [ann], lead, factor=1.5)
    close_round(round=open_one)
    with pytest.raises(RoundClosedError):
        discounted(open_one, [ann], lead)

    assert not Discount.objects.exists()


def test_a_discount_ends_with_its_round(
    open_one: Round, voters: list[Voter], lead: User, make_drop: Any
) -> None:
    vote(open_one, voters[0])
    discounted(open_one, voters[:1], lead)
    close_round(round=open_one)
    second = open_round(drop=make_drop(4))
    vote(second, voters[0])

    rows = round_inputs(round=second)["votes"]["rows"]

    assert {row[4]: row[5] for row in rows} == {0: 1.0, 1: 0.1}


def test_the_chain_says_who_funded_whom(
    open_one: Round, fresh_chain: Chain, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = fresh_chain.url
    ring = [register_wallet(address="0x" + f"{n:040x}") for n in (0xA1, 0xA2)]
    for voter in (*ring, register_wallet(address=BOB)):
        vote(open_one, voter)
    fresh_chain.succeed(b"", BOB, OWNER, 10**15)
    for voter in ring:
        fresh_chain.succeed(b"", voter.address, ALICE, 10**15)
        fresh_chain.succeed(b"", voter.address, OWNER, 10**15)

    scan = read_funding(node=fresh_chain, round=open_one)
    (found,) = suspicions(open_one)

    assert scan.is_done
    assert found.rule == "funding"
    assert {voter.pk for voter in found.voters} == {voter.pk for voter in ring}
    assert found.funded is not None
    assert (found.funded.funder, found.funded.n_known) == (ALICE, 3)
    assert Funding.objects.count() == 3


def test_reading_goes_on_where_it_stopped_and_again_for_who_came_later(
    open_one: Round,
    voters: list[Voter],
    fresh_chain: Chain,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.CHAIN_RPC_URL = fresh_chain.url
    late = voters[0]
    fresh_chain.succeed(b"", late.address, ALICE, 10**15)
    monkeypatch.setattr("sentiment.services.integrity.READING_S", 0.0)
    steps = [read_funding(node=fresh_chain, round=open_one).number for _ in range(3)]
    monkeypatch.undo()
    settings.CHAIN_RPC_URL = fresh_chain.url

    done = read_funding(node=fresh_chain, round=open_one)
    vote(open_one, late)
    assert not Funding.objects.exists()
    read_funding(node=fresh_chain, round=open_one)

    assert steps == [20, 40, 60]
    assert done.is_done
    assert Funding.objects.get().funder == ALICE
