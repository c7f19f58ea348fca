"""The page of one work, and what a stranger needs to check it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Artwork, Drop
from minting.chain.logs import ZERO_ADDRESS
from minting.models import Block, Listing, Sale, Stake, Token, Transfer
from sentiment.models import Comment, Voter
from sentiment.services import close_round, open_round, register_wallet, say_opinion
from tests.fixtures.chain import ALICE, BOB
from tests.gallery.conftest import NOW, InState, read

ADDRESS = "/collections/portraits/works"
API = f"/api{ADDRESS}"
State = Drop.State


@pytest.fixture
def drop(in_state: InState) -> Drop:
    """12 works on sale, the first one minted."""
    return in_state(State.MINTING, 12)


@pytest.fixture
def token(drop: Drop) -> Token:
    return Token.objects.get(drop=drop)


def transfer(token: Token, sender: str, recipient: str, number: int) -> Transfer:
    block, _ = Block.objects.get_or_create(
        chain_id=31337,
        number=number,
        hash=f"0x{number:02x}",
        parent_hash=f"0x{number - 1:02x}",
        mined_at=NOW + timedelta(minutes=number),
    )
    return Transfer.objects.create(
        block=block,
        token=token,
        chain_id=31337,
        tx_hash=f"0x{number:064x}",
        log_index=0,
        sender=sender,
        recipient=recipient,
    )


def history(html: str) -> list[str]:
    """The events of the history, as a person reads them."""
    if '<ol class="history">' not in html:
        return []
    part = html.split('<ol class="history">')[1].split("</ol>")[0]
    rows = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


@pytest.mark.parametrize("token_id", [1, 7, 12])
def test_a_work_has_a_page_minted_or_not(client: Client, drop: Drop, token_id: int) -> None:
    work = drop.artworks.get(token_id=token_id)

    html = read(client, f"{ADDRESS}/{token_id}")

    assert f"/api/images/{work.image_digest}.png" in html
    assert ("not minted yet" in html) == (token_id != 1)
    assert work.item_seed in html
    assert drop.checkpoint.sha256 in html


@pytest.mark.parametrize("token_id", ["0", "13", "-1", "x", "9" * 40])
@pytest.mark.parametrize("page", ["", "/card.png"])
def test_a_work_that_is_not_there_is_not_found(
    client: Client, drop: Drop, token_id: str, page: str
) -> None:
    assert client.get(f"{ADDRESS}/{token_id}{page}").status_code == 404
    assert client.get(f"/collections/others/works/{token_id}{page}").status_code == 404


@pytest.mark.parametrize("page", ["metadata", "proof"])
@pytest.mark.parametrize("token_id", ["0", "13", "9" * 40])
def test_a_work_that_is_not_there_has_no_proof(
    client: Client, drop: Drop, token_id: str, page: str
) -> None:
    assert client.get(f"{API}/{token_id}/{page}").status_code == 404


def test_before_its_drop_is_on_chain_a_work_has_no_page(client: Client, drop: Drop) -> None:
    Drop.objects.filter(pk=drop.pk).update(state=State.CURATING)

    assert client.get(f"{ADDRESS}/1").status_code == 404
    assert client.get(f"{API}/1/proof").status_code == 404


def test_traits_come_with_their_share_and_bits(client: Client, drop: Drop) -> None:
    work = drop.artworks.get(token_id=3)
    count = sum(other.parsed["head"] == work.parsed["head"] for other in drop.artworks.all())

    html = read(client, f"{ADDRESS}/3")

    row = re.search(r'<th scope="row">head</th>(.*?)</tr>', html, re.DOTALL)
    assert row
    assert f">{work.parsed['head']}</a>" in row[1]
    assert f'<td class="num">{count} ' in row[1]
    assert f"{work.rarity_score:.3f}" in html


def test_what_was_asked_for_is_said_where_the_picture_differs(client: Client, drop: Drop) -> None:
    work = drop.artworks.get(token_id=3)
    asked = work.parsed | {"head": "asked-for-this"}
    Artwork.objects.filter(pk=work.pk).update(requested=asked)

    html = read(client, f"{ADDRESS}/3")

    assert html.count("asked for:") == 1
    assert "asked for: asked-for-this" in html


def test_works_of_equal_rarity_are_counted(client: Client, drop: Drop) -> None:
    drop.artworks.update(rarity_rank=1)

    assert "12 works share rank 1" in read(client, f"{ADDRESS}/3")


def test_the_works_beside_are_linked(client: Client, drop: Drop) -> None:
    first, middle, last = (read(client, f"{ADDRESS}/{n}") for n in (1, 6, 12))

    def beside(html: str) -> list[str]:
        return re.findall(r'rel="(?:prev|next)" href="([^"]+)"', html)

    assert beside(first) == [f"{ADDRESS}/2"]
    assert beside(middle) == [f"{ADDRESS}/5", f"{ADDRESS}/7"]
    assert beside(last) == [f"{ADDRESS}/11"]


def test_six_neighbours_are_shown_and_the_work_itself_is_not_one(
    client: Client, drop: Drop
) -> None:
    html = read(client, f"{ADDRESS}/4").split('id="neighbours"')[1]

    near = re.findall(r'class="card" href="/collections/portraits/works/(\d+)"', html)
    distances = [float(d) for d in re.findall(r"distance ([\d.]+)", html)]
    assert len(set(near)) == 6
    assert "4" not in near
    assert distances == sorted(distances)


def test_the_history_is_told_the_newest_first(client: Client, drop: Drop, token: Token) -> None:
    transfer(token, ZERO_ADDRESS, ALICE, 3)
    transfer(token, ALICE, BOB, 4)
    sold = transfer(token, BOB, ALICE, 5)
    Sale.objects.create(
        block=sold.block,
        token=token,
        chain_id=31337,
        tx_hash=sold.tx_hash,
        log_index=1,
        order_hash="0x1",
        seller=BOB,
        buyer=ALICE,
        price_wei=15 * 10**17,
    )

    rows = history(read(client, f"{ADDRESS}/1"))

    short = {who: f"{who[:6]}…{who[-4:]}" for who in (ALICE, BOB)}
    assert [row.split(" block ")[0][18:] for row in rows] == [
        f"Sold for 1.5 ETH from {short[BOB]} to {short[ALICE]}",
        f"Transferred from {short[ALICE]} to {short[BOB]}",
        f"Minted for 0.02 ETH by {short[ALICE]}",
    ]
    assert rows[0].startswith("1 Mar 2026, 12:05")


def test_prices_and_stakes_are_drawn_over_time(client: Client, drop: Drop, token: Token) -> None:
    minted = transfer(token, ZERO_ADDRESS, ALICE, 3)
    sold = transfer(token, ALICE, BOB, 4)
    Sale.objects.create(
        block=sold.block,
        token=token,
        chain_id=31337,
        tx_hash=sold.tx_hash,
        log_index=1,
        order_hash="0x1",
        seller=ALICE,
        buyer=BOB,
        price_wei=4 * 10**16,
    )
    Stake.objects.create(
        block=minted.block,
        ended_block=sold.block,
        token=token,
        owner=ALICE,
        tx_hash="0x7",
        log_index=7,
    )

    html = read(client, f"{ADDRESS}/1")

    assert "1 sale and 1 stake since" in html
    assert "minted for 0.02 ETH" in html
    assert "sold for 0.04 ETH" in html
    assert re.findall(r'cy="([0-9.]+)"', html) == ["66.0", "14.0"]  # half as dear, half as high
    assert "staked from 1 Mar 2026 to 1 Mar 2026" in html
    kinds = [re.split(" for | by ", row[18:])[0] for row in history(html)]
    assert kinds == ["Sold", "Taken back", "Minted", "Staked"]


def test_an_unknown_buyer_is_called_unknown(client: Client, drop: Drop, token: Token) -> None:
    sold = transfer(token, BOB, ALICE, 5)
    Sale.objects.create(
        block=sold.block,
        token=token,
        chain_id=31337,
        tx_hash="0x99",
        log_index=1,
        order_hash="0x1",
        seller=BOB,
        buyer="",
        price_wei=1,
        currency=ALICE,
    )

    row = next(
        r for r in history(read(client, f"{ADDRESS}/1")) if r[18:].strip().startswith("Sold")
    )
    assert "to unknown" in row
    assert f"of token {ALICE}" in row


def test_accounts_of_the_simulation_are_labelled(client: Client, drop: Drop, token: Token) -> None:
    transfer(token, ZERO_ADDRESS, ALICE, 3)
    voter = register_wallet(address=ALICE)
    before = read(client, f"{ADDRESS}/1")

    Voter.objects.filter(pk=voter.pk).update(is_simulated=True)

    assert before.count("simulated") == 0
    assert read(client, f"{ADDRESS}/1").count(">simulated</span>") == 2


def test_the_cheapest_offer_is_shown(client: Client, drop: Drop, token: Token) -> None:
    now = timezone.now()
    for n, price in enumerate([3, 2, 5]):
        Listing.objects.create(
            token=token,
            contract=token.contract,
            token_number=token.token_id,
            seller=ALICE,
            order_hash=f"0x{n}",
            price_wei=price * 10**18,
            starts_at=now - timedelta(hours=1),
            expires_at=now + timedelta(hours=1),
            order={},
            signature="0x",
        )

    html = read(client, f"{ADDRESS}/1")

    assert re.findall(r'class="offer"><span class="num">([\d.]+) ETH', html) == ["2"]


def test_comments_are_shown_unless_hidden_and_escaped(
    client: Client, drop: Drop, voter: Voter
) -> None:
    work = drop.artworks.get(token_id=2)
    Comment.objects.create(artwork=work, voter=voter, text="<b>bold</b> and kind")
    Comment.objects.create(artwork=work, voter=voter, text="nasty", is_hidden=True)

    html = read(client, f"{ADDRESS}/2")

    assert "&lt;b&gt;bold&lt;/b&gt; and kind" in html
    assert "nasty" not in html
    assert "Nobody has said anything" in read(client, f"{ADDRESS}/3")


def test_links_carry_a_picture(client: Client, drop: Drop) -> None:
    html = read(client, f"{ADDRESS}/2")

    assert f'property="og:image" content="http://testserver{ADDRESS}/2/card.png"' in html
    assert 'name="twitter:card" content="summary_large_image"' in html
    assert 'property="og:title" content="Portraits #2"' in html


def test_the_page_is_complete_without_the_cache(client: Client, drop: Drop) -> None:
    before = read(client, f"{ADDRESS}/3")

    cache.clear()

    assert strip_token(read(Client(), f"{ADDRESS}/3")) == strip_token(before)


def strip_token(html: str) -> str:
    return re.sub(r'csrf-token" content="[^"]+"', "", html)


def test_the_number_of_queries_does_not_depend_on_the_history(
    client: Client, drop: Drop, token: Token
) -> None:
    counted = []
    for n in (1, 12):
        for step in range(n):
            transfer(token, ALICE, BOB, 10 * n + step)
        read(client, f"{ADDRESS}/1")
        with CaptureQueriesContext(connection) as queries:
            read(client, f"{ADDRESS}/1")
        counted.append(len(queries))

    assert counted == [17, 17]


def test_a_work_without_traits_says_so(client: Client, drop: Drop) -> None:
    Artwork.objects.update(parsed={}, requested={})

    html: Any = read(client, f"{ADDRESS}/3")

    assert "trained without labels" in html
    assert 'alt="Portrait"' in html


def test_an_opinion_is_asked_for_once_the_drop_is_voted_on(
    drop: Drop, token: Token, client: Client
) -> None:
    before = read(client, f"{ADDRESS}/{token.token_id}")
    current = open_round(drop=drop)
    signed_out = read(client, f"{ADDRESS}/{token.token_id}")
    voter, other = (register_wallet(address=address) for address in (ALICE, BOB))
    assert token.artwork is not None
    say_opinion(voter=other, artwork=token.artwork, liked=True)
    client.force_login(voter.user)
    unsaid = read(client, f"{ADDRESS}/{token.token_id}")
    say_opinion(voter=voter, artwork=token.artwork, liked=False)
    said = read(client, f"{ADDRESS}/{token.token_id}")

    assert "Do you like it?" not in before
    assert "Do you like it?" in signed_out
    assert 'data-own="" data-counts=""' in unsaid  # so that nobody is swayed
    assert 'data-own="down" data-counts="1 like it, 1 do not"' in said
    close_round(round=current)
    client.logout()
    assert "1 like it, 1 do not" in read(client, f"{ADDRESS}/{token.token_id}")
