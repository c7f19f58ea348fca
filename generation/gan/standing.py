"""Batch norm statistics of a generator that only draws (Brock et al. 2019, appendix D)."""

import torch
from torch import Tensor, nn

from generation.gan.biggan_deep import Norm
from generation.gan.generator import Generator
from generation.gan.pictures import one_hot


@torch.no_grad()
def standing_statistics(
    generator: Generator,
    labels: Tensor,
    chance: torch.Generator,
    n_batches: int = 16,
    batch: int = 64,
) -> None:
    """Means and variances over ``n_batches`` forwards in train mode; without norms, nothing.

    ``labels`` [N, attributes] are drawn from, evenly over rows. Where statistics are kept by
    truncation, each truncation has forwards of its own.
    """
    norms = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d | Norm)]
    if not norms:
        return
    rows = max(len(n.running_mean) if isinstance(n, Norm) else 1 for n in norms)
    generator.train()
    for row in range(rows):
        for norm in norms:
            _reset(norm, row)
        psi = row / (rows - 1) if rows > 1 else 1.0
        for _ in range(n_batches):
            picks = labels[torch.randint(len(labels), (batch,), generator=chance)]
            c = one_hot(picks, generator.config.schema.sizes).to(generator.device)
            z = torch.randn(batch, generator.z_dim, generator=chance).to(generator.device)
            generator.synthesis(generator.mapping(z, c, psi))
    for norm in norms:
        norm.momentum = 0.1


def _reset(norm: nn.BatchNorm2d | Norm, row: int) -> None:
    if isinstance(norm, Norm):
        norm.reset(row)
    else:
        norm.reset_running_stats()
        norm.momentum = None
