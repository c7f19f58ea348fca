"""How near a generator comes to its art, in words and with the goals it is held to."""

from typing import Any

# name, field, how it reads, what is better, the least that is asked for
SCORES: tuple[tuple[str, str, str, str, float | None], ...] = (
    ("KID-traits", "kid", "distance of the two distributions", "lower, 0 is as the art", None),
    ("Precision", "precision", "samples that look like art", "higher", 0.8),
    ("Recall", "recall", "art that the samples come near", "higher", None),
    ("Density", "density", "how thickly samples lie where art is", "about 1", None),
    ("Coverage", "coverage", "art with a sample near it", "higher", 0.8),
    (
        "Nearest art",
        "nearest",
        "distance to it, over art's own",
        "about 1; far less: copies",
        None,
    ),
    ("FID", "fid", "distance by the Inception network", "lower", None),
)


def score_rows(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each score that was measured."""
    return [
        {
            "name": name,
            "says": says,
            "better": better,
            "goal": goal,
            "value": measured[field],
            "is_met": goal is not None and measured[field] >= goal,
        }
        for name, field, says, better, goal in SCORES
        if measured.get(field) is not None
    ]
