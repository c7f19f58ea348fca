"""How near generated pictures come to the art, in the features of a published trait parser.

None of that is FID: the name belongs to one Inception network (Heusel et al. 2017), on whose
features ``frechet`` is it. The kernel distance is called KID-traits, because the features are the
parser's.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5  # Naeem et al. 2020, section 5: k = 5 for density and coverage; used for all four
_ROWS = 1024  # distances are made so many rows at a time, to bound memory


@dataclass(frozen=True)
class Fidelity:
    """Scores of generated features against real ones.

    ``kid`` is unbiased and can fall a little below 0; ``precision``, ``recall`` and ``coverage``
    are in [0, 1]; ``density`` has no upper bound and is 1 in expectation for equal distributions.
    """

    kid: float
    precision: float
    recall: float
    density: float
    coverage: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Reference:
    """Art that generated pictures are measured against, its features of mean square 1.

    KID's kernel is not free of scale, so what is compared is divided by ``scale``. ``real`` [N, D]
    stand for the art in the scores; ``others`` [M, D], the rest of it, are where copies are looked
    for, and ``apart`` is the median distance of ``real`` to them.
    """

    real: NDArray[np.float32]
    others: NDArray[np.float32]
    scale: float
    apart: float

    @classmethod
    def of(cls, features: NDArray[np.float32], n: int) -> Self:
        """The art by its features [N + M, D], ``n`` of them chosen by a fixed chance."""
        order = np.random.default_rng(0).permutation(len(features))
        real, others = features[order[:n]], features[order[n:]]
        scale = float(np.sqrt((real.astype(np.float64) ** 2).mean())) or 1.0
        real, others = real / scale, others / scale
        apart = float(np.median(nearest(real, others))) if len(others) else 0.0
        return cls(real, others, scale, apart)

    def measure(self, features: NDArray[np.float32]) -> tuple[Fidelity, float | None]:
        """Scores of generated features [K, D], and how far they keep from the art.

        That is their median distance to the nearest of ``others`` over ``apart``, the same for art
        that is not among them: far below 1 is copying. None where the art is all alike.
        """
        fake = features / self.scale
        scores = fidelity(self.real, fake)
        if not self.apart:
            return scores, None
        return scores, float(np.median(nearest(fake, self.others))) / self.apart


def fidelity(real: NDArray[np.float32], fake: NDArray[np.float32]) -> Fidelity:
    """All scores of ``fake`` [M, D] against ``real`` [N, D].

    Precision and recall: Kynkäänniemi et al. 2019, equations 1 to 3. Density and coverage: Naeem
    et al. 2020, equations 4 and 6.

    Raises
    ------
    ValueError
        Fewer than NEIGHBOURS + 2 rows on a side, different widths, or features not finite.
    """
    for side in (real, fake):
        if side.ndim != 2 or len(side) < NEIGHBOURS + 2 or not np.isfinite(side).all():
            raise ValueError(f"features {side.shape}: at least {NEIGHBOURS + 2} finite rows needed")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"features of {real.shape[1]} and {fake.shape[1]} dimensions")
    real_reach, fake_reach = _reach(real), _reach(fake)
    inside = np.zeros(len(fake), np.int64)  # real spheres that hold a generated row
    recalled = np.zeros(len(real), np.bool_)
    covered = np.zeros(len(real), np.bool_)
    for start in range(0, len(real), _ROWS):
        rows = slice(start, start + _ROWS)
        distance = _squared_distances(real[rows], fake)
        held = distance <= real_reach[rows, None]
        inside += held.sum(0)
        covered[rows] = held.any(1)
        recalled[rows] = (distance <= fake_reach).any(1)
    return Fidelity(
        kid=kid(real, fake),
        precision=float((inside > 0).mean()),
        recall=float(recalled.mean()),
        density=float(inside.mean() / NEIGHBOURS),
        coverage=float(covered.mean()),
    )


def kid(real: NDArray[np.float32], fake: NDArray[np.float32]) -> float:
    """Unbiased squared maximum mean discrepancy of [N, D] and [M, D].

    Kernel (x . y / D + 1)^3: Binkowski et al. 2018, equation 4 and section 4.
    """
    within_real = _kernel_sum(real, real, diagonal=False) / (len(real) * (len(real) - 1))
    within_fake = _kernel_sum(fake, fake, diagonal=False) / (len(fake) * (len(fake) - 1))
    across = _kernel_sum(real, fake, diagonal=True) / (len(real) * len(fake))
    return within_real + within_fake - 2 * across


def frechet(real: NDArray[np.float32], fake: NDArray[np.float32]) -> float:
    """Squared Fréchet distance of Gaussians fitted to [N, D] and [M, D].

    |m - m'|² + tr(C + C' - 2 (C C')^½): Heusel et al. 2017, equation 6. The trace of that root is
    the sum of the singular values of C^½ C'^½, which keeps its digits where C has no full rank. On
    the features of ``generation.gan.inception``, and of no other network, it is FID.
    """
    if min(len(real), len(fake)) < 2:
        raise ValueError(f"features {real.shape} and {fake.shape}: two rows or more on each side")
    shift = real.mean(0, dtype=np.float64) - fake.mean(0, dtype=np.float64)
    one, other = (np.cov(side.astype(np.float64), rowvar=False) for side in (real, fake))
    across = np.linalg.svd(_root(one) @ _root(other), compute_uv=False).sum()
    return float(shift @ shift + np.trace(one + other) - 2 * across)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


def nearest(rows: NDArray[np.float32], pool: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distance [N] of each row [N, D] to the nearest of a pool [M, D]."""
    found = [
        _squared_distances(rows[start : start + _ROWS], pool).min(1)
        for start in range(0, len(rows), _ROWS)
    ]
    distances: NDArray[np.float32] = np.sqrt(np.concatenate(found))
    return distances


def agreement(
    requested: Sequence[dict[str, str]],
    read: Sequence[dict[str, str]],
    attributes: Sequence[tuple[str, tuple[str, ...]]],
) -> dict[str, float]:
    """Share of works that show what was asked for, by attribute, averaged over its values.

    Values that were never asked for do not count; nan for an attribute without any.
    """
    found = {}
    for name, values in attributes:
        rows = [
            [said[name] == value for asked, said in zip(requested, read, strict=True)
             if asked[name] == value]
            for value in values
        ]  # fmt: skip
        recalls = [np.mean(row) for row in rows if row]
        found[name] = float(np.mean(recalls)) if recalls else float("nan")
    return found


def absent(
    read: Sequence[dict[str, str]], attributes: Sequence[tuple[str, tuple[str, ...]]]
) -> dict[str, list[str]]:
    """The values that no work shows, by attribute; attributes that show all are left out."""
    missing = {
        name: [value for value in values if all(shown[name] != value for shown in read)]
        for name, values in attributes
    }
    return {name: values for name, values in missing.items() if values}


def _reach(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distance [N] of each row to its NEIGHBOURS-th nearest other row."""
    found = []
    for start in range(0, len(rows), _ROWS):
        distance = _squared_distances(rows[start : start + _ROWS], rows)
        at = np.arange(len(distance))
        distance[at, start + at] = -1.0  # the row itself comes first, equal rows after it
        found.append(np.partition(distance, NEIGHBOURS, axis=1)[:, NEIGHBOURS])
    return np.concatenate(found)


def _squared_distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    product = a.astype(np.float64) @ b.astype(np.float64).T
    squares = (a.astype(np.float64) ** 2).sum(1)[:, None] + (b.astype(np.float64) ** 2).sum(1)
    distances: NDArray[np.float32] = np.maximum(squares - 2 * product, 0.0).astype(np.float32)
    return distances


def _kernel_sum(a: NDArray[np.float32], b: NDArray[np.float32], *, diagonal: bool) -> float:
    total = 0.0
    for start in range(0, len(a), _ROWS):
        rows = a[start : start + _ROWS].astype(np.float64)
        total += float(((rows @ b.astype(np.float64).T / a.shape[1] + 1) ** 3).sum())
    if not diagonal:
        own = (a.astype(np.float64) ** 2).sum(1) / a.shape[1] + 1
        total -= float((own**3).sum())
    return total
