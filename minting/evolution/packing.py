"""A network and its attributes as the bytes of two contracts, as ``Painter`` reads them.

Both begin with 0x00, STOP, so that nobody can run them. Numbers are big-endian; a weight w is
stored as w + 128, and weights are in rows: of each three rows the first weights, then the second
ones, and so on. After that byte, the network is

    bytes    what
    10       multipliers of the five layers, 2 each
    1,108    443 biases, in the order of the layers, 20 bits each in two's complement; 4 bits are 0
    12,288   linear layer: 1,536 rows of 8 weights, those of one latent for outputs 8p..8p+7, by
             eight latents, then p, then latent
    5,184    first 3 x 3: by output, row of the kernel, and input channel, a row of three weights
             from right to left
    3,456    second, the same
    2,304    third, the same
    48       colours: for red, green, blue a weight of each of the 16 channels, a row each

which is 24,398, so that it goes into one contract (24,576, EIP-170). Any int8 weights fit the
renderer's lanes of 24 bits: 24 * 9 * 128 * 255 + 2^19 < 2^23. The label is

    name     length in a byte, text: what a work is called before its number
    story    length in two bytes, text: the description of each work
    count    one byte; and for each attribute, in the order of the latent's bytes
      name, and how many values (a byte), and how many bytes a code has (a byte)
      for each value: its threshold in two bytes, its code, its name; ``none`` has no letters, and
      works do not name an attribute that is absent

Texts go into JSON as they are: printable ASCII without quotes and backslashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minting.evolution.latents import SHARES, Attribute
from minting.evolution.network import LATENTS, LAYERS, SHAPES, Layer
from minting.provenance.metadata import NONE

STOP = b"\0"
BIAS_BITS = 20
N_BIASES = sum(shape[0] for shape in SHAPES.values())
BIAS_BYTES = (N_BIASES * BIAS_BITS + 7) // 8
NETWORK_BYTES = 1 + 2 * len(LAYERS) + BIAS_BYTES + sum(int(np.prod(s)) for s in SHAPES.values())
LANES = 8
LARGEST = 24_576  # bytes of a contract


class PackingError(ValueError):
    """A network or label does not have the form that a contract reads, or bytes are none."""


@dataclass(frozen=True)
class Label:
    """What works are called, their story, and their attributes."""

    name: str
    story: str
    attributes: tuple[Attribute, ...]


def creation(code: bytes) -> bytes:
    """The input of a transaction that puts ``code`` on the chain as it is.

    PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN.
    """
    if len(code) > LARGEST:
        raise PackingError(f"{len(code)} bytes are more than a contract holds")
    return b"\x61" + len(code).to_bytes(2) + bytes.fromhex("80600a5f395ff3") + code


def pack(layers: Sequence[Layer]) -> bytes:
    """The network's contract; PackingError if a bias or multiplier is too large for its place."""
    multipliers = [layer.multiplier for layer in layers]
    if not all(0 < one < 2**16 for one in multipliers):
        raise PackingError(f"multipliers {multipliers} are not from 1 to 65535")
    biases = np.concatenate([layer.bias for layer in layers]).astype(np.int64)
    if (np.abs(2 * biases + 1) >= 2**BIAS_BITS).any():
        raise PackingError(f"a bias of {np.abs(biases).max()} does not fit {BIAS_BITS} bits")
    weights = [_arrange(_raised(layer.weight)) for layer in layers]
    numbers = np.array(multipliers, ">u2").tobytes() + _pack_biases(biases)
    return STOP + numbers + b"".join(one.tobytes() for one in weights)


def unpack(code: bytes) -> tuple[Layer, ...]:
    """The layers in a network's contract; PackingError if it has another length or no STOP."""
    if len(code) != NETWORK_BYTES or code[:1] != STOP:
        raise PackingError(f"{len(code)} bytes are no network of {NETWORK_BYTES}")
    at = 1 + 2 * len(LAYERS)
    multipliers = np.frombuffer(code, ">u2", len(LAYERS), 1)
    biases = _unpack_biases(code[at : at + BIAS_BYTES])
    at += BIAS_BYTES
    layers, first = [], 0
    for name, multiplier in zip(LAYERS, multipliers, strict=True):
        shape = SHAPES[name]
        stored = np.frombuffer(code, np.uint8, int(np.prod(shape)), at)
        at += len(stored)
        weight = _restore(name, stored)
        own = biases[first : first + shape[0]]
        first += shape[0]
        layers.append(Layer(weight, own, int(multiplier)))
    return tuple(layers)


def pack_label(label: Label) -> bytes:
    """The label's contract; PackingError where a text, count or threshold has no place in it."""
    if sum(one.codes.shape[1] for one in label.attributes) > LATENTS:
        raise PackingError(f"codes take more than {LATENTS} bytes")
    parts = [STOP, _text(label.name), _text(label.story, 2), bytes([len(label.attributes)])]
    for attribute in label.attributes:
        n_values, n_bytes = attribute.codes.shape
        _check(attribute)
        parts += [_text(attribute.name), bytes([n_values, n_bytes])]
        for value, threshold, code in zip(
            attribute.values, attribute.thresholds, attribute.codes, strict=True
        ):
            named = "" if value == NONE else value
            parts += [threshold.to_bytes(2), code.tobytes(), _text(named)]
    return b"".join(parts)


def unpack_label(code: bytes) -> Label:
    """The label in a contract; PackingError if it is none."""
    reader = _Reader(code)
    if reader.take(1) != STOP:
        raise PackingError("a label begins with STOP")
    name, story = reader.text(), reader.text(2)
    found = []
    for _ in range(reader.number()):
        own, n_values, n_bytes = reader.text(), reader.number(), reader.number()
        rows = [(reader.number(2), reader.take(n_bytes), reader.text()) for _ in range(n_values)]
        codes = np.frombuffer(b"".join(row[1] for row in rows), np.uint8)
        attribute = Attribute(
            own,
            tuple(row[2] or NONE for row in rows),
            tuple(row[0] for row in rows),
            codes.reshape(n_values, n_bytes),
        )
        _check(attribute)
        found.append(attribute)
    if reader.at != len(code):
        raise PackingError(f"{len(code) - reader.at} bytes are left over")
    return Label(name, story, tuple(found))


class _Reader:
    def __init__(self, code: bytes) -> None:
        self.code, self.at = code, 0

    def take(self, n: int) -> bytes:
        found = self.code[self.at : self.at + n]
        if len(found) < n:
            raise PackingError(f"the label ends after {len(self.code)} bytes")
        self.at += n
        return found

    def number(self, n: int = 1) -> int:
        return int.from_bytes(self.take(n))

    def text(self, n: int = 1) -> str:
        try:
            return self.take(self.number(n)).decode("ascii")
        except UnicodeDecodeError as error:
            raise PackingError("a text is not ASCII") from error


def _check(attribute: Attribute) -> None:
    n_values, n_bytes = attribute.codes.shape
    if not (0 < n_values == len(attribute.values) and 0 < n_bytes <= LATENTS and n_values < 256):
        raise PackingError(f"{attribute.name} has {n_values} codes of {n_bytes} bytes")
    rising = all(a <= b for a, b in pairwise((0, *attribute.thresholds)))
    if not rising or attribute.thresholds[-1] != SHARES:
        raise PackingError(f"the thresholds of {attribute.name} do not rise to {SHARES}")


def _text(text: str, n: int = 1) -> bytes:
    if not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        raise PackingError(f"{text!r} cannot go into JSON as it is")
    if len(text) >= 256**n:
        raise PackingError(f"{len(text)} letters are too many")
    return len(text).to_bytes(n) + text.encode()


def _raised(weight: NDArray[np.int8]) -> NDArray[np.uint8]:
    return (weight.astype(np.int16) + 128).astype(np.uint8)


def _arrange(weight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[out, in, k, k] -> rows, of three the first weights, then the second ones, and so on."""
    n_out, n_in = weight.shape[:2]
    rows: NDArray[Any] = weight[..., ::-1].swapaxes(1, 2)
    if n_in == LATENTS:
        rows = weight.reshape(n_out // LANES, LANES, n_in // LANES, LANES).transpose(2, 0, 3, 1)
    width = rows.shape[-1]
    return np.ascontiguousarray(rows.reshape(-1, 3, width).swapaxes(1, 2))


def _restore(name: str, stored: NDArray[np.uint8]) -> NDArray[np.int8]:
    n_out, n_in, size, _ = SHAPES[name]
    width = LANES if n_in == LATENTS else size
    rows: NDArray[Any] = stored.reshape(-1, width, 3).swapaxes(1, 2)
    if n_in == LATENTS:
        rows = rows.reshape(n_in // LANES, n_out // LANES, LANES, LANES).transpose(1, 3, 0, 2)
    else:
        rows = rows.reshape(n_out, size, n_in, size)[..., ::-1].swapaxes(1, 2)
    lowered = rows.reshape(SHAPES[name]).astype(np.int16) - 128
    return lowered.astype(np.int8)


def _pack_biases(biases: NDArray[np.int64]) -> bytes:
    whole = 0
    for bias in biases.tolist():
        whole = whole << BIAS_BITS | bias & 2**BIAS_BITS - 1
    return (whole << (8 * BIAS_BYTES - BIAS_BITS * N_BIASES)).to_bytes(BIAS_BYTES)


def _unpack_biases(raw: bytes) -> NDArray[np.int32]:
    bits = np.unpackbits(np.frombuffer(raw, np.uint8))[: N_BIASES * BIAS_BITS]
    places = 1 << np.arange(BIAS_BITS, dtype=np.int64)[::-1]
    places[0] *= -1  # two's complement
    found: NDArray[Any] = bits.reshape(N_BIASES, BIAS_BITS) @ places
    return found.astype(np.int32)
