"""The deployed collection on a real node, and our arithmetic beside its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from minting.chain import contracts, logs
from minting.chain.logs import DropCommittedLog, RevealLog, SaleOpenedLog, SoldLog
from minting.chain.phases import Phase, PhaseKind, falling
from minting.provenance import allowlist, lineage
from minting.provenance.allowlist import Entry
from minting.provenance.lineage import DropBody, Roots
from tests.fixtures.chain import ALICE, BOB, FAR, OWNER, Chain, drop_body

SECRET = bytes(range(32))
PRICE_WEI = 10**16
ZERO = bytes(32)
ROOTS = Roots(b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32)


@pytest.fixture
def address(chain: Chain) -> str:
    return chain.deploy()


def living_body(chain: Chain, count: int = 3) -> DropBody:
    """A drop that is drawn on the fly, to be committed now."""
    return replace(
        drop_body(count=count),
        metadata_root=ZERO,
        image_root=ZERO,
        folder=ZERO,
        provenance=ZERO,
        seed_commit=lineage.seed_commit(SECRET, 1),
        reveal_block=chain.block_number() + 3,
    )


def phase_of(chain: Chain, **changed: Any) -> Phase:
    header = chain.header("latest")
    assert header is not None
    public = Phase(
        kind=PhaseKind.PUBLIC,
        price_wei=PRICE_WEI,
        start=header.timestamp,
        end=header.timestamp + 1000,
        max_per_transaction=5,
    )
    return replace(public, **changed)


def open_sale(chain: Chain, address: str, body: DropBody, phases: Sequence[Phase]) -> None:
    chain.succeed(contracts.commit_drop(body), address)
    chain.succeed(contracts.open_sale(1, body, phases, FAR), address)


def read(chain: Chain, address: str) -> list[logs.Log]:
    return logs.decode_all(chain.logs(address, 0, chain.block_number(), list(logs.topics())))


def test_the_events_tell_the_drop_its_phases_and_its_prices(chain: Chain, address: str) -> None:
    body, phase = drop_body(), phase_of(chain)
    open_sale(chain, address, body, [phase])

    chain.succeed(contracts.mint(1, 0, 2), address, ALICE, 2 * PRICE_WEI)

    found = read(chain, address)
    [committed] = [log for log in found if isinstance(log, DropCommittedLog)]
    [opened] = [log for log in found if isinstance(log, SaleOpenedLog)]
    [sold] = [log for log in found if isinstance(log, SoldLog)]
    assert (committed.body, committed.head) == (body, lineage.drop_head(ZERO, body))
    assert (opened.phases, opened.final_by) == ((phase,), FAR)
    assert (sold.phase, sold.paid_wei) == (0, 2 * PRICE_WEI)
    assert {n: log.paid_wei for n, log in logs.bought(found).items()} == {
        1: PRICE_WEI,
        2: PRICE_WEI,
    }


def test_a_collections_name_may_be_long(chain: Chain, address: str) -> None:
    """A word holds 31 bytes; the name that tickets are signed under is another one."""
    creation = contracts.deployment(
        name="ä" * 50,
        symbol="LONG",
        contract_uri="",
        live_uri="",
        treasury=OWNER,
        royalty_bps=0,
    )

    created = chain.succeed(creation).contract_address

    assert created is not None
    assert chain.ask(created, "name") == "ä" * 50
    assert chain.ask(created, "eip712Domain")[1:3] == ("Morphora", "1")


def test_a_fixed_drops_works_lie_where_its_folder_says(chain: Chain, address: str) -> None:
    chain.put_on_sale(address, drop_body())
    chain.succeed(contracts.mint(1, 0, 1), address, ALICE)

    uri = chain.ask(address, "tokenURI", 1)

    assert uri.startswith("ipfs://bafybei")
    assert uri.endswith("/metadata/1.json")


def test_a_drop_drawn_on_the_fly_goes_from_its_commitment_to_its_seal(
    chain: Chain, address: str
) -> None:
    body = living_body(chain)
    open_sale(chain, address, body, [phase_of(chain)])
    chain.succeed(contracts.mint(1, 0, 3), address, ALICE, 3 * PRICE_WEI)
    before = chain.ask(address, "tokenURI", 2)
    chain.mine(2)
    chain.succeed(contracts.capture(1), address, BOB)
    chain.succeed(contracts.reveal(1, body, SECRET), address)
    chain.succeed(contracts.seal(1, ROOTS), address)

    steps = [log for log in read(chain, address) if isinstance(log, RevealLog)]
    captured, revealed, sealed = steps
    header = chain.header(body.reveal_block)
    assert header is not None
    assert (captured.word.hex(), captured.reveal_block) == (header.hash[2:], body.reveal_block)
    assert revealed.word == lineage.drop_seed(SECRET, captured.word)
    assert revealed.word == chain.ask(address, "dropSeedOf", 1)
    assert (sealed.step, sealed.word) == ("sealed", ROOTS.metadata_root)
    assert before == "https://example.org/live/portraits/2.json"
    assert chain.ask(address, "tokenURI", 2).endswith("/metadata/2.json")


def test_a_secret_is_refused_before_the_block_and_while_works_are_left(
    chain: Chain, address: str
) -> None:
    body = living_body(chain)
    open_sale(chain, address, body, [phase_of(chain)])

    assert chain.reason(contracts.reveal(1, body, SECRET), address) == "NotCaptured(dropNumber=1)"
    chain.mine(4)
    chain.succeed(contracts.capture(1), address)
    assert chain.reason(contracts.reveal(1, body, SECRET), address) == "SaleGoesOn(dropNumber=1)"


def test_our_proof_of_a_place_on_a_list_is_the_contracts(chain: Chain, address: str) -> None:
    entries = [Entry(wallet, 2, PRICE_WEI + i) for i, wallet in enumerate([ALICE, OWNER, BOB])]
    root = int.from_bytes(allowlist.root(entries))
    phase = phase_of(chain, kind=PhaseKind.LISTED, terms=root)
    open_sale(chain, address, drop_body(), [phase])

    def buy(place: int, quantity: int) -> bytes:
        entry = entries[place]
        return contracts.mint_listed(
            1,
            0,
            quantity,
            max_quantity=entry.max_quantity,
            price_wei=entry.price_wei,
            proof=allowlist.proof(entries, place),
        )

    chain.succeed(buy(2, 2), address, BOB, 2 * (PRICE_WEI + 2))
    assert chain.ask(address, "balanceOf", BOB) == 2
    assert chain.reason(buy(2, 1), address, ALICE, PRICE_WEI + 2).startswith("NotListed")
    assert chain.reason(buy(2, 1), address, BOB, PRICE_WEI + 2).startswith("WalletCapReached")


@pytest.mark.parametrize("after_s", [0, 9, 10, 25, 31, 900])
def test_our_price_of_an_auction_is_the_contracts(chain: Chain, address: str, after_s: int) -> None:
    terms = falling(floor_wei=PRICE_WEI // 2, fall_wei=10**15 + 1, every_s=10)
    auction = phase_of(chain, kind=PhaseKind.AUCTION, terms=terms)
    auction = replace(auction, start=auction.start + 10)
    open_sale(chain, address, drop_body(), [auction])
    time = auction.start + after_s
    chain.call("evm_setNextBlockTimestamp", time)
    due = auction.price_at(time)

    receipt = chain.transact(contracts.mint(1, 0, 1), address, ALICE, due - 1)

    assert not receipt.succeeded
    chain.call("evm_setNextBlockTimestamp", time + 1)
    due = auction.price_at(time + 1)
    assert chain.transact(contracts.mint(1, 0, 1), address, ALICE, due).succeeded
