"""Latent directions: from the weights, from the spread of w, from what a parser reads."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from generation.gan.generator import Generator

# Of 0.01 and 1 in LogisticRegression, with and without balanced classes, and the same in LinearSVC,
# 0.01 unbalanced moved the own share most (of seven attributes of the shipped checkpoint) at the
# second lowest leakage: 0.10 total variation; LinearSVC at 0.01 leaked 0.10 too, at half the move.
INVERSE_REGULARISATION = 0.01
# Singular values of the other directions below this part of the largest are noise: the directions
# of one attribute's values add up to almost nothing.
RANK_TOLERANCE = 1e-2


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


def pad(vector: Tensor, w_dim: int) -> Tensor:
    """A direction [latent_dim] as one of the whole of w [w_dim]: nothing behind the latent."""
    padded = torch.zeros(w_dim)
    padded[: len(vector)] = vector.cpu()
    return padded


def pca(latents: NDArray[np.float32], n_directions: int = 4) -> dict[str, NDArray[np.float32]]:
    """Principal directions of latents [N, D], in order of falling variance.

    Härkönen et al. 2020, *GANSpace: Discovering Interpretable GAN Controls*, section 2.1. The sign
    makes the largest entry positive.

    Returns
    -------
    name -> [D] float32 of unit length; no more than have variance.

    Raises
    ------
    ValueError
        Fewer than two latents, or latents that are not finite.
    """
    centred = _centred(latents)
    _, sizes, vectors = np.linalg.svd(centred, full_matrices=False)
    n_spread = int((sizes > sizes[0] * 1e-6).sum()) if sizes[0] > 0 else 0
    found = {}
    for k in range(min(n_directions, n_spread)):
        sign = np.sign(vectors[k][np.abs(vectors[k]).argmax()])
        found[f"pca-{k + 1}"] = (sign * vectors[k]).astype(np.float32)
    return found


def linear_direction(
    latents: NDArray[np.float32], is_value: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Unit normal [D] of the plane between works that are read as one value and all others.

    Shen et al. 2020, *Interpreting the Latent Space of GANs for Semantic Face Editing*, section
    2.1, by logistic regression. It points to the value, and has no part along an axis on which
    latents [N, D] do not differ.

    Raises
    ------
    ValueError
        All works or none are read as the value, or latents are not finite or as many as readings.
    """
    if len(latents) != len(is_value) or is_value.all() or not is_value.any():
        raise ValueError(f"{int(is_value.sum())} of {len(is_value)} works tell nothing apart")
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000)
    return _unit(model.fit(_centred(latents), is_value).coef_[0])


def without(
    direction: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """What is left of a direction [D] beside the span of ``others``, unit length again.

    Conditional manipulation: Shen et al. 2020, section 2.3 and their appendix for many conditions.

    Raises
    ------
    ValueError
        The direction lies in the span.
    """
    if not others:
        return direction
    _, sizes, rows = np.linalg.svd(np.stack(others).astype(np.float64), full_matrices=False)
    basis = rows[sizes > RANK_TOLERANCE * sizes[0]]
    return _unit(direction - basis.T @ (basis @ direction))


def spread(latents: NDArray[np.float32], direction: NDArray[np.float32]) -> float:
    """Standard deviation of latents [N, D] along a unit direction [D]: what strength 1 means."""
    return float((_centred(latents) @ direction.astype(np.float64)).std())


def mix(ws_a: Tensor, ws_b: Tensor, first: int, last: int) -> Tensor:
    """Style mixing (Karras et al. 2019, section 3.1): layers first to last of b, the rest of a.

    Parameters
    ----------
    ws_a, ws_b : [N, num_ws, w_dim].
    first, last : both included, 0 the coarsest.

    Raises
    ------
    ValueError
        Shapes differ, or layers that are not there.
    """
    if ws_a.shape != ws_b.shape or not 0 <= first <= last < ws_a.shape[1]:
        raise ValueError(f"layers {first} to {last} of {tuple(ws_a.shape)}, {tuple(ws_b.shape)}")
    mixed = ws_a.clone()
    mixed[:, first : last + 1] = ws_b[:, first : last + 1]
    return mixed


def _centred(latents: NDArray[np.float32]) -> NDArray[np.float64]:
    if latents.ndim != 2 or len(latents) < 2 or not np.isfinite(latents).all():
        raise ValueError(f"latents {latents.shape}: at least 2 finite rows needed")
    wide = latents.astype(np.float64)
    centred: NDArray[np.float64] = wide - wide.mean(axis=0)
    return centred


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    if not length > 1e-6:
        raise ValueError("nothing is left of the direction")
    return (vector / length).astype(np.float32)
