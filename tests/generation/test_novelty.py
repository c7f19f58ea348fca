import numpy as np
import pytest

from generation.traits.novelty import SAME_FEATURES, Looks, Near, Seen


def looks(rows: int, seed: int) -> Looks:
    chance = np.random.default_rng(seed)
    return Looks(
        chance.uniform(0, 255, (rows, 12)).astype(np.float32),
        np.abs(chance.normal(size=(rows, 5))).astype(np.float32),
    )


def plain_near(kept: Looks, new: Looks, row: int) -> tuple[float, float]:
    """As the docstrings say it, a pair at a time."""
    rms = [float(np.sqrt(((t - new.thumbnails[row]) ** 2).mean())) for t in kept.thumbnails]
    mine = new.features[row]
    cosine = [1 - float(f @ mine / np.linalg.norm(f) / np.linalg.norm(mine)) for f in kept.features]
    return min(rms), min(cosine)


def test_distances_are_those_of_the_nearest_kept_picture() -> None:
    kept, new = looks(40, 1), looks(7, 2)
    block = Seen(kept).block(new)

    for row in range(7):
        near = block.near(row)
        assert (near.rms, near.cosine) == pytest.approx(plain_near(kept, new, row), abs=2e-3)


def test_what_is_kept_in_a_block_counts_for_the_rows_after_it_and_for_later_blocks() -> None:
    seen, new = Seen(looks(0, 1)), looks(3, 3)
    first = seen.block(new)
    assert first.near(0) == Near(np.inf, np.inf)
    assert first.near(0).novelty == 2
    first.keep(0)
    rms, cosine = plain_near(new.rows([0]), new, 1)
    assert (first.near(1).rms, first.near(1).cosine) == pytest.approx((rms, cosine), abs=2e-3)
    first.close()

    again = seen.block(new)

    assert again.near(0).repeats().startswith("thumbnail")
    assert again.near(2).repeats() == ""


def test_a_picture_that_was_not_kept_is_no_repeat() -> None:
    seen, new = Seen(looks(0, 1)), looks(2, 3)
    block = seen.block(new)
    block.close()

    assert seen.block(new).near(0).repeats() == ""


def test_the_same_features_in_another_light_repeat() -> None:
    kept = looks(1, 4)
    lit = Looks(255 - kept.thumbnails, kept.features * 1.7)

    near = Seen(kept).block(lit).near(0)

    assert near.cosine < SAME_FEATURES
    assert near.repeats().startswith("features")


def test_without_features_thumbnails_alone_tell() -> None:
    thumbs = looks(2, 5).thumbnails
    bare = Looks(thumbs, np.empty((2, 0), np.float32))

    block = Seen(bare).block(bare)

    assert block.near(0).repeats().startswith("thumbnail")
    assert block.near(0).cosine == np.inf


def test_many_blocks_are_remembered() -> None:
    seen = Seen(looks(0, 0))
    for seed in range(40):
        block = seen.block(looks(2, seed))
        block.keep(1)
        block.close()

    assert all(seen.block(looks(2, s)).near(1).repeats() for s in range(40))


def test_looks_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 thumbnails, 1 features"):
        Looks(np.zeros((2, 3), np.float32), np.zeros((1, 3), np.float32))
