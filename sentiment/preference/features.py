"""Works as vectors: a coordinate per option of each attribute, and two per latent direction.

A work has 1 where it shows an option, and x and x^2 for how far its latent lies along a direction,
so that what is liked in the middle can be told.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Option = tuple[str, str]

LINEAR, CURVE = "linear", "curve"
_MARK = "~"  # before the name of a direction, where options have that of their attribute


def options(
    distributions: Mapping[str, Iterable[str]], directions: Iterable[str] = ()
) -> list[Option]:
    """What the coordinates stand for: the pairs of attribute and value in their order, directions.

    Raises
    ------
    ValueError
        An attribute has a name that looks like that of a direction.
    """
    if any(is_direction(attribute) for attribute in distributions):
        raise ValueError(f"an attribute's name cannot begin with {_MARK}")
    traits = [(attribute, value) for attribute, values in distributions.items() for value in values]
    latents = [(_MARK + name, part) for name in directions for part in (LINEAR, CURVE)]
    return traits + latents


def is_direction(name: str) -> bool:
    """Whether the first part of a pair names a direction."""
    return name.startswith(_MARK)


def direction_of(option: Option) -> str:
    """The direction that a pair belongs to."""
    return option[0].removeprefix(_MARK)


def encode(
    works: Sequence[Mapping[str, str]],
    names: Sequence[Option],
    latents: Sequence[Mapping[str, float]] | None = None,
) -> NDArray[np.float64]:
    """Rows [N, D] of parsed works.

    Parameters
    ----------
    latents
        of each work direction -> its latent along it, in standard deviations; a direction that a
        work does not know counts as 0, the middle.

    Raises
    ------
    ValueError
        A work shows a value that is not among the options of its attribute, or lacks one.
    """
    place = {option: column for column, option in enumerate(names)}
    attributes = dict.fromkeys(name for name, _ in names if not is_direction(name))
    directions = dict.fromkeys(option[0] for option in names if is_direction(option[0]))
    rows = np.zeros((len(works), len(names)))
    for row, work in enumerate(works):
        for attribute in attributes:
            column = place.get((attribute, work.get(attribute, "")))
            if column is None:
                raise ValueError(f"{attribute}={work.get(attribute)!r} is not an option")
            rows[row, column] = 1
        along = {} if latents is None else latents[row]
        for direction in directions:
            x = along.get(direction.removeprefix(_MARK), 0.0)
            rows[row, place[direction, LINEAR]] = x
            rows[row, place[direction, CURVE]] = x**2
    return rows
