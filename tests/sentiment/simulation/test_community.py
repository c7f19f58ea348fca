from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from sentiment.simulation import community
from sentiment.simulation.community import Community

SIZES = [8, 5, 7, 8, 6, 4, 4]


def draw_works(n: int, chance: np.random.Generator) -> np.typing.NDArray[np.float64]:
    return np.hstack([np.eye(size)[chance.integers(size, size=n)] for size in SIZES])


def plain(*, left_bias: float = 0, lapse: float = 0) -> Community:
    return Community(
        common=np.array([1.0, 0.0]),
        personal=np.zeros((1, 2)),
        pairs=np.zeros((0, 2), np.int64),
        pair_effects=np.zeros(0),
        left_bias=left_bias,
        lapse=lapse,
    )


def share_left(crowd: Community, n: int = 20_000) -> float:
    zeros = np.zeros(n, np.int64)
    chance = np.random.default_rng(0)
    return float(community.answer(crowd, np.eye(2), zeros, zeros, zeros + 1, chance).mean())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, expit(1)),
        ({"left_bias": 0.5}, expit(1.5)),
        ({"lapse": 0.2}, 0.1 + 0.8 * expit(1)),
    ],
)
def test_answers_have_their_stated_probability(changes: dict[str, float], expected: float) -> None:
    assert share_left(plain(**changes)) == pytest.approx(expected, abs=0.015)


def test_a_voter_answers_from_the_common_and_the_own_taste() -> None:
    crowd = replace(plain(), personal=np.array([[-3.0, 0.0]]))

    assert share_left(crowd) == pytest.approx(expit(-2), abs=0.015)


def test_utility_adds_what_pleases_together() -> None:
    crowd = replace(plain(), pairs=np.array([[0, 1]]), pair_effects=np.array([0.5]))

    found = community.utility(crowd, np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))

    assert found == pytest.approx([1.5, 1.0, 0.0])


def test_two_voters_agree_on_six_pairs_of_ten() -> None:
    agreements = []
    for seed in range(30):
        chance = np.random.default_rng(seed)
        crowd = community.draw(sum(SIZES), 200, chance)
        works = draw_works(300, chance)
        left = chance.integers(300, size=4000)
        right = (left + chance.integers(1, 300, size=4000)) % 300
        first, second = chance.integers(200, size=(2, 4000))
        one = community.answer(crowd, works, first, left, right, chance)
        other = ~community.answer(crowd, works, second, right, left, chance)
        agreements.append((one == other).mean())

    assert np.mean(agreements) == pytest.approx(0.60, abs=0.02)
