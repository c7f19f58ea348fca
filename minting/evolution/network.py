"""The generator inside the contract, in integers: what a contract stores, and what it draws.

32 bytes in, 32 x 32 RGB out: a linear layer makes 24 channels of 4 x 4, three times the picture is
doubled (nearest) and convolved (3 x 3, zeros outside), and a 1 x 1 convolution gives colours. In
every layer

    y = clamp((sum of w x + b) * m >> 16, 0, 255)

with int8 weights w, int32 biases b, one multiplier m and uint8 activations x, y. This is the
reference of the Solidity renderer; ``generation.gan.student`` draws the same with torch.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

ARCHITECTURE = "morphora-student-1"
LATENTS, START, WIDTHS, RESOLUTION = 32, 24, (24, 16, 16), 32
SHIFT = 16
LAYERS = ("start", "convs.0", "convs.1", "convs.2", "to_rgb")
SHAPES: dict[str, tuple[int, ...]] = {
    "start": (16 * START, LATENTS, 1, 1),
    "convs.0": (WIDTHS[0], START, 3, 3),
    "convs.1": (WIDTHS[1], WIDTHS[0], 3, 3),
    "convs.2": (WIDTHS[2], WIDTHS[1], 3, 3),
    "to_rgb": (3, WIDTHS[2], 1, 1),
}


class NetworkError(ValueError):
    """A file does not hold a network that a contract can draw with."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path


@dataclass(frozen=True)
class Layer:
    """Weights [out, in, k, k] int8, biases [out] int32, multiplier 1..65535."""

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: int


@dataclass(frozen=True)
class Network:
    """Layers in their order, and the bytes that say each value of each attribute.

    ``codes``: attribute -> [values, bytes] uint8, in the order of the latent's bytes. ``values``:
    attribute -> names. ``basis`` [z_dim, free bytes] is what the rest of the latent does to the big
    generator's z (``generation.gan.lessons``). ``sha256`` is that of its file.
    """

    layers: tuple[Layer, ...]
    codes: Mapping[str, NDArray[np.uint8]]
    values: Mapping[str, tuple[str, ...]]
    basis: NDArray[np.float32]
    recipe: Mapping[str, Any]
    sha256: str


def load(path: Path) -> Network:
    """The network in a safetensors file; NetworkError if it is not one."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with safe_open(path, framework="np") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise NetworkError(path, f"not a safetensors file: {error}") from error
    if about.get("architecture") != ARCHITECTURE:
        raise NetworkError(path, f"not {ARCHITECTURE}")
    layers = []
    for name in LAYERS:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if weight.shape != SHAPES[name] or weight.dtype != np.int8:
            raise NetworkError(path, f"{name} is not {SHAPES[name]} of int8")
        if bias.shape != SHAPES[name][:1] or bias.dtype != np.int32:
            raise NetworkError(path, f"the bias of {name} is not one int32 an output")
        layers.append(Layer(weight, bias, int(tensors[f"{name}.multiplier"])))
    values = {name: tuple(some) for name, some in json.loads(about["schema"]).items()}
    codes = {name: tensors[f"codes.{name}"] for name in values}
    return Network(
        tuple(layers), codes, values, tensors["basis"], json.loads(about["recipe"]), digest
    )


def draw(network: Network, latents: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures [N, 32, 32, 3] uint8 of latents [N, 32] uint8."""
    return draw_layers(network.layers, latents)


def draw_layers(layers: Sequence[Layer], latents: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same of layers alone, as a contract has them."""
    x = latents.astype(np.int64)[:, :, None, None]
    for place, layer in enumerate(layers):
        if place == 1:
            x = x.reshape(len(x), START, 4, 4)
        if 0 < place < len(layers) - 1:
            x = x.repeat(2, axis=2).repeat(2, axis=3)
        x = _apply(x, layer)
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.uint8)


def _apply(x: NDArray[np.int64], layer: Layer) -> NDArray[np.int64]:
    size = layer.weight.shape[2]
    edge = size // 2
    padded = np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
    total = np.einsum("nchwij,ocij->nohw", windows, layer.weight.astype(np.int64), optimize=True)
    total += layer.bias.astype(np.int64)[None, :, None, None]
    scaled: NDArray[np.int64] = np.clip(total * layer.multiplier >> SHIFT, 0, 255)
    return scaled
