"""The picture that a contract draws, beside numpy's and torch's."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from generation.gan import student
from minting.chain.abi import compiled
from minting.evolution import network
from minting.evolution.latents import choose, latents_of
from minting.evolution.network import Layer
from minting.evolution.packing import NETWORK_BYTES, pack, pack_label, unpack
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import Chain
from tests.fixtures.painting import SHIPPED, Painting, deploy, label, painting, put, shipped

__all__ = ["painting"]

FORGE_TEST = Path(__file__).parents[2] / "contracts/test/onchain/Painter.t.sol"
PIXELS = (network.RESOLUTION, network.RESOLUTION, 3)
MOST_GAS = 16_777_216  # of a transaction, EIP-7825


def word(seed: int) -> bytes:
    return keccak256(b"painter" + seed.to_bytes(8))


def latents(n: int) -> NDArray[np.uint8]:
    """Of works, of noise, and what is most and least."""
    schema = label().attributes
    works = [np.frombuffer(latents_of(schema, word(i)), np.uint8) for i in range(n // 2)]
    noise = [np.frombuffer(word(i), np.uint8) for i in range(n // 2, n - 2)]
    ends = [np.full(network.LATENTS, byte, np.uint8) for byte in (0, 255)]
    return np.stack([*works, *noise, *ends])


def extreme(kind: str) -> tuple[Layer, ...]:
    """Weights and biases at the ends of their ranges, and multipliers that let values grow."""
    chance = np.random.default_rng(0)
    layers = []
    for name in network.LAYERS:
        shape = network.SHAPES[name]
        signs = {
            "random": chance.integers(-128, 128, shape),
            "lowest": np.full(shape, -128),
            "highest": np.full(shape, 127),
            "alternating": np.where(chance.random(shape) < 0.5, -128, 127),
        }
        bias = -(2**19) if kind == "lowest" else 2**19 - 1
        multiplier = 65_535 if kind == "highest" else 300
        weight = signs["random" if kind == "lowest" and name == "start" else kind]
        layers.append(Layer(weight.astype(np.int8), np.full(shape[0], bias, np.int32), multiplier))
    return tuple(layers)


def drawn(painting: Painting, asked: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pictures = [painting.ask("draw", one.tobytes()) for one in asked]
    return np.stack([np.frombuffer(one, np.uint8).reshape(PIXELS) for one in pictures])


def test_the_chain_draws_what_numpy_and_torch_draw(painting: Painting) -> None:
    from safetensors.torch import load_file

    asked = latents(64)
    integers = {
        f"{layer}.{part}": load_file(SHIPPED)[f"{layer}.{part}"]
        for layer in network.LAYERS
        for part in ("weight", "bias", "multiplier")
    }

    pictures = drawn(painting, asked)

    np.testing.assert_array_equal(pictures, network.draw(shipped(), asked))
    by_torch = student.draw(integers, torch.from_numpy(asked)).permute(0, 2, 3, 1)
    np.testing.assert_array_equal(pictures, by_torch.numpy())


@pytest.mark.deep
def test_the_chain_draws_a_thousand_pictures_as_numpy_does(painting: Painting) -> None:
    asked = latents(1_000)

    pictures = drawn(painting, asked)

    np.testing.assert_array_equal(pictures, network.draw(shipped(), asked))


@pytest.mark.parametrize("kind", ["random", "lowest", "highest", "alternating"])
def test_no_network_is_too_much_for_the_lanes(chain: Chain, kind: str) -> None:
    layers = extreme(kind)
    painting = deploy(chain, layers)
    asked = latents(6)

    pictures = drawn(painting, asked)

    whole = replace(shipped(), layers=layers)
    np.testing.assert_array_equal(pictures, network.draw(whole, asked))


def test_the_picture_that_forge_compares_with_is_numpys() -> None:
    hashes = b"".join(keccak256(place.to_bytes(32)) for place in range(728))
    head = bytes.fromhex("00012c0064006400640190") + b"\1" * 1108
    layers = unpack((head + hashes)[:NETWORK_BYTES])
    latents = np.frombuffer(keccak256(b"latents"), np.uint8)

    picture = network.draw(replace(shipped(), layers=layers), latents[None])

    assert np.unique(picture).size > 100
    assert keccak256(picture.tobytes()).hex() in FORGE_TEST.read_text()


def test_the_chain_makes_the_same_latents(painting: Painting) -> None:
    words = [word(seed) for seed in range(64)] + [bytes(32), b"\xff" * 32]

    found = [painting.ask("latentsOf", one) for one in words]

    assert found == [latents_of(label().attributes, one) for one in words]


def test_a_token_is_described_in_full(painting: Painting) -> None:
    seed = next(i for i in range(99) if choose(label().attributes, word(i))[-1] == 0)

    uri = painting.ask("tokenURI", 7, word(seed), gas=MOST_GAS)

    head, body = uri.split(",")
    about = json.loads(base64.b64decode(body, validate=True))
    values = zip(label().attributes, choose(label().attributes, word(seed)), strict=True)
    assert head == "data:application/json;base64"
    assert about.pop("image") == painting.ask("picture", latents_of(label().attributes, word(seed)))
    assert about == {
        "name": "Portraits #7",
        "description": "Drawn inside the chain.",
        "attributes": [
            {"trait_type": one.name, "value": one.values[chosen]}
            for one, chosen in values
            if one.values[chosen] != "none"
        ],
    }


def test_the_image_is_a_bitmap_that_others_read(painting: Painting) -> None:
    asked = latents(8)[:1]

    head, body = painting.ask("picture", asked.tobytes()).split(",")

    with Image.open(io.BytesIO(base64.b64decode(body, validate=True))) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert head == "data:image/bmp;base64"
    np.testing.assert_array_equal(pixels, network.draw(shipped(), asked)[0])


@pytest.mark.parametrize(
    ("before", "part"), [(b"", slice(None, -1)), (b"\1", slice(1, None))], ids=["short", "runs"]
)
def test_a_network_that_is_none_is_refused(chain: Chain, before: bytes, part: slice) -> None:
    code = before + pack(shipped().layers)[part]
    places = put(chain, code), put(chain, pack_label(label()))

    reason = chain.refusal(compiled("Painter").deployment(*places))

    assert reason == f"NotANetwork(network={places[0].lower()}, length={len(code)})"


@pytest.mark.parametrize(
    ("part", "after"), [(slice(None, -1), b""), (slice(None), b"\0")], ids=["short", "long"]
)
def test_a_label_that_is_none_is_refused(chain: Chain, part: slice, after: bytes) -> None:
    code = pack_label(label())[part] + after
    places = put(chain, pack(shipped().layers)), put(chain, code)

    reason = chain.refusal(compiled("Painter").deployment(*places))

    assert reason == f"NotALabel(label={places[1].lower()})"
