"""The reveal of a drop, step by step, as the logs of canonical blocks say."""

from collections.abc import Mapping, Sequence

from minting.chain.logs import RevealLog
from minting.models import Block, Commitment, Contract, DropEvent


def record_reveals(
    *, contract: Contract, reveals: Sequence[RevealLog], blocks: Mapping[int, Block]
) -> set[int]:
    """Rows of the steps; returns the drops that they belong to."""
    numbers = {log.drop_number for log in reveals}
    if not numbers:
        return set()
    rows = Commitment.objects.light().filter(collection=contract.collection_id, number__in=numbers)
    commitments = {commitment.number: commitment for commitment in rows}
    # A drop that another installation committed has no row here, and nothing to show.
    known = [log for log in reveals if log.drop_number in commitments]
    DropEvent.objects.bulk_create(
        DropEvent(
            commitment=commitments[log.drop_number],
            block=blocks[log.place.block_number],
            kind=log.step,
            tx_hash=log.place.tx_hash,
            log_index=log.place.log_index,
            word=log.word.hex(),
            reveal_block=log.reveal_block,
        )
        for log in known
    )
    return {commitments[log.drop_number].drop_id for log in known}
