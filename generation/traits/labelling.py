"""Labels for pictures that came without: clusters to name, then the questions worth asking.

Features need no trained network: colours on a coarse grid, and histograms of oriented gradients
(Dalal & Triggs 2005) for shape. Which picture to ask about next is margin sampling (Scheffer et al.
2001; Settles 2009, section 3.1).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

GRID = 8  # cells a side
BINS = 9  # unsigned orientations, as Dalal & Triggs found best
DIMENSIONS = 96
FOLDS = 5
# Inverse regularisation. With 240 of 3,000 portraits labelled by asking, 1 read the rest a little
# better than .1 or 10: skin .745, .733, .721; facial hair .983, .980, .981.
REGULARISATION = 1.0


@dataclass(frozen=True)
class Reading:
    """What a model makes of every picture.

    ``probabilities`` [N, len(values)] float64, rows sum to 1. ``accuracy`` is its cross-validated
    share of hand labels read right, in [0, 1]; None where a value has fewer than two labels. The
    questions asked are the hard ones, so the whole set is read better than that.
    """

    values: tuple[str, ...]
    probabilities: NDArray[np.float64]
    accuracy: float | None

    @property
    def best(self) -> list[str]:
        return [self.values[k] for k in self.probabilities.argmax(1).tolist()]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability [N] of the best value."""
        found: NDArray[np.float64] = self.probabilities.max(1)
        return found


def embed(pictures: NDArray[np.uint8], seed: int = 0) -> NDArray[np.float32]:
    """Features [N, D] float32 of pictures [N, H, W, 3] uint8, D at most DIMENSIONS.

    Raises ValueError for fewer than two pictures, or sides that GRID does not divide.
    """
    n, height, width, _ = pictures.shape
    if n < 2 or height % GRID or width % GRID:
        raise ValueError(f"{n} pictures of {width} x {height} px: needs two, sides of n x {GRID}")
    raw = np.concatenate([_colours(pictures), _gradients(pictures)], axis=1)
    raw = StandardScaler().fit_transform(raw)
    dimensions = min(DIMENSIONS, n - 1, raw.shape[1])
    reduced = PCA(dimensions, svd_solver="randomized", random_state=seed).fit_transform(raw)
    return np.asarray(reduced, dtype=np.float32)


def clusters(features: NDArray[np.float32], k: int, seed: int = 0) -> list[list[int]]:
    """``k`` groups of rows, largest first, each sorted from its middle outwards.

    There are fewer where fewer rows differ.
    """
    if not 2 <= k <= len(features):
        raise ValueError(f"{k} clusters of {len(features)} pictures")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than groups
        model = KMeans(k, n_init=4, random_state=seed).fit(features)
    distance = np.linalg.norm(features - model.cluster_centers_[model.labels_], axis=1)
    groups = [np.flatnonzero(model.labels_ == cluster) for cluster in range(k)]
    ordered = [rows[np.argsort(distance[rows], kind="stable")].tolist() for rows in groups]
    return sorted(filter(None, ordered), key=lambda rows: (-len(rows), rows))


def read(features: NDArray[np.float32], labelled: dict[int, str]) -> Reading:
    """Learn from labelled rows and read all [N, D]; a labelled row keeps its label for certain.

    Raises ValueError when the labels have fewer than two values.
    """
    rows = np.array(sorted(labelled), dtype=np.int64)
    values = tuple(sorted(set(labelled.values())))
    if len(values) < 2:
        raise ValueError(f"labels of {len(values)} value: two are needed to learn from")
    wanted = np.array([values.index(labelled[row]) for row in rows.tolist()])
    model = LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=500)
    probabilities = model.fit(features[rows], wanted).predict_proba(features)
    probabilities[rows] = np.eye(len(values))[wanted]
    return Reading(values, probabilities, _accuracy(model, features[rows], wanted))


def unsure(reading: Reading, asked: set[int], n: int) -> list[int]:
    """The ``n`` rows not yet asked about whose two best values are closest."""
    top = np.sort(reading.probabilities, axis=1)
    margin = top[:, -1] - top[:, -2]
    order = np.argsort(margin, kind="stable").tolist()
    return [row for row in order if row not in asked][:n]


def _accuracy(
    model: LogisticRegression, features: NDArray[np.float32], wanted: NDArray[np.int64]
) -> float | None:
    fewest = int(np.bincount(wanted).min())
    if fewest < 2:
        return None
    folds = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=0)
    return float((cross_val_predict(model, features, wanted, cv=folds) == wanted).mean())


def _colours(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean colours [N, GRID * GRID * 3]."""
    n, height, width, _ = pictures.shape
    cells = pictures.reshape(n, GRID, height // GRID, GRID, width // GRID, 3)
    means: NDArray[np.float32] = cells.mean((2, 4), dtype=np.float32)
    scaled: NDArray[np.float32] = means.reshape(n, -1) / np.float32(255)
    return scaled


def _gradients(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Histograms [N, GRID * GRID * BINS] of gradient orientations, L2-normalised by cell."""
    n, height, width, _ = pictures.shape
    grey = pictures.astype(np.float32).mean(3) / 255
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    turn = np.mod(np.arctan2(down, right), np.pi) / np.pi * BINS
    bins = np.minimum(turn.astype(np.int64), BINS - 1)
    found = np.zeros((n, GRID, GRID, BINS), np.float32)
    for k in range(BINS):
        part = np.where(bins == k, strength, 0)
        cells = part.reshape(n, GRID, height // GRID, GRID, width // GRID)
        found[..., k] = cells.sum((2, 4))
    norms = np.sqrt((found**2).sum(3, keepdims=True) + 1e-4)
    normalised: NDArray[np.float32] = found / norms
    return normalised.reshape(n, -1)
