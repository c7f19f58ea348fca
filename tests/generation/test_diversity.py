"""Pictures that resemble each other, gathered for curators."""

import numpy as np
from numpy.typing import NDArray

from generation.models import Drop
from generation.services import finish_rendering
from generation.traits import diversity
from generation.traits.diversity import SIMILAR_RMS, similar_groups
from tests.fixtures.works import MakeDrop


def levels(*values: float) -> NDArray[np.float32]:
    """Thumbnails of one level each: their root mean square distance is the levels' difference."""
    return np.repeat(np.array(values, np.float32)[:, None], 768, axis=1)


def test_similar_pictures_form_a_group_around_the_first() -> None:
    near = SIMILAR_RMS - 1

    assert similar_groups(levels(0, 200, near, 100, 200 - near)) == [[0, 2], [1, 4]]


def test_a_chain_of_small_differences_is_no_group() -> None:
    step = SIMILAR_RMS - 1

    assert similar_groups(levels(0, step, 2 * step, 3 * step)) == [[0, 1], [2, 3]]


def test_different_pictures_form_no_group() -> None:
    assert similar_groups(levels(0, 50, 100)) == []
    assert similar_groups(levels(0)) == []


def test_groups_are_kept_with_the_works_when_a_drop_is_rendered(make_drop: MakeDrop) -> None:
    drop = make_drop(5, Drop.State.RENDERING)

    finish_rendering(drop=drop, repeats=[2], groups=[[1, 4]])

    groups = drop.artworks.in_order().values_list("similar_group", flat=True)
    assert list(groups) == [None, 1, None, None, 1]
    assert [work.index for work in drop.artworks.alike().in_order()] == [1, 4]


def test_repeats_found_one_at_a_time_are_those_found_together() -> None:
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    for row in range(300, 600, 3):
        pictures[row] = np.clip(pictures[row - 300].astype(int) + 1, 0, 255)
    repeats, found = diversity.Repeats(), []
    for row, picture in enumerate(pictures):
        if repeats.find(picture) is not None:
            found.append(row)
        else:
            repeats.keep(picture)

    assert found == diversity.near_duplicates(diversity.thumbnails(pictures))
    assert len(found) == 100
