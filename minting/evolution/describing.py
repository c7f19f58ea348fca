"""What a contract says of a work that it paints: ``tokenURI``, byte for byte."""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minting.evolution import levels as arithmetic
from minting.evolution.latents import choose, latents_of
from minting.evolution.network import RESOLUTION, Layer, draw_layers
from minting.evolution.packing import Label
from minting.evolution.rules import Law
from minting.provenance.metadata import NONE

# Of 32 x 32 pixels of 24 bits, the lowest row first: file header of 14 bytes, info header of 40.
BMP_HEAD = bytes.fromhex(
    "424d360c0000000000003600000028000000"
    "2000000020000000010018000000000000"
    "0c000000000000000000000000000000000000"
)


def moved(label: Label, word: bytes, law: Law, own: Sequence[int]) -> bytes:
    """The 32 bytes that a work of this word is drawn from at these levels, one for each rule."""
    start = np.frombuffer(latents_of(label.attributes, word), np.uint8)
    found = arithmetic.move(start[None], np.array([own], np.uint8), law.directions)
    return bytes(found[0])


def picture(layers: Sequence[Layer], latents: bytes) -> NDArray[np.uint8]:
    """Pixels [32, 32, 3] uint8 of 32 bytes."""
    found: NDArray[np.uint8] = draw_layers(layers, np.frombuffer(latents, np.uint8)[None])[0]
    return found


def bmp(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels [32, 32, 3] uint8 as the contract writes them."""
    if pixels.shape != (RESOLUTION, RESOLUTION, 3):
        raise ValueError(f"{pixels.shape} is not {RESOLUTION} by {RESOLUTION} pixels")
    return BMP_HEAD + np.ascontiguousarray(pixels[::-1, :, ::-1]).tobytes()


def uri(
    label: Label,
    layers: Sequence[Layer],
    token_id: int,
    word: bytes,
    law: Law | None = None,
    own: Sequence[int] = (),
) -> str:
    """A work as a data URI of JSON; with a law as its levels have moved it."""
    latents = latents_of(label.attributes, word) if law is None else moved(label, word, law, own)
    chosen = zip(label.attributes, choose(label.attributes, word), strict=True)
    named = [(one.name, one.values[place]) for one, place in chosen]
    traits = [f'{{"trait_type":"{name}","value":"{v}"}}' for name, v in named if v != NONE]
    for rule, level in zip(law.rules if law else (), own, strict=True):
        traits.append(
            f'{{"trait_type":"{rule.name}","value":{level},"display_type":"number",'
            f'"max_value":{rule.highest}}}'
        )
    image = base64.b64encode(bmp(picture(layers, latents))).decode()
    text = (
        f'{{"name":"{label.name} #{token_id}","description":"{label.story}",'
        f'"attributes":[{",".join(traits)}],"image":"data:image/bmp;base64,{image}"}}'
    )
    return f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}"
