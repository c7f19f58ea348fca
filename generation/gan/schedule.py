"""The layers of an alias-free generator: which frequencies, sizes and widths each one has.

Karras et al. 2021, *Alias-Free Generative Adversarial Networks*, section 3.2 and appendix C:
cutoffs and stopbands rise geometrically from the first layer to the first critically sampled one.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from generation.gan.config import AttributeSchema, ConfigError, Configuration

MAX_PX, MAX_LAYERS = 1024, 64
FILTER_TAPS = 6  # per phase; appendix C


@dataclass(frozen=True)
class Band:
    """What a signal between two layers can hold, in cycles and samples per picture side."""

    cutoff: float
    half_width: float
    rate: int
    size: int
    channels: int


@dataclass(frozen=True)
class LayerSpec:
    """One layer: 1x1 or 3x3 convolution, then up, leaky ReLU, down between two bands."""

    index: int
    kernel: int
    before: Band
    after: Band
    is_rgb: bool
    is_radial: bool

    @property
    def tmp_rate(self) -> int:
        """Sampling rate at which the non-linearity acts."""
        return max(self.before.rate, self.after.rate) * (1 if self.is_rgb else 2)

    @property
    def up(self) -> int:
        return self.tmp_rate // self.before.rate

    @property
    def down(self) -> int:
        return self.tmp_rate // self.after.rate

    @property
    def conv_size(self) -> int:
        """Side after the convolution, which pads by kernel - 1."""
        return self.before.size + self.kernel - 1

    @property
    def n_up_taps(self) -> int:
        return FILTER_TAPS * self.up if self.up > 1 else 1

    @property
    def n_down_taps(self) -> int:
        return FILTER_TAPS * self.down if self.down > 1 else 1

    @property
    def tmp_size(self) -> int:
        """Side at the temporary rate, after the first filter and before the second."""
        return (self.after.size - 1) * self.down + self.n_down_taps

    @property
    def pad(self) -> int:
        """Zeros before the first sample at the temporary rate; negative where samples are cut.

        The whole padding keeps the picture's centre where it is; of an odd rest and of the zeros
        that upsampling puts behind the last sample, the front takes the larger part.
        """
        total = (self.after.size - 1) * self.down + 1 - self.conv_size * self.up
        total += self.n_up_taps + self.n_down_taps - 2
        return (total + self.up) // 2


@dataclass(frozen=True)
class StyleGAN3Config(Configuration):
    """An alias-free generator (Karras et al. 2021); the defaults are configuration T.

    Parameters
    ----------
    schema : the attributes it is asked for; empty for none.
    img_resolution : side of the picture, px; a power of two, 16 or more.
    z_dim, w_dim : sizes of the latent and of the intermediate latent.
    channel_base, channel_max : layer i has round(min(base / 2 / cutoff_i, max)) channels.
    n_layers, n_critical : layers but ToRGB, and how many of the last are critically sampled.
    kernel, radial : 3 and False for T, 1 and True for R.
    margin : samples drawn beyond each border, which keep it from being seen (section 3.2: 10).
    first_cutoff, first_stopband, last_stopband_rel : the ends of the schedule (appendix C).
    mapping_layers : layers of the mapping network.
    """

    img_resolution: int
    z_dim: int = 512
    w_dim: int = 512
    channel_base: int = 32768
    channel_max: int = 512
    n_layers: int = 14
    n_critical: int = 2
    kernel: int = 3
    radial: bool = False
    margin: int = 10
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband_rel: float = 2**0.3
    mapping_layers: int = 2

    def __post_init__(self) -> None:
        size = self.img_resolution
        if not 16 <= size <= MAX_PX or size & (size - 1):
            raise ConfigError(f"{size} px is not a power of two from 16 to {MAX_PX}")
        if not 0 < self.n_critical < self.n_layers <= MAX_LAYERS:
            raise ConfigError(f"{self.n_critical} critical layers of {self.n_layers}")
        if self.kernel not in (1, 3) or not (
            0 <= self.margin <= size and 1 <= self.mapping_layers <= MAX_LAYERS
        ):
            raise ConfigError(
                f"kernel {self.kernel}, margin {self.margin}, mapping {self.mapping_layers}"
            )
        if min(self.z_dim, self.w_dim, self.channel_base, self.channel_max) < 1:
            raise ConfigError("sizes must be positive")

    @classmethod
    def rotation(cls, schema: AttributeSchema, img_resolution: int, **fields: Any) -> Self:
        """Configuration R: 1x1 convolutions, radial filters, twice the channels (table 3)."""
        wide = {"channel_base": 65536, "channel_max": 1024}
        return cls(schema, img_resolution, kernel=1, radial=True, **(wide | fields))

    @property
    def num_ws(self) -> int:
        """One for the input, one for each layer and ToRGB."""
        return self.n_layers + 2

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The bands of layers 0 to N (ToRGB)."""
        n = self.n_layers
        last_cutoff = self.img_resolution / 2
        last_stopband = last_cutoff * self.last_stopband_rel
        found = []
        for i in range(n + 1):
            exponent = min(i / (n - self.n_critical), 1)
            cutoff = self.first_cutoff * (last_cutoff / self.first_cutoff) ** exponent
            stopband = self.first_stopband * (last_stopband / self.first_stopband) ** exponent
            rate = 2 ** math.ceil(math.log2(min(2 * stopband, self.img_resolution)))
            at_end = i >= n - 1
            found.append(
                Band(
                    cutoff=cutoff,
                    half_width=max(stopband, rate / 2) - cutoff,
                    rate=rate,
                    size=self.img_resolution if at_end else rate + 2 * self.margin,
                    channels=3
                    if i == n
                    else round(min(self.channel_base / 2 / cutoff, self.channel_max)),
                )
            )
        return tuple(found)

    @cached_property
    def layers(self) -> tuple[LayerSpec, ...]:
        """Layers 0 to N; layer i takes what layer i - 1 gives, layer 0 the Fourier features."""
        n = self.n_layers
        return tuple(
            LayerSpec(
                index=i,
                kernel=1 if i == n else self.kernel,
                before=self.bands[max(i - 1, 0)],
                after=self.bands[i],
                is_rgb=i == n,
                is_radial=self.radial and i < n - self.n_critical,
            )
            for i in range(n + 1)
        )
