"""Large pictures of works that a contract draws, too: both from the same 32 bytes.

A contract's bytes begin with the codes of the values that it shows and end with free ones, which
stand for the large generator's latent along the columns of a basis (`generation.gan.lessons`): byte
b for the normal quantile of (b + 1/2) / 256. That is how the small generator was taught, so the
large one shows the same work when it is asked the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from generation.gan import latent
from generation.gan.latent import ItemSpec
from generation.traits.parameters import Parameters

LEVELS = 256


@dataclass(frozen=True)
class Twin:
    """What a contract draws: ``values`` by attribute, from ``latents`` [32] uint8.

    ``basis`` [z_dim, F] has orthonormal columns, of the last F bytes.
    """

    values: Mapping[str, str]
    latents: NDArray[np.uint8]
    basis: NDArray[np.float32]


def quantiles(free: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Free bytes [...] as normal numbers."""
    found: NDArray[np.float64] = ndtri((free + 0.5) / LEVELS)
    return found


def follow(spec: ItemSpec, twin: Twin, attempt: int, parameters: Parameters) -> ItemSpec:
    """A work as its contract draws it: it shows the contract's values, and does not explore.

    A value that the large generator does not know stays what its seed chose. A later try keeps what
    the bytes say, and has the rest of the latent from its own seed.
    """
    own = spec.seed if attempt else None
    return replace(
        spec,
        requested=shown(spec.requested, twin.values, parameters),
        psi=None,
        start=tuple(start(twin, own).tolist()),
    )


def shown(
    requested: Mapping[str, str], values: Mapping[str, str], parameters: Parameters
) -> dict[str, str]:
    """What the large picture is asked to show of what the contract's does."""
    known = parameters.distributions
    return {
        name: values[name] if values.get(name) in known[name] else own
        for name, own in requested.items()
    }


def start(twin: Twin, seed: bytes | None = None) -> NDArray[np.float64]:
    """The latent [z_dim]; beside the basis it is 0, or what ``seed`` gives."""
    basis = twin.basis.astype(np.float64)
    along = quantiles(twin.latents[len(twin.latents) - basis.shape[1] :])
    if seed is not None:
        rest = latent.z(seed, len(basis)).astype(np.float64)
        return basis @ (along - basis.T @ rest) + rest
    found: NDArray[np.float64] = basis @ along
    return found
