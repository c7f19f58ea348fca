"""A network and its label as bytes, and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.evolution import packing
from minting.evolution.latents import Attribute
from minting.evolution.network import LAYERS, SHAPES, Layer
from minting.evolution.packing import Label, PackingError, creation, pack, pack_label
from tests.fixtures.painting import label, shipped

TEXTS = st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=20)


def random_layers(seed: int) -> tuple[Layer, ...]:
    """Weights, biases and multipliers as far as they go."""
    chance = np.random.default_rng(seed)
    return tuple(
        Layer(
            chance.integers(-128, 128, SHAPES[name], dtype=np.int8),
            chance.integers(-(2**19), 2**19, SHAPES[name][0], dtype=np.int32),
            int(chance.integers(1, 2**16)),
        )
        for name in LAYERS
    )


@st.composite
def labels(draw: st.DrawFn) -> Label:
    found = []
    for n_bytes in draw(st.lists(st.integers(1, 4), max_size=8)):
        limits = sorted(draw(st.lists(st.integers(0, 256), max_size=9)))
        values = tuple(draw(TEXTS) or "none" for _ in range(len(limits) + 1))
        flat = draw(st.binary(min_size=len(values) * n_bytes, max_size=len(values) * n_bytes))
        codes = np.frombuffer(flat, np.uint8).reshape(len(values), n_bytes)
        found.append(Attribute(draw(TEXTS), values, (*limits, 256), codes))
    return Label(draw(TEXTS), draw(TEXTS), tuple(found))


def test_the_shipped_network_fits_one_contract() -> None:
    code = pack(shipped().layers)

    assert len(code) == packing.NETWORK_BYTES == 24_399 < packing.LARGEST
    assert code[0] == 0


@given(seed=st.integers(0, 2**32))
def test_a_network_comes_back(seed: int) -> None:
    layers = random_layers(seed)

    found = packing.unpack(pack(layers))

    for one, other in zip(layers, found, strict=True):
        np.testing.assert_array_equal(one.weight, other.weight)
        np.testing.assert_array_equal(one.bias, other.bias)
        assert one.multiplier == other.multiplier


def test_bytes_stand_where_the_format_says() -> None:
    layers = shipped().layers
    code = pack(layers)

    assert int.from_bytes(code[3:5]) == layers[1].multiplier
    # Bias 2 is in the first five nibbles after two others.
    assert int.from_bytes(code[16:19]) >> 4 == int(layers[0].bias[2]) % 2**20
    # Latents 0, 1 and 2 for output 0.
    assert [byte - 128 for byte in code[1119:1122]] == layers[0].weight[0, :3, 0, 0].tolist()
    # The right weights of the uppermost rows of channels 0, 1 and 2, for output 0.
    assert [byte - 128 for byte in code[13407:13410]] == layers[1].weight[0, :3, 0, 2].tolist()
    assert [byte - 128 for byte in code[-16:]] == layers[4].weight[2, :, 0, 0].tolist()


@pytest.mark.parametrize("bias", [2**19, -(2**19) - 1])
def test_a_bias_beyond_20_bits_is_refused(bias: int) -> None:
    first, *others = shipped().layers
    first = replace(first, bias=np.full(384, bias, np.int32))

    with pytest.raises(PackingError, match="20 bits"):
        pack([first, *others])


@pytest.mark.parametrize("multiplier", [0, 65536])
def test_a_multiplier_beyond_16_bits_is_refused(multiplier: int) -> None:
    first, *others = shipped().layers

    with pytest.raises(PackingError, match="multipliers"):
        pack([replace(first, multiplier=multiplier), *others])


@pytest.mark.parametrize("code", [b"", bytes(24_398), b"\1" + bytes(24_398)])
def test_bytes_that_are_no_network_are_refused(code: bytes) -> None:
    with pytest.raises(PackingError, match="no network"):
        packing.unpack(code)


@given(made=labels())
def test_a_label_comes_back(made: Label) -> None:
    code = pack_label(made)

    found = packing.unpack_label(code)

    assert (found.name, found.story) == (made.name, made.story)
    assert pack_label(found) == code
    for one, other in zip(made.attributes, found.attributes, strict=True):
        assert (one.name, one.values, one.thresholds) == (
            other.name,
            other.values,
            other.thresholds,
        )
        np.testing.assert_array_equal(one.codes, other.codes)


@given(cut=st.integers(0, 580))
def test_a_label_that_was_cut_is_refused(cut: int) -> None:
    code = pack_label(label())

    with pytest.raises(PackingError):
        packing.unpack_label(code[: min(cut, len(code) - 1)])


def test_a_label_with_something_after_it_is_refused() -> None:
    with pytest.raises(PackingError, match="left over"):
        packing.unpack_label(pack_label(label()) + b"\0")


@pytest.mark.parametrize("text", ['say "hi"', "back\\slash", "line\nbreak", "Zürich"])
def test_texts_that_break_json_are_refused(text: str) -> None:
    with pytest.raises(PackingError, match="JSON"):
        pack_label(replace(label(), story=text))


@pytest.mark.parametrize("limits", [(10, 5, 256), (10, 20, 255), (10, 20, 257)])
def test_thresholds_that_do_not_rise_to_256_are_refused(limits: tuple[int, ...]) -> None:
    attribute = Attribute("hat", ("a", "b", "c"), limits, np.zeros((3, 1), np.uint8))

    with pytest.raises(PackingError, match="do not rise"):
        pack_label(replace(label(), attributes=(attribute,)))


def test_codes_longer_than_the_latents_are_refused() -> None:
    attribute = Attribute("hat", ("a",), (256,), np.zeros((1, 17), np.uint8))

    with pytest.raises(PackingError, match="more than 32 bytes"):
        pack_label(replace(label(), attributes=(attribute, attribute)))


def test_what_no_contract_holds_is_not_created() -> None:
    assert creation(bytes(24_576)).startswith(bytes.fromhex("61600080600a5f395ff300"))
    with pytest.raises(PackingError, match="24577 bytes"):
        creation(bytes(24_577))
