import gc
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from minting.chain import contracts, logs
from minting.chain.logs import LogError, TransferLog
from tests.fixtures.chain import ALICE, Chain, drop_body


@pytest.fixture
def raw(chain: Chain) -> dict[str, Any]:
    """The log of a real mint, as the node gives it."""
    address = chain.deploy()
    chain.put_on_sale(address, drop_body())
    chain.succeed(contracts.mint(1, 0, 1), address, ALICE)
    [found] = chain.logs(address, 0, chain.block_number(), [logs.topic("Transfer")])
    return found


def test_topic_of_a_transfer_is_the_published_one() -> None:
    """ERC-721: keccak256 of Transfer(address,address,uint256)."""
    published = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

    assert logs.topic("Transfer") == logs.TRANSFER_TOPIC == published


def test_a_mint_is_read(raw: dict[str, Any], chain: Chain) -> None:
    found = logs.decode_log(raw)

    assert isinstance(found, TransferLog)
    assert (found.is_mint, found.recipient, found.token_id) == (True, ALICE, 1)
    assert found.place.block_number == chain.block_number()


@pytest.mark.parametrize(
    "change",
    [
        {"topics": []},
        {"topics": ["0x" + "12" * 32]},
        {"topics": [logs.topic("Transfer")]},
        {"topics": None},
        {"topics": [logs.topic("DropCommitted"), "0x" + "00" * 32, "0x" + "00" * 32]},
        {"data": "0xzz", "topics": [logs.topic("SaleOpened"), "0x01"]},
        {"data": "0x00", "topics": [logs.topic("SaleOpened"), "0x01"]},
        {"blockNumber": None},
        {"logIndex": "seven"},
    ],
)
def test_a_damaged_log_is_refused(raw: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(LogError):
        logs.decode_log(raw | change)


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_written_as_others_write_it(address: bytes) -> None:
    word = "0x" + address.rjust(32, b"\0").hex()

    assert logs.party(word) == to_checksum_address(address)


@pytest.mark.parametrize(
    "word", ["", "0x", "0x" + "0" * 63, "0x" + "0" * 65, "0x" + "f" * 64, "0x" + "g" * 64]
)
def test_what_is_no_address_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"word|address|invalid"):
        logs.party(word)


@pytest.mark.parametrize("step", [0, 1, 2, 3, 50])
def test_windows_asked_for_at_once_hold_the_same_logs(chain: Chain, step: int) -> None:
    address = chain.deploy()
    chain.put_on_sale(address, drop_body())
    first = chain.block_number()
    for _ in range(3):
        chain.succeed(contracts.mint(1, 0, 1), address, ALICE)
    topics = [logs.TRANSFER_TOPIC]

    found = chain.logs(address, first, chain.block_number(), topics, step=step)

    assert found == chain.logs(address, 0, chain.block_number(), topics)
    assert [log.token_id for log in logs.decode_all(found) if isinstance(log, TransferLog)] == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("field", ["topics", "data", "blockNumber", "blockHash", "logIndex"])
def test_a_log_without_a_field_is_refused(raw: dict[str, Any], field: str) -> None:
    del raw[field]

    with pytest.raises(LogError):
        logs.decode_log(raw)


@given(
    st.dictionaries(
        st.sampled_from(["topics", "data", "blockNumber", "x"]), st.text() | st.lists(st.text())
    )
)
def test_nothing_else_is_a_log(raw: dict[str, Any]) -> None:
    with pytest.raises(LogError):
        logs.decode_log(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "refused without a reason"),
        (b"\x12\x34\x56\x78", "refused with 0x12345678"),
        (
            bytes.fromhex("08c379a0")
            + (32).to_bytes(32)
            + (2).to_bytes(32)
            + b"no".ljust(32, b"\0"),
            "Error(message=no)",
        ),
        (bytes.fromhex("4e487b71") + (17).to_bytes(32), "Panic(code=17)"),
        (bytes.fromhex("4e487b71") + b"\1", "Panic with 0x01"),
    ],
    ids=["nothing", "unknown", "Error", "Panic", "cut off"],
)
def test_refusals_are_put_into_words(raw: bytes, words: str) -> None:
    assert contracts.explain_revert(raw) == words


@pytest.mark.parametrize("was_on", [True, False])
def test_the_search_for_cycles_is_as_before_whatever_happens(was_on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with logs.uncollected():
            assert not gc.isenabled()
        with pytest.raises(LogError), logs.uncollected():
            logs.decode_log({})
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
