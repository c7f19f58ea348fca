"""BigGAN-deep: bottleneck blocks under one conditioning vector.

Brock et al. 2019, *Large Scale GAN Training for High Fidelity Natural Image Synthesis*, appendix B
(figure 16, tables 7 to 9): the shared class embedding, concatenated with z, conditions every batch
norm (gain 1 + linear, bias linear, neither with a bias of its own); blocks narrow to a quarter; the
skip drops channels; self-attention at one resolution (Zhang et al. 2019, section 3).

While it is trained every weight is divided by its largest singular value (Miyato et al. 2018). A
generator that only draws carries the divided weights (``folded``), draws each batch norm as part of
the convolution before it, and convolves before it doubles: nearest neighbours doubled and convolved
3x3 are four 2x2 convolutions of the undoubled picture.
"""

from dataclasses import replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from generation.gan import parallel
from generation.gan.biggan import truncations
from generation.gan.config import BigGanDeepConfig
from generation.gan.generator import Generator
from generation.gan.resample import is_recorded

MOMENTUM = 0.1
DRAWN_AT_ONCE = 8


class Norm(nn.Module):
    """Batch norm whose statistics may be kept for several truncations.

    ``running_mean`` and ``running_var`` are [T, C]: for T truncations evenly from 0 to 1, or for
    all (T = 1). Standing statistics (appendix D) fill them.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, config: BigGanDeepConfig) -> None:
        super().__init__()
        self.epsilon = config.epsilon
        self.momentum: float | None = MOMENTUM
        self.n_seen, self.row = 0, -1
        self.register_buffer("running_mean", torch.zeros(config.n_stats, channels))
        self.register_buffer("running_var", torch.ones(config.n_stats, channels))

    def statistics(self, x: Tensor, psi: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and variance [N or 1, C], of the batch in training, else the standing ones."""
        if self.training:
            mean = parallel.mean(x.mean((0, 2, 3)))
            var = parallel.mean((x - mean[:, None, None]).square().mean((0, 2, 3)))
            self._remember(mean.detach(), var.detach())
            return mean[None], var[None]
        last = len(self.running_mean) - 1
        if psi is None or not last:
            return self.running_mean[-1:], self.running_var[-1:]
        at = psi.clamp(0, 1) * last
        low = at.floor().long().clamp(max=last - 1)
        share = (at - low)[:, None]
        return (
            self.running_mean[low].lerp(self.running_mean[low + 1], share),
            self.running_var[low].lerp(self.running_var[low + 1], share),
        )

    def reset(self, row: int) -> None:
        """Average evenly from now on, into the statistics of one truncation."""
        self.momentum, self.n_seen, self.row = None, 0, row

    def _remember(self, mean: Tensor, var: Tensor) -> None:
        self.n_seen += 1
        share = self.momentum if self.momentum is not None else 1 / self.n_seen
        self.running_mean[self.row].lerp_(mean, share)
        self.running_var[self.row].lerp_(var, share)


class ConditionalNorm(Norm):
    """Gain 1 + linear in w, bias linear in w."""

    def __init__(self, channels: int, config: BigGanDeepConfig) -> None:
        super().__init__(channels, config)
        self.gain = _linear(config.cond_dim, channels, config, bias=False)
        self.bias = _linear(config.cond_dim, channels, config, bias=False)

    def scale_shift(self, x: Tensor, w: Tensor, psi: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scale and shift [N, C] that normalise x and apply what w asks for."""
        mean, var = self.statistics(x, psi)
        scale = (1 + self.gain(w)) * (var + self.epsilon).rsqrt()
        return scale, self.bias(w) - mean * scale


class PlainNorm(Norm):
    """Gain and bias that depend on nothing: the last norm of the network."""

    def __init__(self, channels: int, config: BigGanDeepConfig) -> None:
        super().__init__(channels, config)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def scale_shift(self, x: Tensor, psi: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, var = self.statistics(x, psi)
        scale = self.weight * (var + self.epsilon).rsqrt()
        return scale, self.bias - mean * scale


class Block(nn.Module):
    """Norm, ReLU, 1x1 to a quarter; twice norm, ReLU, 3x3; norm, ReLU, 1x1 (figure 16)."""

    def __init__(self, c_in: int, c_out: int, doubles: bool, config: BigGanDeepConfig) -> None:
        super().__init__()
        narrow = c_in // 4
        self.c_out, self.doubles = c_out, doubles
        widths = (c_in, narrow, narrow, narrow)
        norms = nn.ModuleList(ConditionalNorm(width, config) for width in widths)
        convs = nn.ModuleList(
            [
                _conv(c_in, narrow, 1, config),
                _conv(narrow, narrow, 3, config),
                _conv(narrow, narrow, 3, config),
                _conv(narrow, c_out, 1, config),
            ]
        )
        self.norms = cast("list[ConditionalNorm]", norms)
        self.convs = cast("list[nn.Conv2d]", convs)

    def forward(self, x: Tensor, w: Tensor, psi: Tensor | None) -> Tensor:
        h = x
        for place, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            scale, shift = norm.scale_shift(h, w, psi)
            h = _affine_relu(h, scale, shift)
            if place == 1 and self.doubles:
                h = double(h)
            h = conv(h)
        skip = x[:, : self.c_out]
        return h + (double(skip) if self.doubles else skip)


class FoldedBlock(nn.Module):
    """The same block for drawing: each norm but the first is part of the convolution before it."""

    quarters: Tensor

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.c_out, self.doubles = block.c_out, block.doubles
        self.norms, self.convs = block.norms, block.convs
        if self.doubles:
            quarters = quarter_kernels(self.convs[1].weight.detach())
            self.register_buffer("quarters", quarters, persistent=False)

    def forward(self, x: Tensor, w: Tensor, psi: Tensor | None) -> Tensor:
        h = _affine_relu(x, *self.norms[0].scale_shift(x, w, psi))
        for place in range(3):
            scale, shift = self.norms[place + 1].scale_shift(h, w, psi)
            conv = self.convs[place]
            assert conv.bias is not None
            shift = shift + scale * conv.bias
            if place == 0:
                h = pointwise(h, conv.weight, None)
            elif place == 1 and self.doubles:
                h = doubled_conv(h, self.quarters)
            else:
                h = F.conv2d(h, conv.weight, padding=1)
            h = _affine_relu(h, scale, shift)
        last, skip = self.convs[3], x[:, : self.c_out]
        if not self.doubles:
            return pointwise(h, last.weight, last.bias).add_(skip)
        assert last.bias is not None
        out, skip = pointwise(h, last.weight, None), skip + last.bias[:, None, None]
        n, c, height, width = skip.shape
        pairs = out.permute(0, 2, 3, 1).view(n, height, 2, width, 2, c)
        pairs += skip.permute(0, 2, 3, 1)[:, :, None, :, None]
        return out


class Attention(nn.Module):
    """Self-attention with pooled keys and values, added with a learned gain (Zhang et al. 2019)."""

    def __init__(self, channels: int, config: BigGanDeepConfig) -> None:
        super().__init__()
        self.theta = _conv(channels, channels // 8, 1, config, bias=False)
        self.phi = _conv(channels, channels // 8, 1, config, bias=False)
        self.g = _conv(channels, channels // 2, 1, config, bias=False)
        self.o = _conv(channels // 2, channels, 1, config, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query = self.theta(x).flatten(2).transpose(1, 2)[:, None]
        key = F.max_pool2d(self.phi(x), 2).flatten(2).transpose(1, 2)[:, None]
        value = F.max_pool2d(self.g(x), 2).flatten(2).transpose(1, 2)[:, None]
        wider = (0, value.shape[-1] - query.shape[-1])  # one width for all three: the fused kernel
        query, key = F.pad(query, wider), F.pad(key, wider)
        seen = F.scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]
        seen = seen.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
        return torch.addcmul(x, self.gamma, self.o(seen))


class BigGanDeep(Generator):
    """Linear to 4x4, two blocks a resolution, attention at one, norm, ReLU, 3x3 to RGB, tanh."""

    def __init__(self, config: BigGanDeepConfig) -> None:
        super().__init__(config)
        self._config = config
        first = config.g_channels[0]
        classes, size = config.schema.c_dim, config.embed_dim
        self.embed = nn.Linear(classes, size, bias=False) if classes else None
        self.start = _linear(config.cond_dim, 16 * first, config)
        blocks = nn.ModuleList(Block(*spec, config) for spec in config.blocks)
        self.blocks = cast("list[Block | FoldedBlock]", blocks)
        self.attention = (
            Attention(config.attention_channels, config) if config.attention_px else None
        )
        self.last_norm = PlainNorm(config.g_channels[-1], config)
        self.to_rgb = _conv(config.g_channels[-1], 3, 3, config)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(_stored_weight(module))

    @property
    def config(self) -> BigGanDeepConfig:
        return self._config

    @property
    def latent_dim(self) -> int:
        return self.z_dim

    def latent_maps(self) -> list[Tensor]:
        norms = [m for m in self.modules() if isinstance(m, ConditionalNorm)]
        maps = [self.start.weight]
        for norm in norms:
            maps += [norm.gain.weight, norm.bias.weight]
        return [weight[:, : self.z_dim] for weight in maps]

    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """As in ``Generator``: psi scales z towards 0 (section 3.1, without resampling).

        Where statistics are kept by truncation, psi is the last entry of w.
        """
        assert z.shape[1:] == (self.z_dim,)
        assert c.shape == (len(z), self.c_dim)
        psi = truncations(z, self.num_ws, truncation_psi, truncation_cutoff)
        parts = [z[:, None] * psi]
        if self.embed is not None:
            parts.append(self.embed(c)[:, None].expand(-1, self.num_ws, -1))
        if self._config.n_stats > 1:
            parts.append(psi.expand(len(z), -1, -1))
        return torch.cat(parts, dim=2)

    def synthesis(self, ws: Tensor) -> Tensor:
        """As in ``Generator``; on a CPU by eights, which stay in its caches."""
        assert ws.shape[1:] == (self.num_ws, self.w_dim)
        if self.training or ws.is_cuda or is_recorded(ws, self.start.weight):
            return self._draw(ws)
        return torch.cat([self._draw(part) for part in torch.split(ws, DRAWN_AT_ONCE)])

    def _draw(self, ws: Tensor) -> Tensor:
        psi = None
        if self._config.n_stats > 1:
            ws, psi = ws[:, :, :-1], ws[:, :, -1]
        x = self.start(ws[:, 0]).unflatten(1, (-1, 4, 4))
        x = x.contiguous(memory_format=torch.channels_last)
        for place, block in enumerate(self.blocks, start=1):
            x = block(x, ws[:, place], None if psi is None else psi[:, place])
            if self.attention is not None and place == self._config.attention_at:
                x = self.attention(x)
        scale, shift = self.last_norm.scale_shift(x, None if psi is None else psi[:, -1])
        image: Tensor = torch.tanh(self.to_rgb(_affine_relu(x, scale, shift)))
        assert image.shape[1:] == (3, self.img_resolution, self.img_resolution)
        return image.float()

    def folded(self) -> "BigGanDeep":
        """A copy in eval mode that draws the same pictures faster and cannot be trained."""
        twin = BigGanDeep(replace(self._config, spectral=False))
        for name, target in twin.state_dict().items():
            target.copy_(_named(self, name).detach())
        twin.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        blocks = nn.ModuleList(
            FoldedBlock(block) for block in twin.blocks if isinstance(block, Block)
        )
        twin.blocks = cast("list[Block | FoldedBlock]", blocks)
        return twin.eval().requires_grad_(False)

    @torch.no_grad()
    def adopt(self, other: Generator) -> None:
        for name, tensor in other.state_dict().items():
            path, _, attribute = name.rpartition(".")
            module = self.get_submodule(path)
            if parametrize.is_parametrized(module, attribute):
                setattr(module, attribute, tensor)
            else:
                _named(self, name).copy_(tensor)


def _named(module: nn.Module, name: str) -> Tensor:
    """A weight or buffer as it acts: after its parametrization, where it has one."""
    path, _, attribute = name.rpartition(".")
    found: Tensor = getattr(module.get_submodule(path), attribute)
    return found


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1x1 convolution as one product of all pixels, channels last."""
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def double(x: Tensor) -> Tensor:
    """Twice the side by nearest neighbours."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def quarter_kernels(weight: Tensor) -> Tensor:
    """Kernels [4 C_out, C_in, 2, 2] of the even and odd rows and columns of ``conv(double(x))``.

    Of three neighbours in a doubled row two are the same sample, so their weights add up: an even
    row sees w0 of the sample before and w1 + w2 of its own, an odd one w0 + w1 and w2.
    """
    rows = torch.stack([weight[:, :, 0], weight[:, :, 1] + weight[:, :, 2]], 2)
    odd_rows = torch.stack([weight[:, :, 0] + weight[:, :, 1], weight[:, :, 2]], 2)
    kernels = []
    for half in (rows, odd_rows):
        kernels.append(torch.stack([half[..., 0], half[..., 1] + half[..., 2]], 3))
        kernels.append(torch.stack([half[..., 0] + half[..., 1], half[..., 2]], 3))
    return torch.cat(kernels).contiguous(memory_format=torch.channels_last)


def doubled_conv(x: Tensor, quarters: Tensor) -> Tensor:
    """``conv2d(double(x), weight, padding=1)`` from the kernels of ``quarter_kernels``."""
    n, _, height, width = x.shape
    c_out = len(quarters) // 4
    out = x.new_empty(n, height, 2, width, 2, c_out)
    for place, kernel in enumerate(torch.split(quarters, c_out)):
        row, column = divmod(place, 2)
        part = F.conv2d(x, kernel, padding=1)
        part = part[:, :, row : row + height, column : column + width]
        out[:, :, row, :, column] = part.permute(0, 2, 3, 1)
    return out.view(n, 2 * height, 2 * width, c_out).permute(0, 3, 1, 2)


def _affine_relu(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    h = torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])
    return F.relu(h) if h.requires_grad else F.relu_(h)


def _linear(n_in: int, n_out: int, config: BigGanDeepConfig, *, bias: bool = True) -> nn.Linear:
    linear = nn.Linear(n_in, n_out, bias=bias)
    if config.spectral:
        spectral_norm(linear, eps=config.epsilon)
    return linear


def _conv(
    c_in: int, c_out: int, kernel: int, config: BigGanDeepConfig, *, bias: bool = True
) -> nn.Conv2d:
    conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=bias)
    if config.spectral:
        spectral_norm(conv, eps=config.epsilon)
    return conv


def _stored_weight(module: nn.Module) -> Tensor:
    held = dict(module.named_parameters())
    weight = held.get("weight", held.get("parametrizations.weight.original"))
    assert weight is not None
    return weight
