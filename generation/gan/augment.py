"""Differentiable augmentation (Zhao et al. 2020), the part that keeps every attribute readable."""

import torch
import torch.nn.functional as F
from torch import Tensor


def random_shift(image: Tensor, generator: torch.Generator, ratio: float = 0.125) -> Tensor:
    """Translate each picture by up to ``ratio`` of its side, edges repeated.

    Colour augmentation is left out: it would change the attribute that the classifier reads.
    Zhao et al. 2020, section 4, pad with zeros; repeated edges keep the flat backgrounds flat.
    """
    n, _, height, width = image.shape
    reach = round(ratio * height)
    padded = F.pad(image, (reach,) * 4, mode="replicate")
    top, left = torch.randint(0, 2 * reach + 1, (2, n), generator=generator).tolist()
    views = [padded[i, :, top[i] : top[i] + height, left[i] : left[i] + width] for i in range(n)]
    return torch.stack(views).contiguous(memory_format=torch.channels_last)
