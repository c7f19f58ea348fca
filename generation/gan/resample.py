"""Upsample, leaky ReLU, downsample: the part of an alias-free layer that takes the most care.

Karras et al. 2021, section 3.1: the non-linearity acts at a higher rate between two low-pass
filters. Pictures lie in memory as rows, columns, channels. Upsampling is one matrix per axis, and
small blocks of it meet whole slabs of memory; downsampling is one depthwise convolution per axis.
After the first axis rows and columns change places, and stay so: what comes out is transposed,
which the next layer takes into account by transposing its kernel.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.gan.filters import down_taps, separable_terms, up_matrix, up_taps
from generation.gan.schedule import LayerSpec

SLOPE = 0.2
CLAMP = 256.0
GROUP_BYTES = 8 << 20  # at the temporary rate: what fits a cache, and needs no new memory each time
BLOCK = 16  # rows a product; measured from 8 to 48 on one core with AVX2

Span = tuple[int, int, int, int]


class BandedMatrix(nn.Module):
    """A matrix whose rows differ from 0 near the diagonal only, ready to multiply slabs."""

    matrix: Tensor

    def __init__(self, matrix: NDArray[np.float64]) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.from_numpy(matrix).float(), persistent=False)
        self.spans, self.spans_t = _spans(matrix), _spans(matrix.T)

    def forward(self, x: Tensor) -> Tensor:
        """The product [N, rows, ...] with x [N, columns or more, ...], contiguous."""
        rows, columns = self.matrix.shape
        matrix = self.matrix.to(x.dtype)
        if x.is_cuda:
            product = matrix @ x.flatten(2)[:, :columns]
            return product.view(len(x), rows, *x.shape[2:])
        if is_recorded(x):
            out: Tensor = _BandedProduct.apply(x, matrix, self.spans, self.spans_t)  # type: ignore[no-untyped-call]
            return out
        return _by_blocks(matrix, self.spans, x)


class _BandedProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, matrix: Tensor, spans: list[Span], spans_t: list[Span]
    ) -> Tensor:
        ctx.save_for_backward(matrix)
        ctx.spans = spans, spans_t
        return _by_blocks(matrix, spans, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        (matrix,) = ctx.saved_tensors
        spans, spans_t = ctx.spans
        back = _BandedProduct.apply(grad.contiguous(), matrix.t(), spans_t, spans)  # type: ignore[no-untyped-call]
        return back, None, None, None


def _by_blocks(matrix: Tensor, spans: list[Span], x: Tensor) -> Tensor:
    """The product, no view of another tensor: autograd copies a view that is changed in place."""
    out = x.new_empty(len(x), matrix.shape[0], *x.shape[2:])
    blocks = [matrix[top:bottom, left:right] for top, bottom, left, right in spans]
    for slab, product in zip(x.flatten(2), out.flatten(2), strict=True):
        for block, (top, bottom, left, right) in zip(blocks, spans, strict=True):
            torch.mm(block, slab[left:right], out=product[top:bottom])
    return out


def _spans(matrix: NDArray[np.float64]) -> list[Span]:
    """Blocks (top, bottom, left, right) that hold all of the matrix that is not 0."""
    found = []
    for top in range(0, len(matrix), BLOCK):
        rows = matrix[top : top + BLOCK]
        filled = np.flatnonzero(np.abs(rows).max(axis=0))
        left, right = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, 0)
        found.append((top, top + len(rows), left, right))
    return found


class FilteredLeakyReLU(nn.Module):
    """Up, leaky ReLU with slope 0.2 and gain sqrt(2), clamp to 256, down, as one layer asks.

    The gain is part of the upsampling matrix: leaky ReLU commutes with positive factors.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, spec: LayerSpec) -> None:
        super().__init__()
        self.spec = spec
        matrix = up_matrix(up_taps(spec), spec.up, spec.conv_size, spec.tmp_size, spec.pad)
        self.up = BandedMatrix(2**0.25 * matrix)
        taps = down_taps(spec)
        terms = [(taps, taps)] if taps.ndim == 1 else separable_terms(taps)
        for name, part in (("rows", 0), ("columns", 1)):
            stacked = torch.from_numpy(np.stack([term[part] for term in terms])).float()
            self.register_buffer(name, stacked, persistent=False)  # [terms, taps]

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, size, size], transposed, from [N, C, conv_size or more, same], channels last."""
        if is_recorded(x) or x.is_cuda:
            return self._whole(x)
        n_channels = max(8, GROUP_BYTES // (4 * self.spec.tmp_size**2 * len(x)) // 8 * 8)
        if n_channels >= x.shape[1]:
            return self._whole(x)
        parts = [self._whole(part) for part in x.split(n_channels, dim=1)]  # type: ignore[no-untyped-call]
        return torch.cat(parts, dim=1).contiguous(memory_format=torch.channels_last)

    def _whole(self, x: Tensor) -> Tensor:
        """All given channels at once; they do not see each other."""
        h = self.up(x.permute(0, 2, 3, 1).contiguous())  # [N, tmp rows, columns, C]
        h = self.up(h.transpose(1, 2).contiguous())  # [N, tmp columns, tmp rows, C]
        h = _activate(h).permute(0, 3, 1, 2)
        parts = [self._down(h, *term) for term in zip(self.rows, self.columns, strict=True)]
        out: Tensor = sum(parts[1:], parts[0])
        return out

    def _down(self, h: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Filter and thin out both axes of [N, C, tmp columns, tmp rows], the inner one first."""
        channels, step = h.shape[1], self.spec.down
        inner = rows.to(h.dtype).expand(channels, 1, 1, -1)
        outer = columns.to(h.dtype)[:, None].expand(channels, 1, -1, 1)
        h = F.conv2d(h, inner, stride=(1, step), groups=channels)
        return F.conv2d(h, outer, stride=(step, 1), groups=channels)


def _activate(h: Tensor) -> Tensor:
    """Leaky ReLU in place; while training without the clamp, which guards half precision only."""
    if is_recorded(h):
        return F.leaky_relu_(h, SLOPE)
    return F.leaky_relu_(h, SLOPE).clamp_(-CLAMP, CLAMP)


def is_recorded(*tensors: Tensor) -> bool:
    """Whether what follows from these is recorded for a gradient."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
