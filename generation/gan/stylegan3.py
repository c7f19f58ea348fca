"""The alias-free generator, configurations T and R.

Karras et al. 2021, *Alias-Free Generative Adversarial Networks*; mapping, style modulation and
demodulation after Karras et al. 2019 and 2020. The style scales what enters ONE convolution with
shared weights and the demodulation scales what leaves it, which is the same as a convolution with
weights of each sample's own (Karras et al. 2020, section 2.2).
"""

import itertools
import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.gan import parallel, winograd
from generation.gan.generator import Generator
from generation.gan.resample import CLAMP, SLOPE, FilteredLeakyReLU, is_recorded
from generation.gan.schedule import LayerSpec, StyleGAN3Config

EPSILON = 1e-8
MAPPING_RATE = 0.01
OUTPUT_SCALE = 0.25
W_AVG_BETA = 0.998
MAGNITUDE_KIMG = 20.0
WINOGRAD_WIDTH = 3200  # channels in times channels out from which it is the faster one


class EqualLinear(nn.Module):
    """A linear map whose weights are stored with unit variance (Karras et al. 2018, section 4.1).

    The stored weight is N(0, 1) / ``rate`` and acts times ``rate`` / sqrt(inputs), the bias times
    ``rate``: ``rate`` is the learning rate relative to the network's.
    """

    def __init__(self, n_in: int, n_out: int, *, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / rate)
        self.bias = nn.Parameter(torch.full((n_out,), bias))
        self.gain, self.rate = rate / math.sqrt(n_in), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


def normalise(x: Tensor) -> Tensor:
    """X / sqrt(mean x^2 + 1e-8) over the last axis (Karras et al. 2018, section 4.2)."""
    return x * (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


class Mapping(nn.Module):
    """z and c to w, with the running mean of w that truncation pulls towards."""

    w_avg: Tensor

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        c_dim, width = config.schema.c_dim, config.w_dim
        self.embed = EqualLinear(c_dim, width) if c_dim else None
        widths = [config.z_dim + (width if c_dim else 0)] + [width] * config.mapping_layers
        layers = nn.ModuleList(
            EqualLinear(a, b, rate=MAPPING_RATE) for a, b in itertools.pairwise(widths)
        )
        self.layers = cast("list[EqualLinear]", layers)
        self.register_buffer("w_avg", torch.zeros(width))

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """W [N, w_dim]; in training w_avg moves towards the batch's mean."""
        x = normalise(z)
        if self.embed is not None:
            x = torch.cat([x, normalise(self.embed(c))], dim=1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE) * math.sqrt(2)
        if self.training:
            self.w_avg.lerp_(parallel.mean(x.detach().mean(0)), 1 - W_AVG_BETA)
        return x


class FourierFeatures(nn.Module):
    """The input: waves of random frequency and phase, turned and shifted by w (appendix F)."""

    weight: Tensor
    transform: Tensor
    freqs: Tensor
    phases: Tensor

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.band = band = config.bands[0]
        n = band.channels
        self.weight = nn.Parameter(torch.randn(n, n))
        self.affine = EqualLinear(config.w_dim, 4)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0, 0, 0]))
        radius, angle = torch.rand(n).sqrt() * band.cutoff, torch.rand(n) * 2 * math.pi
        self.register_buffer("freqs", torch.stack([angle.cos(), angle.sin()], 1) * radius[:, None])
        self.register_buffer("phases", torch.rand(n) - 0.5)
        self.register_buffer("transform", torch.eye(3))

    def forward(self, w: Tensor) -> Tensor:
        """Features [N, C0, size, size], channels last, from w [N, w_dim]."""
        band = self.band
        freqs, phases = self._moved(self.affine(w).float())
        width = band.rate / 2 - band.cutoff
        amplitude = (1 - (freqs.norm(dim=2) - band.cutoff) / width).clamp(0, 1)  # [N, C0]
        at = torch.arange(band.size, device=w.device, dtype=torch.float32)
        at = (at + 0.5 - band.size / 2) / band.rate
        across, along = freqs[:, None, None, :, 0], freqs[:, None, None, :, 1]
        turns = across * at[None, None, :, None] + along * at[None, :, None, None]
        waves = torch.sin(2 * math.pi * (turns + phases[:, None, None])) * amplitude[:, None, None]
        features = waves @ (self.weight / math.sqrt(band.channels)).t()
        out: Tensor = features.permute(0, 3, 1, 2)
        return out

    def _moved(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Frequencies [N, C0, 2] and phases [N, C0] of the picture turned and then shifted by t.

        A wave at p' = R (p - s) has frequency f R and phase phi - f R s.
        """
        cos, sin, x, y = (t / t[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        turn = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
        shift = turn @ torch.stack([x, y], dim=1)[:, :, None]
        user = self.transform
        matrix = turn @ user[:2, :2]
        offset = turn @ user[:2, 2:] - shift
        phases = self.phases + (self.freqs @ offset).squeeze(2)
        return self.freqs @ matrix, phases


@dataclass(frozen=True)
class Folded:
    """A layer's weights with all that no latent changes.

    ``weight`` is [C_out, C_in, k, k], or the factors [36, C_in, C_out] of ``winograd``; ``energy``
    [C_out, C_in] makes the demodulation, and is missing where there is none.
    """

    weight: Tensor
    energy: Tensor | None
    is_winograd: bool


class Layer(nn.Module):
    """Modulated convolution, then filtered leaky ReLU; ToRGB has neither demodulation nor filters.

    Every layer but ToRGB transposes its picture. What enters one of odd index is transposed.
    """

    magnitude_ema: Tensor

    def __init__(self, spec: LayerSpec, w_dim: int) -> None:
        super().__init__()
        self.spec = spec
        c_in, c_out = spec.before.channels, spec.after.channels
        self.weight = nn.Parameter(torch.randn(c_out, c_in, spec.kernel, spec.kernel))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.affine = EqualLinear(w_dim, c_in, bias=1.0)
        self.register_buffer("magnitude_ema", torch.ones(()))
        self.activate = None if spec.is_rgb else FilteredLeakyReLU(spec)
        self._kept: tuple[object, Folded] | None = None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[N, C_out, size, size] from [N, C_in, size, size] and w [N, w_dim]."""
        if self.training:
            self._watch(x)
        style = self.affine(w)
        is_one = len(x) == 1 and not x.is_cuda and not is_recorded(x, w, self.weight)
        folded = self.fold(x.dtype, may_winograd=is_one)
        if folded.energy is None or self.activate is None:
            rgb = self._convolve(x, folded, style, torch.ones_like(self.bias)[None])
            return rgb.clamp(-CLAMP, CLAMP)
        style = style * style.square().mean(1, keepdim=True).rsqrt()
        demodulation = (style.square() @ folded.energy.t() + EPSILON).rsqrt()
        h = self._convolve(x, folded, style, demodulation)
        out: Tensor = self.activate(h)
        return out

    def _convolve(self, x: Tensor, folded: Folded, style: Tensor, demodulation: Tensor) -> Tensor:
        """The modulated convolution and the bias.

        Of a single picture by the smaller of weight and picture, or by fewer multiplications.
        """
        bias, padding = self.bias.to(x.dtype), self.spec.kernel - 1
        style, demodulation = style.to(x.dtype), demodulation.to(x.dtype)
        if folded.is_winograd:
            picture = x[0].permute(1, 2, 0)
            h = winograd.convolve(picture, folded.weight, style[0], demodulation[0], bias)
            return h.permute(2, 0, 1)[None]
        weight = folded.weight
        n_picture = x[0].numel() + len(bias) * self.spec.conv_size**2
        if len(x) == 1 and weight.numel() < n_picture:
            own = weight * style[0, :, None, None] * demodulation[0, :, None, None, None]
            return F.conv2d(x, own, bias, padding=padding)
        h = F.conv2d(x * style[:, :, None, None], weight, padding=padding)
        return torch.addcmul(bias[:, None, None], h, demodulation[:, :, None, None])

    def fold(self, dtype: torch.dtype, *, may_winograd: bool) -> Folded:
        """The weights made ready; kept until they change, where nothing is being trained."""
        change = (self.weight.data_ptr(), self.weight._version, self.magnitude_ema._version)
        key = (*change, dtype, may_winograd)
        if self._kept is not None and self._kept[0] == key:
            return self._kept[1]
        weight = self.weight.transpose(2, 3) if self.spec.index % 2 else self.weight
        gain, energy = self.magnitude_ema.rsqrt(), None
        if self.spec.is_rgb:
            weight = weight * (gain / math.sqrt(weight.shape[1]))
        else:
            unit = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
            weight, energy = unit * gain, unit.square().sum((2, 3))
        pays = self.spec.kernel == 3 and weight.shape[0] * weight.shape[1] >= WINOGRAD_WIDTH
        if pays and may_winograd and dtype == torch.float32:
            folded = Folded(winograd.transform_weight(weight), energy, True)
        else:
            weight = weight.to(dtype).contiguous(memory_format=torch.channels_last)
            folded = Folded(weight, energy, False)
        if not is_recorded(self.weight):
            self._kept = (key, folded)
        return folded

    @torch.no_grad()
    def _watch(self, x: Tensor) -> None:
        """Follow the mean square of what enters (appendix B)."""
        n_pictures = len(x) * parallel.world_size()
        beta = 0.5 ** (n_pictures / (MAGNITUDE_KIMG * 1000))
        self.magnitude_ema.lerp_(parallel.mean(x.detach().float().square().mean()), 1 - beta)


class StyleGAN3(Generator):
    """Mapping network, Fourier features, layers, ToRGB."""

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__(config)
        self._config = config
        self.map = Mapping(config)
        self.input = FourierFeatures(config)
        layers = nn.ModuleList(Layer(spec, config.w_dim) for spec in config.layers)
        self.layers = cast("list[Layer]", layers)
        self.compute_dtype = torch.float32

    @property
    def config(self) -> StyleGAN3Config:
        return self._config

    @property
    def draws_singly(self) -> bool:
        return self.device.type == "cpu"

    @property
    def latent_dim(self) -> int:
        return self.w_dim

    def latent_maps(self) -> list[Tensor]:
        return [layer.affine.weight for layer in self.layers]

    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """As in ``Generator``; w' = w_avg + psi (w - w_avg) (Karras et al. 2019, appendix B)."""
        assert z.shape[1:] == (self.z_dim,)
        assert c.shape == (len(z), self.c_dim)
        ws: Tensor = self.map(z, c)[:, None].repeat(1, self.num_ws, 1)
        if truncation_psi != 1:
            cutoff = self.num_ws if truncation_cutoff is None else truncation_cutoff
            ws[:, :cutoff] = self.map.w_avg.lerp(ws[:, :cutoff], truncation_psi)
        return ws

    def synthesis(self, ws: Tensor) -> Tensor:
        """As in ``Generator``; on a CPU one picture after another, which is faster and exact."""
        assert ws.shape[1:] == (self.num_ws, self.w_dim)
        if ws.is_cuda or len(ws) == 0 or is_recorded(ws, self.input.weight):
            return self._draw(ws)
        image = ws.new_empty(len(ws), 3, self.img_resolution, self.img_resolution)
        for row in range(len(ws)):
            image[row] = self._draw(ws[row : row + 1])[0]
        return image

    def _draw(self, ws: Tensor) -> Tensor:
        x = self.input(ws[:, 0]).to(self.compute_dtype)
        for layer, w in zip(self.layers, ws[:, 1:].unbind(1), strict=True):
            x = layer(x, w)
        if self._config.n_layers % 2:
            x = x.transpose(2, 3)
        image: Tensor = x.float() * OUTPUT_SCALE
        assert image.shape[1:] == (3, self.img_resolution, self.img_resolution)
        return image
