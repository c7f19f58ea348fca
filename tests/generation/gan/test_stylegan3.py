import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from benchmarks import plain_networks
from generation.gan import winograd
from generation.gan.config import AttributeSchema, ConfigError
from generation.gan.schedule import StyleGAN3Config
from generation.gan.stylegan3 import StyleGAN3

FREE = AttributeSchema(())
ASKED = AttributeSchema.from_mapping({"sky": ["day", "night"], "sea": ["calm", "rough", "none"]})
SMALL: dict[str, Any] = {"z_dim": 16, "w_dim": 16, "channel_base": 1024, "channel_max": 40}
T64 = StyleGAN3Config(FREE, 64, **SMALL)
R64 = StyleGAN3Config.rotation(FREE, 64, **(SMALL | {"channel_base": 2048, "channel_max": 80}))


def drawn_before(config: StyleGAN3Config, seed: int = 1) -> StyleGAN3:
    """A network of random weights that has seen some of its own pictures, ready to draw."""
    torch.manual_seed(seed)
    generator = StyleGAN3(config)
    with torch.no_grad():
        for _ in range(3):
            z = torch.randn(4, config.z_dim)
            generator(z, torch.zeros(4, config.schema.c_dim))
    return generator.eval().requires_grad_(False)


@pytest.fixture(scope="module", params=[T64, R64], ids=["T", "R"])
def generator(request: pytest.FixtureRequest) -> StyleGAN3:
    return drawn_before(request.param)


def some_ws(generator: StyleGAN3, n: int) -> Tensor:
    chance = torch.Generator().manual_seed(3)
    z = torch.randn(n, generator.z_dim, generator=chance)
    return generator.mapping(z, torch.zeros(n, generator.c_dim))


def test_pictures_are_those_of_the_plain_operations(generator: StyleGAN3) -> None:
    ws = some_ws(generator, 3)

    assert torch.allclose(
        generator.synthesis(ws), plain_networks.stylegan3(generator, ws), atol=5e-5
    )


@pytest.mark.parametrize(
    "change",
    [{"n_layers": 7}, {"margin": 4, "n_layers": 6}, {"img_resolution": 32, "n_layers": 5}],
    ids=["odd number of layers", "narrow margin", "32 px"],
)
def test_other_shapes_are_those_of_the_plain_operations(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"img_resolution": 64} | SMALL | change
    generator = drawn_before(StyleGAN3Config(FREE, **fields))
    ws = some_ws(generator, 2)

    assert torch.allclose(
        generator.synthesis(ws), plain_networks.stylegan3(generator, ws), atol=5e-5
    )


def test_training_draws_the_same_and_its_gradients_are_the_plain_ones() -> None:
    generator = drawn_before(StyleGAN3Config(FREE, 32, n_layers=6, margin=4, **SMALL))
    ws = some_ws(generator, 2).requires_grad_()
    target = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))

    image = generator.synthesis(ws)
    (found,) = torch.autograd.grad((image * target).sum(), ws)

    plain = plain_networks.stylegan3(generator, ws)
    (wanted,) = torch.autograd.grad((plain * target).sum(), ws)
    assert torch.allclose(image, plain, atol=5e-5)
    assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def test_a_picture_is_the_same_to_the_bit_whatever_shares_its_batch(generator: StyleGAN3) -> None:
    ws = some_ws(generator, 5)

    alone, together = generator.synthesis(ws[3:4]), generator.synthesis(ws)

    assert torch.equal(alone[0], together[3])


def test_the_published_numbers_of_parameters() -> None:
    def millions(px: int, **fields: Any) -> float:
        with torch.device("meta"):
            network = StyleGAN3(StyleGAN3Config(FREE, px, **fields))
        return round(sum(p.numel() for p in network.parameters()) / 1e6, 1)

    found = [
        millions(64, channel_base=16384),
        millions(128, channel_base=16384),
        millions(256, channel_base=16384),
        millions(256, channel_base=32768),
        millions(256, channel_base=32768, channel_max=1024, kernel=1, radial=True),
    ]

    assert found == [32.3, 27.0, 23.3, 28.5, 15.8]


def test_mapping_is_a_worked_example() -> None:
    config = StyleGAN3Config(FREE, 16, z_dim=2, w_dim=2, channel_max=4, n_layers=4)
    generator = StyleGAN3(config).eval()
    with torch.no_grad():
        for layer in generator.map.layers:
            layer.weight.copy_(100 * math.sqrt(2) * torch.eye(2))  # times .01 / sqrt(2): identity
            layer.bias.copy_(torch.tensor([0.0, 100.0]))  # times .01: 1

    w = generator.mapping(torch.tensor([[3.0, -4.0]]), torch.zeros(1, 0))[0, 0]

    x = np.array([3.0, -4.0]) / math.sqrt(12.5)
    for _ in range(2):
        x = x + np.array([0.0, 1.0])
        x = np.where(x > 0, x, 0.2 * x) * math.sqrt(2)
    assert np.allclose(w.detach().numpy(), x, atol=1e-5)


def test_truncation_pulls_the_first_layers_towards_the_mean() -> None:
    generator = drawn_before(T64)
    z, c = torch.randn(2, 16), torch.zeros(2, 0)

    whole, cut = generator.mapping(z, c), generator.mapping(z, c, 0.25, truncation_cutoff=4)

    mean = generator.map.w_avg
    assert torch.allclose(cut[:, :4], mean + 0.25 * (whole[:, :4] - mean), atol=1e-6)
    assert torch.equal(cut[:, 4:], whole[:, 4:])


def test_what_is_asked_for_moves_the_picture() -> None:
    generator = drawn_before(StyleGAN3Config(ASKED, 32, n_layers=6, **SMALL))
    z = torch.randn(1, 16).repeat(2, 1)
    c = torch.tensor([[1.0, 0, 1, 0, 0], [0, 1, 1, 0, 0]])

    day, night = generator(z, c)

    assert (day - night).abs().max() > 1e-3


def psnr_db(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """Karras et al. 2021, equation 6, of pictures in [-1, 1]."""
    return float(10 * np.log10(4 / np.mean((found - wanted) ** 2)))


def shifted(image: NDArray[np.float64], px: float) -> NDArray[np.float64]:
    """The picture moved to the right by a sinc under a window of its own width."""
    at = np.arange(-16, 17) - px
    kernel = np.sinc(at) * np.sinc(np.clip(at / 17, -1, 1))
    moved: NDArray[np.float64] = ndimage.convolve1d(image, kernel, axis=-1, mode="constant")
    return moved


def under(generator: StyleGAN3, ws: Tensor, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    generator.input.transform.copy_(torch.from_numpy(matrix))
    try:
        drawn: NDArray[np.float64] = generator.synthesis(ws).double().numpy()
        return drawn
    finally:
        generator.input.transform.copy_(torch.eye(3))


@pytest.mark.parametrize("px", [1.0, 0.5, 2.3])
def test_pictures_move_with_their_input_even_by_parts_of_a_pixel(
    generator: StyleGAN3, px: float
) -> None:
    ws = some_ws(generator, 2)
    move = np.eye(3)
    move[0, 2] = -px / 64

    found = under(generator, ws, move)[..., 20:44, 20:44]

    wanted = shifted(under(generator, ws, np.eye(3)), px)[..., 20:44, 20:44]
    assert psnr_db(found, wanted) > 66  # the paper's networks reach 63 to 67 dB


def turned_db(generator: StyleGAN3, degrees: float) -> float:
    ws = some_ws(generator, 2)
    a = math.radians(degrees)
    turn = np.eye(3)
    turn[:2, :2] = [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
    found, straight = under(generator, ws, turn), under(generator, ws, np.eye(3))
    wanted = ndimage.rotate(straight, degrees, axes=(-1, -2), reshape=False, order=5)
    rows, columns = np.mgrid[:64, :64] - 31.5
    inside = np.hypot(rows, columns) < 18
    return psnr_db(found[..., inside], wanted[..., inside])


@pytest.mark.parametrize("degrees", [30.0, 45.0])
def test_pictures_of_configuration_r_turn_with_their_input_and_those_of_t_do_not(
    degrees: float,
) -> None:
    assert turned_db(drawn_before(R64), degrees) > 50  # the paper's networks reach 40 to 47 dB
    assert turned_db(drawn_before(T64), degrees) < 45


def test_impossible_networks_are_refused_by_name() -> None:
    wrong: list[dict[str, Any]] = [
        {"img_resolution": 48},
        {"img_resolution": 1 << 30},
        {"n_layers": 10**9},
        {"margin": 10**6},
        {"n_critical": 14},
        {"kernel": 2},
        {"z_dim": 0},
    ]
    for fields in wrong:
        with pytest.raises(ConfigError):
            StyleGAN3Config(FREE, **({"img_resolution": 64} | fields))


def test_a_configuration_comes_back_from_json() -> None:
    assert StyleGAN3Config.from_json(R64.to_json()) == R64


def test_half_precision_draws_nearly_the_same() -> None:
    generator = drawn_before(StyleGAN3Config(FREE, 32, n_layers=6, **SMALL))
    ws = some_ws(generator, 2)
    exact = generator.synthesis(ws)

    generator.compute_dtype = torch.bfloat16
    rough = generator.synthesis(ws)

    assert 0 < (rough - exact).abs().max() < 0.1 * exact.std() + 0.1


def test_winograds_convolution_is_the_direct_one() -> None:
    chance = torch.Generator().manual_seed(2)
    x, weight = torch.randn(9, 9, 24, generator=chance), torch.randn(20, 24, 3, 3, generator=chance)
    scale, gain, bias = (torch.randn(n, generator=chance) for n in (24, 20, 20))

    found = winograd.convolve(x, winograd.transform_weight(weight), scale, gain, bias)

    direct = torch.conv2d((x * scale).permute(2, 0, 1)[None], weight, padding=2)[0]
    wanted = direct.permute(1, 2, 0) * gain + bias
    assert torch.allclose(found[:11, :11], wanted, atol=1e-4 * float(wanted.std()))


def test_long_pictures_are_convolved_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = torch.Generator().manual_seed(2)
    x, weight = torch.randn(21, 21, 8, generator=chance), torch.randn(8, 8, 3, 3, generator=chance)
    ones = torch.ones(8)
    factors = winograd.transform_weight(weight)
    whole = winograd.convolve(x, factors, ones, ones, ones)

    monkeypatch.setattr(winograd, "STRIP_BYTES", 1)

    found = winograd.convolve(x, factors, ones, ones, ones)
    # The size of a product decides the order of its sums, on each processor its own way.
    assert torch.allclose(found, whole, atol=1e-4 * float(whole.std()))
