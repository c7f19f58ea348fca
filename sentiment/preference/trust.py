"""How much a vote counts: less with each round gone by, and no voter without limit."""

import numpy as np
from numpy.typing import NDArray

FORGETTING = 0.8
# Votes' worth of one voter, over all rounds. A drop of 64 works has 2,016 pairs: without a limit
# one tireless voter outweighs sixty who give thirty votes each.
VOTER_CAP = 30.0


def weights(
    voters: NDArray[np.int64],
    ages: NDArray[np.int64],
    cap: float = VOTER_CAP,
    forgetting: float = FORGETTING,
    parts: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Weight [V] of each vote in [0, 1]: forgetting ** age, scaled down to ``cap`` per voter.

    Parameters
    ----------
    voters : [V] any integer that names a voter.
    ages : [V] rounds since the vote, 0 for the present one.
    parts : [V] in [0, 1], of which each is a part of a vote; whole votes where nothing is said.
    """
    if voters.shape != ages.shape or (ages < 0).any():
        raise ValueError("one age of at least 0 per vote")
    faded = forgetting ** ages.astype(np.float64)
    if parts is not None:
        faded *= parts
    _, voter = np.unique(voters, return_inverse=True)
    totals = np.bincount(voter, faded, minlength=1)
    scales = cap / np.maximum(totals, cap)
    scaled: NDArray[np.float64] = faded * scales[voter]
    return scaled
