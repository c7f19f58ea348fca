"""What curators say of a dataset's pictures, and the version that comes of it."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from generation.imaging import codec
from generation.imaging.reader import DatasetError
from generation.models import Dataset, DatasetEdit, ItemLabel
from generation.services.labels import MAX_VALUES, named, write_whole
from generation.traits import edits
from generation.traits.edits import Kind, State

if TYPE_CHECKING:
    from generation.traits.curating import Comparison

LONGEST = DatasetEdit._meta.get_field("value").max_length or 0
LONGEST_LICENCE = Dataset._meta.get_field("licence").max_length or 0


class EditedMeanwhileError(Exception):
    """Somebody else changed the same pictures since the curator looked; nothing was written."""

    def __init__(self, newer: list[DatasetEdit]) -> None:
        super().__init__(f"{len(newer)} edits since then")
        self.newer = newer


class NothingChangedError(ValueError):
    """An edit or a version would leave everything as it is."""


@dataclass(frozen=True)
class Desk:
    """A dataset as curators see it: its manifest, all edits in order, and what these make."""

    dataset: Dataset
    schema: dict[str, list[str]]
    items: list[dict[str, Any]]
    edits: list[DatasetEdit]
    state: State

    @property
    def seen(self) -> int:
        """The number of the newest edit, 0 before the first."""
        return self.edits[-1].number if self.edits else 0

    def shown(self, place: int) -> dict[str, Any]:
        return edits.shown(self.items[place], place, self.state)


def desk(dataset: Dataset) -> Desk:
    rows = dataset.edits.in_order().select_related("undoes", "made_by")
    manifest, said = dataset.manifest(), list(rows)
    items = manifest["items"]
    state = edits.replay(items, [row.edit for row in said])
    return Desk(dataset, manifest["schema"], items, said, state)


@transaction.atomic
def record_edit(
    *,
    dataset: Dataset,
    kind: Kind,
    places: Iterable[int],
    seen: int,
    made_by: AbstractBaseUser | None,
    attribute: str = "",
    value: str = "",
) -> DatasetEdit:
    """Append an edit of a curator who knows the edits up to ``seen``; sent twice it is one.

    Raises
    ------
    EditedMeanwhileError
        A later edit is about one of these pictures.
    NothingChangedError
        The pictures are like that already.
    ValueError
        No pictures, a place, attribute or value that cannot be.
    """
    wanted = sorted(set(places))
    said = _checked(dataset, kind, wanted, attribute, value)
    _lock(dataset)
    newer = _newer(dataset, seen)
    if newer and _is_same(newer[-1], said, made_by):
        return newer[-1]
    if touching := [row for row in newer if not _touched(row).isdisjoint(wanted)]:
        raise EditedMeanwhileError(touching)
    found = desk(dataset)
    row = DatasetEdit(dataset=dataset, number=found.seen + 1, made_by_id=_pk(made_by), **said)
    after = edits.replay(found.items, [*(edit.edit for edit in found.edits), row.edit])
    if after == found.state:
        raise NothingChangedError(f"these {len(wanted)} pictures are like that already")
    _check_values(found, after, attribute)
    row.save()
    return row


@transaction.atomic
def undo_edit(*, dataset: Dataset, number: int, made_by: AbstractBaseUser | None) -> DatasetEdit:
    """Take an edit back by appending its reversal; taken back already, it is that reversal.

    Raises ValueError for a number that is no edit, or is an undo.
    """
    _lock(dataset)
    undone = dataset.edits.filter(number=number).exclude(kind=Kind.UNDO).first()
    if undone is None:
        raise ValueError(f"no edit {number} to take back")
    row, _ = DatasetEdit.objects.get_or_create(
        undoes=undone,
        defaults={
            "dataset": dataset,
            "number": _last(dataset) + 1,
            "kind": Kind.UNDO,
            "made_by_id": _pk(made_by),
        },
    )
    return row


@transaction.atomic
def publish_version(*, dataset: Dataset, seen: int, made_by: AbstractBaseUser | None) -> Dataset:
    """A new version with the edits of a dataset; the dataset stays as it is. Twice it is one.

    Its manifest names the manifest it was made from and the edits, so that anybody can make it
    again. ``seen`` is the last edit that the curator knows.

    Raises
    ------
    EditedMeanwhileError
        There are later edits.
    NothingChangedError
        The edits leave everything as it is.
    DatasetError
        Every picture is rejected.
    """
    _lock(dataset)
    if newer := _newer(dataset, seen):
        raise EditedMeanwhileError(newer)
    found = desk(dataset)
    if not found.state.n_changes:
        raise NothingChangedError("nothing was changed: there is no other version to make")
    rows = edits.apply(found.items, found.state)
    if not rows:
        raise DatasetError("every picture is rejected: a version without pictures is none")
    schema = edits.schema_after(found.schema, rows)
    for made in dataset.children.order_by("version"):
        if made.schema == schema and made.items() == rows:
            return made
    made = _version(found, rows, schema, made_by)
    _carry_labels(found, made)
    return made


def store_comparison(*, dataset: Dataset, comparison: "Comparison") -> None:
    """Keep what was found beside the dataset, complete or not at all."""
    out = io.BytesIO()
    np.savez(out, group=comparison.group, factor=comparison.factor)
    write_whole(dataset.comparison_path, out.getvalue())


def comparison(dataset: Dataset) -> "Comparison | None":
    """Near duplicates and outliers; None before somebody has looked for them."""
    from generation.traits.curating import Comparison

    if not dataset.comparison_path.exists():
        return None
    with np.load(dataset.comparison_path, allow_pickle=False) as found:
        return Comparison(found["group"], found["factor"])


def _checked(
    dataset: Dataset, kind: Kind, places: list[int], attribute: str, value: str
) -> dict[str, Any]:
    """The fields of an edit; ValueError for what cannot be."""
    if kind is Kind.UNDO or not places:
        raise ValueError("no picture is selected" if not places else "an undo names an edit")
    if not 0 <= places[0] <= places[-1] < dataset.n_items:
        raise ValueError(f"no picture {places[-1]} in {dataset}")
    said: dict[str, Any] = {"kind": kind, "places": places}
    if kind is Kind.RELABEL:
        if attribute not in dataset.schema or len(attribute) > LONGEST:
            raise ValueError(f"pictures have no attribute {attribute[:LONGEST]!r}")
        said |= {"attribute": attribute, "value": named("value", value, LONGEST)}
    if kind is Kind.LICENCE:
        said["value"] = named("licence", value, LONGEST_LICENCE)
    return said


def _check_values(found: Desk, after: State, attribute: str) -> None:
    if attribute:
        added = {labels.get(attribute) for labels in after.labels.values()} - {None}
        if len(added | set(found.schema[attribute])) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values of {attribute}")


def _lock(dataset: Dataset) -> None:
    """One writer for all versions: edits and versions are numbered under this lock."""
    Dataset.objects.select_for_update().get(pk=dataset.first_id or dataset.pk)


def _newer(dataset: Dataset, seen: int) -> list[DatasetEdit]:
    return list(dataset.edits.since(seen).select_related("undoes", "made_by"))


def _last(dataset: Dataset) -> int:
    return dataset.edits.aggregate(n=Max("number"))["n"] or 0


def _touched(row: DatasetEdit) -> set[int]:
    return set(row.undoes.places if row.undoes else row.places)


def _is_same(row: DatasetEdit, said: dict[str, Any], made_by: AbstractBaseUser | None) -> bool:
    own = {name: getattr(row, name) for name in said}
    return own == said and row.made_by_id == _pk(made_by)


def _pk(user: AbstractBaseUser | None) -> int | None:
    return user.pk if user else None


def _version(
    found: Desk,
    rows: list[dict[str, Any]],
    schema: dict[str, list[str]],
    made_by: AbstractBaseUser | None,
) -> Dataset:
    parent = found.dataset
    newest = Dataset.objects.versions_of(parent).aggregate(n=Max("version"))["n"]
    manifest = {
        "name": parent.name,
        "version": newest + 1,
        "parent": parent.digest,
        "edits": [_as_json(edit) for edit in edits.in_force(row.edit for row in found.edits)],
        "image_px": parent.image_px,
        "schema": schema,
        "items": rows,
    }
    raw = json.dumps(manifest, ensure_ascii=False).encode()
    return Dataset.objects.create(
        digest=codec.store(raw, Path(settings.DATASET_ROOT) / "manifests", ".json"),
        name=parent.name,
        image_px=parent.image_px,
        n_items=len(rows),
        n_refused=len(found.state.rejected),
        schema=schema,
        source=parent.source,
        licence=_licence(found, rows),
        parent=parent,
        first_id=parent.first_id or parent.pk,
        version=newest + 1,
        made_by_id=_pk(made_by),
    )


def _as_json(edit: edits.Edit) -> dict[str, Any]:
    said = {"kind": edit.kind.value, "places": list(edit.places)}
    return said | {k: v for k in ("attribute", "value") if (v := getattr(edit, k))}


def _licence(found: Desk, rows: list[dict[str, Any]]) -> str:
    """The dataset's licence, or where those of the pictures changed all of them in SPDX's words."""
    former = {item["licence"] for item in found.items}
    now = sorted({row["licence"] for row in rows})
    if set(now) == former:
        return found.dataset.licence
    every = " AND ".join(now)
    return every if len(every) <= LONGEST_LICENCE else f"{len(now)} licences, see the manifest"


def _carry_labels(found: Desk, made: Dataset) -> None:
    """What people said of attributes that are still being labelled goes along with the pictures."""
    kept = (place for place in range(len(found.items)) if place not in found.state.rejected)
    places = {place: n for n, place in enumerate(kept)}
    ItemLabel.objects.bulk_create(
        ItemLabel(
            dataset=made,
            place=places[row.place],
            attribute=row.attribute,
            value=row.value,
            labelled_by_id=row.labelled_by_id,
        )
        for row in ItemLabel.objects.filter(dataset=found.dataset).order_by("pk")
        if row.place in places
    )
