"""The account of a work on its page."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop
from minting.models import Listing, Token
from minting.services import find_account
from tests.fixtures.chain import ALICE
from tests.gallery.conftest import InState, read

ADDRESS = "/collections/portraits/works"
State = Drop.State


@pytest.fixture
def drop(in_state: InState) -> Drop:
    """12 works on sale, the first one minted."""
    return in_state(State.MINTING, 12)


@pytest.fixture
def token(drop: Drop) -> Token:
    return Token.objects.get(drop=drop)


def test_a_minted_work_has_an_account_with_what_it_holds(
    client: Client, drop: Drop, token: Token
) -> None:
    address = find_account(token).address
    other = drop.artworks.get(token_id=2)
    Token.objects.create(
        contract=token.contract,
        token_id=2,
        drop=drop,
        artwork=other,
        owner=address,
        minted_block=token.minted_block,
    )

    html = read(client, f"{ADDRESS}/1")

    assert address in html
    held = html[html.index("Works of this collection in it") :].split("</dd>")[0]
    assert re.findall(r">#(\d+)<", held) == ["2"]
    assert "its seller can empty the account" in html


def test_the_account_depends_on_the_implementation(token: Token, settings: Settings) -> None:
    ours = find_account(token)

    settings.ACCOUNT_IMPLEMENTATION = "0x" + "be" * 20
    other = find_account(token)

    assert other.implementation.lower() == "0x" + "be" * 20
    assert other.address != ours.address


def test_a_work_that_is_not_minted_has_no_account(client: Client, drop: Drop) -> None:
    assert "own account" not in read(client, f"{ADDRESS}/2")


def test_an_offer_comes_with_a_warning_about_the_account(
    client: Client, drop: Drop, token: Token
) -> None:
    def warnings() -> int:
        return read(client, f"{ADDRESS}/1").count("its seller can empty the account")

    before = warnings()
    now = timezone.now()
    Listing.objects.create(
        token=token,
        contract=token.contract,
        token_number=token.token_id,
        seller=ALICE,
        order_hash="0x1",
        price_wei=10**17,
        starts_at=now - timedelta(hours=1),
        expires_at=now + timedelta(hours=1),
        order={},
        signature="0x",
    )

    assert (before, warnings()) == (1, 2)
