"""Large pictures of what a contract draws: the latent against the lessons that its network had."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from generation.gan import latent, twins
from generation.gan.config import AttributeSchema
from generation.gan.latent import ItemSpec
from generation.gan.lessons import Lessons
from generation.gan.moved import shift
from generation.gan.twins import Twin
from generation.shipped import ONCHAIN
from generation.traits.parameters import Parameters
from minting.evolution import network

PARAMETERS = Parameters(
    {"background": {"sand": 0.5, "sky": 0.5}, "expression": {"calm": 1.0, "glad": 0.0}},
)
SEED = bytes(range(32))


def basis_of(z_dim: int, n_free: int, seed: int = 0) -> NDArray[np.float32]:
    """Orthonormal columns."""
    drawn = np.random.default_rng(seed).normal(size=(z_dim, n_free))
    found: NDArray[np.float32] = np.linalg.qr(drawn)[0].astype(np.float32)
    return found


def twin_of(latents: bytes, basis: NDArray[np.float32]) -> Twin:
    return Twin({}, np.frombuffer(latents, np.uint8), basis)


@given(latents=st.binary(min_size=32, max_size=32))
def test_the_latent_is_the_one_that_the_small_network_was_taught_with(latents: bytes) -> None:
    student = network.load(ONCHAIN)
    codes = {name: torch.from_numpy(code).float() for name, code in student.codes.items()}
    lessons = Lessons(AttributeSchema(()), codes, torch.from_numpy(student.basis), 0.7)
    given_ones = torch.tensor([list(latents)]).float()

    found = twins.start(twin_of(latents, student.basis))

    assert found == pytest.approx(lessons.asked(given_ones)[0][0].numpy(), abs=1e-5)


@given(latents=st.binary(min_size=32, max_size=32), seed=st.binary(min_size=32, max_size=32))
def test_a_later_try_differs_beside_the_basis_alone(latents: bytes, seed: bytes) -> None:
    basis = basis_of(64, 12)
    first, later = (twins.start(twin_of(latents, basis), own) for own in (None, seed))

    assert basis.T @ first == pytest.approx(basis.T @ later, abs=1e-5)
    rest = latent.z(seed, 64) - basis @ (basis.T @ latent.z(seed, 64))
    assert later - first == pytest.approx(rest, abs=1e-5)


@given(before=st.binary(min_size=32, max_size=32), after=st.binary(min_size=12, max_size=12))
def test_a_work_that_moved_is_where_its_bytes_are(before: bytes, after: bytes) -> None:
    basis, moved = basis_of(64, 12), before[:20] + after
    rows = [np.frombuffer(one, np.uint8)[None] for one in (before, moved)]

    way = shift(basis, *rows)[0]

    begun, arrived = (twins.start(twin_of(one, basis)) for one in (before, moved))
    assert begun + way == pytest.approx(arrived, abs=1e-9)


def test_it_shows_what_the_contract_shows_and_does_not_explore() -> None:
    spec = ItemSpec(3, SEED, {"background": "sand", "expression": "calm"}, 1.25, True)
    twin = Twin(
        {"background": "sky", "expression": "furious", "hat": "top"},
        np.zeros(32, np.uint8),
        basis_of(8, 4),
    )

    found = twins.follow(spec, twin, 0, PARAMETERS)

    assert found.requested == {"background": "sky", "expression": "calm"}
    assert (found.index, found.seed, found.psi, found.is_control) == (3, SEED, None, True)
    assert found.start == tuple(twins.start(twin))
    assert twins.follow(spec, twin, 1, PARAMETERS).start == tuple(twins.start(twin, SEED))
