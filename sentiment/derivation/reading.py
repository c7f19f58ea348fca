"""Strict reading: what a stranger sends is what was asked for, or a named error says where not."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
MAX_COUNT = 2**31


class DocumentError(ValueError):
    """A document is not of the form that is asked for; ``path`` says where, ``reason`` why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def require(is_so: bool, path: str, otherwise: str) -> None:
    """DocumentError unless something is so."""
    if not is_so:
        raise DocumentError(path, otherwise)


def mapping(value: Any, path: str, names: Collection[str] | None = None) -> Mapping[str, Any]:
    """An object, with exactly the ``names`` if they are given."""
    require(isinstance(value, Mapping), path, "not an object")
    require(all(isinstance(name, str) for name in value), path, "a name that is not text")
    if names is not None:
        missing, unknown = sorted(set(names) - set(value)), sorted(set(value) - set(names))
        require(not missing, path, f"lacks {', '.join(missing)}")
        require(not unknown, path, f"has {', '.join(unknown)[:80]}, which this code does not know")
    found: Mapping[str, Any] = value
    return found


def text(value: Any, path: str) -> str:
    require(isinstance(value, str), path, "not text")
    return str(value)


def address(value: Any, path: str) -> str:
    require(bool(ADDRESS.fullmatch(text(value, path))), path, "not an address")
    return str(value)


def number(value: Any, path: str) -> float:
    """A finite number; JSON has one kind of them, so 1 is 1.0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    require(is_number and abs(value) < 1e18 and math.isfinite(value), path, "not a number")
    return float(value)


def count(value: Any, path: str, least: int = 0) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    require(is_whole and least <= value < MAX_COUNT, path, f"not a whole number from {least}")
    return int(value)


def labels(value: Any, path: str) -> dict[str, str]:
    """Attribute -> value of a work."""
    found = mapping(value, path)
    require(all(isinstance(one, str) for one in found.values()), path, "a value that is not text")
    return dict(found)


def table(value: Any, path: str, columns: list[str]) -> list[list[Any]]:
    """The rows of {"columns": [...], "rows": [...]}, each as long as the columns."""
    require(value.get("columns") == columns, f"{path}.columns", f"not {', '.join(columns)}")
    rows = value.get("rows")
    require(isinstance(rows, list), f"{path}.rows", "not a list")
    for place, row in enumerate(rows):
        is_row = isinstance(row, list) and len(row) == len(columns)
        require(is_row, f"{path}.rows[{place}]", f"not {len(columns)} fields")
    found: list[list[Any]] = rows
    return found
