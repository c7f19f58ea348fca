"""Previews: a few pictures of what a lead looks for, each drawn alone so that one is quick.

Canonical rendering draws 32 at a time whatever is asked for; a preview draws each picture alone. It
is what a drop would draw within one level of 255, and the same bytes whatever is drawn beside it.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from generation.gan import latent
from generation.gan.directions import mix
from generation.gan.generator import Generator
from generation.gan.pictures import to_uint8
from generation.gan.render import Steps, map_items
from generation.traits.parameters import Parameters, uniform
from generation.traits.preview_spec import STRIP, PreviewSpec


@torch.no_grad()
def preview(
    generator: Generator, spec: PreviewSpec, saved: Steps | None = None
) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] uint8: one of each work, or the first at the strengths of the strip.

    Raises
    ------
    SpecError
        The generator has no such attribute, value or layer.
    UnknownDirectionError
        A direction is neither of ``sefa`` nor ``saved``.
    """
    spec.check(generator.config.schema.to_mapping(), generator.num_ws)
    ws = torch.cat([_conditioned(generator, look, saved) for look in _looks(spec)])
    pictures = [to_uint8(generator.synthesis(ws[row : row + 1])) for row in range(len(ws))]
    return np.concatenate(pictures)


def parameters_of(spec: PreviewSpec, schema: dict[str, list[str]]) -> Parameters:
    """What a drop of such works is asked for: the chosen values, all others by their shares."""
    even = uniform(schema, spec.truncation_psi)
    even = replace(even, distributions=even.distributions | spec.shares)
    chosen = {
        name: {value: float(value == spec.values[name]) for value in shares}
        for name, shares in even.distributions.items()
        if name in spec.values
    }
    return replace(even, distributions=even.distributions | chosen, directions=spec.moved)


def work_spec(seed: int, parameters: Parameters) -> latent.ItemSpec:
    """The first work of a drop with this seed."""
    return latent.item_spec(seed.to_bytes(latent.SEED_BYTES, "big"), 0, parameters)


def _looks(spec: PreviewSpec) -> list[PreviewSpec]:
    """The same look at each strength of its strip, or as it is."""
    if not spec.strip:
        return [spec]
    first = replace(spec, n_works=1, strip="")
    return [replace(first, strengths=spec.strengths | {spec.strip: s}) for s in STRIP]


def _conditioned(generator: Generator, spec: PreviewSpec, saved: Steps | None) -> torch.Tensor:
    """The ws [n_works, num_ws, w_dim] of a look, mixed with the second work's."""
    parameters = parameters_of(spec, generator.config.schema.to_mapping())
    seeds = [spec.seed + k for k in range(spec.n_works)]
    if spec.mix_seed is not None:
        seeds.append(spec.mix_seed)
    items = [work_spec(seed, parameters) for seed in seeds]
    ws = map_items(generator, items, parameters, saved, spec.truncation_cutoff)
    if spec.mix_seed is None:
        return ws
    own, second = ws[:-1], ws[-1:].expand(spec.n_works, -1, -1)
    last = generator.num_ws - 1
    return mix(own, second, spec.mix_from, last) if spec.mix_from <= last else own
