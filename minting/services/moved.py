"""What anybody needs to draw a work's large pictures again, as its life has moved it."""

from generation.models import MovedPicture
from minting.evolution.latents import latents_of
from minting.evolution.moved import EpochPicture, MovedWork
from minting.models import ProvenLevels, Token
from minting.services.evolution import word_of
from minting.services.painting import drawn_with


def moved_work(token: Token) -> MovedWork:
    """All pictures that were drawn; NotPaintedError before the work's reveal."""
    contract = token.contract
    proven = {
        row.epoch: row.block
        for row in ProvenLevels.objects.filter(token=token).select_related("block")
    }
    rows = MovedPicture.objects.filter(artwork=token.artwork_id, epoch__in=proven).in_order()
    return MovedWork(
        chain_id=contract.chain_id,
        collection=contract.address,
        evolution=contract.evolution_address,
        token_id=token.token_id,
        checkpoint_sha256=token.drop.checkpoint.sha256,
        latents=latents_of(drawn_with(contract)[1], word_of(token)).hex(),
        pictures=tuple(
            EpochPicture(
                epoch=row.epoch,
                block=proven[row.epoch].number,
                block_hash=proven[row.epoch].hash,
                latents=row.latents,
                student_sha256=row.student_digest,
                image_sha256=row.image_digest,
            )
            for row in rows
        ),
    )
