"""The integer network beside sums written out one by one, and the files it refuses."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from minting.evolution import network
from minting.evolution.network import LAYERS, SHAPES, Layer, NetworkError
from tests.fixtures.painting import SHIPPED, shipped


def one_pixel(layers: tuple[Layer, ...], latents: NDArray[np.uint8], y: int, x: int) -> list[int]:
    """A pixel's colours, asking for each activation that it needs, in Python's integers."""

    def scaled(layer: Layer, total: int, channel: int) -> int:
        whole = (total + int(layer.bias[channel])) * layer.multiplier
        return min(max(whole // 65536, 0), 255)

    known: dict[tuple[int, int, int, int], int] = {}

    def activation(depth: int, channel: int, row: int, column: int) -> int:
        key = depth, channel, row, column
        if key not in known:
            known[key] = computed(*key)
        return known[key]

    def computed(depth: int, channel: int, row: int, column: int) -> int:
        if depth == 0:
            place = 16 * channel + 4 * row + column
            weights = layers[0].weight[place, :, 0, 0]
            total = sum(int(w) * int(one) for w, one in zip(weights, latents, strict=True))
            return scaled(layers[0], total, place)
        layer, size, total = layers[depth], 4 * 2**depth, 0
        for (source, i, j), w in np.ndenumerate(layer.weight[channel]):
            up, left = row + i - 1, column + j - 1
            if 0 <= up < size and 0 <= left < size:
                total += int(w) * activation(depth - 1, source, up // 2, left // 2)
        return scaled(layer, total, channel)

    last = layers[4]
    sums = [
        sum(int(last.weight[colour, c, 0, 0]) * activation(3, c, y, x) for c in range(16))
        for colour in range(3)
    ]
    return [scaled(last, total, colour) for colour, total in enumerate(sums)]


@pytest.mark.parametrize(("y", "x"), [(0, 0), (15, 16), (31, 7)])
def test_a_pixel_is_the_sums_written_out(y: int, x: int) -> None:
    latents = np.random.default_rng([y, x]).integers(0, 256, (1, 32), dtype=np.uint8)

    picture = network.draw(shipped(), latents)

    assert picture[0, y, x].tolist() == one_pixel(shipped().layers, latents[0], y, x)


def test_a_picture_does_not_depend_on_its_batch() -> None:
    latents = np.random.default_rng(0).integers(0, 256, (3, 32), dtype=np.uint8)

    together = network.draw(shipped(), latents)

    alone = [network.draw(shipped(), one[None])[0] for one in latents]
    np.testing.assert_array_equal(together, np.stack(alone))


def test_the_shipped_network_has_a_code_for_each_value() -> None:
    found = shipped()

    assert {name: len(code) for name, code in found.codes.items()} == {
        name: len(values) for name, values in found.values.items()
    }
    for code in found.codes.values():
        assert len(np.unique(code, axis=0)) == len(code)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start.weight": np.zeros((2, 2), np.int8)}, "start is not"),
        ({"to_rgb.weight": np.zeros(SHAPES["to_rgb"], np.int16)}, "to_rgb is not"),
        ({"convs.1.bias": np.zeros(3, np.int32)}, "bias of convs.1"),
    ],
    ids=["shape", "kind", "bias"],
)
def test_a_file_with_other_layers_is_refused(
    tmp_path: Path,
    change: dict[str, np.ndarray],
    reason: str,
) -> None:
    path = tmp_path / "other.safetensors"
    about = {"architecture": network.ARCHITECTURE, "schema": "{}", "recipe": "{}"}
    save_file(load_file(SHIPPED) | change, path, about)

    with pytest.raises(NetworkError, match=reason):
        network.load(path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "else.safetensors"
    save_file({f"{name}.weight": np.zeros(1, np.int8) for name in LAYERS}, path)

    with pytest.raises(NetworkError, match="not morphora-student-1"):
        network.load(path)


def test_a_file_that_is_none_of_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.safetensors"
    path.write_text("Dear network")

    with pytest.raises(NetworkError, match="not a safetensors file"):
        network.load(path)
