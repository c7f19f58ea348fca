"""Painted and evolving collections: what has to be on the chain for one, and what creates it.

In this order: the collection's libraries, the painter's parts and the painter (by the factory, so
that equal ones are there once), the collection, its staking contract, its evolution (by the factory
too), then ``setLocker`` and ``setEvolution``, and only then the first drop.
"""

from dataclasses import dataclass

from minting.chain.abi import SALT, compiled, factory_address
from minting.evolution import rules
from minting.evolution.packing import creation
from minting.evolution.rules import Law

PAINTED, EVOLVING = "PaintedCollection", "EvolvingCollection"


@dataclass(frozen=True)
class Placed:
    """A contract that the factory creates.

    ``calls``: address -> call to the factory, in the order in which they have to be sent; what is
    on the chain already need not be. ``address`` is the last one's.
    """

    address: str
    calls: dict[str, bytes]


def painter(network: bytes, label: bytes) -> Placed:
    """A painter of a packed network and a packed label (``minting.evolution.packing``)."""
    parts = [creation(network), creation(label)]
    places = [factory_address(code) for code in parts]
    code = compiled("Painter").deployment(*places)
    return _placed([*parts, code])


def deployment(
    *,
    name: str,
    symbol: str,
    contract_uri: str,
    live_uri: str,
    treasury: str,
    royalty_bps: int,
    painter: str,
    is_evolving: bool,
) -> bytes:
    """The input of the transaction that creates a collection; its sender owns it."""
    variant = compiled(EVOLVING if is_evolving else PAINTED)
    return variant.deployment(name, symbol, contract_uri, live_uri, treasury, royalty_bps, painter)


def staking(collection: str) -> bytes:
    """The input of the transaction that creates a collection's stakes; its sender owns them."""
    return compiled("Staking").deployment(collection)


def evolution(collection: str, law: Law) -> Placed:
    """The evolution of a collection, which is on the chain by then, as are all peers of the law.

    LawError for what the contract would refuse.
    """
    rules.check(law)
    return _placed([compiled("Evolution").deployment(collection, *rules.words(law))])


def set_locker(staking: str) -> bytes:
    """The owner's call to the collection that names its staking contract, once."""
    return compiled(EVOLVING).call("setLocker", staking)


def set_evolution(evolution: str) -> bytes:
    """The owner's call to the collection that names its evolution, once, before its first drop."""
    return compiled(EVOLVING).call("setEvolution", evolution)


def _placed(codes: list[bytes]) -> Placed:
    calls = {factory_address(code): SALT + code for code in codes}
    return Placed(factory_address(codes[-1]), calls)
