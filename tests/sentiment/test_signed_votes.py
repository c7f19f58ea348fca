"""Votes signed by their voters: at the door, in the row, in the bundle."""

import copy
from typing import Any

import pytest
from eth_account import Account
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from generation.models import Artwork
from minting.provenance.canonical import canonicalize
from sentiment.derivation import bundle
from sentiment.derivation.replay import replay
from sentiment.integrity import ballots
from sentiment.integrity.ballots import Ballot
from sentiment.models import Round, Vote, Voter
from sentiment.services import close_round, counted_votes, register_wallet, round_bundle
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by


def sign(
    left: Artwork, right: Artwork, winner: Artwork, chain_id: int = 31337, key: int = 1
) -> str:
    drop = left.drop
    names = [f"{drop.number}/{work.index}" for work in (left, right, winner)]
    message = ballots.message(Ballot(drop.number, drop.collection.slug, *names), chain_id)
    signed = Account.sign_message(message, key.to_bytes(32))
    return "0x" + bytes(signed.signature).hex()


def cast(
    browser: APIClient, round: Round, left: Artwork, right: Artwork, signature: str | None
) -> Any:
    """A vote for the left one."""
    body = {"left": left.pk, "right": right.pk, "winner": left.pk}
    signed = {} if signature is None else {"signature": signature}
    return browser.post(f"/api/rounds/{round.pk}/votes", body | signed, format="json")


def test_a_signed_vote_is_kept_with_its_signature(
    browser: APIClient, open_one: Round, works: list[Artwork]
) -> None:
    a, b, *_ = works

    reply = cast(browser, open_one, b, a, sign(b, a, b))

    assert reply.status_code == 201
    assert reply.json()["is_signed"]
    assert Vote.objects.get().signature == sign(b, a, b)


def test_one_question_more_and_no_other(
    browser: APIClient,
    open_one: Round,
    works: list[Artwork],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    a, b, *_ = works
    signature = sign(a, b, a)

    with django_assert_num_queries(4):
        cast(browser, open_one, a, b, signature)


def test_a_vote_need_not_be_signed(
    browser: APIClient, open_one: Round, works: list[Artwork]
) -> None:
    reply = cast(browser, open_one, works[0], works[1], None)

    assert (reply.status_code, reply.json()["is_signed"]) == (201, False)


def test_what_the_wallet_did_not_sign_is_refused_and_not_stored(
    browser: APIClient, open_one: Round, works: list[Artwork]
) -> None:
    a, b, c, *_ = works
    wrong = {
        "for the other work": sign(a, b, b),
        "of another pair": sign(a, c, a),
        "of another wallet": sign(a, b, a, key=2),
        "on another chain": sign(a, b, a, chain_id=1),
        "no signature": "0x1234",
    }

    replies = {name: cast(browser, open_one, a, b, one) for name, one in wrong.items()}

    assert {name: reply.json()["code"] for name, reply in replies.items()} == dict.fromkeys(
        wrong, "bad_signature"
    )
    assert {reply.status_code for reply in replies.values()} == {400}
    assert "Nothing was stored" in replies["for the other work"].json()["detail"]
    assert not Vote.objects.exists()


def test_a_signature_of_another_round_says_nothing_here(
    browser: APIClient, open_one: Round, works: list[Artwork], make_drop: MakeDrop
) -> None:
    elsewhere = list(make_drop(3).artworks.order_by("pk"))

    reply = cast(
        browser, open_one, works[0], works[1], sign(elsewhere[0], elsewhere[1], elsewhere[0])
    )

    assert reply.json()["code"] == "bad_signature"


def test_works_of_nowhere_are_refused_as_ever(
    browser: APIClient, open_one: Round, works: list[Artwork], make_drop: MakeDrop
) -> None:
    other = make_drop(3).artworks.order_by("pk").first()
    assert other is not None

    reply = cast(browser, open_one, works[0], other, sign(works[0], other, works[0]))

    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_work")


@pytest.fixture
def closed(open_one: Round, works: list[Artwork], browser: APIClient, voter: Voter) -> Round:
    """A round of which two votes are signed, by the first of four voters."""
    for left, right in [(works[1], works[0]), (works[2], works[5])]:
        cast(browser, open_one, left, right, sign(left, right, left))
    others = [register_wallet(address=address(n)) for n in (2, 3, 4)]
    vote_by(open_one, others, lambda work: work.index, every=3)
    close_round(round=open_one)
    return open_one


def findings(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    found = replay(bundle.read(canonicalize(told)))
    return {one.check: (str(one.state), one.why) for one in found}


def test_a_bundle_says_which_votes_are_signed_and_anybody_checks_it(closed: Round) -> None:
    told = bundle.read(round_bundle(round=closed))

    n_votes = len(told["inputs"]["votes"]["rows"])
    said = f"2 of {n_votes} votes are signed by their voters"
    assert findings(told)["signatures"] == ("pass", said)
    assert told["signatures"]["domain"]["chainId"] == 31337


def test_a_forged_signature_is_found(closed: Round) -> None:
    told = bundle.read(round_bundle(round=closed))
    forged = copy.deepcopy(told)
    rows = forged["signatures"]["rows"]
    rows[0][1], rows[1][1] = rows[1][1], rows[0][1]

    state, why = findings(forged)["signatures"]

    assert (state, "did not sign" in why) == ("fail", True)


def test_a_signature_of_no_vote_is_found(closed: Round) -> None:
    told = bundle.read(round_bundle(round=closed))
    told["signatures"]["rows"][-1][0] = 10_000

    assert findings(told)["signatures"][0] == "fail"


def test_a_voter_has_the_signatures_beside_the_proofs(closed: Round, voter: Voter) -> None:
    votes = counted_votes(round=closed, voter=voter)["votes"]

    assert [len(vote["signature"]) for vote in votes] == [132, 132]


def test_a_bundle_names_the_chain_of_its_installation(closed: Round, settings: Settings) -> None:
    settings.CHAIN_ID = 5

    assert findings(bundle.read(round_bundle(round=closed)))["signatures"][0] == "fail"
