"""Critics: how real a picture looks for what was asked, and which attributes it shows.

Projection head (Miyato & Koyama 2018), skips that grow channels by a concatenated 1x1 (Brock et al.
2019, appendix B), an attribute classifier on the features (Odena et al. 2017). With the hinge loss
every weight is divided by its largest singular value (Miyato et al. 2018); under gradient penalties
(R1, R2) it is not (Huang et al. 2024, section 3).
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from generation.gan.biggan import orthogonal
from generation.gan.config import D_WIDTHS, AttributeSchema, ConfigError, GanConfig, GeneratorConfig

SLOPE = 0.2


@dataclass(frozen=True)
class CriticConfig:
    """``channels[i]`` is the width at ``4 * 2**i`` px, the last at half the resolution."""

    schema: AttributeSchema
    channels: tuple[int, ...]
    features: int = 512
    spectral: bool = True

    @classmethod
    def facing(cls, config: GeneratorConfig, *, spectral: bool) -> "CriticConfig":
        """The critic of a generator: of the widths it names, else of the shipped one's."""
        if isinstance(config, GanConfig):
            return cls(config.schema, config.d_channels, config.d_features, spectral)
        levels = (config.img_resolution // 8).bit_length()
        if levels > len(D_WIDTHS):
            raise ConfigError(f"no critic for {config.img_resolution} px")
        return cls(config.schema, D_WIDTHS[:levels], spectral=spectral)


class DiscriminatorBlock(nn.Module):
    """LeakyReLU, 4x4 stride 2; the skip pools and grows channels by a concatenated 1x1."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1)
        self.grow = nn.Conv2d(c_in, c_out - c_in, 1) if c_out > c_in else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(F.leaky_relu(x, SLOPE))
        skip = F.avg_pool2d(x, 2)
        if self.grow is not None:
            skip = torch.cat([skip, self.grow(skip)], dim=1)
        return torch.add(h, skip)


class Discriminator(nn.Module):
    """Scores pictures against their attributes and reads the attributes back.

    Pictures enter as 2x2 blocks of 12 channels (Shi et al. 2016): with layers at full resolution
    a step of the same width took 1.7 times as long on two cores.
    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.channels[::-1]
        self.from_rgb = nn.Conv2d(12, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(DiscriminatorBlock(a, b) for a, b in itertools.pairwise(widths))
        self.last = nn.Linear(16 * widths[-1], config.features)
        self.realness = nn.Linear(config.features, 1)
        self.projection, self.classifier = None, None
        if c_dim := config.schema.c_dim:
            self.projection = nn.Linear(c_dim, config.features, bias=False)
            self.classifier = nn.Linear(config.features, c_dim)
        if config.spectral:
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear) and module is not self.classifier:
                    spectral_norm(module)
        self.apply(orthogonal)

    def forward(self, image: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Realness [N] of [N, 3, H, W] given c [N, c_dim], and attribute logits [N, c_dim]."""
        folded = F.pixel_unshuffle(image, 2)
        x = self.from_rgb(folded.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        h = F.leaky_relu(self.last(F.leaky_relu(x, SLOPE).flatten(1)), SLOPE)
        score = self.realness(h).squeeze(1)
        if self.projection is None or self.classifier is None:
            return score, h[:, :0]
        return score + (self.projection(c) * h).sum(1), self.classifier(h)
