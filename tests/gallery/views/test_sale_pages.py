"""The mint page, a wallet's and a collection's market, from rows alone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gallery.serializers import about_ether
from generation.models import Drop
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.phases import Phase, PhaseKind, falling
from minting.models import Block, Commitment, DropEvent, ListEntry, Sale, SalePhase, Token, Transfer
from minting.provenance.allowlist import Entry
from minting.services import Terms, find_eligibility
from sentiment.services import mark_simulated, register_wallet
from tests.fixtures.chain import ALICE, BOB
from tests.gallery.conftest import PRICE_WEI, InState

State = Drop.State
NOW = timezone.now()
MINT = "/collections/portraits/drops/1/mint"


@pytest.fixture
def drop(in_state: InState) -> Drop:
    return in_state(State.MINTING)


def put_phase(drop: Drop, phase: Phase) -> SalePhase:
    commitment = Commitment.objects.get(drop=drop)
    return SalePhase.objects.create(
        commitment=commitment,
        number=commitment.phases.count(),
        kind=int(phase.kind),
        price_wei=phase.price_wei,
        start=phase.start,
        end=phase.end,
        max_per_transaction=phase.max_per_transaction,
        max_per_wallet=phase.max_per_wallet,
        terms=phase.terms.to_bytes(32).hex(),
    )


def phase(start: timedelta, end: timedelta, **more: Any) -> Phase:
    given: dict[str, Any] = {
        "kind": PhaseKind.PUBLIC,
        "price_wei": PRICE_WEI,
        "max_per_transaction": 5,
        "start": int((NOW + start).timestamp()),
        "end": int((NOW + end).timestamp()),
    }
    return Phase(**given | more)


def read(client: Client, path: str, status: int = 200) -> str:
    reply = client.get(path)
    assert reply.status_code == status
    return reply.content.decode()


def test_every_phase_is_told_with_its_price_caps_and_state(client: Client, drop: Drop) -> None:
    hour = timedelta(hours=1)
    put_phase(drop, phase(hour, 2 * hour, max_per_wallet=3))
    put_phase(drop, phase(-2 * hour, -hour))
    terms = falling(floor_wei=PRICE_WEI // 4, fall_wei=PRICE_WEI // 4, every_s=600)
    put_phase(drop, phase(-hour / 12, hour, kind=PhaseKind.AUCTION, terms=terms))

    html = read(client, MINT)

    for said in ("coming", "running", "over", "3 a wallet", "every 10 min", "<polyline"):
        assert said in html


def test_before_the_sale_a_page_waits_and_then_becomes_the_mint_page(
    client: Client, in_state: InState
) -> None:
    drop = in_state(State.COMMITTED)
    page = read(client, MINT)
    [part] = re.findall(r'hx-get="(.+?)"', page)
    early = client.get(part)
    Drop.objects.filter(pk=drop.pk).update(state=State.MINTING)

    late = client.get(part)

    assert "It is committed on chain" in page
    assert f"/ws/drops/{drop.pk}" in page
    assert "HX-Refresh" not in early.headers
    assert "It is committed on chain" in early.content.decode()
    assert late.headers["HX-Refresh"] == "true"


def test_a_drop_that_does_not_exist_has_no_mint_page(client: Client, drop: Drop) -> None:
    read(client, MINT.replace("/1/", "/9/"), 404)


def test_what_a_wallet_may_buy_is_told_for_each_phase(client: Client, drop: Drop) -> None:
    hour = timedelta(hours=1)
    listed = put_phase(
        drop, phase(-hour, hour, kind=PhaseKind.LISTED, terms=int.from_bytes(b"\1" * 32))
    )
    ListEntry.objects.create(phase=listed, wallet=BOB, max_quantity=2, price_wei=7)
    put_phase(drop, phase(hour, 2 * hour))

    found = client.get(f"/api/collections/portraits/drops/1/sale?wallet={BOB}").json()
    other = client.get(f"/api/collections/portraits/drops/1/sale?wallet={ALICE}").json()

    mine = [one["wallet"] for one in found["phases"]]
    assert (mine[1]["may_buy"], mine[1]["price_wei"], mine[1]["max_quantity"]) == (2, "7", 2)
    assert mine[2] == mine[2] | {"may_buy": 0, "reason": "It has not begun."}
    assert other["phases"][1]["wallet"]["reason"] == "This wallet is not on the list."


@pytest.mark.parametrize("wallet", ["x", "0x12", "0x" + "g" * 40])
def test_a_wallet_that_is_none_is_refused(client: Client, drop: Drop, wallet: str) -> None:
    reply = client.get(f"/api/collections/portraits/drops/1/sale?wallet={wallet}")

    assert reply.status_code == 400


def test_a_wallets_cap_counts_what_it_minted_in_the_phase(drop: Drop) -> None:
    hour = timedelta(hours=1)
    capped = put_phase(drop, phase(-hour, hour, max_per_wallet=2))
    token = Token.objects.get(drop=drop)
    token.phase = capped.number
    token.save()
    move(token, ZERO_ADDRESS, ALICE)
    time = int(NOW.timestamp())

    once = find_eligibility(phase=capped, wallet=ALICE, left=5, time=time)
    Transfer.objects.update(recipient=BOB)
    other = find_eligibility(phase=capped, wallet=ALICE, left=1, time=time)
    nothing = find_eligibility(phase=capped, wallet=ALICE, left=0, time=time)

    assert (once.may_buy, other.may_buy, nothing.may_buy) == (1, 1, 0)
    assert nothing.reason == "Everything is minted."


def test_a_listed_phase_is_made_of_its_entries() -> None:
    terms = Terms.listed(
        phase(timedelta(), timedelta(hours=1)), [Entry(ALICE, 1, 2), Entry(BOB, 1, 2)]
    )

    assert terms.phase.kind == PhaseKind.LISTED
    assert terms.phase.terms != 0


def move(token: Token, sender: str, recipient: str) -> Transfer:
    block, _ = Block.objects.get_or_create(
        chain_id=31337,
        number=50,
        hash="0xfa50",
        parent_hash="0xfa49",
        defaults={"mined_at": datetime.now(UTC) - timedelta(days=1)},
    )
    return Transfer.objects.create(
        block=block,
        token=token,
        chain_id=31337,
        tx_hash="0x" + f"{Transfer.objects.count():064x}",
        log_index=Transfer.objects.count(),
        sender=sender,
        recipient=recipient,
    )


def sell(token: Token, price_wei: int) -> None:
    moved = move(token, ALICE, BOB)
    Sale.objects.create(
        block=moved.block,
        token=token,
        chain_id=31337,
        tx_hash=moved.tx_hash,
        log_index=99,
        order_hash="0x1",
        seller=ALICE,
        buyer=BOB,
        price_wei=price_wei,
    )


def test_a_wallets_page_tells_what_it_has_and_did(client: Client, drop: Drop) -> None:
    token = Token.objects.get(drop=drop)
    move(token, ZERO_ADDRESS, ALICE)
    sell(token, 15 * 10**17)

    html = read(client, f"/wallets/{ALICE}")

    assert "Portraits #" in html
    assert "1 for 1.5 ETH" in html
    assert html.index("<strong>Sold</strong>") > 0
    assert "Nothing is yours" not in html


def test_simulated_wallets_that_it_dealt_with_are_labelled(client: Client, drop: Drop) -> None:
    token = Token.objects.get(drop=drop)
    sell(token, 10**18)
    register_wallet(address=BOB)
    before = read(client, f"/wallets/{ALICE}")

    mark_simulated(addresses=[BOB])

    assert before.count(">simulated</span>") == 0
    assert read(client, f"/wallets/{ALICE}").count(">simulated</span>") == 1


def test_simulated_wallets_are_labelled_among_the_sales(client: Client, drop: Drop) -> None:
    sell(Token.objects.get(drop=drop), 10**18)
    register_wallet(address=BOB)
    mark_simulated(addresses=[BOB])

    assert read(client, "/collections/portraits/market").count(">simulated</span>") == 1


def test_a_wallet_without_works_says_so(client: Client, drop: Drop) -> None:
    assert "has no works" in read(client, f"/wallets/{BOB}")
    read(client, "/wallets/nobody", 404)


@pytest.mark.parametrize(
    ("wei", "said"),
    [
        (0, "0"),
        (1, "0.000000000000000001"),
        (13_416_634_830_893_780, "0.013417"),
        (15 * 10**17, "1.5"),
        (123_456_789 * 10**18, "123460000"),
    ],
)
def test_sums_are_told_to_five_digits(wei: int, said: str) -> None:
    assert about_ether(wei) == said


def test_a_market_without_sales_says_so(client: Client, drop: Drop) -> None:
    html = read(client, "/collections/portraits/market")

    assert "Nothing was sold yet" in html
    assert "nothing for sale" in html


def test_a_market_plots_its_sales_and_counts_its_holders(client: Client, drop: Drop) -> None:
    token = Token.objects.get(drop=drop)
    sell(token, 15 * 10**17)

    html = read(client, "/collections/portraits/market")

    assert html.count("<circle") >= 1
    assert "<dt>Volume, ever</dt><dd>1.5 ETH</dd>" in html
    assert "<dt>Sales, ever</dt><dd>1</dd>" in html
    assert f"#{token.token_id}: 1.5 ETH" in html


def test_simulated_wallets_are_labelled_among_sales(client: Client, drop: Drop) -> None:
    sell(Token.objects.get(drop=drop), 10**18)
    register_wallet(address=BOB)
    before = read(client, "/collections/portraits/market")

    mark_simulated(addresses=[BOB])

    assert before.count(">simulated</span>") == 0
    assert read(client, "/collections/portraits/market").count(">simulated</span>") == 1


def test_what_is_sold_out_is_offered_nowhere(client: Client, drop: Drop) -> None:
    put_phase(drop, phase(-timedelta(hours=1), timedelta(hours=1)))
    offered = [read(client, page) for page in ("/", "/collections/portraits/drops/1")]

    Commitment.objects.filter(drop=drop).update(count=1)

    assert all("Mint a work" in html for html in offered)
    assert "Mint a work" not in read(client, "/")
    assert "Mint a work" not in read(client, "/collections/portraits/drops/1")
    html = read(client, MINT)
    assert "Every work of this drop is minted." in html
    assert '<span class="state ">sold out</span>' in html
    assert 'x-data="mint"' not in html


def test_buyers_may_not_give_back_what_is_final(client: Client, drop: Drop) -> None:
    commitment = Commitment.objects.get(drop=drop)
    commitment.final_by = int((NOW + timedelta(days=7)).timestamp())
    commitment.save()
    before = read(client, MINT)

    DropEvent.objects.create(
        commitment=commitment,
        kind=DropEvent.Kind.SEALED,
        block=Block.objects.get(),
        log_index=0,
        tx_hash="0x1",
    )

    assert "can give it back" in before
    assert "can give it back" not in read(client, MINT)
