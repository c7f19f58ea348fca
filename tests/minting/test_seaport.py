"""Orders as bytes. Oracles: the contract itself, and OpenSea's own library."""

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from minting.chain import contracts, orders, seaport
from minting.chain.orders import Order, OrderFormatError
from minting.chain.seaport import SignatureError
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain, drop_body
from tests.minting.market import CHAIN_ID, KEYS, NODE_MODULES, Bazaar, deploy_seaport

MARKET = "0x" + "11" * 20


@pytest.fixture
def bazaar(chain: Chain) -> Bazaar:
    """A collection of three tokens of Alice's, and Seaport."""
    contract = chain.deploy()
    chain.put_on_sale(contract, drop_body(), price_wei=1)
    chain.succeed(contracts.mint(1, 0, 3), contract, ALICE, 3)
    bazaar = Bazaar(chain, deploy_seaport(chain), contract)
    bazaar.approve(ALICE)
    return bazaar


@pytest.fixture
def order() -> Order:
    return orders.listing(
        offerer=ALICE,
        contract="0x" + "22" * 20,
        token_id=12,
        payments=[(ALICE, 950), (OWNER, 50)],
        start_time=1_700_000_000,
        end_time=1_800_000_000,
        salt=2**255 + 1,
        counter=3,
    )


def by_library(bazaar: Bazaar, token_id: int) -> dict[str, Any]:
    """A listing that OpenSea's library makes and signs with Alice's key."""
    now = int(bazaar.chain.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    asked = {
        "url": bazaar.chain.url,
        "key": "0x" + KEYS[ALICE].hex(),
        "seaport": bazaar.seaport,
        "contract": bazaar.contract,
        "tokenId": token_id,
        "payments": [[ALICE, "950"], [OWNER, "50"]],
        "startTime": now - 10,
        "endTime": now + 3600,
    }
    script = NODE_MODULES.parent / "tests/minting/seaport.mjs"
    ran = subprocess.run(
        ["node", script, json.dumps(asked)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads(ran.stdout)
    return made


def test_our_hash_of_an_order_is_the_contracts(bazaar: Bazaar, order: Order) -> None:
    found = bazaar.chain.read(bazaar.seaport, seaport.get_order_hash(order))

    assert seaport.order_hash(order) == "0x" + found.hex()


def test_our_hash_and_signer_are_those_of_openseas_library_and_it_can_be_bought(
    bazaar: Bazaar,
) -> None:
    made = by_library(bazaar, 2)

    order = Order.from_json(made["order"])
    signer = seaport.recover(order, made["signature"], CHAIN_ID, bazaar.seaport)
    bazaar.do(seaport.fulfil_order(order, made["signature"]), BOB, 1000)

    assert seaport.order_hash(order) == made["hash"]
    assert signer == ALICE
    assert bazaar.chain.ask(bazaar.contract, "ownerOf", 2) == BOB.lower()


def test_a_signed_listing_is_bought_and_pays_seller_and_royalty(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1, 10_000)
    before = bazaar.chain.balance_wei(ALICE)

    bazaar.buy(order, BOB)

    assert bazaar.chain.ask(bazaar.contract, "ownerOf", 1) == BOB.lower()
    assert bazaar.chain.balance_wei(ALICE) - before == 9_500


def test_a_listing_with_another_signature_is_not_bought(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1, 10_000)
    forged = seaport.sign(order, KEYS[BOB], CHAIN_ID, bazaar.seaport)

    assert bazaar.chain.refusal(seaport.fulfil_order(order, forged), bazaar.seaport, BOB, 10_000)


def test_a_cancelled_order_is_not_usable_and_not_bought(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1, 10_000)
    status = seaport.get_order_status(seaport.order_hash(order))
    assert seaport.is_usable(bazaar.chain.read(bazaar.seaport, status))

    bazaar.do(seaport.cancel([order]), ALICE)

    assert not seaport.is_usable(bazaar.chain.read(bazaar.seaport, status))
    call = seaport.fulfil_order(order, bazaar.sign(order))
    assert bazaar.chain.refusal(call, bazaar.seaport, BOB, 10_000)


def test_a_new_counter_is_a_higher_one(bazaar: Bazaar) -> None:
    before = bazaar.counter(ALICE)

    bazaar.do(seaport.increment_counter(), ALICE)

    assert bazaar.counter(ALICE) > before


def test_an_order_goes_through_json_unchanged(order: Order) -> None:
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order


def test_numbers_may_be_numbers_text_or_hexadecimal(order: Order) -> None:
    body = order.to_json()

    same = Order.from_json(body | {"salt": hex(order.salt), "counter": 3})

    assert same == order


@pytest.mark.parametrize("lead", [0, 1])
def test_a_signature_and_its_compact_form_name_the_signer(order: Order, lead: int) -> None:
    made = replace(order, salt=lead)
    signature = seaport.sign(made, KEYS[ALICE], CHAIN_ID, MARKET)
    raw = bytes.fromhex(signature[2:])
    compact = raw[:32] + bytes([raw[32] | (raw[64] - 27) << 7]) + raw[33:64]

    assert seaport.recover(made, signature, CHAIN_ID, MARKET) == ALICE
    assert seaport.recover(made, "0x" + compact.hex(), CHAIN_ID, MARKET) == ALICE


@pytest.mark.parametrize(
    ("chain_id", "market"), [(1, MARKET), (CHAIN_ID, seaport.CANONICAL_ADDRESS)]
)
def test_a_signature_holds_on_its_chain_and_marketplace_only(
    order: Order, chain_id: int, market: str
) -> None:
    signature = seaport.sign(order, KEYS[ALICE], CHAIN_ID, MARKET)

    assert seaport.recover(order, signature, chain_id, market) != ALICE


@pytest.mark.parametrize(
    "signature", ["", "0x", "0x12", "zz", "0x" + "00" * 65, "0x" + "ff" * 64 + "1b", "0x" + "é"]
)
def test_what_is_no_signature_is_refused(order: Order, signature: str) -> None:
    with pytest.raises(SignatureError):
        seaport.recover(order, signature, CHAIN_ID, MARKET)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("offerer", "alice"),
        ("offerer", None),
        ("offer", {}),
        ("offer", [1]),
        ("consideration", "x"),
        ("orderType", 256),
        ("startTime", -1),
        ("startTime", "1e3"),
        ("endTime", 1.5),
        ("endTime", True),
        ("salt", str(2**256)),
        ("salt", "0x"),
        ("salt", "٣"),
        ("zoneHash", "0x12"),
        ("conduitKey", 0),
        ("counter", None),
    ],
)
def test_what_is_no_order_is_refused_with_its_field(
    order: Order, field: str, value: object
) -> None:
    with pytest.raises(OrderFormatError) as caught:
        Order.from_json(order.to_json() | {field: value})

    assert caught.value.field.startswith(field)


@pytest.mark.parametrize("body", [None, [], "x", {}])
def test_a_body_that_is_no_object_or_empty_is_refused(body: object) -> None:
    with pytest.raises(OrderFormatError):
        Order.from_json(body)


def test_the_keys_of_the_tests_are_those_of_their_accounts() -> None:
    assert {Account.from_key(key).address for key in KEYS.values()} == set(KEYS)
