"""Canonical rendering: float32, one thread, one fixed batch shape, so that bytes come out again."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from generation.gan import latent
from generation.gan.directions import pad, sefa
from generation.gan.generator import Generator
from generation.gan.latent import ItemSpec
from generation.gan.pictures import to_uint8
from generation.traits.parameters import Parameters

BATCH = 32

# name of a saved direction -> what strength 1 adds to w, [w_dim]
Steps = Mapping[str, NDArray[np.float32]]


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
    generator: Generator,
    specs: Sequence[ItemSpec],
    parameters: Parameters,
    saved: Steps | None = None,
    between: Callable[[], None] | None = None,
) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] uint8 of ``specs``; ``between`` is called after each batch.

    Latents are padded with zeros to batches of 32, so a picture never depends on its neighbours and
    a part of a drop gives the bytes of the whole. Sets torch to one thread for the process.

    Raises
    ------
    UnknownDirectionError
        ``parameters`` names a direction that is neither of ``sefa`` nor ``saved``.
    """
    return draw(generator, map_items(generator, specs, parameters, saved), between)


@torch.no_grad()
def map_items(
    generator: Generator,
    specs: Sequence[ItemSpec],
    parameters: Parameters,
    saved: Steps | None = None,
    truncation_cutoff: int | None = None,
) -> torch.Tensor:
    """The conditioning vectors [N, num_ws, w_dim] that ``specs`` are drawn from; see ``render``.

    ``truncation_cutoff`` truncates so many of the first layers only; drops truncate all.
    """
    _make_canonical()
    offset = _offset(generator, parameters, saved or {}).to(generator.device)
    batches = [
        _map_batch(generator, specs[start : start + BATCH], parameters, truncation_cutoff)
        for start in range(0, len(specs), BATCH)
    ]
    empty = torch.empty(0, generator.num_ws, generator.w_dim)
    ws = torch.cat(batches)[: len(specs)] if batches else empty
    steered = torch.tensor([not spec.is_control for spec in specs], device=ws.device)
    return torch.where(steered[:, None, None], ws + offset, ws) if batches else ws


@torch.no_grad()
def coordinates(
    generator: Generator,
    specs: Sequence[ItemSpec],
    parameters: Parameters,
    saved: Steps | None = None,
) -> dict[str, NDArray[np.float64]]:
    """How far items lie along each direction of ``parameters``, steps of strength 1: [N] each.

    The latents' own part is taken around its mean over the items; the strength is added where they
    are steered.

    Raises
    ------
    UnknownDirectionError
        As in ``render``.
    """
    strengths = parameters.directions or {}
    own = map_items(generator, specs, replace(parameters, directions={})).mean(dim=1)
    found = {}
    steered = torch.tensor([not spec.is_control for spec in specs]).double()
    for name, strength in strengths.items():
        only = replace(parameters, directions={name: 1.0})
        step = _offset(generator, only, saved or {})
        along = (own.cpu().double() @ step.double()) / (step @ step).double()
        found[name] = (along - along.mean() + strength * steered).numpy()
    return found


@torch.no_grad()
def draw(
    generator: Generator, ws: torch.Tensor, between: Callable[[], None] | None = None
) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] uint8 of ws [N, num_ws, w_dim], in batches of 32 as well.

    A generator that draws one picture after another has them one by one, so that ``between`` is
    called in time however large it is.
    """
    _make_canonical()
    pictures = []
    step = 1 if generator.draws_singly else BATCH
    for start in range(0, len(ws), step):
        pictures.append(_draw_batch(generator, ws[start : start + step]))
        if between is not None:
            between()
    size = generator.img_resolution
    return np.concatenate(pictures) if pictures else np.empty((0, size, size, 3), np.uint8)


def _make_canonical() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def _map_batch(
    generator: Generator, specs: Sequence[ItemSpec], parameters: Parameters, cutoff: int | None
) -> torch.Tensor:
    z = torch.zeros(BATCH, generator.z_dim)
    c = torch.zeros(BATCH, generator.c_dim)
    for row, spec in enumerate(specs):
        z[row] = _begin(spec, generator.z_dim)
        if spec.shift is not None:
            z[row] += torch.tensor(spec.shift)
        c[row] = condition(generator, spec.requested)
    z, c = z.to(generator.device), c.to(generator.device)
    ws = generator.mapping(z, c, parameters.truncation_psi, cutoff)
    for psi in sorted({spec.psi for spec in specs if spec.psi is not None}):
        rows = [row for row, spec in enumerate(specs) if spec.psi == psi]
        ws[rows] = generator.mapping(z, c, psi, cutoff)[rows]
    return ws


def _begin(spec: ItemSpec, z_dim: int) -> torch.Tensor:
    if spec.start is None:
        return torch.from_numpy(latent.z(spec.seed, z_dim))
    return torch.tensor(spec.start)


def _draw_batch(generator: Generator, ws: torch.Tensor) -> NDArray[np.uint8]:
    # A generator that draws one picture after another needs no others to keep it company.
    missing = 0 if generator.draws_singly else BATCH - len(ws)
    return to_uint8(generator.synthesis(F.pad(ws, (0, 0, 0, 0, 0, missing))))[: len(ws)]


def condition(generator: Generator, requested: dict[str, str]) -> torch.Tensor:
    """Condition vector [c_dim] of one value per attribute; ValueError names an unknown one."""
    parts = [torch.zeros(0)]
    for attribute, values in generator.config.schema.attributes:
        if requested.get(attribute) not in values:
            raise ValueError(f"{attribute}: {requested.get(attribute)!r} is not one of {values}")
        at = torch.tensor(values.index(requested[attribute]))
        parts.append(F.one_hot(at, len(values)).float())
    return torch.cat(parts)


def _offset(generator: Generator, parameters: Parameters, saved: Steps) -> torch.Tensor:
    offset = torch.zeros(generator.w_dim)
    moved = {name: s for name, s in (parameters.directions or {}).items() if s != 0}
    if moved:
        known = {name: torch.from_numpy(step) for name, step in saved.items()}
        # The generator's own take 9 ms to find: more than a third of a picture.
        if any(name not in saved or name.startswith("sefa-") for name in moved):
            known |= {
                name: pad(vector.cpu(), generator.w_dim) for name, vector in sefa(generator).items()
            }
        for name, strength in moved.items():
            if name not in known:
                raise UnknownDirectionError(f"{name} is not one of {sorted(known)}")
            assert known[name].shape == offset.shape
            offset += strength * known[name]
    return offset
