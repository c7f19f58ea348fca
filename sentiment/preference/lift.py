"""What steering brought a drop: how its works do against those of it that nobody steered.

Of the votes between a steered work and a control, P(the steered one is preferred) = eps/2 +
(1 - eps) * sigmoid(lift - r_control +- c): r is what a control is worth beside the average control,
N(0, 1), since there are few of them; c is the pull of the left side. The lift is that of the
average steered work, whichever happened to be shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference.bradley_terry import LAPSE, SIDE_SD, Belief, Votes, fit

WORK_SD = 1.0  # of works around the average, in log-odds
LIFT_SD = 3.0  # before any vote: hardly anything is known
Z95 = 1.959964


@dataclass(frozen=True)
class Lift:
    """In log-odds, after ``n_votes`` between steered works and ``n_controls`` others."""

    mean: float
    sd: float
    n_votes: int
    n_controls: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, in log-odds."""
        return self.mean - Z95 * self.sd, self.mean + Z95 * self.sd

    @property
    def shares(self) -> tuple[float, float, float]:
        """How often a steered work is taken over a control: estimate, and its 95 % interval."""
        low, high = self.interval
        return float(expit(self.mean)), float(expit(low)), float(expit(high))


def measure(
    controls: NDArray[np.int64],
    steered_left: NDArray[np.bool_],
    steered_won: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    lapse: float = LAPSE,
) -> Lift | None:
    """The lift from votes between a steered work and a control; None without any.

    Parameters
    ----------
    controls : [V] any integer that names the control of each vote.
    steered_left : [V] whether the steered work was on the left.
    steered_won : [V] whether it was preferred.
    weights : [V] of the votes, at least 0; 1 each where nothing is said.

    Raises
    ------
    FitError
        The maximum was not reached.
    """
    if not len(controls):
        return None
    _, which = np.unique(controls, return_inverse=True)
    n_controls = int(which.max()) + 1
    # Row 0 is any steered work, the others are controls.
    items = np.zeros((1 + n_controls, 1 + n_controls))
    items[0, 0] = 1
    items[1:, 1:] = np.eye(n_controls)
    steered, control = np.zeros(len(which), np.int64), 1 + which
    votes = Votes(
        features=items,
        left=np.where(steered_left, steered, control),
        right=np.where(steered_left, control, steered),
        left_won=steered_left == steered_won,
        weights=np.ones(len(which)) if weights is None else weights,
    )
    sds = np.array([LIFT_SD, *[WORK_SD] * n_controls, SIDE_SD])
    prior = Belief(np.zeros(len(sds)), np.diag(sds**2))
    found = fit(votes, prior, lapse)
    return Lift(
        mean=float(found.mean[0]),
        sd=float(np.sqrt(found.covariance[0, 0])),
        n_votes=len(which),
        n_controls=n_controls,
    )
