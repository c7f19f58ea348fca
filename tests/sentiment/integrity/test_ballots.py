"""A vote as a signed message: good for that vote, by that wallet, on that chain."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account

from minting.provenance.keccak import keccak256
from sentiment.integrity import ballots
from sentiment.integrity.ballots import Ballot

KEY = (1).to_bytes(32)
WALLET = Account.from_key(KEY).address
BALLOT = Ballot(3, "portraits", "3/7", "3/2", "3/2")


def sign(ballot: Ballot, chain_id: int = 31337, key: bytes = KEY) -> str:
    signed = Account.sign_message(ballots.message(ballot, chain_id), key)
    return "0x" + bytes(signed.signature).hex()


def test_the_message_hashes_as_the_standard_says() -> None:
    """EIP-712 by hand: keccak(0x1901, domain separator, hash of the struct)."""
    words = [keccak256(word.encode()) for word in BALLOT[1:]]
    kinds = ["bytes32", "uint256", *["bytes32"] * 4]
    struct = keccak256(encode(kinds, [keccak256(ballots.TYPE.encode()), BALLOT.drop, *words]))
    named = keccak256(b"EIP712Domain(string name,string version,uint256 chainId)")
    facts = [named, keccak256(b"Morphora"), keccak256(b"1"), 31337]
    separator = keccak256(encode(["bytes32", "bytes32", "bytes32", "uint256"], facts))

    made = ballots.message(BALLOT, 31337)

    assert made.header == separator
    assert made.body == struct


def test_the_voter_signed_it() -> None:
    assert ballots.is_signed_by(BALLOT, 31337, sign(BALLOT), WALLET.lower())


OTHERS: dict[str, tuple[Any, ...]] = {
    "another winner": (BALLOT._replace(winner="3/7"), 31337, WALLET),
    "other sides": (BALLOT._replace(left="3/2", right="3/7"), 31337, WALLET),
    "another pair": (BALLOT._replace(left="3/8"), 31337, WALLET),
    "another round": (BALLOT._replace(drop=4), 31337, WALLET),
    "another collection": (BALLOT._replace(collection="masks"), 31337, WALLET),
    "another chain": (BALLOT, 1, WALLET),
    "another wallet": (BALLOT, 31337, "0x" + "11" * 20),
}


@pytest.mark.parametrize(("ballot", "chain_id", "wallet"), OTHERS.values(), ids=OTHERS.keys())
def test_it_is_good_for_nothing_else(ballot: Ballot, chain_id: int, wallet: str) -> None:
    assert not ballots.is_signed_by(ballot, chain_id, sign(BALLOT), wallet)


@pytest.mark.parametrize("raw", ["", "0x", "0x" + "00" * 65, sign(BALLOT)[:-2] + "1d", "no hex"])
def test_what_is_no_signature_is_nobodys(raw: str) -> None:
    assert not ballots.is_signed_by(BALLOT, 31337, raw, WALLET)
