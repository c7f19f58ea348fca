"""Browsers of a visitor, a wallet and a lead; and drops brought to any state by the services."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from generation.models import Artwork, Collection, Drop, ParameterSet
from generation.services import (
    CHUNK,
    RenderedWork,
    lease_job,
    move_drop,
    open_drop,
    record_works,
    start_rendering,
)
from generation.traits.novelty import Looks
from minting.models import Block, Commitment, Contract, Token
from minting.services import request_commit, request_open_sale
from sentiment.models import Proposal, Round, Voter
from sentiment.services import close_round, open_round, register_wallet, reject_proposal
from tests.fixtures.chain import ALICE
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PRICE_WEI = 20_000_000_000_000_000

InState = Callable[..., Drop]


@pytest.fixture(autouse=True)
def fresh_throttles() -> Iterator[None]:
    """No test is throttled for what another one did."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create_user("lead", password="a long password", is_staff=True)


@pytest.fixture
def voter(db: None) -> Voter:
    return register_wallet(address=address(1))


@pytest.fixture
def console(lead: User) -> Client:
    """A lead's browser."""
    browser = Client()
    browser.force_login(lead)
    return browser


@pytest.fixture
def wallet(voter: Voter) -> Client:
    """The browser of somebody who signed in with a wallet."""
    browser = Client()
    browser.force_login(voter.user)
    return browser


@pytest.fixture
def in_state(make_drop: MakeDrop, parameter_set: ParameterSet, lead: User) -> InState:
    """A drop that went through the services up to a state; the chain's part is written by hand."""

    def bring(state: Drop.State, n_works: int = 6) -> Drop:
        if state == Drop.State.DRAFT:
            return _draft(parameter_set.collection, n_works)
        if state == Drop.State.RENDERING:
            return _half_rendered(_draft(parameter_set.collection, n_works))
        drop = make_drop(n_works, Drop.State.CURATING)
        passed = list(Drop.State)[3 : list(Drop.State).index(state) + 1]
        for step in passed:
            STEPS[step](drop, lead)
            drop.refresh_from_db()
        return drop

    return bring


def _draft(collection: Collection, size: int) -> Drop:
    parameters = collection.parameter_sets.get(number=1)
    return open_drop(collection=collection, parameter_set=parameters, size=size)


def _half_rendered(drop: Drop) -> Drop:
    """The first chunk of the drop is there, the others are not."""
    job = lease_job(pk=start_rendering(drop=drop)[0].pk, now=NOW, lease=timedelta(minutes=1))
    assert job is not None
    works = [
        RenderedWork(
            index=index,
            source=index,
            attempt=0,
            item_seed="00" * 32,
            requested={"head": "asked"},
            parsed={"head": "seen"},
            confidence=0.9,
            image_digest=hashlib.sha256(bytes([index])).hexdigest(),
        )
        for index in range(min(CHUNK, drop.size))
    ]
    looks = Looks(np.zeros((len(works), 768), np.float32), np.zeros((len(works), 0), np.float32))
    record_works(job=job, works=works, looks=looks, environment={})
    return drop


def _commit(drop: Drop, lead: User) -> None:
    request_commit(drop=drop)
    Contract.objects.filter(collection=drop.collection).update(address=ALICE, deployed_block=1)
    move_drop(drop=drop, expected=Drop.State.CURATING, to=Drop.State.COMMITTED)


def _sell(drop: Drop, lead: User) -> None:
    """The sale is open, and the first work is minted."""
    request_open_sale(drop=drop, phases=everybody(PRICE_WEI, 5))
    move_drop(drop=drop, expected=Drop.State.COMMITTED, to=Drop.State.MINTING)
    block, _ = Block.objects.get_or_create(
        chain_id=31337, number=2, hash="0x02", parent_hash="0x01", mined_at=NOW
    )
    commitment = Commitment.objects.get(drop=drop)
    Token.objects.create(
        contract=drop.collection.contract,
        token_id=commitment.first_token_id,
        drop=drop,
        artwork=drop.artworks.get(token_id=commitment.first_token_id),
        owner=ALICE,
        phase=0,
        price_wei=PRICE_WEI,
        minted_block=block,
    )


def _listen(drop: Drop, lead: User) -> None:
    open_round(drop=drop)


def _score(drop: Drop, lead: User) -> None:
    close_round(round=Round.objects.get(drop=drop))


def _close(drop: Drop, lead: User) -> None:
    reject_proposal(proposal=Proposal.objects.get(drop=drop), lead=lead)


STEPS: dict[Drop.State, Callable[[Drop, User], None]] = {
    Drop.State.COMMITTED: _commit,
    Drop.State.MINTING: _sell,
    Drop.State.LISTENING: _listen,
    Drop.State.SCORED: _score,
    Drop.State.CLOSED: _close,
}


def undecide(drop: Drop, *indices: int) -> None:
    """Put works back to where rendering left them."""
    drop.artworks.filter(index__in=indices).update(status=Artwork.Status.PENDING)


def page_address(drop: Drop, name: str = "drop") -> str:
    return reverse(f"gallery:{name}", args=[drop.collection.slug, drop.number])


def press(browser: Client, button: str, target: int | str, **typed: Any) -> list[str]:
    """Press a button of the console; what the console then says."""
    reply = browser.post(reverse(f"gallery:{button}", args=[target]), typed, follow=True)
    assert reply.redirect_chain == [("/console", 302)]
    assert reply.status_code == 200
    return [str(message) for message in reply.context["messages"]]


def read(browser: Client, address: str = "/console") -> str:
    reply = browser.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


def offered(html: str) -> set[str]:
    """Names of the buttons that can be pressed."""
    forms = re.findall(r'action="/console/(\S+)"[^>]*>(.*?)</form>', html, re.DOTALL)
    return {
        address.split("/")[-1] if address[0] != "p" else "proposals"
        for address, inside in forms
        if "<button" in re.sub(r"<button[^>]* ?disabled>", "", inside)
    }
