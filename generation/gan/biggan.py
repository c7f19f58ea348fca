"""A conditional generator and discriminator of the BigGAN family, sized for a CPU.

Brock et al. 2019, *Large Scale GAN Training for High Fidelity Natural Image Synthesis*: shared
class embedding, class-conditional batch norm (gain 1 + Lin(w), bias Lin(w)), spectral norm in the
discriminator, projection head (Miyato & Koyama 2018), skips that drop or grow channels (appendix
B, BigGAN-deep). Unlike the paper there is one 3x3 convolution per resolution, no self-attention,
and an attribute classifier on the discriminator's features (Odena et al. 2017).
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from generation.gan.config import GanConfig


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are linear in w (Brock et al. 2019, appendix B.1)."""

    def __init__(self, channels: int, w_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
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


class Generator(nn.Module):
    """Pictures from latents: ``synthesis(mapping(z, c))``."""

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        self.config = config
        self.z_dim = config.z_dim
        self.c_dim = config.schema.c_dim
        self.w_dim = config.w_dim
        self.num_ws = len(config.g_channels) + 1
        self.img_resolution = config.img_resolution
        widths = config.g_channels
        self.embed = nn.Linear(self.c_dim, config.embed_dim, bias=False) if self.c_dim else None
        self.start = nn.Linear(self.w_dim, 16 * widths[0])
        self.blocks = nn.ModuleList(
            GeneratorBlock(a, b, self.w_dim) for a, b in itertools.pairwise(widths)
        )
        self.last_norm = ConditionalBatchNorm(widths[-1], self.w_dim)
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)
        self.apply(_orthogonal)

    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """Conditioning vectors of every layer.

        Parameters
        ----------
        z : [N, z_dim] float32, standard normal.
        c : [N, c_dim] float32, one 1 per attribute; no columns where nothing is asked for.
        truncation_psi : scales z towards its mean 0 (0 the mean picture of c, 1 off).
        truncation_cutoff : how many of the first layers are truncated; None for all.

        Returns
        -------
        ws : [N, num_ws, w_dim] float32; the latent fills the first z_dim entries of w.
        """
        assert z.shape[1:] == (self.z_dim,)
        assert c.shape == (len(z), self.c_dim)
        cutoff = self.num_ws if truncation_cutoff is None else truncation_cutoff
        psi = torch.ones(self.num_ws, 1, dtype=z.dtype, device=z.device)
        psi[:cutoff] = truncation_psi
        latents = z[:, None] * psi  # [N, num_ws, z_dim]
        if self.embed is None:
            return latents
        classes = self.embed(c)[:, None].expand(-1, self.num_ws, -1)
        return torch.cat([latents, classes.to(latents.dtype)], dim=2)

    def synthesis(self, ws: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in [-1, 1] from ws [N, num_ws, w_dim]."""
        assert ws.shape[1:] == (self.num_ws, self.w_dim)
        x = self.start(ws[:, 0]).unflatten(1, (-1, 4, 4))
        x = x.contiguous(memory_format=torch.channels_last)
        for block, w in zip(self.blocks, ws[:, 1:].unbind(1), strict=False):
            x = block(x, w)
        x = F.relu(self.last_norm(x, ws[:, -1]))
        image: Tensor = torch.tanh(self.to_rgb(x))
        assert image.shape[1:] == (3, self.img_resolution, self.img_resolution)
        return image

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.synthesis(self.mapping(z, c))


class DiscriminatorBlock(nn.Module):
    """LeakyReLU, 4x4 stride 2; the skip pools and grows channels by a concatenated 1x1."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(c_in, c_out, 4, stride=2, padding=1))
        self.grow = spectral_norm(nn.Conv2d(c_in, c_out - c_in, 1)) if c_out > c_in else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(F.leaky_relu(x, 0.2))
        skip = F.avg_pool2d(x, 2)
        if self.grow is not None:
            skip = torch.cat([skip, self.grow(skip)], dim=1)
        return torch.add(h, skip)


class Discriminator(nn.Module):
    """Scores pictures against their attributes and reads the attributes back.

    Pictures enter as 2x2 blocks of 12 channels (Shi et al. 2016): with layers at full resolution
    a step of the same width took 1.7 times as long on two cores.
    """

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.d_channels[::-1]
        self.from_rgb = spectral_norm(nn.Conv2d(12, widths[0], 3, padding=1))
        self.blocks = nn.ModuleList(DiscriminatorBlock(a, b) for a, b in itertools.pairwise(widths))
        features = config.d_features
        self.last = spectral_norm(nn.Linear(16 * widths[-1], features))
        self.realness = spectral_norm(nn.Linear(features, 1))
        self.projection, self.classifier = None, None
        if c_dim := config.schema.c_dim:
            self.projection = spectral_norm(nn.Linear(c_dim, features, bias=False))
            self.classifier = nn.Linear(features, c_dim)
        self.apply(_orthogonal)

    def forward(self, image: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Realness [N] of [N, 3, H, W] given c [N, c_dim], and attribute logits [N, c_dim]."""
        folded = F.pixel_unshuffle(image, 2)
        x = self.from_rgb(folded.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        h = F.leaky_relu(self.last(F.leaky_relu(x, 0.2).flatten(1)), 0.2)
        score = self.realness(h).squeeze(1)
        if self.projection is None or self.classifier is None:
            return score, h[:, :0]
        return score + (self.projection(c) * h).sum(1), self.classifier(h)


def _orthogonal(module: nn.Module) -> None:
    """Orthogonal initialisation (Brock et al. 2019, appendix C), under spectral norm too."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        held = dict(module.named_parameters())
        weight = held.get("weight", held.get("parametrizations.weight.original"))
        assert weight is not None
        nn.init.orthogonal_(weight)
