"""Labels given by people, and the labelled dataset that comes of them."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from numpy.typing import NDArray

from generation.imaging import codec
from generation.imaging.reader import Item
from generation.models import Dataset, ItemLabel
from generation.services.datasets import import_dataset

if TYPE_CHECKING:
    from generation.traits.labelling import Reading

MAX_VALUES = 64


class NotEmbeddedError(Exception):
    """A dataset's features have not been computed yet."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(f"the pictures of {dataset} have not been looked at yet")
        self.dataset = dataset


def store_embedding(*, dataset: Dataset, features: NDArray[np.float32]) -> None:
    """Keep features [N, D] beside the dataset, complete or not at all."""
    out = io.BytesIO()
    np.save(out, features, allow_pickle=False)
    write_whole(dataset.embedding_path, out.getvalue())


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file that is there complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(raw)
    temporary.replace(path)


def embedding(dataset: Dataset) -> NDArray[np.float32]:
    """Features [N, D] of a dataset; NotEmbeddedError before they are computed."""
    if not dataset.embedding_path.exists():
        raise NotEmbeddedError(dataset)
    features: NDArray[np.float32] = np.load(dataset.embedding_path, allow_pickle=False)
    return features


@transaction.atomic
def label_items(
    *,
    dataset: Dataset,
    attribute: str,
    values: Mapping[int, str],
    labelled_by: AbstractBaseUser | None,
) -> int:
    """Store what a person said of pictures by place; a later word replaces an earlier one.

    An empty value takes a label back. Raises ValueError for a name, value or place that cannot be.
    """
    attribute = named("attribute", attribute, ItemLabel._meta.get_field("attribute").max_length)
    if attribute in dataset.schema:
        raise ValueError(f"{attribute} is labelled already")
    longest = ItemLabel._meta.get_field("value").max_length
    for place, value in values.items():
        if not 0 <= place < dataset.n_items:
            raise ValueError(f"no picture {place} in {dataset}")
        rows = ItemLabel.objects.filter(dataset=dataset, attribute=attribute, place=place)
        if not value.strip():
            rows.delete()
            continue
        ItemLabel.objects.update_or_create(
            dataset=dataset,
            attribute=attribute,
            place=place,
            defaults={
                "value": named("value", value, longest),
                "labelled_by_id": labelled_by.pk if labelled_by else None,
            },
        )
    said = ItemLabel.objects.filter(dataset=dataset, attribute=attribute)
    if said.order_by().values("value").distinct().count() > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values of {attribute}")
    return said.count()


def said_labels(dataset: Dataset, attribute: str) -> dict[int, str]:
    """What people said of an attribute, by place."""
    rows = ItemLabel.objects.filter(dataset=dataset, attribute=attribute).order_by("place")
    return dict(rows.values_list("place", "value"))


def read_attribute(dataset: Dataset, attribute: str) -> "Reading":
    """What the labels of an attribute say of every picture; ValueError for too few values."""
    from generation.traits import labelling  # scikit-learn takes a second to load

    return labelling.read(embedding(dataset), said_labels(dataset, attribute))


def finish_labels(
    *, dataset: Dataset, attributes: list[str], min_confidence: float, name: str
) -> tuple[Dataset, int]:
    """A new dataset with the attributes added, and how many pictures were left out as unsure.

    A picture keeps what a person said; the rest is read. Each item's source says which.

    Raises
    ------
    ValueError
        No attributes, fewer than two values of one, or a confidence outside [0, 1].
    DatasetError
        No picture is read with that confidence.
    """
    if not attributes or not 0 <= min_confidence <= 1:
        raise ValueError(f"attributes {attributes}, confidence {min_confidence}")
    readings = {attribute: read_attribute(dataset, attribute) for attribute in attributes}
    lowest = np.min([reading.confidence for reading in readings.values()], axis=0)
    best = {attribute: reading.best for attribute, reading in readings.items()}
    taken = [
        _item(dataset, row, {attribute: said[place] for attribute, said in best.items()})
        for place, row in enumerate(dataset.items())
        if lowest[place] >= min_confidence
    ]
    added = {attribute: list(reading.values) for attribute, reading in readings.items()}
    made, _ = import_dataset(
        name=name,
        items=taken,
        source=dataset.source,
        licence=dataset.licence,
        image_px=dataset.image_px,
        schema=dataset.manifest()["schema"] | added,
    )
    return made, dataset.n_items - len(taken)


def _item(dataset: Dataset, row: dict[str, Any], read: dict[str, str]) -> Item:
    return Item(
        name=row["file"],
        picture=codec.read_stored(dataset.item_path(row["digest"])),
        labels=row["attributes"] | read,
        source=row["source"],
        licence=row["licence"],
    )


def named(what: str, text: str, longest: int | None) -> str:
    """A name of ours: one line of printable text; ValueError if it is not."""
    found = " ".join(text.split())
    if not found or len(found) > (longest or 0) or not found.isprintable():
        raise ValueError(f"{what} {text!r} must be 1 to {longest} printable characters")
    return found
