"""How much a comment counts beside a vote."""

from typing import Protocol

NEUTRAL = 0.05  # VADER's own bound; below it a score says nothing


class TextScorer(Protocol):
    """Reads a comment; ``accuracy`` is the share of comments whose side it recognises."""

    @property
    def name(self) -> str: ...

    @property
    def accuracy(self) -> float: ...

    def score(self, text: str) -> float:
        """Sentiment in [-1, 1]; 0: none, or not understood."""


def weight(accuracy: float) -> float:
    """Votes' worth of one comment: (2 * accuracy - 1)^2, 0 for a scorer no better than chance.

    A scorer that is right with probability q turns a side into a coin of bias 2 q - 1; what it
    tells of the side is the square of that, to first order.

    Raises
    ------
    ValueError
        ``accuracy`` is not in [0, 1].
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"{accuracy} is no accuracy")
    return max(0.0, 2 * accuracy - 1) ** 2


def as_vote(score: float, accuracy: float) -> tuple[bool, float]:
    """Whether a comment likes its work, and its weight; a neutral one weighs nothing.

    Raises
    ------
    ValueError
        ``score`` is not in [-1, 1], or ``accuracy`` not in [0, 1].
    """
    if not -1 <= score <= 1:
        raise ValueError(f"{score} is no sentiment")
    return score > 0, weight(accuracy) if abs(score) >= NEUTRAL else 0.0
