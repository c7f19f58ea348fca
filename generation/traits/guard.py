"""Whether a drop's works differ enough from each other, from earlier drops, and from the art.

Distances are 1 - cosine between the trait parser's features, in [0, 2]; for works that nobody reads
there are none, and thumbnails alone speak. Of a large drop ``MEASURED`` works, evenly spaced, are
compared with all others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from generation.traits.diversity import attribute_entropy
from generation.traits.novelty import Looks, cosine_distance, unit_rows

MEASURED = 2_000
_ROWS = 512  # distances are made so many rows at a time, to bound memory
# Of 2,048 portraits of the shipped network .8 % have another one so near, 2 % a picture of the art;
# of two halves of the art itself 6 %.
NEAR = 0.02
AT_LEAST = ("mean_distance", "spread")
AT_MOST = ("alike", "near_earlier", "near_dataset")
# Of fewer works even entropy says little; 20 from equal shares are well over every floor.
MIN_WORKS = 20


@dataclass(frozen=True)
class Diversity:
    """What was measured over ``n_works``; None where there was nothing to measure it on.

    Parameters
    ----------
    entropy : attribute -> Shannon entropy of its values over the logarithm of their number, [0, 1].
    mean_distance, min_distance, median_nearest : distances between two works; between the nearest
        two; between a work and its nearest other one, in the median.
    spread : root mean square levels of 255 between two works' thumbnails.
    alike, near_earlier, near_dataset : share of works that have another one of this drop, one of
        earlier drops, or a picture of the training art, nearer than ``NEAR``.
    """

    n_works: int
    entropy: dict[str, float]
    spread: float | None
    mean_distance: float | None
    min_distance: float | None
    median_nearest: float | None
    alike: float | None
    near_earlier: float | None
    near_dataset: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{field.name: body[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Floors:
    """What a drop's diversity has to reach before it may be committed.

    ``entropy`` is that of each attribute; the last three are shares that may not be passed. Between
    what 384 portraits of the shipped network measure when the first value of every attribute takes
    half of the works (entropy .78, mean .50, spread 88, alike .04, near the art .06) and when it
    takes 85 % (.32, .20, 59, .76, .39); at 70 % the mean, .35, and alike, .43, miss their bounds.
    """

    entropy: float = 0.4
    mean_distance: float = 0.4
    spread: float = 40.0
    alike: float = 0.25
    near_earlier: float = 0.25
    near_dataset: float = 0.25

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Shortfall:
    """A measure on the wrong side of its bound; ``attribute`` names the one with little entropy."""

    measure: str
    value: float
    bound: float
    attribute: str = ""


def shortfalls(found: Diversity, floors: Floors) -> list[Shortfall]:
    """Where ``found`` misses ``floors``; none for fewer than MIN_WORKS works."""
    if found.n_works < MIN_WORKS:
        return []
    missed = [
        Shortfall("entropy", value, floors.entropy, attribute)
        for attribute, value in found.entropy.items()
        if value < floors.entropy
    ]
    for name, sign in (*((n, 1) for n in AT_LEAST), *((n, -1) for n in AT_MOST)):
        value, bound = getattr(found, name), getattr(floors, name)
        if value is not None and sign * value < sign * bound:
            missed.append(Shortfall(name, value, bound))
    return missed


def measure(
    parsed: Sequence[Mapping[str, str]],
    schema: Mapping[str, Sequence[str]],
    looks: Looks,
    *,
    earlier: Looks | None = None,
    art: NDArray[np.float32] | None = None,
) -> Diversity:
    """Diversity of works that read as ``parsed`` and look like ``looks``, both in one order.

    Parameters
    ----------
    parsed : attribute -> value of each work; empty mappings where nobody reads them.
    schema : attribute -> its values.
    looks : of the same works; of none where they were not looked at.
    earlier : looks of works of earlier drops, by the same parser.
    art : [M, F] features of the training art by the same parser.
    """
    if len(looks) not in (0, len(parsed)):
        raise ValueError(f"{len(looks)} looks of {len(parsed)} works")
    asked = np.unique(np.linspace(0, len(looks) - 1, MEASURED).round().astype(int))
    asked = asked if len(looks) else asked[:0]
    units = unit_rows(looks.features)
    has_features = len(looks) > 1 and units.shape[1] > 0
    own = _nearest(units, asked) if has_features else None
    return Diversity(
        n_works=len(parsed),
        entropy=_entropies(parsed, schema),
        spread=_spread(looks.thumbnails) if len(looks) > 1 else None,
        mean_distance=_mean_distance(units) if has_features else None,
        min_distance=None if own is None else float(own.min()),
        median_nearest=None if own is None else float(np.median(own)),
        alike=None if own is None else _share_near(own),
        near_earlier=_share_near_pool(units[asked], earlier.features if earlier else None),
        near_dataset=_share_near_pool(units[asked], art),
    )


def _entropies(
    parsed: Sequence[Mapping[str, str]], schema: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    found = {}
    for attribute, values in schema.items():
        counts = Counter(work[attribute] for work in parsed if attribute in work)
        if total := counts.total():
            found[attribute] = attribute_entropy([counts[value] / total for value in values])
    return found


def _spread(thumbnails: NDArray[np.float32]) -> float:
    return float(np.sqrt(2 * thumbnails.var(axis=0, ddof=1).mean()))


def _mean_distance(units: NDArray[np.float32]) -> float:
    """Mean of 1 - u.v over all pairs of rows [N, F] of length 1: from |sum u|^2, in O(N)."""
    n = len(units)
    total = units.sum(0, dtype=np.float64)
    return float(1 - (total @ total - n) / (n * (n - 1)))


def _nearest(units: NDArray[np.float32], asked: NDArray[np.int64]) -> NDArray[np.float32]:
    """Distance [len(asked)] of some rows to the nearest other row."""
    found = []
    for start in range(0, len(asked), _ROWS):
        rows = asked[start : start + _ROWS]
        distances = cosine_distance(units[rows], units)
        distances[np.arange(len(rows)), rows] = np.inf
        found.append(distances.min(1))
    return np.concatenate(found)


def _share_near_pool(units: NDArray[np.float32], pool: NDArray[np.float32] | None) -> float | None:
    if pool is None or not len(pool) or not len(units) or not units.shape[1]:
        return None
    others = unit_rows(pool)
    return _share_near(
        np.concatenate(
            [
                cosine_distance(units[start : start + _ROWS], others).min(1)
                for start in range(0, len(units), _ROWS)
            ]
        )
    )


def _share_near(distances: NDArray[np.float32]) -> float:
    return float((distances < NEAR).mean())
