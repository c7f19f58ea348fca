"""The parameters of a drop: what is asked of the generator, checked and serialisable."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

MAX_PSI = 1.5
MAX_STRENGTH = 4.0
MAX_EXPLORATION = 0.5
MAX_CONTROL = 0.5
SUM_TOLERANCE = 1e-9


class ParametersError(ValueError):
    """A parameter is missing, out of bounds or not finite; the message names it."""


@dataclass(frozen=True)
class Parameters:
    """Category distributions, truncation and direction strengths of one drop.

    Parameters
    ----------
    distributions
        attribute -> value -> probability in [0, 1]; each attribute sums to 1 within 1e-9.
    truncation_psi
        0 the mean picture of each class, 1 off; in [0, 1.5].
    directions
        name of a latent direction -> strength in standard deviations of z; in [-4, 4].
    exploration
        share of the works that are drawn to be unusual: equal shares of every value, and far from
        the mean; in [0, 0.5].
    control
        share of the works that nothing steers, to be measured against: equal shares of every value,
        no direction; in [0, 0.5].

    Raises
    ------
    ParametersError
        A value is out of range or not finite, or a distribution does not sum to 1.
    """

    distributions: dict[str, dict[str, float]]
    truncation_psi: float = 1.0
    directions: dict[str, float] | None = None
    exploration: float = 0.0
    control: float = 0.0

    def __post_init__(self) -> None:
        for attribute, shares in self.distributions.items():
            for value, share in shares.items():
                if not (math.isfinite(share) and 0 <= share <= 1):
                    raise ParametersError(f"{attribute}={value}: share {share} is not in [0, 1]")
            total = math.fsum(shares.values())
            if abs(total - 1) > SUM_TOLERANCE:
                raise ParametersError(f"{attribute}: shares sum to {total}, not 1")
        if not (math.isfinite(self.truncation_psi) and 0 <= self.truncation_psi <= MAX_PSI):
            raise ParametersError(f"truncation psi {self.truncation_psi} is not in [0, {MAX_PSI}]")
        if not (math.isfinite(self.exploration) and 0 <= self.exploration <= MAX_EXPLORATION):
            raise ParametersError(
                f"exploration {self.exploration} is not in [0, {MAX_EXPLORATION}]"
            )
        if not (math.isfinite(self.control) and 0 <= self.control <= MAX_CONTROL):
            raise ParametersError(f"control {self.control} is not in [0, {MAX_CONTROL}]")
        for name, strength in (self.directions or {}).items():
            if not (math.isfinite(strength) and abs(strength) <= MAX_STRENGTH):
                raise ParametersError(f"direction {name}: strength {strength} is out of bounds")

    def to_json(self) -> dict[str, Any]:
        return {
            "distributions": self.distributions,
            "truncation_psi": self.truncation_psi,
            "directions": self.directions or {},
            "exploration": self.exploration,
            "control": self.control,
        }

    def unsteered(self) -> Self:
        """Equal shares of every value that has one: what unusual and control works show."""
        shares = {}
        for name, values in self.distributions.items():
            used = [value for value, share in values.items() if share > 0]
            shares[name] = {value: (value in used) / len(used) for value in values}
        return replace(self, distributions=shares)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        try:
            return cls(
                distributions={
                    attribute: {value: float(share) for value, share in shares.items()}
                    for attribute, shares in body["distributions"].items()
                },
                truncation_psi=float(body["truncation_psi"]),
                directions={k: float(v) for k, v in body["directions"].items()},
                exploration=float(body.get("exploration", 0.0)),  # older sets have none
                control=float(body.get("control", 0.0)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ParametersError(f"not a parameter set: {error}") from error


def uniform(
    schema: Mapping[str, Sequence[str]],
    truncation_psi: float = 1.0,
    exploration: float = 0.0,
    control: float = 0.0,
) -> Parameters:
    """Equal shares of every value; the start of a collection that nobody has steered yet."""
    return Parameters(
        distributions={
            name: dict.fromkeys(values, 1 / len(values)) for name, values in schema.items()
        },
        truncation_psi=truncation_psi,
        directions={},
        exploration=exploration,
        control=control,
    )
