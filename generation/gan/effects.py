"""Measures what a latent direction does: the same works at several strengths, read by a parser."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from generation.gan.generator import Generator
from generation.gan.latent import ItemSpec
from generation.gan.render import render
from generation.traits.effect import Effect
from generation.traits.parameters import Parameters
from generation.traits.parser import ParserNetwork, parse

STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


def measure_effect(
    generator: Generator,
    parser: ParserNetwork,
    step: NDArray[np.float32],
    specs: Sequence[ItemSpec],
    parameters: Parameters,
    strengths: Sequence[float] = STRENGTHS,
) -> Effect:
    """Draw ``specs`` at each strength, canonically, and count how they are read.

    Parameters
    ----------
    step : [w_dim], what strength 1 adds to w.
    parameters : truncation as in a drop; their own directions are left out.
    strengths : rising, each in [-MAX_STRENGTH, MAX_STRENGTH], 0 among them.

    Raises
    ------
    ValueError
        No specs, or strengths that do not rise or lack 0.
    """
    if not specs or 0 not in strengths or list(strengths) != sorted(set(strengths)):
        raise ValueError(f"{len(specs)} works at strengths {list(strengths)}: they rise through 0")
    read = []
    for strength in strengths:
        moved = replace(parameters, directions={"measured": strength})
        read.append(labels(parser, render(generator, specs, moved, {"measured": step})))
    return count_effect(parser.schema.attributes, strengths, np.stack(read))


def labels(parser: ParserNetwork, pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """What is read in pictures [N, H, W, 3]: [N, attributes], places among each one's values."""
    attributes = parser.schema.attributes
    rows = [
        [options.index(found.values[name]) for name, options in attributes]
        for found in parse(parser, pictures)
    ]
    return np.array(rows, np.int64).reshape(len(pictures), len(attributes))


def count_effect(
    attributes: Sequence[tuple[str, tuple[str, ...]]],
    strengths: Sequence[float],
    read: NDArray[np.int64],
) -> Effect:
    """Shares, rank correlations and flips of readings [strengths, N, attributes].

    Spearman's rho with ties as in ``scipy.stats.spearmanr``: a share that stays at 0 or 1 over
    several strengths lowers it.
    """
    shares, spearman, flips = {}, {}, {}
    at_zero = read[list(strengths).index(0)]
    for i, (name, options) in enumerate(attributes):
        table = np.stack([(read[:, :, i] == k).mean(axis=1) for k in range(len(options))])
        shares[name] = {v: tuple(row.tolist()) for v, row in zip(options, table, strict=True)}
        spearman[name] = {v: _rho(strengths, row) for v, row in zip(options, table, strict=True)}
        flips[name] = tuple((read[:, :, i] != at_zero[:, i]).mean(axis=1).tolist())
    return Effect(tuple(strengths), read.shape[1], shares, spearman, flips)


def _rho(strengths: Sequence[float], row: NDArray[np.float64]) -> float:
    return float(spearmanr(strengths, row).statistic) if np.ptp(row) else 0.0
