import numpy as np
import pytest
import torch

from generation.gan import latent
from generation.gan.biggan import SmallBigGan
from generation.gan.directions import sefa
from generation.gan.generator import Generator
from generation.gan.render import UnknownDirectionError, render
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
