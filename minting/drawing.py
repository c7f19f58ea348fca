"""Works for minted tokens, drawn as soon as their seed is there. Imports torch: workers only."""

from collections.abc import Iterator

from django.utils import timezone

from generation import drawing, rendering
from generation.drawing import Wanted
from generation.gan.render import BATCH
from generation.models import Artwork, Drop, Job
from generation.services import LostLeaseError, lease_drawing, pause_job, release_job
from minting import services
from minting.models import Commitment


def draw_minted(*, drop_id: int) -> Iterator[list[int]]:
    """Draw what is minted and not drawn; gives the ids of the tokens of each batch.

    Ends at once where another process draws this drop. A process that is killed leaves a lease
    that runs out; what it had stored is kept, and the rest is drawn by the next.
    """
    drop = Drop.objects.select_related("collection__contract").get(pk=drop_id)
    commitment = Commitment.objects.light().get(drop=drop)
    rendering.networks(drop.checkpoint)  # read before the first mint, it keeps nobody waiting
    seed = services.find_drop_seed(commitment)
    yield services.hang(works=_waiting(drop))
    while seed is not None and services.undrawn(drop):
        job = lease_drawing(drop=drop, now=timezone.now(), lease=drawing.LEASE)
        if job is None:
            return
        yield from _draw(job, commitment, seed)


def _draw(job: Job, commitment: Commitment, seed: bytes) -> Iterator[list[int]]:
    """Batch after batch for as long as there is something to draw, then give the lease back."""
    assert job.drop is not None
    contract = commitment.collection.contract
    try:
        while tokens := services.undrawn(job.drop)[:BATCH]:
            wanted = [
                Wanted(
                    token_id=token.token_id,
                    index=token.token_id - commitment.first_token_id,
                    seed=own,
                    twin=services.twin_of(contract, own),
                )
                for token in tokens
                for own in [services.token_seed(commitment, seed, token.token_id)]
            ]
            yield services.hang(works=drawing.draw(job=job, wanted=wanted))
    except LostLeaseError:
        return
    except Exception as error:
        release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    pause_job(job=job)


def _waiting(drop: Drop) -> list[Artwork]:
    """Works that were drawn for tokens which a reorganisation took away and brought back."""
    ids = [token.token_id for token in services.undrawn(drop)]
    return list(drop.artworks.filter(token_id__in=ids))
