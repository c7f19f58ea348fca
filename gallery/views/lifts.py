"""What steering brought, as dots and intervals: of one drop, and of all drops below one another."""

from collections.abc import Sequence
from typing import Any

from gallery.views.plots import PLOT_PX, interval, verdict_of
from sentiment.preference.lift import Lift

MIN_REACH = 0.15
VERDICTS = {
    "up": "Steering brought what the voters like.",
    "down": "The voters like the works more that nobody steered.",
    "": "Too few votes to tell whether steering brought something.",
}


def lift_rows(lifts: Sequence[tuple[int, Lift | None]]) -> dict[str, Any]:
    """Of drops by their numbers; drawn to one scale, around "as often as the others"."""
    known = [(number, one) for number, one in lifts if one is not None]
    edges = [abs(end - 0.5) for _, one in known for end in one.shares]
    reach = max([MIN_REACH, *edges])
    return {"rows": [_row(number, one, reach) for number, one in known], "plot_px": PLOT_PX}


def _row(number: int, one: Lift, reach: float) -> dict[str, Any]:
    share, low, high = one.shares
    verdict = verdict_of(low - 0.5, high - 0.5)
    return interval((share - 0.5, low - 0.5, high - 0.5), reach) | {
        "drop": number,
        "percent": f"{100 * share:.0f}",
        "low": f"{100 * low:.0f}",
        "high": f"{100 * high:.0f}",
        "odds": f"{one.mean:+.2f} ± {one.sd:.2f}",
        "n_votes": one.n_votes,
        "n_controls": one.n_controls,
        "verdict": verdict,
        "words": VERDICTS[verdict],
    }
