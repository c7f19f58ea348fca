"""Works drawn again where their life has moved them. Imports torch: for workers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from generation import services
from generation.gan.moved import shift
from generation.gan.render import render
from generation.models import Artwork, Drop, MovedPicture
from generation.rendering import networks, spec_of


def draw_moved(
    *,
    drop: Drop,
    works: Sequence[Artwork],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    basis: NDArray[np.float32],
    student_digest: str,
    epoch: int,
) -> list[MovedPicture]:
    """Draw works of a drop as they are after an epoch, and keep the pictures; again, find them.

    Parameters
    ----------
    before, after : [N, 32] uint8, what their contract draws them from at first and now.
    basis : [z_dim, F] of the network that the contract has, whose file has that sha256.
    """
    rows = MovedPicture.objects.filter(artwork__in=works, epoch=epoch).in_order()
    known = {row.artwork_id: row for row in rows}
    wanted = [place for place, work in enumerate(works) if work.pk not in known]
    if wanted:
        shifts = shift(basis, before[wanted], after[wanted])
        specs = [
            replace(spec_of(works[place]), shift=tuple(own.tolist()))
            for place, own in zip(wanted, shifts, strict=True)
        ]
        parameters = drop.parameter_set.parameters
        steps = services.named_steps(drop.checkpoint, parameters)
        pictures = render(networks(drop.checkpoint)[0], specs, parameters, steps)
        for place, picture in zip(wanted, pictures, strict=True):
            work = works[place]
            known[work.pk], _ = MovedPicture.objects.get_or_create(
                artwork=work,
                epoch=epoch,
                defaults={
                    "latents": after[place].tobytes().hex(),
                    "student_digest": student_digest,
                    "image_digest": services.keep_picture(picture=picture),
                },
            )
    return [known[work.pk] for work in works]
