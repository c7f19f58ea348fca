"""What votes weigh, on the pages: where voting is opened, where one votes, and in the results."""

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from generation.models import Drop
from sentiment.models import Discount, Funding, Holding, Round, Voter
from sentiment.services import close_round, open_round
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, page_address, press
from tests.sentiment.conftest import vote_by

State = Drop.State
WORKS = Round.Weighting.WORKS


def counting_works(drop: Drop, **held: int) -> Round:
    """A round that counts works at block 7."""
    current = open_round(drop=drop)
    Round.objects.filter(pk=current.pk).update(weighting=WORKS, snapshot_block=7)
    current.refresh_from_db()
    for wallet, n in held.items():
        Holding.objects.create(round=current, wallet=wallet, n_works=n)
    return current


def read(browser: Client, drop: Drop, page: str) -> str:
    reply = browser.get(page_address(drop, page))
    assert reply.status_code == 200
    return " ".join(reply.content.decode().split())


def test_a_lead_chooses_what_votes_weigh(console: Client, in_state: InState) -> None:
    drop = in_state(State.MINTING)

    offered = console.get("/console").content.decode()
    press(console, "open-voting", drop.pk, weighting="equal")

    assert '<option value="equal" selected>' in offered
    assert '<option value="works">' in offered
    assert Round.objects.get(drop=drop).weighting == "equal"


def test_where_works_cannot_be_counted_the_lead_is_told_and_nothing_opens(
    console: Client, in_state: InState
) -> None:
    drop = in_state(State.MINTING)

    (uncounted,) = press(console, "open-voting", drop.pk, weighting="works")
    (unknown,) = press(console, "open-voting", drop.pk, weighting="weight")

    assert "works cannot be counted yet" in uncounted
    assert "not a valid" in unknown
    assert not Round.objects.exists()


def test_a_voter_reads_what_their_works_count(
    wallet: Client, voter: Voter, make_drop: MakeDrop
) -> None:
    current = counting_works(make_drop(6), **{voter.address: 3})

    html = read(wallet, current.drop, "vote")

    assert "You held 3 works at block 7: each counts in this round." in html


def test_where_all_weigh_the_same_nothing_is_said(wallet: Client, make_drop: MakeDrop) -> None:
    assert "You held" not in read(wallet, open_round(drop=make_drop(6)).drop, "vote")


def test_the_results_say_by_what_rule_votes_weigh(
    client: Client, voters: list[Voter], make_drop: MakeDrop
) -> None:
    current = counting_works(make_drop(6), **{voters[0].address: 3, voters[1].address: 1})
    vote_by(current, voters[:3], lambda work: work.index)

    html = read(client, current.drop, "results")

    assert "twice as many, twice the weight" in html
    assert "2 wallets held works then" in html
    assert "0 votes are signed by their voters&#x27; wallets" in html or (
        "0 votes are signed by their voters' wallets" in html
    )
    assert "count less" not in html


def test_votes_that_count_less_are_listed_with_the_reason(
    client: Client, voters: list[Voter], lead: User, make_drop: MakeDrop
) -> None:
    current = open_round(drop=make_drop(6))
    vote_by(current, voters[:3], lambda work: work.index)
    Discount.objects.create(
        round=current, voter=voters[1], factor=0.1, rule="bursts", reason="One hand", lead=lead
    )

    html = read(client, current.drop, "results")

    assert "Votes that count less, and why" in html
    assert "One hand" in html
    assert "10 %" in html
    assert voters[1].address in html


def voters_page(current: Round) -> str:
    return reverse("gallery:who-may-be-one", args=[current.pk])


def test_only_leads_see_who_may_be_one(
    client: Client, wallet: Client, console: Client, make_drop: MakeDrop
) -> None:
    address = voters_page(open_round(drop=make_drop(6)))

    replies = [browser.get(address) for browser in (client, wallet, console)]

    assert [reply.status_code for reply in replies] == [302, 302, 200]
    assert "No signal points to voters who may be one" in replies[2].content.decode()


def test_a_group_is_shown_with_its_evidence_and_discounted_with_a_reason(
    console: Client, client: Client, voters: list[Voter], make_drop: MakeDrop
) -> None:
    current = open_round(drop=make_drop(6))
    vote_by(current, voters[:3], lambda work: work.index)
    for voter in voters[:2]:
        Funding.objects.create(
            chain_id=31337,
            wallet=voter.address,
            funder=voters[11].address,
            block_number=5,
            tx_hash="0x" + "1" * 64,
            value_wei=1,
        )
    page = voters_page(current)

    shown = console.get(page).content.decode()
    typed = {"voter": [v.address for v in voters[:2]], "percent": 20, "rule": "funding"}
    refused = console.post(f"{page}/discount", typed, follow=True).content.decode()
    taken = console.post(f"{page}/discount", typed | {"reason": "One faucet"}, follow=True)

    assert "2 voters of 2 whose first money is known had it from one wallet" in shown
    assert "reason: This field is required" in refused
    assert "Votes of 2 voters count 20 % in this round" in taken.content.decode()
    assert "One faucet" in taken.content.decode()
    assert "One faucet" in read(client, current.drop, "results")


def test_a_closed_round_offers_nothing_to_change(
    console: Client, voters: list[Voter], lead: User, make_drop: MakeDrop
) -> None:
    current = open_round(drop=make_drop(6))
    vote_by(current, voters[:3], lambda work: work.index)
    close_round(round=current)
    page = voters_page(current)
    typed = {"voter": voters[0].address, "percent": 20, "rule": "other", "reason": "Late"}

    said = console.post(f"{page}/discount", typed, follow=True).content.decode()

    assert "is closed" in said
    assert not Discount.objects.exists()


def test_without_a_node_a_lead_is_told(
    console: Client, make_drop: MakeDrop, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"
    page = voters_page(open_round(drop=make_drop(6)))

    said = console.post(f"{page}/chain", follow=True)

    assert said.status_code == 200
    assert "eth_chainId" in said.content.decode()


def test_the_steering_room_leads_there(console: Client, make_drop: MakeDrop) -> None:
    current = open_round(drop=make_drop(6))

    html = console.get(reverse("gallery:steering", args=["portraits"])).content.decode()

    assert voters_page(current) in html


def test_what_a_round_had_is_offered_first_for_the_next(
    console: Client, make_drop: MakeDrop
) -> None:
    close_round(round=counting_works(make_drop(6)))
    make_drop(6)

    html = console.get("/console").content.decode()

    assert '<option value="works" selected>' in html
