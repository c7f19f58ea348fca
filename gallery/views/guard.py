"""The diversity of a drop beside the bounds that hold it."""

from dataclasses import dataclass

from gallery.serializers import percent
from generation.models import Drop
from generation.traits.guard import MIN_WORKS, Diversity, Floors, shortfalls


@dataclass(frozen=True)
class GuardRow:
    """A measure of a drop's diversity beside its bound; both as text, empty where there is none."""

    name: str
    unit: str
    value: str
    bound: str
    is_judged: bool
    is_short: bool


@dataclass(frozen=True)
class GuardFacts:
    n_works: int
    rows: list[GuardRow]
    is_held: bool
    why_not: str


GUARD_ROWS = (
    ("mean_distance", "Mean distance", "cosine distance of two works, at least"),
    ("median_nearest", "Median distance to the nearest", "cosine distance"),
    ("min_distance", "Nearest two", "cosine distance"),
    ("spread", "Spread of thumbnails", "RMS levels of 255, at least"),
    ("alike", "Works much like another one", "share, at most"),
    ("near_earlier", "Works much like one of an earlier drop", "share, at most"),
    ("near_dataset", "Works much like a picture of the training art", "share, at most"),
)


def guard_facts(drop: Drop) -> GuardFacts | None:
    """The diversity that was measured last of a drop; None before anything was."""
    if drop.diversity is None:
        return None
    found, floors = Diversity.from_json(drop.diversity), Floors()
    missed = shortfalls(found, floors)
    short = {(one.measure, one.attribute) for one in missed}
    is_judged = found.n_works >= MIN_WORKS
    rows = [
        GuardRow(
            f"Entropy of {attribute.replace('_', ' ')}",
            "0 one value, 1 all equal, at least",
            f"{value:.2f}",
            f"{floors.entropy:.2f}",
            is_judged,
            ("entropy", attribute) in short,
        )
        for attribute, value in found.entropy.items()
    ]
    for name, title, unit in GUARD_ROWS:
        value, bound = getattr(found, name), getattr(floors, name, None)
        rows.append(
            GuardRow(
                title,
                unit,
                measured(value, unit),
                "" if bound is None else measured(bound, unit),
                is_judged and None not in (value, bound),
                (name, "") in short,
            )
        )
    few = "" if is_judged else f"Fewer than {MIN_WORKS} works are not judged."
    return GuardFacts(found.n_works, rows, bool(missed), few)


def measured(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    return f"{percent(value)} %" if unit.startswith("share") else f"{value:.3g}"
