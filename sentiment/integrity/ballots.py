"""A vote as a message that a wallet signs (EIP-712): readable, and good for that vote alone.

It names the chain, the collection, the drop whose round it is cast in and the works in their public
names, so that it says nothing about another pair, round, collection or chain.
"""

from typing import Any, NamedTuple

from eth_account.messages import SignableMessage, encode_typed_data

from minting.chain.signatures import SignatureError, recover

NAME, VERSION = "Morphora", "1"
FIELDS = [
    ("uint256", "drop"),
    ("string", "collection"),
    ("string", "left"),
    ("string", "right"),
    ("string", "winner"),
]
TYPE = f"Vote({','.join(f'{kind} {name}' for kind, name in FIELDS)})"


class Ballot(NamedTuple):
    """What is signed; works are "drop/index", as they were shown."""

    drop: int
    collection: str
    left: str
    right: str
    winner: str


def domain(chain_id: int) -> dict[str, Any]:
    return {"name": NAME, "version": VERSION, "chainId": chain_id}


def message(ballot: Ballot, chain_id: int) -> SignableMessage:
    types = {"Vote": [{"name": name, "type": kind} for kind, name in FIELDS]}
    return encode_typed_data(domain(chain_id), types, ballot._asdict())


def is_signed_by(ballot: Ballot, chain_id: int, signature: str, wallet: str) -> bool:
    """Whether a wallet made the signature of this vote on this chain."""
    try:
        return recover(message(ballot, chain_id), signature).lower() == wallet.lower()
    except SignatureError:
        return False
