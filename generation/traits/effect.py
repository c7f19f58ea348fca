"""What a latent direction does to the traits of works, measured and serialisable."""

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Self


class EffectError(ValueError):
    """A stored effect cannot be read; the message says why."""


@dataclass(frozen=True)
class Effect:
    """The same works drawn at several strengths of one direction, and read by the parser.

    Parameters
    ----------
    strengths : rising, 0 among them.
    n_works : how many works were drawn at each strength.
    shares : attribute -> value -> share of the works read so, by strength, in [0, 1].
    spearman : attribute -> value -> rank correlation of strength and share, in [-1, 1]; 0 where the
        share never changes.
    flips : attribute -> share of the works that are read otherwise than at 0, by strength.
    """

    strengths: tuple[float, ...]
    n_works: int
    shares: dict[str, dict[str, tuple[float, ...]]]
    spearman: dict[str, dict[str, float]]
    flips: dict[str, tuple[float, ...]]

    def shift(self, attribute: str) -> float:
        """Largest total variation distance between the shares at any two strengths, in [0, 1]."""
        columns = list(zip(*self.shares[attribute].values(), strict=True))
        return max(
            (
                sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2
                for p, q in itertools.combinations(columns, 2)
            ),
            default=0.0,
        )

    def leakage(self, own: str = "") -> dict[str, float]:
        """``shift`` of every attribute but ``own``, the largest first."""
        found = {name: self.shift(name) for name in self.shares if name != own}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        try:
            return cls(
                strengths=tuple(float(s) for s in body["strengths"]),
                n_works=int(body["n_works"]),
                shares={
                    name: {value: tuple(map(float, row)) for value, row in rows.items()}
                    for name, rows in body["shares"].items()
                },
                spearman={
                    name: {value: float(rho) for value, rho in rows.items()}
                    for name, rows in body["spearman"].items()
                },
                flips={name: tuple(map(float, row)) for name, row in body["flips"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EffectError(f"not an effect: {error}") from error
