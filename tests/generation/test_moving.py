"""Large pictures after an epoch: from the latent that a work's life has moved."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generation import rendering, services
from generation.gan.moved import shift
from generation.imaging import codec
from generation.models import Artwork, Checkpoint, Drop, MovedPicture
from generation.models.drops import image_path
from generation.moving import draw_moved

N_FREE = 6
STUDENT = "5d" * 32


@pytest.fixture
def drop(small_checkpoint: Checkpoint) -> Drop:
    collection = services.create_collection(
        slug="alive", name="Alive", story="", checkpoint=small_checkpoint
    )
    parameters = collection.parameter_sets.get()
    found = services.open_drop(collection=collection, parameter_set=parameters, size=4)
    for job in services.start_rendering(drop=found):
        rendering.run_chunk(job_id=job.pk)
    return found


def basis(drop: Drop) -> NDArray[np.float32]:
    z_dim = rendering.networks(drop.checkpoint)[0].z_dim
    made, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(z_dim, N_FREE)))
    return made.astype(np.float32)


def latents(n: int, free: int) -> NDArray[np.uint8]:
    found = np.full((n, 32), 7, np.uint8)
    found[:, -N_FREE:] = free
    return found


def draw(drop: Drop, after: NDArray[np.uint8], epoch: int) -> list[MovedPicture]:
    works = list(drop.artworks.in_order())
    return draw_moved(
        drop=drop,
        works=works,
        before=latents(4, 100),
        after=after,
        basis=basis(drop),
        student_digest=STUDENT,
        epoch=epoch,
    )


def test_what_has_not_moved_is_the_picture_that_was_minted(drop: Drop) -> None:
    found = draw(drop, latents(4, 100), 1)

    digests = list(drop.artworks.in_order().values_list("image_digest", flat=True))
    assert [row.image_digest for row in found] == digests


def test_moved_works_are_new_pictures_and_the_old_ones_stay(drop: Drop) -> None:
    first, second = draw(drop, latents(4, 160), 1), draw(drop, latents(4, 220), 2)

    works = list(drop.artworks.in_order())
    for work, one, two in zip(works, first, second, strict=True):
        digests = {work.image_digest, one.image_digest, two.image_digest}
        assert len(digests) == 3
        for digest in digests:
            assert codec.digest(image_path(digest).read_bytes()) == digest
        assert [row.epoch for row in work.moved_pictures.in_order()] == [1, 2]
        assert one.latents == latents(1, 160)[0].tobytes().hex()
        assert one.student_digest == STUDENT


def test_drawing_an_epoch_again_finds_the_same_rows(drop: Drop) -> None:
    first, again = draw(drop, latents(4, 160), 1), draw(drop, latents(4, 160), 1)

    assert [row.pk for row in first] == [row.pk for row in again]
    assert Artwork.objects.count() == MovedPicture.objects.count() == 4


def test_a_work_that_would_show_something_else_is_refused(drop: Drop) -> None:
    after = latents(4, 160)
    after[1, 0] = 8

    with pytest.raises(ValueError, match="would show something else"):
        draw(drop, after, 1)

    assert not MovedPicture.objects.exists()


def test_a_shift_is_the_way_between_quantiles() -> None:
    before, after = np.zeros((1, 32), np.uint8), np.zeros((1, 32), np.uint8)
    before[0, -2:], after[0, -2:] = (127, 128), (128, 127)
    axes = np.eye(5, 2, dtype=np.float32)

    found = shift(axes, before, after)[0]

    step = 2 * 0.0048957  # twice the quantile of 128.5 / 256
    assert found == pytest.approx([step, -step, 0, 0, 0], abs=1e-6)


def test_latents_of_other_works_are_refused() -> None:
    with pytest.raises(ValueError, match="not latents of the same works"):
        shift(
            np.eye(5, 2, dtype=np.float32), np.zeros((1, 32), np.uint8), np.zeros((2, 32), np.uint8)
        )
