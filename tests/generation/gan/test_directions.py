"""Directions against planted ones, an independent PCA, and a generator whose pixels are its w."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from generation.gan import latent
from generation.gan.biggan import SmallBigGan
from generation.gan.config import GeneratorConfig
from generation.gan.directions import linear_direction, mix, pad, pca, sefa, spread, without
from generation.gan.effects import count_effect, measure_effect
from generation.gan.generator import Generator
from generation.gan.pictures import to_uint8
from generation.gan.render import UnknownDirectionError, condition, draw, map_items, render
from generation.traits.effect import Effect, EffectError
from generation.traits.parameters import uniform
from generation.traits.parser import ParserNetwork
from tests.fixtures.networks import SCHEMA, SMALL

PARAMETERS = uniform(SCHEMA.to_mapping())
SPECS = [latent.item_spec(bytes(range(32)), index, PARAMETERS) for index in range(40)]


class FlatGenerator(Generator):
    """Every picture has one colour: red, green and blue are the first three entries of w."""

    def __init__(self) -> None:
        super().__init__(SMALL)
        self.gain = torch.nn.Parameter(torch.tensor(0.2))

    @property
    def config(self) -> GeneratorConfig:
        return SMALL

    @property
    def latent_dim(self) -> int:
        return SMALL.z_dim

    def latent_maps(self) -> list[Tensor]:
        return [torch.eye(SMALL.z_dim)]

    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        w = torch.cat([z * truncation_psi, torch.zeros(len(z), SMALL.embed_dim)], 1)
        return w[:, None].repeat(1, self.num_ws, 1)

    def synthesis(self, ws: Tensor) -> Tensor:
        colours = torch.tanh(self.gain * ws[:, 0, :3])
        return colours[:, :, None, None].expand(-1, -1, 16, 16)


class ColourReader(ParserNetwork):
    """Background from red against green; glasses where blue is above half."""

    def forward(self, image: Tensor) -> Tensor:
        red, green, blue = image.mean((2, 3)).unbind(1)
        off = torch.full_like(red, -9)
        return torch.stack([red, green, off, -blue, blue], 1)


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    made = SmallBigGan(SMALL).eval().requires_grad_(False)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return made


@pytest.fixture(scope="module")
def reader() -> ParserNetwork:
    return ColourReader(SCHEMA, 16, width=4).eval()


def axis(k: int, w_dim: int = SMALL.w_dim) -> NDArray[np.float32]:
    one = np.zeros(w_dim, np.float32)
    one[k] = 1
    return one


def cloud(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Latents [n, 8], widest along the first axis, off the origin."""
    normal = np.random.default_rng(seed).standard_normal((n, 8))
    stretched: NDArray[np.float64] = normal * np.arange(8, 0, -1) + 5
    return stretched.astype(np.float32)


def test_principal_directions_are_those_of_scikit_learn() -> None:
    latents = cloud(500) @ np.linalg.qr(cloud(8, seed=1))[0].astype(np.float32)

    found = np.stack(list(pca(latents, 5).values()))

    expected = PCA(5).fit(latents).components_
    assert np.abs((found * expected).sum(1)) == pytest.approx(np.ones(5), abs=1e-4)
    assert (found[np.arange(5), np.abs(found).argmax(1)] > 0).all()


def test_an_axis_without_variance_has_no_principal_direction() -> None:
    latents = cloud(50)
    latents[:, 2:] = 1

    found = pca(latents, 4)

    assert list(found) == ["pca-1", "pca-2"]
    assert np.abs(np.stack(list(found.values()))[:, 2:]).max() < 1e-5


def test_a_linear_direction_recovers_the_planted_one() -> None:
    latents = np.random.default_rng(2).standard_normal((4000, 8)).astype(np.float32) + 3
    planted = np.array([3, 0, -4, 0, 0, 0, 0, 0], np.float32) / 5

    found = linear_direction(latents, (latents - 3) @ planted > 0.3)

    assert float(found @ planted) > 0.995
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_a_linear_direction_has_no_part_along_a_constant_axis() -> None:
    latents = cloud(300)
    latents[:, 3] = 0.7

    found = linear_direction(latents, latents[:, 0] > 5)

    assert abs(found[3]) < 1e-6


@pytest.mark.parametrize("said", [True, False])
def test_readings_that_are_all_alike_give_no_direction(said: bool) -> None:
    with pytest.raises(ValueError, match="tell nothing apart"):
        linear_direction(cloud(20), np.full(20, said))


def test_a_conditional_direction_is_at_right_angles_to_the_others() -> None:
    first, second, third = cloud(3) / np.linalg.norm(cloud(3), axis=1, keepdims=True)

    found = without(first, [second, third, second])

    assert abs(float(found @ second)) < 1e-5
    assert abs(float(found @ third)) < 1e-5
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_a_direction_in_the_span_of_the_others_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        without(axis(0), [axis(0), axis(1)])


def test_strength_one_is_one_standard_deviation() -> None:
    latents = cloud(3000)

    assert spread(latents, axis(1, 8)) == pytest.approx(float(latents[:, 1].std()), rel=1e-5)


def test_mixing_swaps_the_named_layers_only() -> None:
    ws_a, ws_b = torch.zeros(2, 5, 3), torch.ones(2, 5, 3)

    mixed = mix(ws_a, ws_b, 1, 3)

    assert mixed[:, :, 0].tolist() == [[0, 1, 1, 1, 0]] * 2
    assert ws_a.sum() == 0


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2), (0, 5)])
def test_layers_that_are_not_there_cannot_be_mixed(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="layers"):
        mix(torch.zeros(2, 5, 3), torch.zeros(2, 5, 3), first, last)


def test_a_mix_of_all_layers_is_the_other_work(generator: Generator) -> None:
    ws_a = map_items(generator, SPECS[:2], PARAMETERS)
    ws_b = map_items(generator, SPECS[2:4], PARAMETERS)

    mixed = draw(generator, mix(ws_a, ws_b, 0, generator.num_ws - 1))

    assert np.array_equal(mixed, render(generator, SPECS[2:4], PARAMETERS))


def test_sefa_moves_the_latent_as_it_always_did(generator: Generator) -> None:
    moved = replace(PARAMETERS, truncation_psi=0.8, directions={"sefa-1": 2.0, "sefa-3": -1.5})

    pictures = render(generator, SPECS[:32], moved)

    z = torch.stack([torch.from_numpy(latent.z(s.seed, SMALL.z_dim)) for s in SPECS[:32]])
    c = torch.stack([condition(generator, s.requested) for s in SPECS[:32]])
    known = sefa(generator)
    with torch.no_grad():
        ws = generator.mapping(z, c, 0.8)
        ws[:, :, : SMALL.z_dim] += 2.0 * known["sefa-1"] - 1.5 * known["sefa-3"]
        expected = to_uint8(generator.synthesis(ws))
    assert np.array_equal(pictures, expected)


def test_a_saved_direction_moves_the_whole_of_w(generator: Generator) -> None:
    moved = replace(PARAMETERS, directions={"smile": 1.5})
    step = np.random.default_rng(3).standard_normal(SMALL.w_dim).astype(np.float32)

    ws = map_items(generator, SPECS, moved, {"smile": step})

    still = map_items(generator, SPECS, PARAMETERS)
    assert torch.allclose(ws - still, torch.from_numpy(1.5 * step).expand_as(ws), atol=1e-5)


def test_a_direction_that_was_not_given_is_refused_beside_one_that_was(
    generator: Generator,
) -> None:
    moved = replace(PARAMETERS, directions={"smile": 1.0, "frown": 1.0})

    with pytest.raises(UnknownDirectionError, match="frown"):
        render(generator, SPECS[:1], moved, {"smile": axis(0)})


def test_a_padded_sefa_direction_draws_the_same_bytes(generator: Generator) -> None:
    step = pad(sefa(generator)["sefa-2"], SMALL.w_dim).numpy()
    by_name = replace(PARAMETERS, directions={"sefa-2": 1.0})
    by_row = replace(PARAMETERS, directions={"tilt": 1.0})

    assert np.array_equal(
        render(generator, SPECS, by_name), render(generator, SPECS, by_row, {"tilt": step})
    )


def test_a_planted_direction_moves_its_own_attribute_and_no_other(reader: ParserNetwork) -> None:
    red = axis(0)

    effect = measure_effect(FlatGenerator().eval(), reader, red, SPECS, PARAMETERS)

    z = np.stack([latent.z(spec.seed, SMALL.z_dim) for spec in SPECS])
    expected = [(z[:, 0] + s > z[:, 1]).mean() for s in effect.strengths]
    assert effect.shares["background"]["sand"] == pytest.approx(expected, abs=0.03)
    assert effect.spearman["background"]["sand"] > 0.95
    assert effect.spearman["background"]["sky"] < -0.95
    assert effect.leakage("background") == {"accessory": 0}


def test_a_direction_across_two_attributes_shows_its_leakage(reader: ParserNetwork) -> None:
    slanted = (axis(0) + axis(2)) / np.float32(np.sqrt(2))

    effect = measure_effect(FlatGenerator().eval(), reader, slanted, SPECS, PARAMETERS)

    glasses = effect.shares["accessory"]["glasses"]
    assert effect.leakage("background")["accessory"] == pytest.approx(glasses[-1] - glasses[0])
    assert effect.leakage("background")["accessory"] > 0.5


def test_shares_flips_and_ranks_are_counted_as_by_hand() -> None:
    read = np.array([[[0], [0], [0], [1]], [[0], [0], [1], [1]], [[1], [0], [1], [1]]])

    effect = count_effect([("hat", ("red", "blue", "none"))], (-1.0, 0.0, 1.0), read)

    assert effect.shares["hat"] == {
        "red": (0.75, 0.5, 0.25),
        "blue": (0.25, 0.5, 0.75),
        "none": (0, 0, 0),
    }
    assert effect.spearman["hat"] == pytest.approx({"red": -1, "blue": 1, "none": 0})
    assert effect.flips["hat"] == pytest.approx((0.25, 0, 0.25))
    assert effect.shift("hat") == pytest.approx(0.5)


@pytest.mark.parametrize("strengths", [(1.0, 2.0), (1.0, 0.0), (0.0, 0.0, 1.0)])
def test_strengths_rise_through_zero(reader: ParserNetwork, strengths: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rise through 0"):
        measure_effect(FlatGenerator(), reader, axis(0), SPECS, PARAMETERS, strengths)


def test_an_effect_survives_json() -> None:
    read = np.array([[[0, 1], [1, 0]], [[1, 1], [1, 0]]])
    effect = count_effect(SCHEMA.attributes, (-1.0, 0.0), read)

    assert Effect.from_json(effect.to_json()) == effect


@pytest.mark.parametrize("body", [{}, {"strengths": None}, {"strengths": ["x"]}])
def test_what_is_no_effect_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(EffectError):
        Effect.from_json(body)
