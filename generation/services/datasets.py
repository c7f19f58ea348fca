"""Datasets and checkpoints: files at their digests first, rows after."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from generation.gan.config import AttributeSchema
from generation.imaging import codec, compose
from generation.imaging.reader import DatasetError, Item, Refusal, Source
from generation.models import Dataset

MAX_COMPOSED = 200_000

Taken = TypeVar("Taken")


def import_dataset(
    *,
    name: str,
    items: Iterable[Item | Refusal],
    source: str,
    licence: str,
    image_px: int,
    schema: dict[str, list[str]] | None = None,
) -> tuple[Dataset, list[Refusal]]:
    """Store items at their digests with a manifest, and give them a row once everything is there.

    ``schema`` fixes attributes, values and their order; without it they are what the items say,
    sorted, and none if the items are unlabelled. The same items again are the same row.

    Raises DatasetError when nothing was taken, ConfigError when an attribute has one value only.
    """
    root = Path(settings.DATASET_ROOT)
    taken: list[dict[str, Any]] = []
    refused: list[Refusal] = []
    for item in items:
        reason = item.reason if isinstance(item, Refusal) else _misfit(item, taken, schema)
        if isinstance(item, Refusal) or reason:
            refused.append(Refusal(item.name, reason))
            continue
        taken.append(
            {
                "file": item.name,
                "digest": codec.store(codec.encode_png(item.picture), root / "items", ".png"),
                "attributes": item.labels,
                "source": item.source,
                "licence": item.licence,
            }
        )
    if not taken:
        raise DatasetError("no picture was taken")
    found = _observed(taken) if schema is None else schema
    if found:
        AttributeSchema.from_mapping(found)
    manifest = {"name": name, "image_px": image_px, "schema": found, "items": taken}
    raw = json.dumps(manifest, ensure_ascii=False).encode()
    dataset, _ = Dataset.objects.get_or_create(
        digest=codec.store(raw, root / "manifests", ".json"),
        defaults={
            "name": name,
            "image_px": image_px,
            "n_items": len(taken),
            "n_refused": len(refused),
            "schema": found,
            "source": source,
            "licence": licence,
        },
    )
    return dataset, refused


def compose_dataset(
    *,
    path: Path,
    name: str,
    count: int,
    image_px: int,
    seed: str,
    source: str,
    licence: str,
    say: Callable[[int], None] = lambda done: None,
) -> Dataset:
    """A dataset of ``count`` pictures composed from the layers at ``path``; ``say`` hears how many.

    The same layers, count and seed are the same row. Raises DatasetError, ImageRefusedError.
    """
    layers = Source(path)
    schema = compose.read_layers(layers).schema
    if not schema:
        raise DatasetError("no category has two values: nothing to choose from")
    made = compose.items(
        layers, count=count, seed=seed, image_px=image_px, origin=source, licence=licence
    )
    dataset, _ = import_dataset(
        name=name,
        items=counted(made, say),
        source=source,
        licence=licence,
        image_px=image_px,
        schema=schema,
    )
    return dataset


def counted(items: Iterable[Taken], say: Callable[[int], None]) -> Iterator[Taken]:
    """The items as they are; ``say`` hears how many have been used."""
    for done, item in enumerate(items, start=1):
        yield item
        say(done)


def load_dataset(
    dataset: Dataset, at_most: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures [N, H, W, 3] and value indices [N, attributes] in the manifest's order.

    ``at_most`` so many, evenly spaced.
    """
    items = dataset.items()
    if at_most is not None and len(items) > at_most:
        picked = np.linspace(0, len(items) - 1, at_most).round().astype(int)
        items = [items[place] for place in picked.tolist()]
    schema = dataset.attributes()
    pictures = np.stack([codec.read_stored(dataset.item_path(item["digest"])) for item in items])
    labels = [
        [values.index(item["attributes"][name]) for name, values in schema.attributes]
        for item in items
    ]
    return pictures, np.array(labels, dtype=np.int64).reshape(len(items), len(schema.sizes))


def _misfit(item: Item, taken: list[dict[str, Any]], schema: dict[str, list[str]] | None) -> str:
    """Why an item does not belong to the dataset, or nothing."""
    if schema is None:
        wanted = set(taken[0]["attributes"]) if taken else set(item.labels)
    else:
        wanted = set(schema)
    if set(item.labels) != wanted:
        return f"its attributes are not {sorted(wanted)}"
    for attribute, value in item.labels.items():
        if schema is not None and value not in schema[attribute]:
            return f"{attribute} {value!r} is not in the schema"
    return ""


def _observed(taken: list[dict[str, Any]]) -> dict[str, list[str]]:
    names = list(taken[0]["attributes"])
    return {name: sorted({item["attributes"][name] for item in taken}) for name in names}
