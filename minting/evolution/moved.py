"""What is published of the large pictures of one work, as its life has moved it: one an epoch.

The document is canonical JSON. Levels are not in it: they follow from the chain after the block
that an epoch was proven in, and latents follow from these.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from minting.provenance.canonical import canonicalize

FORMAT = "morphora-moved-1"
WORD = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class EpochPicture:
    """The picture after an epoch, which was proven for this work in a block.

    ``latents`` are the 32 bytes of after that block; ``student_sha256`` is that of the file whose
    basis says what their way from the first ones does to the large latent.
    """

    epoch: int
    block: int
    block_hash: str
    latents: str
    student_sha256: str
    image_sha256: str


@dataclass(frozen=True)
class MovedWork:
    """``latents`` are the 32 bytes that the work began with; pictures ascend by epoch."""

    chain_id: int
    collection: str
    evolution: str
    token_id: int
    checkpoint_sha256: str
    latents: str
    pictures: tuple[EpochPicture, ...]


def write(work: MovedWork) -> bytes:
    """The document."""
    return canonicalize({"format": FORMAT, **asdict(work)})


def read(raw: bytes) -> MovedWork:
    """A work from its document; ValueError for anything that ``write`` does not give."""
    try:
        found: dict[str, Any] = json.loads(raw)
        pictures = tuple(EpochPicture(**row) for row in found.pop("pictures"))
        del found["format"]
        work = MovedWork(**found, pictures=pictures)
        _check(work)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a work's moved pictures: {error!r}") from error
    if write(work) != raw:
        raise ValueError("not the canonical bytes of a work's moved pictures")
    return work


def _check(work: MovedWork) -> None:
    """ValueError, or TypeError, where a field has another form than its own."""
    numbers, words = [work.chain_id, work.token_id], [work.checkpoint_sha256, work.latents]
    for row in work.pictures:
        numbers += [row.epoch, row.block]
        words += [row.latents, row.student_sha256, row.image_sha256]
        words.append(row.block_hash.removeprefix("0x"))
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("numbers are whole ones from 0 on")
    if not all(WORD.fullmatch(word) for word in words):
        raise ValueError("a hash, and 32 bytes, are 64 lower-case hex digits")
