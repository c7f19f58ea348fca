"""The FID network, by its published shape, and the Fréchet distance by worked values.

Nobody may ship its weights with these tests: what is filled in here is random.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy import linalg
from torch import Tensor

from generation.gan import metrics
from generation.gan.header import CheckpointError
from generation.gan.inception import (
    Inception,
    Mixed,
    inception_features,
    load_inception,
    resized,
)

Tensors = dict[str, Tensor]


def random_weights() -> Tensors:
    """A state dict as such files have it: without the counters of training."""
    torch.manual_seed(1)
    network = Inception()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("conv.weight"):  # He et al. 2015: a signal keeps its size with depth
                weight.normal_(0, (2 / weight[0].numel()) ** 0.5)
    return {k: t for k, t in network.state_dict().items() if not k.endswith("tracked")}


@pytest.fixture(scope="module")
def weights() -> Tensors:
    return random_weights()


@pytest.fixture(scope="module")
def file(weights: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "inception.pth"
    torch.save(weights, path)
    return path


def some_pictures(n: int, px: int = 16) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(2).integers(0, 256, (n, px, px, 3)).astype(np.uint8)


def test_it_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        network = Inception()

    n = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("fc"))

    # Inception V3 of 1000 classes has 23,834,568 without its auxiliary head, 2,049,000 in fc.
    assert n == 23_834_568 - 2_049_000
    assert network.fc.weight.shape == (1008, 2048)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv2d_1a_3x3.conv.weight", (32, 3, 3, 3)),
        ("Conv2d_4a_3x3.bn.running_var", (192,)),
        ("Mixed_5b.branch1x1.conv.weight", (64, 192, 1, 1)),
        ("Mixed_5b.branch5x5_2.conv.weight", (64, 48, 5, 5)),
        ("Mixed_5d.branch_pool.conv.weight", (64, 288, 1, 1)),
        ("Mixed_6a.branch3x3.conv.weight", (384, 288, 3, 3)),
        ("Mixed_6c.branch7x7_2.conv.weight", (160, 160, 1, 7)),
        ("Mixed_6e.branch7x7dbl_5.conv.weight", (192, 192, 1, 7)),
        ("Mixed_7a.branch7x7x3_4.conv.weight", (192, 192, 3, 3)),
        ("Mixed_7b.branch3x3dbl_3b.conv.weight", (384, 384, 3, 1)),
        ("Mixed_7c.branch3x3_2a.conv.weight", (384, 384, 1, 3)),
        ("fc.weight", (1008, 2048)),
    ],
)
def test_its_tensors_have_the_usual_names_and_shapes(
    weights: Tensors, name: str, shape: tuple[int, ...]
) -> None:
    assert weights[name].shape == shape


def test_features_do_not_depend_on_the_batch(file: Path) -> None:
    network, pictures = load_inception(file), some_pictures(3)

    together = inception_features(network, pictures)
    alone = np.concatenate([inception_features(network, p[None]) for p in pictures])

    assert together.shape == (3, 2048)
    assert np.allclose(together, alone, atol=1e-5 * np.abs(alone).max())
    assert np.abs(together[0] - together[1]).max() > 1e-3 * np.abs(together).max()


def test_safetensors_and_counters_of_training_are_read_too(
    weights: Tensors, file: Path, tmp_path: Path
) -> None:
    counted = weights | {"Mixed_5b.branch1x1.bn.num_batches_tracked": torch.tensor(7)}
    save_file(counted, tmp_path / "inception.safetensors")

    one, other = load_inception(file), load_inception(tmp_path / "inception.safetensors")

    assert torch.equal(
        one.Mixed_7c.branch_pool.conv.weight, weights["Mixed_7c.branch_pool.conv.weight"]
    )
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {k: t for k, t in tensors.items() if k != name}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("fc.bias"), "1 missing or left over: .'fc.bias'"),
        (lambda t: t | {"AuxLogits.fc.bias": torch.zeros(1)}, "left over: .'AuxLogits.fc.bias'"),
        (
            lambda t: t | {"fc.weight": torch.zeros(1000, 2048)},
            r"fc.weight has shape \(1000, 2048\), expected \(1008, 2048\)",
        ),
        (lambda t: t | {"fc.bias": torch.full((1008,), torch.nan)}, "fc.bias is not finite"),
        (lambda t: {"state": t}, "not a mapping of names to tensors"),
    ],
    ids=["missing", "left over", "shape", "not finite", "nested"],
)
def test_another_networks_weights_are_refused_by_name(
    weights: Tensors, tmp_path: Path, change: Callable[[Tensors], object], reason: str
) -> None:
    torch.save(change(weights), tmp_path / "other.pth")

    with pytest.raises(CheckpointError, match=reason):
        load_inception(tmp_path / "other.pth")


@pytest.mark.parametrize("raw", [b"", b"\x80\x04\x95cos\nsystem\n", b"no weights"])
def test_a_file_that_is_no_state_dict_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "bad.pth").write_bytes(raw)

    with pytest.raises(CheckpointError, match="no state dict"):
        load_inception(tmp_path / "bad.pth")


def test_padding_is_left_out_of_the_mean_and_the_last_block_takes_the_maximum() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    pooled = {}
    for pool in ("average", "max"):
        block = Mixed(1, [], pool, pooled=1)
        block.branch_pool = torch.nn.Identity()  # type: ignore[assignment]
        pooled[pool] = block(x)[0, 0]

    assert pooled["average"][0, 0] == (0 + 1 + 3 + 4) / 4
    assert pooled["average"][1, 1] == 4
    assert pooled["max"].tolist() == [[4, 5, 5], [7, 8, 8], [7, 8, 8]]
    with torch.device("meta"):
        network = Inception()
    assert (network.Mixed_7b.pool, network.Mixed_7c.pool) == ("average", "max")


def test_resizing_starts_at_the_first_pixel_and_stays_at_the_last() -> None:
    ramp = torch.arange(23.0)[None, None, None].expand(1, 3, 23, 23)  # 299 is 13 times 23

    row = resized(ramp)[0, 0, 100]

    expected = torch.clamp(torch.arange(299) / 13, max=22)
    assert torch.allclose(row, expected, atol=1e-4)


def gaussian(n: int, d: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((d, d))
    return (rng.standard_normal((n, d)) @ mix + rng.standard_normal(d)).astype(np.float32)


def test_the_distance_of_shifted_and_stretched_gaussians_is_the_worked_value() -> None:
    rows = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)  # covariance 4/3 I

    found = metrics.frechet(rows, 3 * rows + np.array([3, 4], np.float32))

    # |(3, 4)|² + tr(4/3 I + 12 I - 2 · 4 I) = 25 + 2 (4/3 + 12 - 8)
    assert found == pytest.approx(25 + 2 * (4 / 3 + 12 - 8))


def test_the_distance_is_that_of_the_formula_with_a_matrix_root() -> None:
    real, fake = gaussian(300, 12, 1), gaussian(200, 12, 2)
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)

    found = metrics.frechet(real, fake)

    root = np.real(linalg.sqrtm(one @ other))
    shift = real.mean(0) - fake.mean(0)
    assert found == pytest.approx(shift @ shift + np.trace(one + other - 2 * root), rel=1e-5)


def test_a_set_is_at_distance_zero_from_itself_even_where_rows_are_few() -> None:
    few = gaussian(10, 40, 3)  # rank 9

    assert metrics.frechet(few, few) == pytest.approx(0, abs=1e-5)


def test_one_row_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two rows"):
        metrics.frechet(gaussian(1, 4, 1), gaussian(5, 4, 1))
