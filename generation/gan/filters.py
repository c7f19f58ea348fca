"""Low-pass filters of alias-free networks, and resampling as matrices.

Karras et al. 2021, *Alias-Free Generative Adversarial Networks*: Kaiser-windowed filters (section
3.2 and appendix C); which cutoffs, ``generation.gan.schedule`` says.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, kaiser_atten, kaiser_beta
from scipy.special import j1

from generation.gan.schedule import LayerSpec

RANK_TOLERANCE = 1e-7


def low_pass(n_taps: int, cutoff: float, half_width: float, rate: float) -> NDArray[np.float64]:
    """Kaiser-windowed sinc filter [n_taps] of unit gain at frequency 0.

    Parameters
    ----------
    n_taps : number of taps, at least 1; a single tap is the identity.
    cutoff : frequency of half amplitude, cycles per picture side.
    half_width : half the width of the transition band, cycles per picture side.
    rate : sampling rate of the taps, samples per picture side.

    Source: Karras et al. 2021, appendix C, equations 14 and 15.
    """
    if n_taps == 1:
        return np.ones(1)
    taps: NDArray[np.float64] = firwin(n_taps, cutoff, width=2 * half_width, fs=rate)
    return taps


def radial_low_pass(
    n_taps: int, cutoff: float, half_width: float, rate: float
) -> NDArray[np.float64]:
    """Radially symmetric filter [n_taps, n_taps] of unit gain: jinc under a Kaiser window.

    The jinc is the impulse response of an ideal disc of frequencies; arguments as in ``low_pass``.
    Source: Karras et al. 2021, section 3.2 (configuration R) and appendix C.
    """
    if n_taps % 2:
        raise ValueError(
            f"a radial filter of {n_taps} taps has one at radius 0: use an even number"
        )
    at = (np.arange(n_taps) - (n_taps - 1) / 2) / rate
    radius = np.hypot(at[:, None], at[None, :])
    jinc = j1(2 * np.pi * cutoff * radius) / (np.pi * radius)
    window = np.kaiser(n_taps, kaiser_beta(kaiser_atten(n_taps, 2 * half_width / (rate / 2))))
    taps: NDArray[np.float64] = jinc * np.outer(window, window)
    normed: NDArray[np.float64] = taps / taps.sum()
    return normed


def up_taps(spec: LayerSpec) -> NDArray[np.float64]:
    """Filter [6 up] of a layer after the insertion of zeros; the band is that of its input."""
    return low_pass(spec.n_up_taps, spec.before.cutoff, spec.before.half_width, spec.tmp_rate)


def down_taps(spec: LayerSpec) -> NDArray[np.float64]:
    """Filter [6 down] of a layer before it drops samples, [6 down, 6 down] where it is radial."""
    make = radial_low_pass if spec.is_radial and spec.n_down_taps > 1 else low_pass
    return make(spec.n_down_taps, spec.after.cutoff, spec.after.half_width, spec.tmp_rate)


def separable_terms(
    taps: NDArray[np.float64], tolerance: float = RANK_TOLERANCE
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Pairs (column, row) whose outer products sum to ``taps`` [n, n].

    Terms with a singular value under ``tolerance`` of the largest are left out: of the radial
    filters in use the fourth is 1.4e-8 of the first.
    """
    u, values, vt = np.linalg.svd(taps)
    kept = values > tolerance * values[0]
    roots = np.sqrt(values[kept])
    return [(u[:, k] * root, vt[k] * root) for k, root in enumerate(roots)]


def up_matrix(
    taps: NDArray[np.float64], factor: int, n_in: int, n_out: int, pad: int
) -> NDArray[np.float64]:
    """Matrix [n_out, n_in] that inserts zeros, pads ``pad`` samples before, filters; gain factor.

    Row t holds ``factor * taps[i * factor + pad - t]`` at column i.
    """
    at = np.arange(n_in)[None, :] * factor + pad - np.arange(n_out)[:, None]
    return factor * _taps_at(taps, at)


def down_matrix(
    taps: NDArray[np.float64], factor: int, n_in: int, n_out: int
) -> NDArray[np.float64]:
    """Matrix [n_out, n_in] that filters and keeps each ``factor``-th sample.

    Row o holds ``taps[t - o * factor]`` at column t.
    """
    at = np.arange(n_in)[None, :] - np.arange(n_out)[:, None] * factor
    return _taps_at(taps, at)


def _taps_at(taps: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    inside = (at >= 0) & (at < len(taps))
    return np.where(inside, taps[np.clip(at, 0, len(taps) - 1)], 0.0)
