"""What a collection that is drawn inside the chain is drawn with, and by which law it moves."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from eth_utils.address import to_checksum_address

from generation.gan.twins import Twin
from generation.models import Checkpoint, Collection, Drop, MovedPicture
from generation.shipped import ONCHAIN
from minting.chain import painted
from minting.chain.painted import Placed
from minting.evolution import latents, laws, network
from minting.evolution.latents import Attribute, attributes
from minting.evolution.network import Layer, Network
from minting.evolution.packing import Label, pack, pack_label, unpack, unpack_label
from minting.evolution.rules import Law
from minting.models import ChainTransaction, Contract, Cursor, DropEvent, ProvenLevels

UNKNOWN = "0x" + "1" * 40
SALT_AND_CREATION = 32 + 10  # before the code of a part, in the call that creates it


class NoStudentError(ValueError):
    """No network that a contract could hold was taught by this generator."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(
            f"no small generator was taught by {checkpoint.name}, so no contract can draw like it"
        )
        self.checkpoint = checkpoint


class FixedDropError(ValueError):
    """A collection that is drawn inside the chain has no works that were drawn before."""

    def __init__(self, collection: Collection) -> None:
        super().__init__(
            f"works of {collection.name} are drawn inside the contract, from a block that is still "
            "to come: its drops have to be drawn on the fly"
        )
        self.collection = collection


def is_painted(collection: Collection) -> bool:
    """Whether a contract draws its works, whose shares are those of its first parameters."""
    return Contract.objects.filter(collection=collection).exclude(painter_address="").exists()


def refuse_fixed(drop: Drop) -> None:
    """FixedDropError for a drop whose works are known, of a collection that paints its own."""
    if drop.kind != Drop.Kind.ON_THE_FLY and is_painted(drop.collection):
        raise FixedDropError(drop.collection)


def student_of(checkpoint: Checkpoint) -> Path:
    """The file of the small network that this generator taught; NoStudentError."""
    if _load(ONCHAIN).recipe["teacher"] != checkpoint.sha256:
        raise NoStudentError(checkpoint)
    return ONCHAIN


def teachers() -> list[Checkpoint]:
    """Generators that taught a small one, the oldest first."""
    return [one for one in Checkpoint.objects.order_by("pk") if has_student(one)]


def has_student(checkpoint: Checkpoint) -> bool:
    try:
        student_of(checkpoint)
    except NoStudentError:
        return False
    return True


@cache
def _load(path: Path) -> Network:
    return network.load(path)


def network_of(checkpoint: Checkpoint) -> Network:
    """The small network that this generator taught; NoStudentError."""
    return _load(student_of(checkpoint))


def student(collection: Collection) -> Network:
    return network_of(collection.checkpoint)


def attributes_of(collection: Collection) -> tuple[Attribute, ...]:
    """In the shares of the collection's first parameters."""
    own = student(collection)
    first = collection.parameter_sets.order_by("number", "pk").first()
    asked: dict[str, Any] = first.body["distributions"] if first else {}
    shares = {
        name: [float(asked[name].get(value, 0)) for value in values]
        for name, values in own.values.items()
        if name in asked and any(asked[name].get(value, 0) > 0 for value in values)
    }
    return attributes(own, shares)


def painter_of(collection: Collection) -> Placed:
    """The collection's painter; PackingError for a name or story that JSON does not take."""
    story = " ".join(collection.story.split())
    label = pack_label(Label(collection.name, story, attributes_of(collection)))
    return painted.painter(pack(student(collection).layers), label)


def law_of(contract: Contract) -> Law:
    """The law as its contract has it; stakes have no address before there is a contract of them."""
    assert contract.law is not None
    return laws.complete(contract.law, contract.staking_address or UNKNOWN)


def drawn_with(contract: Contract) -> tuple[tuple[Layer, ...], tuple[Attribute, ...]]:
    """The layers and attributes in the contract's painter, as they were sent to the chain."""
    return _unpacked(contract.chain_id, contract.painter_address)


def twin_of(contract: Contract, word: bytes) -> Twin | None:
    """What the contract draws of a work with this word; None where it draws none."""
    if not contract.is_painted:
        return None
    schema = drawn_with(contract)[1]
    chosen = zip(schema, latents.choose(schema, word), strict=True)
    return Twin(
        values={attribute.name: attribute.values[place] for attribute, place in chosen},
        latents=np.frombuffer(latents.latents_of(schema, word), np.uint8),
        basis=student(contract.collection).basis,
    )


@lru_cache(maxsize=8)
def _unpacked(chain_id: int, painter: str) -> tuple[tuple[Layer, ...], tuple[Attribute, ...]]:
    words = _sent(chain_id, painter)[-64:]
    layers, label = (
        _sent(chain_id, str(to_checksum_address(word[12:])))[SALT_AND_CREATION:]
        for word in (words[:32], words[32:])
    )
    return unpack(layers), unpack_label(label).attributes


def _sent(chain_id: int, address: str) -> bytes:
    """The call that had the factory create what is at this address."""
    key = f"{ChainTransaction.Kind.LIBRARY}:{chain_id}:{address}"
    return bytes(ChainTransaction.objects.get(key=key).call)


def moved_undrawn(contract: Contract) -> QuerySet[ProvenLevels]:
    """What epochs have proven in blocks that stay, of revealed works not drawn since."""
    cursor = Cursor.objects.filter(contract=contract).first()
    final = -1 if cursor is None else cursor.number - settings.CHAIN_CONFIRMATIONS + 1
    drawn = MovedPicture.objects.filter(artwork=OuterRef("token__artwork"), epoch=OuterRef("epoch"))
    told = DropEvent.objects.filter(kind=DropEvent.Kind.REVEALED).values("commitment")
    found = ProvenLevels.objects.filter(
        ~Exists(drawn),
        token__contract=contract,
        token__artwork__isnull=False,
        block__number__lte=final,
        token__drop__commitment__in=told,
    )
    return found.select_related(
        "block", "token__contract", "token__artwork", "token__drop__checkpoint"
    ).order_by("epoch", "token__drop", "token__token_id", "pk")
