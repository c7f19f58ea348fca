"""Large pictures of works that an epoch moved. Imports torch: workers only."""

import logging
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from generation.moving import draw_moved
from minting import services
from minting.chain.client import Client, RpcError
from minting.evolution import levels
from minting.evolution.latents import latents_of
from minting.models import Contract, ProvenLevels
from minting.services import painting
from minting.services.evolution import read_levels, word_of

BATCH = 32  # a canonical batch
Known = tuple[ProvenLevels, tuple[int, ...]]

logger = logging.getLogger(__name__)


def draw_epochs(*, contract: Contract, node: Client) -> int:
    """Draw again the works that epochs have moved, each once an epoch; how many were drawn.

    Levels are those of the block in which the epoch's were proven, all rules together, and the
    block is one that stays: so the picture of an epoch never changes. A work waits whose levels
    of then nobody can tell any more.
    """
    found: list[Known] = []
    for row in services.moved_undrawn(contract):
        own = _levels(node, row)
        if own is not None:
            found.append((row, own))
        if len(found) == BATCH:
            break
    by_drop = groupby(found, key=lambda one: (one[0].token.drop_id, one[0].epoch))
    for (_, epoch), some in by_drop:
        _draw(contract, epoch, list(some))
    return len(found)


def _levels(node: Client, row: ProvenLevels) -> tuple[int, ...] | None:
    """After the block of the proof: the contract's, or where its state is forgotten, the rows'."""
    try:
        return read_levels(node, row.token, row.block.number)
    except RpcError as error:
        law = services.law_of(row.token.contract)
        for one in services.moments(row.token, law):
            if one.block.number == row.block.number and one.is_whole:
                return one.levels
        logger.warning("levels after block %d are not known: %s", row.block.number, error)
        return None


def _draw(contract: Contract, epoch: int, found: Sequence[Known]) -> None:
    law, schema = services.law_of(contract), painting.drawn_with(contract)[1]
    student = painting.student(contract.collection)
    rows = [row for row, _ in found]
    starts = [latents_of(schema, word_of(row.token)) for row in rows]
    before = np.stack([np.frombuffer(one, np.uint8) for one in starts])
    after = levels.move(before, np.array([own for _, own in found], np.uint8), law.directions)
    works = [row.token.artwork for row in rows if row.token.artwork is not None]
    drop = rows[0].token.drop
    draw_moved(
        drop=drop,
        works=works,
        before=before,
        after=after,
        basis=student.basis,
        student_digest=student.sha256,
        epoch=epoch,
    )
