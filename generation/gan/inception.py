"""The network that FID is defined on, for weights that the user brings (Heusel et al. 2017).

Szegedy et al. 2016, *Rethinking the Inception Architecture*, as it was published on 2015-12-05 and
as PyTorch state dicts of it are named. Of the later Inception V3 it differs in three places: its
average pooling leaves padding out of the mean, the last block pools by the maximum, and it has
1008 classes. Pictures are resized as that graph did it, without half-pixel centres.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from generation.gan.header import CheckpointError

PX, WIDTH, N_CLASSES = 299, 2048, 1008
BATCH = 32
COUNTER = "num_batches_tracked"  # training's; some files have it

# name, channels, kernel (height, width), stride
Layer = tuple[str, int, tuple[int, int], int]
# layers one after another; where the last names end in a and b, both read what comes before them
Chain = Sequence[Layer]


class Conv(nn.Module):
    """Convolution, batch norm, ReLU; padded to keep the size where the stride is 1."""

    def __init__(self, c_in: int, c_out: int, kernel: tuple[int, int], stride: int, pad: bool):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if pad else 0
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Chains beside each other and a pooling, joined by channel.

    ``pool`` is "average" or "max", each before a 1x1 convolution to ``pooled`` channels, or
    "halve", which keeps its channels.
    """

    def __init__(self, c_in: int, chains: Sequence[Chain], pool: str, pooled: int = 0) -> None:
        super().__init__()
        self.pool = pool
        self.chains = [[layer[0] for layer in chain] for chain in chains]
        self.c_out = pooled or c_in
        for chain in chains:
            self.c_out += sum(layer[1] for layer in _ends(chain))
            width = c_in
            for name, c_out, kernel, stride in chain:
                self.add_module(name, Conv(width, c_out, kernel, stride, pad=stride == 1))
                width = width if name.endswith("a") else c_out
        if pooled:
            self.branch_pool = Conv(c_in, pooled, (1, 1), 1, pad=True)

    def forward(self, x: Tensor) -> Tensor:
        found = [out for names in self.chains for out in self._run(names, x)]
        return torch.cat([*found, self._pool(x)], 1)

    def _run(self, names: list[str], x: Tensor) -> list[Tensor]:
        fork = [name for name in names if name[-1] in "ab"]
        for name in names[: len(names) - len(fork)]:
            x = self.get_submodule(name)(x)
        return [self.get_submodule(name)(x) for name in fork] or [x]

    def _pool(self, x: Tensor) -> Tensor:
        if self.pool == "halve":
            return F.max_pool2d(x, 3, stride=2)
        if self.pool == "max":
            pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        else:
            pooled = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        out: Tensor = self.branch_pool(pooled)
        return out


def _ends(chain: Chain) -> Chain:
    return [layer for layer in chain if layer[0][-1] in "ab"] or chain[-1:]


def _chain(name: str, *layers: tuple[int, int, int] | tuple[int, int, int, int]) -> Chain:
    """Layers (channels, height, width[, stride]) numbered from 1; one alone has the bare name."""
    return [
        (f"{name}_{i}" if len(layers) > 1 else name, c, (kh, kw), stride[0] if stride else 1)
        for i, (c, kh, kw, *stride) in enumerate(layers, start=1)
    ]


def _fork(name: str, c: int) -> Chain:
    return [(f"{name}a", c, (1, 3), 1), (f"{name}b", c, (3, 1), 1)]


def _at_35(c_in: int, pooled: int) -> Mixed:
    """Figure 5 of the paper."""
    chains = [
        _chain("branch1x1", (64, 1, 1)),
        _chain("branch5x5", (48, 1, 1), (64, 5, 5)),
        _chain("branch3x3dbl", (64, 1, 1), (96, 3, 3), (96, 3, 3)),
    ]
    return Mixed(c_in, chains, "average", pooled)


def _to_17(c_in: int) -> Mixed:
    """Figure 10, from 35 to 17."""
    chains = [
        _chain("branch3x3", (384, 3, 3, 2)),
        _chain("branch3x3dbl", (64, 1, 1), (96, 3, 3), (96, 3, 3, 2)),
    ]
    return Mixed(c_in, chains, "halve")


def _at_17(c_in: int, c: int) -> Mixed:
    """Figure 6 with n = 7."""
    double = [(c, 7, 1), (c, 1, 7), (c, 7, 1), (192, 1, 7)]
    chains = [
        _chain("branch1x1", (192, 1, 1)),
        _chain("branch7x7", (c, 1, 1), (c, 1, 7), (192, 7, 1)),
        _chain("branch7x7dbl", (c, 1, 1), *double),
    ]
    return Mixed(c_in, chains, "average", 192)


def _to_8(c_in: int) -> Mixed:
    """Figure 10, from 17 to 8."""
    chains = [
        _chain("branch3x3", (192, 1, 1), (320, 3, 3, 2)),
        _chain("branch7x7x3", (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2)),
    ]
    return Mixed(c_in, chains, "halve")


def _at_8(c_in: int, pool: str) -> Mixed:
    """Figure 7."""
    chains = [
        _chain("branch1x1", (320, 1, 1)),
        [("branch3x3_1", 384, (1, 1), 1), *_fork("branch3x3_2", 384)],
        [*_chain("branch3x3dbl", (448, 1, 1), (384, 3, 3)), *_fork("branch3x3dbl_3", 384)],
    ]
    return Mixed(c_in, chains, pool, 192)


class Inception(nn.Module):
    """Features [N, 2048] of the last pooling; ``fc`` is there because its file has it."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, (3, 3), 2, pad=False)
        self.Conv2d_2a_3x3 = Conv(32, 32, (3, 3), 1, pad=False)
        self.Conv2d_2b_3x3 = Conv(32, 64, (3, 3), 1, pad=True)
        self.Conv2d_3b_1x1 = Conv(64, 80, (1, 1), 1, pad=False)
        self.Conv2d_4a_3x3 = Conv(80, 192, (3, 3), 1, pad=False)
        self.Mixed_5b = _at_35(192, 32)
        self.Mixed_5c = _at_35(256, 64)
        self.Mixed_5d = _at_35(288, 64)
        self.Mixed_6a = _to_17(288)
        self.Mixed_6b = _at_17(768, 128)
        self.Mixed_6c = _at_17(768, 160)
        self.Mixed_6d = _at_17(768, 160)
        self.Mixed_6e = _at_17(768, 192)
        self.Mixed_7a = _to_8(768)
        self.Mixed_7b = _at_8(1280, "average")
        self.Mixed_7c = _at_8(2048, "max")
        self.fc = nn.Linear(WIDTH, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Of pictures [N, 3, 299, 299] in [-1, 1)."""
        for name, layer in self.named_children():
            if name == "fc":
                break
            if name in ("Conv2d_3b_1x1", "Mixed_5b"):
                x = F.max_pool2d(x, 3, stride=2)
            x = layer(x)
        assert x.shape[1:] == (WIDTH, 8, 8)
        return x.mean((2, 3))


def resized(pictures: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] at 299 px, bilinear; sample i lies at i·H/299, as in the 2015 graph."""
    rows, columns = (_weights(side).to(pictures.device) for side in pictures.shape[2:])
    return rows @ pictures @ columns.T


def _weights(side: int) -> Tensor:
    """[299, side]: how much each sample takes of each pixel."""
    at = torch.arange(PX, dtype=torch.float64) * side / PX
    low = at.floor().long()
    found = torch.zeros(PX, side, dtype=torch.float64)
    every = torch.arange(PX)
    found[every, low] += 1 - (at - low)
    found[every, (low + 1).clamp(max=side - 1)] += at - low
    return found.float()


def load_inception(path: Path) -> Inception:
    """The network with the weights in ``path``: a state dict in safetensors, .pth or .pt.

    Raises
    ------
    CheckpointError
        A tensor is missing, left over, not finite, or has another shape; or it is no such file.
    """
    tensors = {key: t for key, t in _read(path).items() if not key.endswith(COUNTER)}
    with torch.device("meta"):
        network = Inception()
    wanted = {key: t for key, t in network.state_dict().items() if not key.endswith(COUNTER)}
    if odd := sorted(tensors.keys() ^ wanted.keys()):
        raise CheckpointError(
            path, f"not the FID network: {len(odd)} missing or left over: {odd[:3]}"
        )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, expected {tuple(wanted[name].shape)}"
            raise CheckpointError(path, f"{name} has shape {shapes}")
        if not torch.isfinite(tensor).all():
            raise CheckpointError(path, f"{name} is not finite")
    counters = {key: torch.zeros(()) for key in network.state_dict() if key.endswith(COUNTER)}
    placed = {key: tensor.float() for key, tensor in (tensors | counters).items()}
    network.load_state_dict(placed, assign=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.to(device).eval().requires_grad_(False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # of an odd file, which is refused if odd
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(path, f"no state dict: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) for t in found.values()):
        raise CheckpointError(path, "no state dict: not a mapping of names to tensors")
    return found


@torch.no_grad()
def inception_features(network: Inception, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features [N, 2048] of pictures [N, H, W, 3] uint8."""
    device, found = network.fc.weight.device, []
    for start in range(0, len(pictures), BATCH):
        batch = torch.from_numpy(pictures[start : start + BATCH]).to(device)
        image = resized(batch.permute(0, 3, 1, 2).float())
        found.append(network((image - 128) / 128).cpu().numpy())
    return np.concatenate(found)
