"""What a vote weighs by the works that its wallet held at one block.

A weight that is linear in works is the only one that splitting does not pay for: with ``f(0) = 0``
a concave ``f`` (a root, a logarithm) gives more to the same works in two wallets, a convex one
more to works gathered in one; ``f(a) + f(b) = f(a + b)`` leaves ``f(n) = c n`` (Cauchy's equation).
Works are counted at one block before the round, so that a work counts for one wallet, whatever
becomes of it afterwards.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

DECIMALS = 9
# By the name of a rule: what a wallet counts by itself, and what each of its works adds.
RULES = {"equal": (1, 0), "works": (0, 1), "both": (1, 1)}


def held(transfers: Iterable[tuple[int, str]]) -> Counter[str]:
    """How many works each wallet holds after transfers (token, recipient) in the chain's order."""
    return Counter(dict(transfers).values())


def weights(rule: str, works: NDArray[np.int64], n_votes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight [K] of each vote of each voter, in votes.

    Evidence is scaled so that the round as a whole says no more than its effective number of votes
    ``(sum w)**2 / sum w**2`` (Kish 1965): a thousand works in one wallet are one judge's opinion,
    though a weighty one. Without that a posterior would be as sure as if a thousand had spoken.
    Equal weights are 1 exactly.

    Parameters
    ----------
    works, n_votes : [K] works held and votes cast, at least 0.
    """
    if works.shape != n_votes.shape or (works < 0).any() or (n_votes < 0).any():
        raise ValueError("one count of at least 0 of works and of votes per voter")
    own, each = RULES[rule]
    raw = own + each * works
    total, squares = int(raw @ n_votes), int(raw**2 @ n_votes)
    scale = total / squares if squares else 0.0
    found: NDArray[np.float64] = np.round(raw * scale, DECIMALS)
    return found


def reduced(weight: float, factor: float) -> float:
    """A weight of which only a part counts, in the decimals that are published."""
    return round(weight * factor, DECIMALS)
