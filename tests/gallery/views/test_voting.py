"""The voting page as the server writes it: progress, streak, and what became of the last votes."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Artwork, Drop
from sentiment.models import Round, Voter
from sentiment.services import (
    approve_proposal,
    cast_vote,
    close_round,
    open_round,
    register_wallet,
    reject_proposal,
)
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import page_address
from tests.sentiment.conftest import address, vote_by


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


@pytest.fixture
def first(make_drop: MakeDrop, voter: Voter) -> Round:
    """A round in which the voter and eleven others prefer long hair."""
    current = open_round(drop=make_drop(30))
    others = [register_wallet(address=address(n)) for n in range(2, 13)]
    vote_by(current, [voter, *others], likes_long_hair, every=11)
    return current


def read(browser: Client, drop: Drop) -> str:
    reply = browser.get(page_address(drop, "vote"))
    assert reply.status_code == 200
    return reply.content.decode()


def test_the_first_time_there_is_no_streak_and_no_last_time(
    wallet: Client, make_drop: MakeDrop
) -> None:
    html = read(wallet, open_round(drop=make_drop(4)).drop)

    assert 'data-earlier="0"' in html
    assert 'data-goal="20"' in html
    assert "0 of 20" in html
    assert "Last time" not in html


def test_rounds_in_a_row_before_this_one_are_counted(
    wallet: Client, voter: Voter, first: Round, lead: User, make_drop: MakeDrop
) -> None:
    reject_proposal(proposal=close_round(round=first), lead=lead)
    second = open_round(drop=make_drop(4))
    before = read(wallet, second.drop)
    left, right = second.drop.artworks.order_by("index").values_list("pk", flat=True)[:2]
    cast_vote(round=second, voter=voter, left_id=left, right_id=right, winner_id=left)

    after = read(wallet, second.drop)

    assert 'data-earlier="1"' in before
    assert 'data-earlier="1"' in after
    assert "1 of 20" in after


def test_last_time_says_what_was_taken_and_how_its_share_moved(
    wallet: Client, first: Round, lead: User, make_drop: MakeDrop
) -> None:
    proposal = close_round(round=first)
    approve_proposal(proposal=proposal, lead=lead)
    proposal.refresh_from_db()
    assert proposal.applied is not None

    html = read(wallet, open_round(drop=make_drop(4)).drop)

    told = re.search(r"On drop 1 you took (\w+) \(([\w ]+)\)", html)
    assert told is not None
    value, attribute = told[1], told[2].replace(" ", "_")
    old = proposal.old["distributions"][attribute][value]
    new = proposal.applied["distributions"][attribute][value]
    assert new > old
    assert f"Its share went from {100 * old:.1f} % to {100 * new:.1f} % of the works." in html
    assert f'href="{page_address(first.drop, "results")}"' in html


def test_last_time_says_so_where_nothing_was_changed(
    wallet: Client, first: Round, lead: User, make_drop: MakeDrop
) -> None:
    proposal = close_round(round=first)
    second = open_round(drop=make_drop(4))
    waiting = read(wallet, second.drop)
    reject_proposal(proposal=proposal, lead=lead)
    kept = read(wallet, second.drop)

    assert "A lead has not decided yet what follows from the round of drop 1." in waiting
    assert "After the round of drop 1 a lead kept the parameters as they were." in kept


def test_a_vote_that_led_nowhere_is_not_made_more_of(
    wallet: Client, voter: Voter, lead: User, make_drop: MakeDrop
) -> None:
    current = open_round(drop=make_drop(4))
    left, right = current.drop.artworks.order_by("index").values_list("pk", flat=True)[:2]
    cast_vote(round=current, voter=voter, left_id=left, right_id=right, winner_id=left)
    approve_proposal(proposal=close_round(round=current), lead=lead)

    html = read(wallet, open_round(drop=make_drop(4)).drop)

    assert "After the round of drop 1 no share moved the way of your 1 vote." in html


def test_the_page_leads_to_the_results(client: Client, wallet: Client, first: Round) -> None:
    address = f'href="{page_address(first.drop, "results")}"'

    assert address in read(wallet, first.drop)
    assert address in read(client, first.drop)
    close_round(round=first)
    assert address in read(client, first.drop)
