"""A conditional generator of the BigGAN family, sized for a CPU.

Brock et al. 2019, *Large Scale GAN Training for High Fidelity Natural Image Synthesis*: shared
class embedding, class-conditional batch norm (gain 1 + Lin(w), bias Lin(w)), skips that drop
channels (appendix B, BigGAN-deep). Unlike the paper there is one 3x3 convolution per resolution and
no self-attention. ``generation.gan.biggan_deep`` has the whole network of the paper.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.gan import parallel
from generation.gan.config import GanConfig
from generation.gan.generator import Generator


class JointBatchNorm(nn.BatchNorm2d):
    """Batch norm over the joint batch of all processes that train together."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or parallel.world_size() == 1:
            return super().forward(x)
        mean = parallel.mean(x.mean((0, 2, 3)))
        var = parallel.mean((x - mean[:, None, None]).square().mean((0, 2, 3)))
        self._remember(mean.detach(), var.detach(), x[:, 0].numel() * parallel.world_size())
        return (x - mean[:, None, None]) * (var[:, None, None] + self.eps).rsqrt()

    def _remember(self, mean: Tensor, var: Tensor, n: int) -> None:
        """Running statistics as ``nn.BatchNorm2d`` keeps them, of the joint batch."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(var * (n / (n - 1)), share)


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are linear in w (Brock et al. 2019, appendix B.1)."""

    def __init__(self, channels: int, w_dim: int) -> None:
        super().__init__()
        self.norm = JointBatchNorm(channels, affine=False)
        self.affine = nn.Linear(w_dim, 2 * channels, bias=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        gain, bias = self.affine(w)[:, :, None, None].chunk(2, dim=1)
        normed: Tensor = self.norm(x)
        return torch.addcmul(bias, normed, 1 + gain)


class GeneratorBlock(nn.Module):
    """CBN, ReLU, nearest up, 3x3; the skip keeps the first channels (BigGAN-deep, appendix B.2)."""

    def __init__(self, c_in: int, c_out: int, w_dim: int) -> None:
        super().__init__()
        self.c_out = c_out
        self.norm = ConditionalBatchNorm(c_in, w_dim)
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        h = F.interpolate(F.relu(self.norm(x, w)), scale_factor=2.0, mode="nearest")
        skip = F.interpolate(x[:, : self.c_out], scale_factor=2.0, mode="nearest")
        return torch.add(self.conv(h), skip)


class SmallBigGan(Generator):
    """One block a resolution; the shipped generator is one."""

    def __init__(self, config: GanConfig) -> None:
        super().__init__(config)
        self._config = config
        widths = config.g_channels
        self.embed = nn.Linear(self.c_dim, config.embed_dim, bias=False) if self.c_dim else None
        self.start = nn.Linear(self.w_dim, 16 * widths[0])
        self.blocks = nn.ModuleList(
            GeneratorBlock(a, b, self.w_dim) for a, b in itertools.pairwise(widths)
        )
        self.last_norm = ConditionalBatchNorm(widths[-1], self.w_dim)
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)
        self.apply(orthogonal)

    @property
    def config(self) -> GanConfig:
        return self._config

    @property
    def latent_dim(self) -> int:
        return self.z_dim

    def latent_maps(self) -> list[Tensor]:
        norms = [m for m in self.modules() if isinstance(m, ConditionalBatchNorm)]
        maps = [self.start.weight, *(norm.affine.weight for norm in norms)]
        return [weight[:, : self.z_dim] for weight in maps]

    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """As in ``Generator``; psi scales z towards its mean 0, z fills the first part of w."""
        assert z.shape[1:] == (self.z_dim,)
        assert c.shape == (len(z), self.c_dim)
        psi = truncations(z, self.num_ws, truncation_psi, truncation_cutoff)
        latents = z[:, None] * psi  # [N, num_ws, z_dim]
        if self.embed is None:
            return latents
        classes = self.embed(c)[:, None].expand(-1, self.num_ws, -1)
        return torch.cat([latents, classes.to(latents.dtype)], dim=2)

    def synthesis(self, ws: Tensor) -> Tensor:
        assert ws.shape[1:] == (self.num_ws, self.w_dim)
        x = self.start(ws[:, 0]).unflatten(1, (-1, 4, 4))
        x = x.contiguous(memory_format=torch.channels_last)
        for block, w in zip(self.blocks, ws[:, 1:].unbind(1), strict=False):
            x = block(x, w)
        x = F.relu(self.last_norm(x, ws[:, -1]))
        image: Tensor = torch.tanh(self.to_rgb(x))
        assert image.shape[1:] == (3, self.img_resolution, self.img_resolution)
        return image


def truncations(z: Tensor, num_ws: int, psi: float, cutoff: int | None) -> Tensor:
    """What z is scaled by in each layer [num_ws, 1]: psi in the first ``cutoff`` ones, else 1."""
    factors = torch.ones(num_ws, 1, dtype=z.dtype, device=z.device)
    factors[: num_ws if cutoff is None else cutoff] = psi
    return factors


def orthogonal(module: nn.Module) -> None:
    """Orthogonal initialisation (Brock et al. 2019, appendix C), under spectral norm too."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        held = dict(module.named_parameters())
        weight = held.get("weight", held.get("parametrizations.weight.original"))
        assert weight is not None
        nn.init.orthogonal_(weight)
