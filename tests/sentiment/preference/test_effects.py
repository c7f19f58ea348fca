import numpy as np
import pytest

from sentiment.preference.bradley_terry import Belief
from sentiment.preference.effects import Moved, centred, moved_most, preferred

NAMES = [("head", "bun"), ("head", "long"), ("face", "calm"), ("face", "smile"), ("face", "awe")]


def test_effects_are_told_around_the_mean_of_their_attribute() -> None:
    belief = Belief(np.array([3.0, 1.0, 0.0, 0.0, 6.0, 9.0]), np.eye(6))

    found = centred(belief, NAMES)

    assert found.mean == pytest.approx([1, -1, -2, -2, 4])
    assert found.sd == pytest.approx(np.sqrt([1 / 2, 1 / 2, 2 / 3, 2 / 3, 2 / 3]))
    assert found.high - found.low == pytest.approx(2 * 1.959963984540054 * found.sd)


def test_what_all_values_of_an_attribute_share_is_neither_effect_nor_doubt() -> None:
    covariance = np.diag([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    shared = covariance.copy()
    shared[:2, :2] += 100

    plain = centred(Belief(np.array([0.5, -0.5, 0, 0, 0, 0]), covariance), NAMES)
    moved = centred(Belief(np.array([7.5, 6.5, 0, 0, 0, 0]), shared), NAMES)

    assert moved.mean == pytest.approx(plain.mean)
    assert moved.sd == pytest.approx(plain.sd)


def test_names_and_effects_go_together() -> None:
    with pytest.raises(ValueError, match="2 names for 5 effects"):
        centred(Belief.prior(5), NAMES[:2])


def test_no_effect_is_preferred_half_the_time_and_log_three_three_quarters() -> None:
    assert preferred(np.array([0.0, np.log(3)])) == pytest.approx([0.5, 0.75])


OLD = {"head": {"bun": 0.5, "long": 0.5}, "face": {"calm": 0.25, "smile": 0.75}}


def choice(
    head: str, other: str, face: str = "calm", face_other: str = "calm"
) -> tuple[dict[str, str], dict[str, str]]:
    return {"head": head, "face": face}, {"head": other, "face": face_other}


def test_the_value_that_moved_most_along_with_the_votes_is_told_with_its_counts() -> None:
    choices = [choice("long", "bun"), choice("long", "bun"), choice("bun", "long")]
    new = {"head": {"bun": 0.3, "long": 0.7}, "face": {"calm": 0.9, "smile": 0.1}}

    found = moved_most(choices, OLD, new)

    assert found == Moved("head", "bun", chosen=1, passed=2, old=0.5, new=0.3)


def test_votes_between_equal_values_say_nothing() -> None:
    new = {"head": {"bun": 0.3, "long": 0.7}, "face": {"calm": 0.25, "smile": 0.75}}

    assert moved_most([choice("long", "long")], OLD, new) is None


def test_what_moved_against_the_votes_is_not_claimed() -> None:
    new = {"head": {"bun": 0.7, "long": 0.3}, "face": {"calm": 0.25, "smile": 0.75}}

    assert moved_most([choice("long", "bun")], OLD, new) is None


def test_a_share_that_stayed_is_no_move() -> None:
    assert moved_most([choice("long", "bun")], OLD, OLD) is None
