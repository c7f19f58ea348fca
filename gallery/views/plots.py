"""The fields that plots are drawn in: dots of a market, and a dot on its interval."""

from typing import Any

import numpy as np

WIDTH, HEIGHT, MARGIN = 640, 240, 10
PLOT_PX = 220


def scaled(values: Any, length: int) -> Any:
    """Values from margin to margin; in the middle where they are all the same."""
    found = np.asarray(values, dtype=float)
    low, high = float(found.min()), float(found.max())
    share = (found - low) / (high - low) if high > low else np.full(len(found), 0.5)
    return MARGIN + share * (length - 2 * MARGIN)


def interval(shares: tuple[float, float, float], reach: float) -> dict[str, float]:
    """Where an estimate and the ends of its interval stand, with nothing in the middle."""

    def x(value: float) -> float:
        return round(MARGIN + (value + reach) / (2 * reach) * (PLOT_PX - 2 * MARGIN), 1)

    middle, low, high = shares
    return {"dot": x(middle), "left": x(low), "width": round(x(high) - x(low), 1)}


def verdict_of(low: float, high: float) -> str:
    """Which side of nothing an interval is on, if it is on one."""
    return "up" if low > 0 else "down" if high < 0 else ""
