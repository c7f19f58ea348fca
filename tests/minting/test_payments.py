"""Payments between accounts, read out of the blocks of a real node."""

from typing import Any

import pytest

from minting.chain.client import Client, TransportError
from minting.chain.payments import BLOCKS, Payment, read_payments
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain


def test_value_that_was_sent_is_read_and_nothing_else(chain: Chain) -> None:
    first = chain.block_number() + 1
    paid = chain.succeed(b"", BOB, ALICE, 7)
    chain.succeed(b"", BOB, ALICE, 0)
    chain.deploy()
    chain.succeed(b"", ALICE, OWNER, 9)

    found = [one for _, some in read_payments(chain, first, chain.block_number()) for one in some]

    assert found[0] == Payment(paid.tx_hash, paid.block_number, ALICE, BOB, 7)
    assert [(one.payer, one.payee, one.value_wei) for one in found] == [
        (ALICE, BOB, 7),
        (OWNER, ALICE, 9),
    ]


def test_it_says_how_far_it_has_read(chain: Chain) -> None:
    chain.mine(2 * BLOCKS)

    assert [number for number, _ in read_payments(chain, 1, 2 * BLOCKS + 3)] == [
        BLOCKS,
        2 * BLOCKS,
        2 * BLOCKS + 3,
    ]


@pytest.mark.parametrize("block", [None, {}, {"transactions": [{"value": "much"}]}, "block"])
def test_what_is_no_block_is_refused(block: Any) -> None:
    class Liar(Client):
        def batch(self, calls: Any, most_bytes: int | None = None) -> list[Any]:
            return [block for _ in calls]

    with pytest.raises(TransportError, match="not a block"):
        list(read_payments(Liar("http://nowhere"), 1, 1))
