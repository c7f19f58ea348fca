"""What the curation page shows of a dataset: filters, pictures, the coverage matrix, history."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse
from numpy.typing import NDArray

from gallery.serializers import percent
from generation.models import DatasetEdit
from generation.services import Desk
from generation.traits.edits import Kind, schema_after

if TYPE_CHECKING:
    from generation.traits.curating import Comparison

PER_PAGE = 60
GROUPS_PER_PAGE = 12
SHOWN_OF_GROUP = 12  # pictures of a group on the page; what is done to it is done to all
HISTORY = 20
LEVELS = 5  # shades of the matrix
SHOWS = {
    "all": "All",
    "kept": "Kept",
    "rejected": "Rejected",
    "relabelled": "Relabelled",
    "relicensed": "Other licence",
    "duplicates": "Near duplicates",
    "outliers": "Outliers",
}
SORTS = {"place": "manifest", "strange": "strangest first", "file": "file name"}
COMPARED = ("duplicates", "outliers")
DONE = {
    Kind.REJECT: "rejected {}",
    Kind.ACCEPT: "accepted {}",
    Kind.RELABEL: "labelled {} {attribute}: {value}",
    Kind.LICENCE: "put {} under {value}",
}


@dataclass(frozen=True)
class Search:
    """What of a dataset is shown; ``pairs`` are attributes with the value that is wanted."""

    show: str = "all"
    pairs: tuple[tuple[str, str], ...] = ()
    licence: str = ""
    sort: str = "place"
    rows: str = ""
    columns: str = ""

    @classmethod
    def parse(cls, asked: QueryDict, schema: dict[str, list[str]]) -> "Search":
        """Of a query; what makes no sense is left at what it is without it."""
        known = {f"{name}:{v}": (name, v) for name, values in schema.items() for v in values}
        rows, columns = _two_of(list(schema), asked.get("rows", ""), asked.get("columns", ""))
        show, sort = asked.get("show", ""), asked.get("sort", "")
        return cls(
            show=show if show in SHOWS else "all",
            pairs=tuple(known[key] for key in asked.getlist("with") if key in known),
            licence=asked.get("licence", ""),
            sort=sort if sort in SORTS else "strange" if show == "outliers" else "place",
            rows=rows,
            columns=columns,
        )

    def query(self, **changes: Any) -> str:
        """The query that asks for this, with changes; ``page`` only if it is among them."""
        page = changes.pop("page", None)
        asked = replace(self, **changes)
        fields: list[tuple[str, Any]] = [("show", asked.show)]
        fields += [("with", f"{name}:{value}") for name, value in asked.pairs]
        fields += [(name, getattr(asked, name)) for name in ("licence", "rows", "columns")]
        fields += [("sort", asked.sort), ("page", page)]
        return urlencode([(key, value) for key, value in fields if value])


@dataclass(frozen=True)
class Tile:
    """One picture: what it is, and what was said of it."""

    place: int
    file: str
    name: str
    picture_url: str
    alt: str
    is_rejected: bool
    changes: list[str]
    factor: float | None


class Shown:
    """A desk under a search. Everything is worked out once, from the desk and the comparison."""

    def __init__(self, desk: Desk, compared: "Comparison | None", asked: QueryDict) -> None:
        self.desk, self.compared = desk, compared
        self.items = [desk.shown(place) for place in range(len(desk.items))]
        self.schema = schema_after(desk.schema, self.items)
        self.search = Search.parse(asked, self.schema)
        self.asked_page = asked.get("page")

    @cached_property
    def kept(self) -> list[int]:
        return [p for p in range(len(self.items)) if p not in self.desk.state.rejected]

    @cached_property
    def groups(self) -> list[list[int]]:
        """Near duplicates of which more than one is kept, without the rejected."""
        gone = self.desk.state.rejected
        every = self.compared.groups if self.compared else []
        left = ([place for place in group if place not in gone] for group in every)
        return [group for group in left if len(group) > 1]

    @cached_property
    def outliers(self) -> list[int]:
        return self.compared.outliers if self.compared else []

    @cached_property
    def places(self) -> list[int]:
        """The pictures that the filter lets through, in order."""
        found = [place for place in self._shown_by(self.search.show) if self._fits(place)]
        if self.search.sort == "file":
            return sorted(found, key=lambda place: (self.items[place]["file"], place))
        if self.search.sort == "strange" and self.compared is not None:
            factor = self.compared.factor
            return sorted(found, key=lambda place: (-factor[place], place))
        return sorted(found)

    @cached_property
    def found_groups(self) -> list[list[int]]:
        return [group for group in self.groups if any(map(self._fits, group))]

    def counts(self) -> dict[str, int]:
        """How many pictures each filter shows; of duplicates how many groups."""
        counts = {show: len(self._shown_by(show)) for show in SHOWS}
        return counts | {"duplicates": len(self.groups)}

    def _shown_by(self, show: str) -> list[int]:
        state = self.desk.state
        return {
            "all": lambda: list(range(len(self.items))),
            "kept": lambda: self.kept,
            "rejected": lambda: list(state.rejected),
            "relabelled": lambda: list(state.labels),
            "relicensed": lambda: list(state.licences),
            "duplicates": lambda: [place for group in self.groups for place in group],
            "outliers": lambda: self.outliers,
        }[show]()

    def _fits(self, place: int) -> bool:
        item, search = self.items[place], self.search
        if search.licence and item["licence"] != search.licence:
            return False
        return all(item["attributes"][name] == value for name, value in search.pairs)

    def page(self) -> Page[Any]:
        """A page of tiles, or of groups of tiles."""
        if self.search.show == "duplicates":
            return Paginator(self.found_groups, GROUPS_PER_PAGE).get_page(self.asked_page)
        return Paginator(self.places, PER_PAGE).get_page(self.asked_page)

    def tile(self, place: int) -> Tile:
        dataset, item = self.desk.dataset, self.items[place]
        labels = [f"{name} {value}" for name, value in item["attributes"].items()]
        return Tile(
            place=place,
            file=item["file"],
            name=item["file"].rpartition("/")[2],
            picture_url=reverse("gallery:dataset-picture", args=[dataset.pk, item["digest"]]),
            alt=", ".join([item["file"], *labels]),
            is_rejected=place in self.desk.state.rejected,
            changes=self._changes(place),
            factor=float(self.compared.factor[place]) if self.compared else None,
        )

    def _changes(self, place: int) -> list[str]:
        state = self.desk.state
        labels = state.labels.get(place, {})
        changed = [f"{name.replace('_', ' ')}: {value}" for name, value in labels.items()]
        return [*changed, *([state.licences[place]] if place in state.licences else [])]

    def licences(self) -> dict[str, int]:
        return dict(sorted(Counter(self.items[place]["licence"] for place in self.kept).items()))


def grid(shown: Shown) -> dict[str, Any]:
    page, search = shown.page(), shown.search
    is_grouped = search.show == "duplicates"
    groups = [
        {
            "first": group[0],
            "size": len(group),
            "tiles": [shown.tile(place) for place in group[:SHOWN_OF_GROUP]],
            "more": max(0, len(group) - SHOWN_OF_GROUP),
        }
        for group in (page if is_grouped else [])
    ]
    return {
        "page": page,
        "tiles": [] if is_grouped else [shown.tile(place) for place in page],
        "groups": groups,
        "n_found": len(shown.found_groups if is_grouped else shown.places),
        "previous": search.query(page=page.number - 1) if page.has_previous() else "",
        "next": search.query(page=page.number + 1) if page.has_next() else "",
        "here": search.query(page=page.number),
    }


def options(shown: Shown) -> dict[str, Any]:
    """The filters, each with what it would show."""
    search, counts = shown.search, shown.counts()
    kept = Counter(
        pair for place in shown.kept for pair in shown.items[place]["attributes"].items()
    )
    return {
        "shows": [
            {
                "key": key,
                "title": title,
                "n": None if shown.compared is None and key in COMPARED else counts[key],
                "query": search.query(show=key, sort="place" if key != "outliers" else "strange"),
                "is_on": key == search.show,
            }
            for key, title in SHOWS.items()
        ],
        "sorts": SORTS,
        "licences": shown.licences(),
        "choices": [
            {
                "name": name,
                "title": name.replace("_", " "),
                "values": [
                    {
                        "key": f"{name}:{value}",
                        "value": value,
                        "n": kept[name, value],
                        "percent": percent(kept[name, value] / max(1, len(shown.kept))),
                        "is_on": (name, value) in search.pairs,
                        "query": search.query(show="kept", pairs=((name, value),)),
                    }
                    for value in values
                ],
            }
            for name, values in shown.schema.items()
        ],
    }


def matrix(shown: Shown) -> dict[str, Any] | None:
    """How many kept pictures have both values, for two attributes; None without two of them."""
    from generation.traits import curating

    search, schema = shown.search, shown.schema
    if not search.rows or not search.columns:
        return None
    rows, columns = schema[search.rows], schema[search.columns]
    down, across = _codes(shown, search.rows), _codes(shown, search.columns)
    counts = curating.coverage(down, across, len(rows), len(columns))
    cells = [
        {
            "value": row,
            "sum": int(counts[i].sum()),
            "cells": [_cell(search, counts, i, j, row, column) for j, column in enumerate(columns)],
        }
        for i, row in enumerate(rows)
    ]
    return {
        "title": f"{search.rows} \\ {search.columns}".replace("_", " "),
        "rows": cells,
        "columns": columns,
        "n_holes": int((counts == 0).sum()),
        "n_pairs": counts.size,
        "sums": counts.sum(0).tolist(),
        "total": int(counts.sum()),
    }


def _two_of(names: list[str], rows: str, columns: str) -> tuple[str, str]:
    """Two attributes, those asked for where they are there, else the first; none of less than two.

    The same twice is what was asked for: it counts the values.
    """
    if len(names) < 2:
        return "", ""
    rows = rows if rows in names else next(name for name in names if name != columns)
    return rows, columns if columns in names else next(name for name in names if name != rows)


def _codes(shown: Shown, name: str) -> NDArray[np.int64]:
    places = {value: n for n, value in enumerate(shown.schema[name])}
    codes = [places[shown.items[place]["attributes"][name]] for place in shown.kept]
    return np.array(codes, dtype=np.int64)


def _cell(
    search: Search, counts: NDArray[np.int64], i: int, j: int, row: str, column: str
) -> dict[str, Any]:
    n, most = int(counts[i, j]), int(counts.max())
    pairs = tuple(dict.fromkeys([(search.rows, row), (search.columns, column)]))
    return {
        "n": n,
        "level": -(-LEVELS * n // most) if most else 0,
        "name": f"{pictures(n)} with {search.rows} {row} and {search.columns} {column}",
        "query": search.query(show="kept", pairs=pairs),
    }


def pictures(n: int) -> str:
    return "1 picture" if n == 1 else f"{n:,} pictures"


def told(row: DatasetEdit) -> str:
    """What an edit did, in words."""
    if row.undoes:
        return f"took back: {told(row.undoes)}"
    said = DONE[Kind(row.kind)]
    attribute = row.attribute.replace("_", " ")
    return said.format(pictures(len(row.places)), attribute=attribute, value=row.value)


def who(user: Any) -> str:
    return user.get_username() if user else "nobody"


def edited_meanwhile(rows: Iterable[DatasetEdit]) -> str:
    said = [f"{who(row.made_by)} {told(row)}" for row in rows]
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return (
        f"Changed since you looked: {'; '.join(said[:3])}{more}. Nothing of yours was written; "
        "this is how it is now: look, and say it again to overrule."
    )


def history(desk: Desk, user: Any) -> dict[str, Any]:
    """The newest edits, and which of the curator's own an undo would take back."""
    said = [row for row in reversed(desk.edits) if not row.undoes]
    taken_back = {row.undoes_id: row for row in desk.edits if row.undoes}
    lines = [
        {
            "number": row.number,
            "who": who(row.made_by),
            "what": told(row),
            "at": row.created_at,
            "taken_back_by": who(taken_back[row.pk].made_by) if row.pk in taken_back else "",
        }
        for row in said[:HISTORY]
    ]
    own = (r for r in said if r.made_by_id == user.pk and r.pk not in taken_back)
    last = next(own, None)
    return {
        "lines": lines,
        "n_edits": len(said),
        "undo": {"number": last.number, "what": told(last)} if last else None,
    }
