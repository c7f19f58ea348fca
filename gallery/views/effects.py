"""What a direction does, as a table: shares by strength, its own attribute first, then leaks."""

from typing import Any

from generation.models import Direction
from generation.services import FoundDirection
from generation.traits.effect import Effect

FOLLOWS = 0.9  # Spearman correlation from which a direction is said to follow its own value
PLOT_PX = (84, 24)


def effect_context(found: Direction | FoundDirection, reference: str) -> dict[str, Any]:
    """``reference`` is what addresses call it: its name, or ``7:pca-1`` while it has none."""
    effect = found.effect
    own = effect.spearman.get(found.attribute, {}).get(found.value)
    leaks = effect.leakage(found.attribute)
    names = [*([found.attribute] if own is not None else []), *leaks]
    return {
        "reference": reference,
        "name": found.name,
        "method": Direction.Method(found.method).label,
        "attribute": found.attribute.replace("_", " "),
        "value": found.value,
        "n_works": effect.n_works,
        "own": own,
        "follows": own is not None and own >= FOLLOWS,
        "strengths": effect.strengths,
        "rows": [_row(effect, name, found) for name in names],
        "worst": next(((name.replace("_", " "), leak) for name, leak in leaks.items()), None),
    }


def _row(effect: Effect, attribute: str, found: Direction | FoundDirection) -> dict[str, Any]:
    is_own = attribute == found.attribute
    values = effect.shares[attribute]
    shown = found.value if is_own else max(values, key=lambda value: _range(values[value]))
    shift = effect.shift(attribute)
    return {
        "attribute": attribute.replace("_", " "),
        "is_own": is_own,
        "shift": shift,
        "bar": round(100 * shift, 1),
        "flips": max(effect.flips[attribute], default=0.0),
        "shown": _value(effect, attribute, shown),
        "values": [_value(effect, attribute, value) for value in values],
    }


def _value(effect: Effect, attribute: str, value: str) -> dict[str, Any]:
    shares = effect.shares[attribute][value]
    return {
        "value": value,
        "percents": [round(100 * share) for share in shares],
        "points": _points(shares),
        "rho": effect.spearman[attribute][value],
    }


def _points(shares: tuple[float, ...]) -> str:
    """A line through the shares, 0 at the bottom and 1 at the top of the plot."""
    width, height = PLOT_PX
    step = (width - 4) / max(1, len(shares) - 1)
    inner = height - 4
    return " ".join(f"{2 + k * step:.1f},{2 + inner * (1 - s):.1f}" for k, s in enumerate(shares))


def _range(shares: tuple[float, ...]) -> float:
    return max(shares) - min(shares)
