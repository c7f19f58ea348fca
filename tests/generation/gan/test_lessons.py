"""What a student is taught, with a teacher that knows nothing yet."""

from dataclasses import replace
from statistics import NormalDist

import pytest
import torch

from generation.gan import lessons
from generation.gan.biggan import SmallBigGan
from generation.gan.lessons import Lessons, shape_code
from generation.gan.student import LATENTS, RESOLUTION
from tests.fixtures.flat import SCHEMA, SMALL

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def teacher() -> SmallBigGan:
    torch.manual_seed(0)
    config = replace(SMALL, img_resolution=64, z_dim=32, g_channels=(8,) * 5, d_channels=(8,) * 4)
    return SmallBigGan(config).eval()


@pytest.fixture(scope="module")
def prepared(teacher: SmallBigGan) -> Lessons:
    torch.manual_seed(1)
    return lessons.prepare(teacher, {"accessory": 2}, frozenset({"background"}), psi=0.8, n=8)


@pytest.mark.parametrize(("n_values", "n_bytes"), [(8, 4), (6, 3), (4, 2), (4, 3), (7, 3), (8, 3)])
def test_codes_of_shapes_are_far_apart(n_values: int, n_bytes: int) -> None:
    code = shape_code(n_values, n_bytes, CPU)

    assert code.shape == (n_values, n_bytes)
    assert float(torch.pdist(code).min()) > 100
    assert code.min() >= 0
    assert code.max() <= 255


def test_more_values_than_corners_are_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes have no 5 corners"):
        shape_code(5, 2, CPU)


def test_codes_and_free_bytes_fill_a_latent(prepared: Lessons) -> None:
    assert {name: tuple(code.shape) for name, code in prepared.codes.items()} == {
        "background": (3, 3),
        "accessory": (2, 2),
    }
    assert prepared.n_free == LATENTS - 5


def test_the_basis_is_orthonormal(prepared: Lessons) -> None:
    gram = prepared.basis.T @ prepared.basis

    torch.testing.assert_close(gram, torch.eye(prepared.n_free), rtol=0, atol=1e-5)


def test_a_code_asks_for_its_value_alone() -> None:
    codes = {"background": shape_code(3, 3, CPU), "accessory": shape_code(2, 2, CPU)}
    made = Lessons(SCHEMA, codes, torch.eye(32)[:, :27], 0.8)
    pairs = [(i, j) for i in range(3) for j in range(2)]
    latents = torch.stack(
        [
            torch.cat([codes["background"][i], codes["accessory"][j], torch.full((27,), 128.0)])
            for i, j in pairs
        ]
    )

    _, asked = made.asked(latents)

    expected = torch.zeros(6, 5)
    for row, (i, j) in enumerate(pairs):
        expected[row, i] = expected[row, 3 + j] = 1
    # The others are at least four s away: exp(-8).
    torch.testing.assert_close(asked, expected, rtol=0, atol=1e-3)


def test_between_codes_values_are_mixed() -> None:
    codes = {"background": shape_code(3, 3, CPU), "accessory": shape_code(2, 2, CPU)}
    made = Lessons(SCHEMA, codes, torch.eye(32)[:, :27], 0.8)
    middle = codes["accessory"].mean(0)

    _, asked = made.asked(torch.cat([codes["background"][0], middle, torch.zeros(27)])[None])

    torch.testing.assert_close(asked[0, 3:], torch.tensor([0.5, 0.5]))


def test_free_bytes_are_quantiles_of_the_normal_law() -> None:
    codes = {"background": shape_code(3, 3, CPU), "accessory": shape_code(2, 2, CPU)}
    made = Lessons(SCHEMA, codes, torch.eye(32)[:, :27], 0.8)
    latent = torch.cat([torch.zeros(5), torch.arange(27.0) * 9])[None]

    z, _ = made.asked(latent)

    law = NormalDist()
    expected = torch.tensor([law.inv_cdf((9 * place + 0.5) / 256) for place in range(27)])
    torch.testing.assert_close(z[0, :27], expected, rtol=1e-4, atol=1e-4)
    assert z[0, 27:].tolist() == [0] * 5


def test_random_latents_have_codes_of_values(prepared: Lessons) -> None:
    latents = prepared.random(20, torch.Generator().manual_seed(2))

    assert latents.shape == (20, LATENTS)
    accessories = {tuple(row) for row in prepared.codes["accessory"].tolist()}
    assert {tuple(row) for row in latents[:, 3:5].tolist()} == accessories
    assert latents.min() >= 0
    assert latents.max() <= 255


def test_the_teacher_is_shown_small(teacher: SmallBigGan) -> None:
    c = lessons.one_hot(SCHEMA, 3, CPU)

    with torch.no_grad():
        pictures = lessons.teach(teacher, torch.zeros(3, 32), c, 0.8)

    assert pictures.shape == (3, 3, RESOLUTION, RESOLUTION)
    assert c.sum(1).tolist() == [2, 2, 2]
    assert pictures.min() >= 0
    assert pictures.max() <= 255
