import numpy as np
import pytest
from scipy import signal

from generation.gan import filters
from generation.gan.config import AttributeSchema
from generation.gan.schedule import StyleGAN3Config

FREE = AttributeSchema(())


def test_a_low_pass_filter_halves_at_its_cutoff_and_stops_what_lies_beyond_its_band() -> None:
    taps = filters.low_pass(12, cutoff=4.0, half_width=4.0, rate=32)

    frequencies, response = signal.freqz(taps, worN=4096, fs=32)

    gain = np.abs(response)
    assert gain[0] == pytest.approx(1, abs=1e-9)
    assert gain[np.searchsorted(frequencies, 4.0)] == pytest.approx(0.5, abs=0.02)
    assert gain[frequencies > 8.5].max() < 0.02


def test_a_single_tap_is_the_identity() -> None:
    assert filters.low_pass(1, cutoff=3.0, half_width=1.0, rate=16).tolist() == [1.0]


def test_a_radial_filter_is_the_same_after_a_turn_and_passes_the_mean() -> None:
    taps = filters.radial_low_pass(12, cutoff=4.0, half_width=4.0, rate=32)

    assert np.allclose(taps, taps.T, atol=1e-12)
    assert np.allclose(taps, taps[::-1], atol=1e-12)
    assert taps.sum() == pytest.approx(1)


def test_a_radial_filter_treats_every_direction_alike_where_a_separable_one_does_not() -> None:
    radial = filters.radial_low_pass(12, cutoff=4.0, half_width=4.0, rate=32)
    row = filters.low_pass(12, cutoff=4.0, half_width=4.0, rate=32)
    at = np.arange(12) - 5.5

    def gain(taps: np.ndarray, angle: float) -> float:
        phase = 2 * np.pi * 5.0 / 32 * (np.cos(angle) * at[None] + np.sin(angle) * at[:, None])
        return float(np.abs((taps * np.exp(1j * phase)).sum()))

    along, across = gain(radial, 0.0), gain(radial, np.pi / 4)
    assert across == pytest.approx(along, abs=0.02)
    assert abs(gain(np.outer(row, row), 0.0) - gain(np.outer(row, row), np.pi / 4)) > 0.03


def test_an_odd_radial_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="radius 0"):
        filters.radial_low_pass(11, cutoff=4.0, half_width=4.0, rate=32)


def test_the_terms_of_a_radial_filter_add_up_to_it() -> None:
    taps = filters.radial_low_pass(12, cutoff=4.0, half_width=4.0, rate=32)

    terms = filters.separable_terms(taps)

    assert 2 <= len(terms) <= 6
    assert np.allclose(sum(np.outer(a, b) for a, b in terms), taps, atol=1e-6 * taps.max())


@pytest.mark.parametrize(("factor", "pad"), [(2, 9), (4, -6), (1, 0)])
def test_the_upsampling_matrix_is_scipys_upfirdn(factor: int, pad: int) -> None:
    taps = filters.low_pass(6 * factor, cutoff=2.0, half_width=2.0, rate=16 * factor)
    x = np.random.default_rng(1).normal(size=20)

    found = filters.up_matrix(taps, factor, 20, 40, pad) @ x

    whole = signal.upfirdn(factor * taps, x, up=factor)
    first = len(taps) - 1 - pad  # sample 0 of ours has its last tap on the first padded zero
    wanted = np.array([whole[t] if 0 <= t < len(whole) else 0 for t in range(first, first + 40)])
    assert np.allclose(found, wanted, atol=1e-12)


def test_the_downsampling_matrix_is_scipys_upfirdn() -> None:
    taps = filters.low_pass(12, cutoff=2.0, half_width=2.0, rate=16)
    x = np.random.default_rng(1).normal(size=50)

    found = filters.down_matrix(taps, 2, 50, 20) @ x

    assert np.allclose(found, signal.upfirdn(taps, x, down=1)[11 : 11 + 40 : 2], atol=1e-12)


def test_the_schedule_is_the_published_one() -> None:
    """Sizes and widths of the 256 px networks in the names of published files."""
    config = StyleGAN3Config(FREE, 256, channel_base=16384)

    found = [(spec.after.size, spec.after.channels) for spec in config.layers]

    assert found == [
        *[(36, 512)] * 3,
        *[(52, 512)] * 2,
        *[(84, 512)] * 2,
        (148, 362),
        (148, 256),
        (148, 181),
        (276, 128),
        (276, 91),
        (276, 64),
        (256, 64),
        (256, 3),
    ]
