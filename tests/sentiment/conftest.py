"""Voters, a lead, a round that is open, and ways to vote in it."""

from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from eth_account import Account
from rest_framework.test import APIClient

from generation.models import Artwork, Drop
from sentiment.models import Round, Voter
from sentiment.services import cast_vote, open_round, register_wallet
from tests.fixtures.works import MakeDrop

VoteAll = Callable[..., int]


@pytest.fixture(autouse=True)
def static_folder() -> None:
    """What `collectstatic` would have made: the middleware warns where it is missing."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def fresh_throttles() -> Iterator[None]:
    """No test is throttled for what another one did."""
    cache.clear()
    yield
    cache.clear()


def address(n: int) -> str:
    made: str = Account.from_key(n.to_bytes(32)).address
    return made


@pytest.fixture
def voter(db: None) -> Voter:
    return register_wallet(address=address(1))


@pytest.fixture
def voters(db: None) -> list[Voter]:
    return [register_wallet(address=address(n)) for n in range(1, 13)]


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create_user("lead", password="a long password", is_staff=True)


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """Twelve works, minting."""
    return make_drop(12)


@pytest.fixture
def open_one(drop: Drop) -> Round:
    return open_round(drop=drop)


@pytest.fixture
def works(drop: Drop) -> list[Artwork]:
    return list(drop.artworks.order_by("pk"))


def vote_by(
    round: Round, voters: list[Voter], worth: Callable[[Artwork], float], every: int = 1
) -> int:
    """Each voter decides every ``every``-th pair by ``worth``; ties go to the first."""
    works = list(round.drop.artworks.accepted().order_by("pk"))
    ballots = list(product(voters, combinations(works, 2)))[::every]
    for i, (voter, pair) in enumerate(ballots):
        left, right = pair if i % 2 else pair[::-1]
        winner = max(pair, key=worth)
        cast_vote(round=round, voter=voter, left_id=left.pk, right_id=right.pk, winner_id=winner.pk)
    return len(ballots)


def signed_in(user: User) -> APIClient:
    browser = APIClient(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.fixture
def browser(voter: Voter) -> APIClient:
    """A voter's."""
    return signed_in(voter.user)


@pytest.fixture
def console(lead: User) -> APIClient:
    """A lead's."""
    return signed_in(lead)


def assert_refused(reply: Any, status: int, code: str) -> None:
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["Content-Type"] == "application/problem+json"
