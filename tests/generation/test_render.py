from dataclasses import replace

import numpy as np
import pytest
import torch

from generation.gan import latent
from generation.gan.biggan import SmallBigGan
from generation.gan.directions import sefa
from generation.gan.generator import Generator
from generation.gan.render import UnknownDirectionError, coordinates, render
from generation.traits.parameters import Parameters, uniform
from tests.fixtures.networks import SCHEMA, SMALL

SEED = bytes(range(32))
PARAMETERS = uniform(SCHEMA.to_mapping())


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    made = SmallBigGan(SMALL).eval().requires_grad_(False)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return made


def specs(indices: range) -> list[latent.ItemSpec]:
    return [latent.item_spec(SEED, index, PARAMETERS) for index in indices]


def test_a_picture_has_the_same_bytes_whatever_shares_its_batch(generator: Generator) -> None:
    whole = render(generator, specs(range(70)), PARAMETERS)

    parts = [render(generator, specs(range(i, i + 1)), PARAMETERS) for i in (0, 31, 32, 69)]

    assert np.array_equal(np.concatenate(parts), whole[[0, 31, 32, 69]])


def test_different_seeds_give_different_pictures(generator: Generator) -> None:
    pictures = render(generator, specs(range(64)), PARAMETERS)

    assert len({picture.tobytes() for picture in pictures}) == 64


def test_truncation_to_zero_leaves_one_picture_a_class(generator: Generator) -> None:
    mean = Parameters(PARAMETERS.distributions, truncation_psi=0.0)
    asked = specs(range(64))

    pictures = render(generator, asked, mean)

    classes = {tuple(spec.requested.values()) for spec in asked}
    assert len({picture.tobytes() for picture in pictures}) == len(classes)


def test_a_direction_moves_the_pictures(generator: Generator) -> None:
    moved = Parameters(PARAMETERS.distributions, directions={"sefa-1": 2.0})

    before, after = (
        render(generator, specs(range(4)), PARAMETERS),
        render(generator, specs(range(4)), moved),
    )

    assert not np.array_equal(before, after)


def test_an_unknown_direction_is_refused_by_name(generator: Generator) -> None:
    odd = Parameters(PARAMETERS.distributions, directions={"smile": 1.0})

    with pytest.raises(UnknownDirectionError, match="smile"):
        render(generator, specs(range(1)), odd)


def test_sefa_directions_are_orthonormal(generator: Generator) -> None:
    found = torch.stack(list(sefa(generator).values()))

    assert torch.allclose(found @ found.T, torch.eye(4), atol=1e-5)


def test_mapping_truncates_only_the_first_layers(generator: Generator) -> None:
    z, c = torch.randn(2, 8), torch.zeros(2, SCHEMA.c_dim)

    ws = generator.mapping(z, c, truncation_psi=0.5, truncation_cutoff=2)

    assert ws.shape == (2, generator.num_ws, generator.w_dim)
    assert torch.allclose(ws[:, :2, :8], 0.5 * z[:, None].expand(-1, 2, -1))
    assert torch.equal(ws[:, 2:, :8], z[:, None].expand(-1, generator.num_ws - 2, -1))


def test_items_lie_around_the_strength_of_a_direction(generator: Generator) -> None:
    # The latent of this network is normal in z, of which the direction is a unit vector.
    moved = Parameters(PARAMETERS.distributions, directions={"sefa-1": 1.5, "sefa-2": 0.0})

    found = coordinates(generator, specs(range(400)), moved)

    assert list(found) == ["sefa-1", "sefa-2"]
    assert found["sefa-1"].mean() == pytest.approx(1.5)
    assert found["sefa-2"].mean() == pytest.approx(0.0)
    assert found["sefa-1"].std() == pytest.approx(1.0, abs=0.15)
    assert abs(np.corrcoef(found["sefa-1"], found["sefa-2"])[0, 1]) < 0.15


def test_a_saved_direction_of_twice_the_length_has_half_the_strength(generator: Generator) -> None:
    moved = Parameters(PARAMETERS.distributions, directions={"sefa-1": 0.0, "long": 0.0})
    step = np.zeros(generator.w_dim, np.float32)
    unit = sefa(generator)["sefa-1"].numpy()
    step[: len(unit)] = 2 * unit

    found = coordinates(generator, specs(range(20)), moved, {"long": step})

    assert found["long"] == pytest.approx(found["sefa-1"] / 2, abs=1e-6)


def test_where_an_item_lies_does_not_depend_on_its_batch(generator: Generator) -> None:
    moved = Parameters(PARAMETERS.distributions, directions={"sefa-1": 1.0})

    whole = coordinates(generator, specs(range(40)), moved)["sefa-1"]
    part = coordinates(generator, specs(range(30, 40)), moved)["sefa-1"]

    assert part - part[0] == pytest.approx(whole[30:] - whole[30])


def test_a_work_may_begin_from_a_latent_of_its_own(generator: Generator) -> None:
    spec = specs(range(1))[0]
    own = latent.z(spec.seed, generator.z_dim).astype(float)
    same = replace(spec, start=tuple(own.tolist()))
    other = replace(spec, start=tuple((-own).tolist()))
    back = replace(other, shift=tuple((2 * own).tolist()))

    pictures = render(generator, [spec, same, other, back], PARAMETERS)

    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])
    assert np.abs(pictures[0].astype(int) - pictures[3]).max() <= 1
