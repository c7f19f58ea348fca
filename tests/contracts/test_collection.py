"""The contract on a real node. What succeeds stands next to what is refused."""

from dataclasses import astuple

import pytest

from minting.chain import contracts, logs
from minting.chain.client import Receipt
from minting.chain.logs import DropCommittedLog, SaleOpenedLog, TransferLog
from minting.provenance import lineage
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain, drop_body

PRICE_WEI = 10**16
BASE_URI = "ipfs://root/metadata/"


@pytest.fixture
def address(chain: Chain) -> str:
    return chain.deploy()


@pytest.fixture
def committed(chain: Chain, address: str) -> str:
    """A contract with a drop of three works, not on sale yet."""
    chain.succeed(contracts.commit_drop(drop_body(), BASE_URI), address)
    return address


@pytest.fixture
def on_sale(chain: Chain, committed: str) -> str:
    chain.succeed(contracts.open_sale(1, PRICE_WEI, 2), committed)
    return committed


def mint(chain: Chain, address: str, quantity: int = 1, sender: str = ALICE) -> Receipt:
    return chain.succeed(contracts.mint(1, quantity), address, sender, quantity * PRICE_WEI)


def events(chain: Chain, address: str) -> list[logs.Log]:
    topics = [logs.topic(name) for name in ("Transfer", "DropCommitted", "SaleOpened")]
    return logs.decode_all(chain.logs(address, 0, chain.block_number(), topics))


def test_deployed_code_is_what_the_compiler_wrote(chain: Chain, address: str) -> None:
    code = chain.call("eth_getCode", address, "latest")

    assert code == contracts.artefact()["deployed_bytecode"]


def test_code_stays_below_the_limit_of_a_contract() -> None:
    """EIP-170: 24,576 bytes."""
    assert len(contracts.artefact()["deployed_bytecode"][2:]) // 2 < 24_576


@pytest.mark.parametrize(
    "interface", ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f", "0x2a55205a", "0x49064906"]
)
def test_interfaces_are_announced(chain: Chain, address: str, interface: str) -> None:
    """ERC-165, ERC-721, its metadata, ERC-2981, ERC-4906."""
    assert chain.ask(address, "supportsInterface", bytes.fromhex(interface[2:]))


def test_the_invalid_interface_is_denied(chain: Chain, address: str) -> None:
    assert not chain.ask(address, "supportsInterface", b"\xff" * 4)


def test_a_drop_is_linked_into_the_chain_of_drops(chain: Chain, address: str) -> None:
    first, second = drop_body(1, 3), drop_body(4, 2, salt=1)
    head = lineage.drop_head(lineage.drop_head(bytes(32), first), second)

    chain.succeed(contracts.commit_drop(first, BASE_URI), address)
    chain.succeed(contracts.commit_drop(second, BASE_URI), address)

    assert chain.ask(address, "head") == head
    assert chain.ask(address, "dropCount") == 2


def test_the_body_of_a_drop_is_in_its_event(chain: Chain, committed: str) -> None:
    [event] = events(chain, committed)

    assert isinstance(event, DropCommittedLog)
    assert (event.drop_number, event.body, event.base_uri) == (1, drop_body(), BASE_URI)
    assert event.head == lineage.drop_head(bytes(32), drop_body())


def test_only_the_owner_commits_a_drop(chain: Chain, address: str) -> None:
    call = contracts.commit_drop(drop_body(), BASE_URI)

    assert (
        chain.refusal(call, address, ALICE)
        == f"OwnableUnauthorizedAccount(account={ALICE.lower()})"
    )


@pytest.mark.parametrize("first", [0, 1, 3, 5, 2**256 - 1])
def test_ids_of_the_next_drop_leave_no_gap(chain: Chain, committed: str, first: int) -> None:
    call = contracts.commit_drop(drop_body(first), BASE_URI)

    refusal = chain.refusal(call, committed)

    assert refusal == f"FirstTokenIdOutOfOrder(given={first}, expected=4)"


def test_an_empty_drop_is_refused(chain: Chain, address: str) -> None:
    call = contracts.commit_drop(drop_body(1, 0), BASE_URI)

    assert chain.refusal(call, address) == "EmptyDrop(dropNumber=1)"


def test_a_count_beyond_32_bits_is_refused(chain: Chain, address: str) -> None:
    call = contracts.commit_drop(drop_body(1, 2**32), BASE_URI)

    assert "SafeCastOverflowedUintDowncast" in chain.refusal(call, address)


def test_a_sale_opens_with_its_terms(chain: Chain, on_sale: str) -> None:
    event = events(chain, on_sale)[-1]

    assert isinstance(event, SaleOpenedLog)
    assert (event.drop_number, event.price_wei, event.max_per_transaction) == (1, PRICE_WEI, 2)
    assert chain.ask(on_sale, "saleOf", 1) == (1, 3, 0, 2, PRICE_WEI, True)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (contracts.open_sale(1, 1, 1), "SaleAlreadyOpen(dropNumber=1)"),
        (contracts.call("setBaseURI", 1, "ipfs://other/"), "SaleAlreadyOpen(dropNumber=1)"),
        (contracts.open_sale(2, 1, 1), "UnknownDrop(dropNumber=2)"),
        (contracts.open_sale(0, 1, 1), "UnknownDrop(dropNumber=0)"),
    ],
    ids=["terms", "files", "the drop after", "the drop before"],
)
def test_nothing_of_a_drop_changes_once_its_sale_is_open(
    chain: Chain, on_sale: str, call: bytes, reason: str
) -> None:
    assert chain.refusal(call, on_sale) == reason


@pytest.mark.parametrize(
    ("price_wei", "cap"), [(2**96, 1), (1, 2**16), (1, 0)], ids=["price", "cap", "no cap"]
)
def test_terms_that_do_not_fit_are_refused(
    chain: Chain, committed: str, price_wei: int, cap: int
) -> None:
    refusal = chain.refusal(contracts.open_sale(1, price_wei, cap), committed)

    assert refusal.startswith(("SafeCastOverflowedUintDowncast", "QuantityOutOfRange"))


def test_only_the_owner_opens_a_sale(chain: Chain, committed: str) -> None:
    refusal = chain.refusal(contracts.open_sale(1, PRICE_WEI, 2), committed, ALICE)

    assert refusal.startswith("OwnableUnauthorizedAccount")


def test_files_can_move_before_the_sale(chain: Chain, committed: str) -> None:
    chain.succeed(contracts.call("setBaseURI", 1, "ipfs://moved/"), committed)

    assert chain.ask(committed, "baseURIOf", 1) == "ipfs://moved/"


def test_mints_take_the_next_ids_in_order(chain: Chain, on_sale: str) -> None:
    mint(chain, on_sale, 2, ALICE)
    mint(chain, on_sale, 1, BOB)

    owners = [chain.ask(on_sale, "ownerOf", token_id) for token_id in (1, 2, 3)]
    found = [e for e in events(chain, on_sale) if isinstance(e, TransferLog)]
    assert owners == [ALICE.lower(), ALICE.lower(), BOB.lower()]
    assert [(e.token_id, e.recipient, e.is_mint) for e in found] == [
        (1, ALICE, True),
        (2, ALICE, True),
        (3, BOB, True),
    ]
    assert chain.ask(on_sale, "totalSupply") == 3


def test_nothing_is_minted_before_the_sale_opens(chain: Chain, committed: str) -> None:
    refusal = chain.refusal(contracts.mint(1, 1), committed, ALICE, PRICE_WEI)

    assert refusal == "SaleNotOpen(dropNumber=1)"


def test_nothing_is_minted_beyond_the_count(chain: Chain, on_sale: str) -> None:
    mint(chain, on_sale, 2)

    refusal = chain.refusal(contracts.mint(1, 2), on_sale, ALICE, 2 * PRICE_WEI)

    assert refusal == "NotEnoughLeft(quantity=2, remaining=1)"


@pytest.mark.parametrize("quantity", [0, 3, 2**256 - 1])
def test_the_cap_of_a_transaction_holds(chain: Chain, on_sale: str, quantity: int) -> None:
    refusal = chain.refusal(contracts.mint(1, quantity), on_sale, ALICE, PRICE_WEI)

    assert refusal == f"QuantityOutOfRange(quantity={quantity}, maxPerTransaction=2)"


@pytest.mark.parametrize("sent", [0, PRICE_WEI - 1, PRICE_WEI + 1, 2 * PRICE_WEI])
def test_the_price_is_exact(chain: Chain, on_sale: str, sent: int) -> None:
    refusal = chain.refusal(contracts.mint(1, 1), on_sale, ALICE, sent)

    assert refusal == f"WrongPayment(sent={sent}, due={PRICE_WEI})"


def test_metadata_address_follows_the_drop_of_a_token(chain: Chain, on_sale: str) -> None:
    chain.succeed(contracts.commit_drop(drop_body(4, 2), "ipfs://second/"), on_sale)
    chain.succeed(contracts.open_sale(2, 0, 2), on_sale)
    mint(chain, on_sale, 2)
    chain.succeed(contracts.mint(2, 2), on_sale, BOB)

    found = [chain.ask(on_sale, "tokenURI", token_id) for token_id in (1, 2, 4, 5)]

    assert found == [
        "ipfs://root/metadata/1.json",
        "ipfs://root/metadata/2.json",
        "ipfs://second/4.json",
        "ipfs://second/5.json",
    ]


def test_a_token_that_is_not_minted_has_no_metadata_address(chain: Chain, on_sale: str) -> None:
    with pytest.raises(Exception, match="revert") as caught:
        chain.ask(on_sale, "tokenURI", 3)

    assert "ERC721NonexistentToken" in contracts.explain_revert(caught.value.revert_data)  # type: ignore[attr-defined]


def test_withdrawal_goes_to_the_treasury(chain: Chain) -> None:
    treasury = "0x" + "77" * 20
    address = chain.deploy(treasury=treasury)
    chain.succeed(contracts.commit_drop(drop_body(), BASE_URI), address)
    chain.succeed(contracts.open_sale(1, PRICE_WEI, 2), address)
    mint(chain, address, 2)

    chain.succeed(contracts.call("withdraw"), address)

    assert chain.balance_wei(treasury) == 2 * PRICE_WEI
    assert chain.balance_wei(address) == 0


def test_only_the_owner_withdraws(chain: Chain, on_sale: str) -> None:
    mint(chain, on_sale)

    refusal = chain.refusal(contracts.call("withdraw"), on_sale, ALICE)

    assert refusal.startswith("OwnableUnauthorizedAccount")
    assert chain.balance_wei(on_sale) == PRICE_WEI


def test_royalty_is_at_most_a_tenth(chain: Chain) -> None:
    address = chain.deploy(royalty_bps=1000)

    assert chain.ask(address, "royaltyInfo", 1, 10_000) == (OWNER.lower(), 1000)
    assert (
        chain.refusal(contracts.call("setRoyalty", OWNER, 1001), address)
        == "RoyaltyTooHigh(bps=1001, maxBps=1000)"
    )


def test_a_contract_with_a_higher_royalty_is_not_created(chain: Chain) -> None:
    call = contracts.deployment(
        name="P", symbol="P", contract_uri="", treasury=OWNER, royalty_bps=1001
    )

    assert chain.refusal(call) == "RoyaltyTooHigh(bps=1001, maxBps=1000)"


@pytest.mark.parametrize("treasury", ["0x" + "0" * 40, "self"])
def test_a_treasury_that_loses_funds_is_refused(chain: Chain, address: str, treasury: str) -> None:
    target = address if treasury == "self" else treasury

    refusal = chain.refusal(contracts.call("setTreasury", target), address)

    assert refusal == f"InvalidTreasury(treasury={target.lower()})"


def test_ownership_moves_in_two_steps_and_is_never_renounced(chain: Chain, address: str) -> None:
    chain.succeed(contracts.call("transferOwnership", ALICE), address)
    before = chain.ask(address, "owner")
    chain.succeed(contracts.call("acceptOwnership"), address, ALICE)

    assert before == OWNER.lower()
    assert chain.ask(address, "owner") == ALICE.lower()
    assert (
        chain.refusal(contracts.call("renounceOwnership"), address, ALICE)
        == f"OwnershipCannotBeRenounced(owner={ALICE.lower()})"
    )


def test_contract_metadata_can_be_replaced_by_the_owner_only(chain: Chain, address: str) -> None:
    call = contracts.call("setContractURI", "ipfs://new")

    chain.succeed(call, address)

    assert chain.ask(address, "contractURI") == "ipfs://new"
    assert chain.refusal(call, address, BOB).startswith("OwnableUnauthorizedAccount")


def test_a_mint_costs_what_is_documented(chain: Chain, on_sale: str) -> None:
    """contracts/README.md: the first mint of a wallet, after the drop's first."""
    mint(chain, on_sale, 1, BOB)

    assert mint(chain, on_sale, 1, ALICE).gas_used < 85_000


def test_the_struct_is_encoded_in_the_order_of_the_contract() -> None:
    components = contracts.element("function", "commitDrop")["inputs"][0]["components"]
    names = ["".join(part.capitalize() for part in name.split("_")) for name in vars(drop_body())]

    assert [name[0].lower() + name[1:] for name in names] == [c["name"] for c in components]
    assert len(astuple(drop_body())) == len(components)
