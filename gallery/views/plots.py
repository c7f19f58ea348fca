"""The field that plots of the market are drawn in."""

from typing import Any

import numpy as np

WIDTH, HEIGHT, MARGIN = 640, 240, 10


def scaled(values: Any, length: int) -> Any:
    """Values from margin to margin; in the middle where they are all the same."""
    found = np.asarray(values, dtype=float)
    low, high = float(found.min()), float(found.max())
    share = (found - low) / (high - low) if high > low else np.full(len(found), 0.5)
    return MARGIN + share * (length - 2 * MARGIN)
