"""What a derivation goes by besides votes and sales; a document brings its own."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Self

from sentiment.control.allocate import Caution
from sentiment.control.shares import Bounds
from sentiment.derivation.reading import mapping, number, require
from sentiment.market import prices, wash
from sentiment.market.prices import Judging
from sentiment.preference import bradley_terry, teams, trust

# What may stand in a document: (least, most, whether they are allowed themselves).
_SHARE = (0.0, 1.0, True)
_POSITIVE = (0.0, 1e6, False)
_RANGES = {
    "lapse": (0.0, 0.999, True),
    "effect_sd": _POSITIVE,
    "side_sd": _POSITIVE,
    "forgetting": _SHARE,
    "voter_cap": _POSITIVE,
    "min_confidence": _SHARE,
    "min_step": _SHARE,
    "false_alarms": (0.0, 1.0, False),
    "tukey": _POSITIVE,
    "huber": _POSITIVE,
    "junk": _POSITIVE,
    "min_scale": _POSITIVE,
    "round_trip_days": (0.0, 36525.0, True),
    "max_cycle": (1.0, 1000.0, True),
    "p_min": (0.0, 1.0, False),
    "min_entropy": _SHARE,
    "max_step": (0.0, 1.0001, False),
    "max_latent": (0.0, 4.0, True),
    "max_latent_step": (0.0, 8.0, True),
    "team_gain": _POSITIVE,
}


@dataclass(frozen=True)
class Constants:
    """Every tuned number by the name that a document has for it; the defaults are today's."""

    lapse: float = bradley_terry.LAPSE
    effect_sd: float = bradley_terry.EFFECT_SD
    side_sd: float = bradley_terry.SIDE_SD
    forgetting: float = trust.FORGETTING
    voter_cap: float = trust.VOTER_CAP
    min_confidence: float = Caution.min_confidence
    min_step: float = Caution.min_step
    false_alarms: float = Caution.false_alarms
    tukey: float = prices.TUKEY
    huber: float = prices.HUBER
    junk: float = prices.JUNK
    min_scale: float = prices.MIN_SCALE
    round_trip_days: int = wash.ROUND_TRIP_WITHIN.days
    max_cycle: int = wash.MAX_CYCLE
    p_min: float = Bounds.p_min
    min_entropy: float = Bounds.min_entropy
    max_step: float = Bounds.max_step
    max_latent: float = Bounds.max_latent
    max_latent_step: float = Bounds.max_latent_step
    team_gain: float = teams.MIN_GAIN

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            self.p_min, self.min_entropy, self.max_step, self.max_latent, self.max_latent_step
        )

    @property
    def caution(self) -> Caution:
        return Caution(self.min_confidence, self.min_step, self.false_alarms)

    @property
    def judging(self) -> Judging:
        return Judging(self.tukey, self.huber, self.junk, self.min_scale)

    @property
    def round_trip_within(self) -> timedelta:
        return timedelta(days=self.round_trip_days)

    @classmethod
    def read(cls, told: Any) -> Self:
        """DocumentError if one is missing, unknown or out of its range."""
        named: Mapping[str, Any] = mapping(told, "constants", {field.name for field in fields(cls)})
        return cls(**{name: _inside(value, name) for name, value in named.items()})


def _inside(value: Any, name: str) -> Any:
    path = f"constants.{name}"
    low, high, is_closed = _RANGES[name]
    found = number(value, path)
    require(low <= found <= high if is_closed else low < found < high, path, "out of range")
    if name in ("round_trip_days", "max_cycle"):
        require(found == int(found), path, "not a whole number")
        return int(found)
    return found
