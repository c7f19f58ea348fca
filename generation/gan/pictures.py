"""Between attributes and condition vectors, between tensors and bytes."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def one_hot(labels: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Condition vectors [N, sum(sizes)] float32 of value indices [N, len(sizes)]."""
    parts = [F.one_hot(labels[:, i], n).float() for i, n in enumerate(sizes)]
    return torch.cat([torch.zeros(len(labels), 0, device=labels.device), *parts], dim=1)


def to_uint8(image: Tensor) -> NDArray[np.uint8]:
    """Pictures [N, 3, H, W] in [-1, 1] as [N, H, W, 3] uint8, rounded half to even."""
    levels = (image.float() * 127.5 + 127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
