"""Latent directions that need no data."""

import torch
from torch import Tensor

from generation.gan.generator import Generator


def sefa(generator: Generator, n_directions: int = 4) -> dict[str, Tensor]:
    """The unit vectors of the latent that move the first affine maps most.

    Shen & Zhou 2021, *Closed-Form Factorization of Latent Semantics in GANs*, equation 7:
    eigenvectors of the Gram matrix of the stacked affine weights, rows normalised; the sign makes
    the largest entry positive.

    Returns
    -------
    name -> [latent_dim] float32 of unit length, in order of falling eigenvalue.
    """
    maps = generator.latent_maps()
    stacked = torch.cat([m / m.norm(dim=1, keepdim=True).clamp_min(1e-12) for m in maps]).double()
    _, vectors = torch.linalg.eigh(stacked.T @ stacked)
    found = {}
    for k in range(min(n_directions, generator.latent_dim)):
        vector = vectors[:, -1 - k]
        sign = torch.sign(vector[vector.abs().argmax()])
        found[f"sefa-{k + 1}"] = (sign * vector).float()
    return found
