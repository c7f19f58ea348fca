"""The generators by plain operations, as their papers write them: oracle of tests, peer in timings.

Weights are a generator's own; only the arithmetic differs. A modulated convolution is a grouped
convolution with the weights of each sample, resampling is insertion of zeros and a depthwise
convolution (Karras et al. 2020 and 2021); BigGAN-deep evaluates spectral norm, batch norm, gain and
bias one by one (Brock et al. 2019).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parametrize

from generation.gan.biggan_deep import BigGanDeep, Block
from generation.gan.filters import down_taps, up_taps
from generation.gan.stylegan3 import Layer, StyleGAN3


def stylegan3(generator: StyleGAN3, ws: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] from ws [N, num_ws, w_dim]."""
    x: Tensor = generator.input(ws[:, 0])
    for layer, w in zip(generator.layers, ws[:, 1:].unbind(1), strict=True):
        x = stylegan3_layer(layer, x, w)
    return x * 0.25


def stylegan3_layer(layer: Layer, x: Tensor, w: Tensor) -> Tensor:
    """One layer: modulated convolution, bias, up, leaky ReLU, clamp, down."""
    spec = layer.spec
    style = layer.affine(w)
    gain = layer.magnitude_ema.rsqrt()
    if spec.is_rgb:
        style = style / math.sqrt(spec.before.channels)
        x = modulated_conv(x, layer.weight, style, False, gain, 0)
        return (x + layer.bias[:, None, None]).clamp(-256, 256)
    x = modulated_conv(x, layer.weight, style, True, gain, spec.kernel - 1)
    x = x + layer.bias[:, None, None]
    up = torch.from_numpy(up_taps(spec)).float().to(x.device)
    down = torch.from_numpy(down_taps(spec)).float().to(x.device)
    total = (spec.after.size - 1) * spec.down + 1 - spec.conv_size * spec.up
    total += len(up) + len(down) - 2
    x = upfirdn(x, up, spec.up, 1, (spec.pad, total - spec.pad), spec.up**2)
    x = (F.leaky_relu(x, 0.2) * math.sqrt(2)).clamp(-256, 256)
    return upfirdn(x, down, 1, spec.down, (0, 0), 1)


def modulated_conv(
    x: Tensor, weight: Tensor, style: Tensor, demodulate: bool, gain: Tensor, padding: int
) -> Tensor:
    """Grouped convolution [N, C_out, ...] with weights [N, C_out, C_in, k, k] of each sample."""
    n, c_in, height, width = x.shape
    if demodulate:
        weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean(1, keepdim=True).rsqrt()
    own = weight[None] * style[:, None, :, None, None]
    if demodulate:
        own = own * (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    own = (own * gain).flatten(0, 1)
    out = F.conv2d(x.reshape(1, n * c_in, height, width), own, padding=padding, groups=n)
    return out.view(n, -1, *out.shape[2:])


def upfirdn(
    x: Tensor, taps: Tensor, up: int, down: int, pad: tuple[int, int], gain: float
) -> Tensor:
    """Zeros between the samples, padding, filter, every ``down``-th sample of [N, C, H, W]."""
    n, c, height, width = x.shape
    spread = x.new_zeros(n, c, height, up, width, up)
    spread[:, :, :, 0, :, 0] = x
    spread = F.pad(spread.view(n, c, height * up, width * up), (*pad, *pad))
    if taps.ndim == 1:
        taps = taps * math.sqrt(gain)
        for shape in ((1, 1, -1, 1), (1, 1, 1, -1)):
            spread = F.conv2d(spread, taps.view(shape).expand(c, -1, -1, -1), groups=c)
    else:
        spread = F.conv2d(spread, (taps * gain)[None, None].expand(c, -1, -1, -1), groups=c)
    return spread[:, :, ::down, ::down]


def biggan_deep(generator: BigGanDeep, ws: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] from ws [N, num_ws, w_dim], of a generator that is not folded."""
    config = generator.config
    psi = ws[:, :, -1] if config.n_stats > 1 else torch.ones(ws.shape[:2])
    ws = ws[:, :, : config.cond_dim]
    x = generator.start(ws[:, 0]).view(len(ws), -1, 4, 4)
    for place, block in enumerate(generator.blocks, start=1):
        assert isinstance(block, Block)
        x = biggan_block(block, x, ws[:, place], psi[:, place])
        if generator.attention is not None and place == config.attention_at:
            x = attention(generator, x)
    norm = generator.last_norm
    mean, var = norm.statistics(x, psi[:, -1])
    x = normed(x, mean, var, norm.epsilon)
    x = x * norm.weight[:, None, None] + norm.bias[:, None, None]
    return torch.tanh(generator.to_rgb(F.relu(x)))


def biggan_block(block: Block, x: Tensor, w: Tensor, psi: Tensor) -> Tensor:
    h = x
    for place, (norm, conv) in enumerate(zip(block.norms, block.convs, strict=True)):
        h = normed(h, *norm.statistics(h, psi), norm.epsilon)
        h = h * (1 + norm.gain(w))[:, :, None, None] + norm.bias(w)[:, :, None, None]
        h = F.relu(h)
        if place == 1 and block.doubles:
            h = h.repeat_interleave(2, 2).repeat_interleave(2, 3)
        h = conv(h)
    skip = x[:, : block.c_out]
    if block.doubles:
        skip = skip.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return h + skip


def normed(x: Tensor, mean: Tensor, var: Tensor, epsilon: float) -> Tensor:
    return (x - mean[:, :, None, None]) / torch.sqrt(var[:, :, None, None] + epsilon)


def attention(generator: BigGanDeep, x: Tensor) -> Tensor:
    part = generator.attention
    assert part is not None
    query = part.theta(x).flatten(2)
    key = F.max_pool2d(part.phi(x), 2).flatten(2)
    value = F.max_pool2d(part.g(x), 2).flatten(2)
    seen = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
    mixed: Tensor = part.o((value @ seen.transpose(1, 2)).view(len(x), -1, *x.shape[2:]))
    return x + part.gamma * mixed


def is_spectral(generator: BigGanDeep) -> bool:
    """Whether the weights are still divided by their singular values at each use."""
    return any(parametrize.is_parametrized(module) for module in generator.modules())
