"""What a round's voters like, as whoever draws the next drop can use it."""

from generation.traits.selection import Taste
from sentiment.models import ScoreRun
from sentiment.preference.features import LINEAR, direction_of, is_direction


def taste_of(run: ScoreRun) -> Taste:
    """The means of a posterior."""
    effects: dict[str, dict[str, float]] = {}
    directions: dict[str, list[float]] = {}
    for option, mean in zip(run.posterior["names"], run.posterior["mean"][:-1], strict=True):
        if is_direction(option[0]):
            pair = directions.setdefault(direction_of((option[0], option[1])), [0.0, 0.0])
            pair[0 if option[1] == LINEAR else 1] = mean
        else:
            effects.setdefault(option[0], {})[option[1]] = mean
    return Taste(effects, {name: (a, b) for name, (a, b) in directions.items()})
