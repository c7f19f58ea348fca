"""The collection contract: what is sent to it, what it answers, why it refuses."""

from collections.abc import Sequence
from dataclasses import astuple
from functools import cache
from typing import Any

from minting.chain.abi import SALT, Compiled, compiled, explain_revert, factory_address
from minting.chain.phases import Phase
from minting.provenance.lineage import DropBody, Roots

__all__ = ["explain_revert"]

COLLECTION, WITH_VOTES = "LivingCollection", "LivingVotesCollection"


def collection() -> Compiled:
    return compiled(COLLECTION)


def call(name: str, *arguments: Any) -> bytes:
    """The input of a transaction or call to function ``name`` of a collection."""
    return collection().call(name, *arguments)


def answer(name: str, raw: bytes) -> Any:
    """What a call to function ``name`` of a collection returned."""
    return collection().answer(name, raw)


def deployment(
    *,
    name: str,
    symbol: str,
    contract_uri: str,
    live_uri: str,
    treasury: str,
    royalty_bps: int,
    has_votes: bool = False,
) -> bytes:
    """The input of the transaction that creates a collection."""
    variant = compiled(WITH_VOTES) if has_votes else collection()
    return variant.deployment(name, symbol, contract_uri, live_uri, treasury, royalty_bps)


@cache
def libraries() -> dict[str, bytes]:
    """Address -> call to the factory that creates it, of what a collection is linked to."""
    codes = [compiled(name).bytecode for name in collection().libraries]
    return {factory_address(code): SALT + code for code in codes}


def commit_drop(body: DropBody) -> bytes:
    return call("commitDrop", astuple(body))


def open_sale(drop_number: int, body: DropBody, phases: Sequence[Phase], final_by: int) -> bytes:
    return call(
        "openSale", drop_number, astuple(body), [phase.words() for phase in phases], final_by
    )


def mint(drop_number: int, phase: int, quantity: int) -> bytes:
    return call("mint", drop_number, phase, quantity)


def mint_listed(
    drop_number: int,
    phase: int,
    quantity: int,
    *,
    max_quantity: int,
    price_wei: int,
    proof: Sequence[bytes],
) -> bytes:
    return call("mintListed", drop_number, phase, quantity, max_quantity, price_wei, list(proof))


def capture(drop_number: int) -> bytes:
    return call("capture", drop_number)


def reveal(drop_number: int, body: DropBody, secret: bytes) -> bytes:
    return call("reveal", drop_number, astuple(body), secret)


def seal(drop_number: int, roots: Roots) -> bytes:
    return call("seal", drop_number, astuple(roots))


def announce(first_token_id: int, last_token_id: int) -> bytes:
    return call("announce", first_token_id, last_token_id)


def pause_sale(drop_number: int, is_paused: bool) -> bytes:
    return call("pauseSale", drop_number, is_paused)


def settle(drop_number: int, phase: int) -> bytes:
    return call("settle", drop_number, phase)


def withdraw(drop_number: int) -> bytes:
    return call("withdraw", drop_number)
