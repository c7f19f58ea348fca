"""Drawing works that have their own seeds, each unlike those before it. Imports torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from generation import rendering, services
from generation.gan import latent
from generation.gan.render import BATCH, canonical_environment
from generation.gan.twins import Twin, follow
from generation.models import Artwork, Drop, Job
from generation.services import RenderedWork
from generation.traits import diversity
from generation.traits.novelty import Looks

LEASE = rendering.LEASE
# A generator that repeats itself so often has nothing else to draw for this seed.
MAX_ATTEMPTS = 8


@dataclass(frozen=True)
class Wanted:
    """A work to draw: its token, its place in the drop, and its 32-byte seed.

    ``twin`` is what its contract draws of it, if a contract does.
    """

    token_id: int
    index: int
    seed: bytes
    twin: Twin | None = None


class RepeatedError(Exception):
    """The generator draws nothing new for a seed."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(f"token {wanted.token_id}: {MAX_ATTEMPTS} tries repeat earlier pictures")
        self.wanted = wanted


def draw(*, job: Job, wanted: Sequence[Wanted]) -> list[Artwork]:
    """Draw works in the order of their tokens, at most a batch, and store them under the lease.

    A picture that repeats an earlier one of the drop is drawn again from the next attempt's seed.

    Raises
    ------
    LostLeaseError
        Another process draws now; nothing was written.
    RepeatedError
        See ``MAX_ATTEMPTS``.
    """
    drop = job.drop
    assert drop is not None
    if len(wanted) > BATCH:
        raise ValueError(f"{len(wanted)} works are more than a batch of {BATCH}")
    between = rendering.renewal(job)
    seen = _seen_of(drop)
    works, looks = rendering.draw_works(drop, [_ask(drop, one, 0) for one in wanted], between)
    looks = looks.as_kept()
    rows, features = list(looks.thumbnails), list(looks.features)
    for i, one in enumerate(wanted):
        attempt = 0
        while seen.repeats(works[i], rows[i]):
            attempt += 1
            if attempt == MAX_ATTEMPTS:
                raise RepeatedError(one)
            [works[i]], again = rendering.draw_works(drop, [_ask(drop, one, attempt)], between)
            again = again.as_kept()
            [rows[i]], [features[i]] = again.thumbnails, again.features
        seen.keep(works[i], rows[i])
    drawn = services.record_drawn(
        job=job,
        works=works,
        token_ids=[one.token_id for one in wanted],
        looks=Looks(np.stack(rows), np.stack(features)),
        environment=canonical_environment(),
        now=timezone.now(),
        lease=LEASE,
    )
    _seen.clear()
    _seen[drop.pk] = seen
    return drawn


def _ask(drop: Drop, wanted: Wanted, attempt: int) -> rendering.Ask:
    parameters = drop.parameter_set.parameters
    spec = latent.seeded_spec(wanted.index, wanted.seed, attempt, parameters)
    if wanted.twin is not None:
        spec = follow(spec, wanted.twin, attempt, parameters)
    return rendering.Ask(wanted.index, attempt, spec)


class _Seen:
    """The pictures of a drop so far, as its rows have them: exact, and as they look."""

    def __init__(self, drop: Drop) -> None:
        earlier = list(drop.artworks.in_order())
        self._digests = {work.image_digest for work in earlier}
        self._looks = diversity.Repeats()
        self._n = 0
        for row in rendering.looks_of(drop.checkpoint, earlier).thumbnails if earlier else ():
            self._looks.keep_row(row)
            self._n += 1

    def __len__(self) -> int:
        return self._n

    def repeats(self, work: RenderedWork, row: NDArray[np.float32]) -> bool:
        return work.image_digest in self._digests or self._looks.find_row(row) is not None

    def keep(self, work: RenderedWork, row: NDArray[np.float32]) -> None:
        self._digests.add(work.image_digest)
        self._looks.keep_row(row)
        self._n += 1


# A drop of 10,000 works takes half a second to read.
_seen: dict[int, _Seen] = {}


def _seen_of(drop: Drop) -> _Seen:
    """What is known of a drop from its last batch, unless another process drew since."""
    known = _seen.pop(drop.pk, None)
    if known is None or len(known) != drop.artworks.count():
        known = _Seen(drop)
    return known
