"""Which works lie next to each other in what the generator was given: a latent, and wishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generation.gan.latent import z

TINY = 1e-9


@dataclass(frozen=True)
class LatentSpace:
    """The works of one drop as points.

    Parameters
    ----------
    latents
        [N, z_dim] float32, standard normal.
    wishes
        [N, number of attributes] uint16: codes of the values that were asked for.
    """

    latents: NDArray[np.float32]
    wishes: NDArray[np.uint16]

    @classmethod
    def of(
        cls,
        seeds: Sequence[bytes],
        requested: Sequence[Mapping[str, str]],
        z_dim: int,
        starts: Sequence[Sequence[float]] | None = None,
    ) -> Self:
        """From the seeds of the works, and what was asked for in each.

        ``starts`` are latents that do not follow from seeds, brought to a variance of 1.
        """
        names = sorted({name for wish in requested for name in wish})
        wishes = np.zeros((len(seeds), len(names)), np.uint16)
        for column, name in enumerate(names):
            asked = [wish.get(name, "") for wish in requested]
            places = {value: place for place, value in enumerate(dict.fromkeys(asked))}
            wishes[:, column] = [places[value] for value in asked]
        if starts is not None:
            given = np.array(starts, np.float32)
            return cls(given / max(float(given.std()), TINY), wishes)
        latents = [z(seed, z_dim) for seed in seeds]
        return cls(np.array(latents, np.float32).reshape(len(seeds), z_dim), wishes)

    def distances(self, at: int) -> NDArray[np.float64]:
        """[N]: from the work at ``at``; 0 the same, about 1 unrelated but asked for alike, 2 far.

        The squared distance of the latents over its expectation for independent ones, 2 z_dim,
        plus the share of attributes that were asked for differently.
        """
        steps = self.latents.astype(np.float64) - self.latents[at]
        apart: NDArray[np.float64] = np.square(steps).sum(axis=1) / (2 * self.latents.shape[1])
        if not self.wishes.shape[1]:
            return apart
        apart += (self.wishes != self.wishes[at]).mean(axis=1)
        return apart

    def nearest(self, at: int, n: int) -> list[tuple[int, float]]:
        """(index, distance) of the ``n`` nearest others, nearest first; equal ones by index."""
        found = self.distances(at)
        found[at] = np.inf
        order = np.lexsort((np.arange(len(found)), found))[: min(n, len(found) - 1)]
        return [(int(place), float(found[place])) for place in order]
