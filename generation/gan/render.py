"""Canonical rendering: float32, one thread, one fixed batch shape, so that bytes come out again."""

import platform
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from generation.gan import latent
from generation.gan.directions import sefa
from generation.gan.generator import Generator
from generation.gan.latent import ItemSpec
from generation.gan.pictures import to_uint8
from generation.traits.parameters import Parameters

BATCH = 32


class UnknownDirectionError(ValueError):
    """A parameter set names a direction that the generator does not have."""


def canonical_environment() -> dict[str, str | int]:
    """What a canonical render depends on besides its inputs; goes into each manifest."""
    return {
        "batch": BATCH,
        "threads": 1,
        "dtype": "float32",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
    }


@torch.no_grad()
def render(
    generator: Generator, specs: Sequence[ItemSpec], parameters: Parameters
) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] uint8 of ``specs``.

    Latents are padded with zeros to batches of 32, so a picture never depends on its neighbours and
    a part of a drop gives the bytes of the whole. Sets torch to one thread for the process.

    Raises
    ------
    UnknownDirectionError
        ``parameters`` names a direction other than those of ``sefa``.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    offset = _offset(generator, parameters)
    pictures = [
        _render_batch(generator, specs[start : start + BATCH], parameters, offset)
        for start in range(0, len(specs), BATCH)
    ]
    size = generator.img_resolution
    return np.concatenate(pictures) if pictures else np.empty((0, size, size, 3), np.uint8)


def _render_batch(
    generator: Generator, specs: Sequence[ItemSpec], parameters: Parameters, offset: torch.Tensor
) -> NDArray[np.uint8]:
    z = torch.zeros(BATCH, generator.z_dim)
    c = torch.zeros(BATCH, generator.c_dim)
    for row, spec in enumerate(specs):
        z[row] = torch.from_numpy(latent.z(spec.seed, generator.z_dim))
        c[row] = condition(generator, spec.requested)
    device = generator.device
    ws = generator.mapping(z.to(device), c.to(device), parameters.truncation_psi)
    ws[:, :, : generator.latent_dim] += offset.to(device)
    # A generator that draws one picture after another needs no others to keep it company.
    drawn = ws[: len(specs)] if generator.draws_singly else ws
    return to_uint8(generator.synthesis(drawn))[: len(specs)]


def condition(generator: Generator, requested: dict[str, str]) -> torch.Tensor:
    """Condition vector [c_dim] of one value per attribute; ValueError names an unknown one."""
    parts = [torch.zeros(0)]
    for attribute, values in generator.config.schema.attributes:
        if requested.get(attribute) not in values:
            raise ValueError(f"{attribute}: {requested.get(attribute)!r} is not one of {values}")
        at = torch.tensor(values.index(requested[attribute]))
        parts.append(F.one_hot(at, len(values)).float())
    return torch.cat(parts)


def _offset(generator: Generator, parameters: Parameters) -> torch.Tensor:
    offset = torch.zeros(generator.latent_dim)
    moved = {name: s for name, s in (parameters.directions or {}).items() if s != 0}
    if moved:
        known = sefa(generator)
        for name, strength in moved.items():
            if name not in known:
                raise UnknownDirectionError(f"{name} is not one of {sorted(known)}")
            offset += strength * known[name].cpu()
    return offset
