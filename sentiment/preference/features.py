"""Works as vectors: one coordinate per option of each attribute, 1 where a work shows it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Option = tuple[str, str]


def options(distributions: Mapping[str, Iterable[str]]) -> list[Option]:
    """The (attribute, value) pairs of a schema or of distributions, in their order."""
    return [(attribute, value) for attribute, values in distributions.items() for value in values]


def encode(works: Sequence[Mapping[str, str]], names: Sequence[Option]) -> NDArray[np.float64]:
    """One-hot rows [N, D] of parsed works.

    Raises
    ------
    ValueError
        A work shows a value that is not among the options of its attribute, or lacks one.
    """
    place = {option: column for column, option in enumerate(names)}
    attributes = dict.fromkeys(attribute for attribute, _ in names)
    rows = np.zeros((len(works), len(names)))
    for row, work in enumerate(works):
        for attribute in attributes:
            column = place.get((attribute, work.get(attribute, "")))
            if column is None:
                raise ValueError(f"{attribute}={work.get(attribute)!r} is not an option")
            rows[row, column] = 1
    return rows
