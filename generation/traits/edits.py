"""What curators say of a dataset's pictures: a list that only grows, and what comes of it.

An edit names pictures by their place in the manifest. Of two that say something of the same thing
of the same picture the later one counts. An undo is an entry as well: it takes one earlier edit out
of the replay, and whatever else was said stays said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

Key = TypeVar("Key", int, str)


class Kind(StrEnum):
    REJECT = "reject"
    ACCEPT = "accept"
    RELABEL = "relabel"
    LICENCE = "licence"
    UNDO = "undo"


@dataclass(frozen=True)
class Edit:
    """One entry; ``value`` is a label or a licence, ``undoes`` the number of an earlier edit."""

    number: int
    kind: Kind
    places: tuple[int, ...] = ()
    attribute: str = ""
    value: str = ""
    undoes: int | None = None


@dataclass
class State:
    """What differs from the manifest after all edits; a picture that is in none is as it was."""

    rejected: set[int] = field(default_factory=set)
    labels: dict[int, dict[str, str]] = field(default_factory=dict)
    licences: dict[int, str] = field(default_factory=dict)

    @property
    def n_changes(self) -> int:
        return len(self.rejected | self.labels.keys() | self.licences.keys())


def in_force(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that were not undone, in their order."""
    every = sorted(edits, key=lambda edit: edit.number)
    undone = {edit.undoes for edit in every if edit.kind is Kind.UNDO}
    return [e for e in every if e.kind is not Kind.UNDO and e.number not in undone]


def replay(items: Sequence[Mapping[str, Any]], edits: Iterable[Edit]) -> State:
    """What the edits make of a manifest's items, each with ``attributes`` and ``licence``.

    Saying what the manifest says already is no difference. Raises ValueError for a place that is
    none of the items, and for an attribute that they do not have.
    """
    state = State()
    for edit in in_force(edits):
        for place in edit.places:
            if not 0 <= place < len(items):
                raise ValueError(f"no picture {place} among {len(items)}")
            _say(state, items[place], place, edit)
    return state


def apply(items: Sequence[Mapping[str, Any]], state: State) -> list[dict[str, Any]]:
    """The items with their new labels and licences, without the rejected ones; new mappings."""
    kept = ((place, item) for place, item in enumerate(items) if place not in state.rejected)
    return [shown(item, place, state) for place, item in kept]


def shown(item: Mapping[str, Any], place: int, state: State) -> dict[str, Any]:
    """One item as the edits leave it, rejected or not."""
    labels = state.labels.get(place)
    attributes = item["attributes"] | labels if labels else item["attributes"]
    return {
        **item,
        "attributes": attributes,
        "licence": state.licences.get(place, item["licence"]),
    }


def schema_after(
    schema: Mapping[str, Sequence[str]], items: Iterable[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """The schema with the values that labels added, at its end in their order of appearance.

    A value that no picture has any more stays: networks and parsers know values by their place.
    """
    found = {name: dict.fromkeys(values) for name, values in schema.items()}
    for item in items:
        for name, value in item["attributes"].items():
            found[name].setdefault(value)
    return {name: list(values) for name, values in found.items()}


def _say(state: State, item: Mapping[str, Any], place: int, edit: Edit) -> None:
    match edit.kind:
        case Kind.REJECT:
            state.rejected.add(place)
        case Kind.ACCEPT:
            state.rejected.discard(place)
        case Kind.LICENCE:
            _set(state.licences, place, edit.value, item["licence"])
        case Kind.RELABEL:
            if edit.attribute not in item["attributes"]:
                raise ValueError(f"pictures have no attribute {edit.attribute!r}")
            labels = state.labels.setdefault(place, {})
            _set(labels, edit.attribute, edit.value, item["attributes"][edit.attribute])
            if not labels:
                del state.labels[place]


def _set(said: dict[Key, str], key: Key, value: str, former: str) -> None:
    said.pop(key, None)
    if value != former:
        said[key] = value
