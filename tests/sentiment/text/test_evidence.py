"""What a comment weighs, and how accuracy is measured."""

import numpy as np
import pytest

from sentiment.text.evidence import as_vote, weight
from sentiment.text.judging import cross_validate, judge


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(1, 1), (0.9, 0.64), (0.728, 0.207936), (0.5, 0), (0.2, 0)]
)
def test_a_weight_is_the_square_of_the_advantage_over_chance(
    accuracy: float, expected: float
) -> None:
    assert weight(accuracy) == pytest.approx(expected)


@pytest.mark.parametrize("accuracy", [-0.1, 1.1, float("nan")])
def test_what_is_no_accuracy_is_refused(accuracy: float) -> None:
    with pytest.raises(ValueError, match="no accuracy"):
        weight(accuracy)


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.8, (True, 0.64)), (-0.05, (False, 0.64)), (0.049, (True, 0)), (0, (False, 0))],
)
def test_a_neutral_comment_weighs_nothing(score: float, expected: tuple[bool, float]) -> None:
    liked, found = as_vote(score, 0.9)

    assert liked is expected[0]
    assert found == pytest.approx(expected[1])


def test_what_is_no_sentiment_is_refused() -> None:
    with pytest.raises(ValueError, match="no sentiment"):
        as_vote(1.5, 0.9)


def test_accuracy_counts_no_side_as_half_right() -> None:
    scores, liked = np.array([0.5, -0.5, 0.0, 0.2]), np.array([True, True, False, True])

    found = judge(scores, liked, ["a", "a", "b", "b"])

    # right: 1, 0 | 1/2, 1. Off the mean of 5/8: -1/4 and 1/4, so 2/1 * 2/16 / 16.
    assert found.mean == pytest.approx(0.625)
    assert found.standard_error == pytest.approx((2 * 2 / 16 / 16) ** 0.5)


def test_one_thread_of_equal_comments_makes_nothing_surer() -> None:
    liked = np.array([True, False] * 10)
    right = np.where(np.arange(20) < 10, 1.0, -1.0) * np.where(liked, 1, -1)

    as_two = judge(right, liked, ["a"] * 10 + ["b"] * 10)
    as_twenty = judge(right, liked, [str(i) for i in range(20)])

    assert as_two.standard_error == pytest.approx(0.5)
    assert as_twenty.standard_error < 0.12


def test_a_thread_is_never_in_both_parts() -> None:
    threads = [str(i // 3) for i in range(60)]
    texts = [f"{thread} {i}" for i, thread in enumerate(threads)]
    asked = []

    def fit(seen: object, liked: object) -> object:
        known = {text.split()[0] for text in seen}  # type: ignore[attr-defined]

        def score(text: str) -> float:
            assert text.split()[0] not in known
            asked.append(text)
            return 1.0

        return score

    found = cross_validate(fit, texts, np.ones(60, np.bool_), threads)  # type: ignore[arg-type]

    assert sorted(asked) == sorted(texts)
    assert found.mean == 1


def test_few_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="10 threads"):
        cross_validate(lambda *_: lambda _: 1.0, ["a"] * 9, np.ones(9, np.bool_), list("abcdefghi"))
