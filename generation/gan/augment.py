"""Differentiable augmentation (Zhao et al. 2020), the part that keeps every attribute readable.

Colours are left alone where attributes are read from them: a classifier would be taught wrong.
"""

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT = 0.125
ADA_TARGET = 0.6
ADA_KIMG = 100.0  # from p = 0 to 1 at the fastest; Karras et al. 2020b take 500 for longer runs


def random_shift(image: Tensor, generator: torch.Generator, ratio: float) -> Tensor:
    """Translate each picture by up to ``ratio`` of its side, edges repeated."""
    reach = round(ratio * image.shape[2])
    corners = torch.randint(0, 2 * reach + 1, (len(image), 2), generator=generator)
    return Views(reach, corners, None).of(image)


@dataclass(frozen=True)
class Views:
    """How each of N pictures is shown: its shift, and its geometry where there is any.

    ``corners`` [N, 2] are rows and columns from 0 to twice the reach; ``theta`` [N, 2, 3] maps what
    is shown to where it is taken from, in half sides.
    """

    reach: int
    corners: Tensor
    theta: Tensor | None

    @classmethod
    def draw(cls, n: int, size: int, p: float | None, chance: torch.Generator) -> Self:
        """Shifts by up to an eighth of the side (Zhao et al. 2020, section 4), edges repeated.

        With ``p``, each picture is also scaled, stretched, turned and moved, each with probability
        p: exp2(N(0, .2^2)) twice, U(-pi/8, pi/8), N(0, .125^2) of the side, borders reflected
        (Karras et al. 2020b, *Training GANs with Limited Data*, appendix B; turns there are whole).
        """
        reach = round(SHIFT * size)
        corners = torch.randint(0, 2 * reach + 1, (n, 2), generator=chance)
        return cls(reach, corners, None if p is None else _geometry(n, p, chance))

    def part(self, rows: slice) -> "Views":
        theta = None if self.theta is None else self.theta[rows]
        return Views(self.reach, self.corners[rows], theta)

    def of(self, image: Tensor) -> Tensor:
        """The views [N, 3, H, W] of pictures [N, 3, H, W]."""
        _, _, height, width = image.shape
        padded = F.pad(image, (self.reach,) * 4, mode="replicate")
        views = [
            padded[i, :, top : top + height, left : left + width]
            for i, (top, left) in enumerate(self.corners.tolist())
        ]
        shown = torch.stack(views).contiguous(memory_format=torch.channels_last)
        if self.theta is None:
            return shown
        theta = self.theta.to(image.device, image.dtype)
        grid = F.affine_grid(theta, list(image.shape), align_corners=False)
        return F.grid_sample(shown, grid, padding_mode="reflection", align_corners=False)


def _geometry(n: int, p: float, chance: torch.Generator) -> Tensor:
    normal = torch.randn(n, 4, generator=chance)
    turn = (torch.rand(n, generator=chance) - 0.5) * (torch.pi / 4)
    acts = (torch.rand(n, 4, generator=chance) < p).float()
    scale = torch.exp2(0.2 * normal[:, 0] * acts[:, 0])
    stretch = torch.exp2(0.2 * normal[:, 1] * acts[:, 1])
    cos, sin = torch.cos(turn * acts[:, 2]), torch.sin(turn * acts[:, 2])
    shift = 2 * SHIFT * normal[:, 2:] * acts[:, 3:]
    across, along = scale * stretch, scale / stretch
    first = torch.stack([cos / across, -sin / along, shift[:, 0]], 1)
    second = torch.stack([sin / across, cos / along, shift[:, 1]], 1)
    return torch.stack([first, second], dim=1)


@dataclass
class Adaptive:
    """The strength p in [0, 1] that keeps the critic from learning its pictures by heart.

    p rises where the critic tells more than ``ADA_TARGET`` of real from generated pictures apart,
    measured as the mean sign of its scores of real ones, and falls where it tells fewer (Karras et
    al. 2020b, section 3.1, r_t).
    """

    p: float = 0.0

    def adjust(self, mean_sign: float, n_images: int) -> None:
        step = n_images / (ADA_KIMG * 1000)
        self.p = min(1.0, max(0.0, self.p + (step if mean_sign > ADA_TARGET else -step)))
