"""Drops of works whose pictures are on disk, as curation leaves them."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from pytest_django import Settings

from generation.imaging import codec
from generation.models import Artwork, Checkpoint, Collection, Drop, ParameterSet
from generation.traits.parameters import uniform
from minting import sender
from minting.models import ChainTransaction

SCHEMA = {"background": ["sand", "sky", "rose"], "accessory": ["none", "glasses", "hat"]}


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def pump() -> set[int]:
    """Pump until nothing waits for its block any more: a node mines a moment after it answers."""
    moved = sender.pump(NOW)
    for _ in range(500):
        if not ChainTransaction.objects.unsettled().filter(error="").exists():
            break
        time.sleep(0.01)
        moved |= sender.pump(NOW)
    return moved


class MakeDrop(Protocol):
    def __call__(
        self, n_works: int = 3, state: Drop.State = Drop.State.CURATING, seed: int = 0
    ) -> Drop: ...


@pytest.fixture
def collection(db: None) -> Collection:
    """A collection with its first parameters; nobody opens the files of its checkpoint."""
    digest = hashlib.sha256(b"checkpoint").hexdigest()
    checkpoint = Checkpoint.objects.create(
        name="portraits",
        sha256=digest,
        architecture="biggan",
        config={"schema": SCHEMA},
        recipe={},
        path="portraits.safetensors",
        parser_sha256=digest,
        parser_path="portraits-parser.safetensors",
        source="tests",
        licence="CC0-1.0",
    )
    collection = Collection.objects.create(
        slug="portraits", name="Portraits", story="They listen.", checkpoint=checkpoint
    )
    ParameterSet.objects.create(
        collection=collection,
        number=1,
        source=ParameterSet.Source.INITIAL,
        reason="Equal shares of every value",
        body=uniform(SCHEMA).to_json(),
    )
    return collection


@pytest.fixture
def make_drop(collection: Collection, settings: Settings, tmp_path: Path) -> MakeDrop:
    """Drops of accepted works; pictures and traits follow from the seed."""
    settings.MEDIA_ROOT = tmp_path / "media"

    def make(n_works: int = 3, state: Drop.State = Drop.State.CURATING, seed: int = 0) -> Drop:
        number = collection.drops.count() + 1
        chance = np.random.default_rng([seed, number])
        drop = Drop.objects.create(
            collection=collection,
            number=number,
            state=state,
            size=n_works,
            seed=chance.bytes(32).hex(),
            parameter_set=collection.parameter_sets.get(number=1),
            checkpoint=collection.checkpoint,
        )
        for index in range(n_works):
            _make_work(drop, index, chance, tmp_path / "media" / "images")
        return drop

    return make


def _make_work(drop: Drop, index: int, chance: np.random.Generator, folder: Path) -> Artwork:
    picture = chance.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    parsed = {name: str(chance.choice(values)) for name, values in SCHEMA.items()}
    return Artwork.objects.create(
        drop=drop,
        index=index,
        item_seed=chance.bytes(32).hex(),
        requested=parsed,
        parsed=parsed,
        confidence=1.0,
        image_digest=codec.store(codec.encode_png(picture), folder, ".png"),
        status=Artwork.Status.ACCEPTED,
    )
