"""How often a scorer is right about comments of threads that it has not seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 10


@dataclass(frozen=True)
class Accuracy:
    """Share of comments whose side was recognised, and its standard error over threads.

    A score of exactly 0 takes no side and counts as half right, as a coin would be.
    """

    mean: float
    standard_error: float
    n_comments: int
    n_threads: int

    def __str__(self) -> str:
        size = f"{self.n_comments} comments of {self.n_threads} threads"
        return f"{self.mean:.3f} +- {self.standard_error:.3f} ({size})"


def judge(
    scores: NDArray[np.float64], liked: NDArray[np.bool_], threads: Sequence[str]
) -> Accuracy:
    """Compare scores [N] with labels [N].

    Comments of one thread are alike, so the standard error takes threads for the sample (the
    linearised variance of a ratio, Cochran, Sampling Techniques, 1977, 9A.1).
    """
    right = np.where(scores == 0, 0.5, (scores > 0) == liked)
    mean = float(right.mean())
    _, thread = np.unique(np.asarray(threads), return_inverse=True)
    off = np.bincount(thread, right - mean)
    n_threads = len(off)
    if n_threads < 2:
        raise ValueError("one thread says nothing about others")
    variance = n_threads / (n_threads - 1) * float(off @ off) / len(right) ** 2
    return Accuracy(mean, variance**0.5, len(right), n_threads)


Fit = Callable[[Sequence[str], NDArray[np.bool_]], Callable[[str], float]]


def cross_validate(
    fit: Fit, texts: Sequence[str], liked: NDArray[np.bool_], threads: Sequence[str]
) -> Accuracy:
    """Accuracy on each tenth of the threads of what ``fit`` makes of the others."""
    names, thread = np.unique(np.asarray(threads), return_inverse=True)
    if len(names) < FOLDS:
        raise ValueError(f"{FOLDS} threads are needed, there are {len(names)}")
    fold = np.random.default_rng(0).permutation(len(names))[thread] % FOLDS
    scores = np.zeros(len(texts))
    for held_out in range(FOLDS):
        seen = np.flatnonzero(fold != held_out).tolist()
        score = fit([texts[i] for i in seen], liked[seen])
        for i in np.flatnonzero(fold == held_out).tolist():
            scores[i] = score(texts[i])
    return judge(scores, liked, threads)
