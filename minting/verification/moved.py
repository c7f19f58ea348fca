"""Checks of the large pictures of works that epochs moved: from the chain and a work's document.

What a document says is computed here: levels after the block of each proof, what these make of
the work's 32 bytes, and the pictures. Loads torch when pictures are drawn, not before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.gan.moved import shift
from generation.imaging import codec
from generation.imaging.difference import difference
from minting.evolution import moved, network, packing
from minting.evolution.moved import EpochPicture, MovedWork
from minting.evolution.network import Network
from minting.provenance.sources import code_files
from minting.verification import folder as folders
from minting.verification.findings import (
    Finding,
    NotCheckableError,
    Said,
    State,
    counted,
    judge,
    named,
    require,
)
from minting.verification.folder import Folder
from minting.verification.ledger import ChainDrop
from minting.verification.node import UnreadableError
from minting.verification.painted import Hand
from minting.verification.pictures import Painter, Twins, is_near


@dataclass(frozen=True)
class Given:
    """A document, and the folder in which its pictures may lie, named by their sha256."""

    work: MovedWork
    folder: Path


@dataclass(frozen=True)
class Tools:
    """What the pictures of a drop are drawn again with, as far as it was given."""

    drop: ChainDrop
    folder: Folder | None
    checkpoint: Path | None
    student: Path
    twins: Twins | None = None

    @cached_property
    def network(self) -> Network:
        return network.load(self.student)

    @cached_property
    def has_same_code(self) -> bool:
        """Whether the code that runs here is the one that drew the drop."""
        if self.folder is None:
            return False
        return folders.check_here(self.folder, code_files(), "").state == State.PASS

    @cached_property
    def painter(self) -> Painter:
        if self.folder is None:
            raise NotCheckableError("seeds and tries are in the drop's CAR, and none was given")
        if self.checkpoint is None:
            raise NotCheckableError("no checkpoint file was given")
        wanted = self.drop.body.checkpoint_hash.hex()
        own = folders.check_file("checkpoint", self.checkpoint, wanted, "")
        if own.state != State.PASS:
            raise NotCheckableError("without the right checkpoint there is nothing to compare")
        return Painter(self.folder, self.checkpoint, self.twins)


def load(paths: Iterable[Path]) -> dict[int, Given]:
    """Documents by the number of their work, from files and folders of them.

    ValueError for a file that is none, and for two of one work.
    """
    found: dict[int, Given] = {}
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            try:
                work = moved.read(file.read_bytes())
            except ValueError as error:
                raise ValueError(f"{file.name}: {error}") from error
            if work.token_id in found:
                raise ValueError(f"{file.name}: a second document of work {work.token_id}")
            found[work.token_id] = Given(work, file.parent)
    return found


def check(
    hand: Hand,
    token_ids: Sequence[int],
    given: Mapping[int, Given],
    tools: Tools,
    snapshots: Mapping[bytes, Any],
) -> list[Finding]:
    """Of the works whose documents were given; of ``token_ids`` it is said which have none.

    ``snapshots``: what epochs say that they were computed from, by hash.
    """
    drop = hand.drop
    subject = f"drop {drop.number}" if len(token_ids) != 1 else f"token {token_ids[0]}"
    untold = [one for one in token_ids if one not in given and hand.proofs(one)]
    found = []
    if untold:
        why = f"no document was given of works that epochs moved: {named(untold)}"
        found.append(Finding("moved works", subject, State.NOT_CHECKABLE, why))
    if not given:
        return found
    student = judge("student", f"drop {drop.number}", lambda: _student(hand, tools))
    found.append(student)
    for one in given.values():
        found += _Work(hand, one, tools, snapshots).findings(student)
    return found


def _student(hand: Hand, tools: Tools) -> Said:
    own, name = tools.network, tools.student.name
    require(
        packing.pack(own.layers) == hand.network,
        f"{name} holds another network than the one that the contract paints with",
    )
    wanted = hand.drop.body.checkpoint_hash.hex()
    require(own.recipe["teacher"] == wanted, f"{name} learned from another generator")
    if tools.folder is not None:
        basis = np.array(folders.told(tools.folder, "basis"), np.float32)
        require(np.array_equal(basis, own.basis), f"{name} has another basis than the drop tells")
    return f"{name} is the network on the chain, and learned from the drop's generator"


@dataclass(frozen=True)
class _Work:
    """A work's document against the chain."""

    hand: Hand
    given: Given
    tools: Tools
    snapshots: Mapping[bytes, Any]

    def findings(self, student: Finding) -> list[Finding]:
        subject = f"token {self._told.token_id}"

        def pictures() -> Said:
            if student.state != State.PASS:
                raise NotCheckableError("without the right student there is nothing to compare")
            return self.pictures()

        found = [
            judge("moved work", subject, self.work),
            judge("moved epochs", subject, self.epochs),
            judge("moved latents", subject, self.latents),
            judge("moved pictures", subject, pictures),
        ]
        basis = judge("moved along", subject, self.basis)
        asked = found if basis.state != State.FAIL else [*found, basis]
        return [*found, basis, judge("large picture", subject, lambda: self.newest(asked))]

    def work(self) -> Said:
        """Whether it is about this contract, this generator and this student."""
        told, evolution = self._told, self.hand.evolution
        assert evolution is not None
        known = told.collection.lower(), told.evolution.lower(), told.chain_id
        wanted = self.hand.node.contract, evolution.contract.lower(), self.hand.ledger.chain_id
        require(known == wanted, "the document is about a work of another contract")
        wanted_hash = self.hand.drop.body.checkpoint_hash.hex()
        require(told.checkpoint_sha256 == wanted_hash, "it names another generator than the drop")
        own = self.tools.network.sha256
        others = [row.epoch for row in told.pictures if row.student_sha256 != own]
        require(
            not others,
            f"another student moved the work in epoch {named(others)} than "
            f"{self.tools.student.name}, whose sha256 is {own}",
        )
        return f"about this work, with the drop's generator and the student of sha256 {own}"

    def basis(self) -> Said:
        """Whether each epoch named the student before it was proven, in what its hash is of."""
        if not self._rows:
            return "along nothing: no epoch has moved the work"
        named_by = {
            row: self.snapshots.get(self.hand.snapshot_hash(row.epoch), {}).get("student_sha256")
            for row in self._rows
        }
        wrong = [
            row.epoch for row, own in named_by.items() if own not in (None, row.student_sha256)
        ]
        require(not wrong, f"the snapshot of epoch {named(wrong)} names another student")
        untold = [row.epoch for row, own in named_by.items() if own is None]
        if untold:
            why = f"no snapshot was given of epoch {named(untold)}, which names the student"
            raise NotCheckableError(why)
        return "snapshots, whose hashes are on the chain, name the student of each epoch"

    def epochs(self) -> Said:
        """Whether there is a picture of each proof, and a proof of each picture."""
        block, told = self.hand.node.block.number, self._told.pictures
        numbers = [row.epoch for row in told]
        require(numbers == sorted(set(numbers)), "its epochs are not in order")
        unknown = [n.epoch for n in told if n.epoch not in self._proofs and n.block <= block]
        require(not unknown, f"nobody proved epoch {named(unknown)} for this work")
        wrong = [row.epoch for row in self._rows if not self._is_in_its_block(row)]
        require(not wrong, f"epoch {named(wrong)} was proven in another block than is told")
        missing = sorted(set(self._proofs) - set(numbers))
        between = [n for n in missing if n < max(numbers, default=0)]
        require(not between, f"epoch {named(between)} is left out, though it was proven")
        if missing:
            raise NotCheckableError(
                f"epoch {named(missing)} was proven, and no picture is told: not drawn yet, or "
                "left out"
            )
        proven = counted(len(self._rows), "epoch")
        said = f"{proven} proven for this work, each in the block that is told"
        later = len(numbers) - len(self._rows)
        return f"{said}; {later} came after block {block}" if later else said

    def latents(self) -> Said:
        """Whether the bytes are those that the levels of then lead to."""
        start = self.hand.latents(self._told.token_id).hex()
        require(self._told.latents == start, "the work did not begin with these bytes")
        wrong = [row.epoch for row in self._rows if row.latents != self._after[row.epoch].hex()]
        require(not wrong, f"levels of then lead to other bytes: epoch {named(wrong)}")
        return f"{counted(len(self._rows), 'time')} the bytes that logs and peers of then lead to"

    def pictures(self) -> Said:
        """Whether the same pictures come out of what the chain leads to."""
        rows = self._rows
        if not rows:
            return "no epoch has moved the work: it looks as it was minted"
        found = [self._differs(*pair) for pair in zip(rows, self._draw(), strict=True)]
        outside = [row.epoch for row, one in zip(rows, found, strict=True) if one is None]
        if outside and not self.tools.has_same_code:
            why = f"the code here is another one, and draws others: epoch {named(outside)}"
            raise NotCheckableError(why)
        require(not outside, f"other pictures come out: epoch {named(outside)}")
        exact, near = found.count(0), len(found) - found.count(0)
        said = (
            f"{counted(len(rows), 'picture')} drawn again: {exact} exactly, {near} within 1 level"
        )
        return said, {"exact": exact, "within": near}

    def newest(self, earlier: Sequence[Finding]) -> Said:
        """The picture after the block that everything is read at."""
        open_ones = [one.check for one in earlier if one.state != State.PASS]
        if open_ones:
            raise NotCheckableError(f"not known without {', '.join(open_ones)}")
        if not self._rows:
            return "the one of its mint: no epoch has moved it"
        row = self._rows[-1]
        said = f"that of epoch {row.epoch}, proven in block {row.block}: sha256 {row.image_sha256}"
        return said, {"epoch": row.epoch, "image_sha256": row.image_sha256}

    @property
    def _told(self) -> MovedWork:
        return self.given.work

    @cached_property
    def _proofs(self) -> dict[int, int]:
        return self.hand.proofs(self._told.token_id)

    @cached_property
    def _rows(self) -> list[EpochPicture]:
        """Of what was proven up to the block that everything is read at."""
        return [row for row in self._told.pictures if row.epoch in self._proofs]

    def _is_in_its_block(self, row: EpochPicture) -> bool:
        block = self._proofs[row.epoch]
        header = self.hand.node.header(block)
        return (row.block, row.block_hash) == (block, f"0x{header.hash.hex()}")

    @cached_property
    def _after(self) -> dict[int, bytes]:
        """Epoch -> the 32 bytes after the block of its proof."""
        token_id, found = self._told.token_id, {}
        for row in self._rows:
            block = self._proofs[row.epoch]
            try:
                own = self.hand.then(block).levels(token_id)
            except UnreadableError as error:
                why = f"the node does not know the state after block {block}: {error}"
                raise NotCheckableError(why[:300]) from error
            found[row.epoch] = self.hand.latents(token_id, own)
        return found

    def _draw(self) -> NDArray[np.uint8]:
        painter, token_id = self.tools.painter, self._told.token_id
        after = np.stack([np.frombuffer(one, np.uint8) for one in self._after.values()])
        before = np.frombuffer(self.hand.latents(token_id), np.uint8)[None].repeat(len(after), 0)
        shifts = shift(self.tools.network.basis, before, after)
        require(shifts.shape[1] == painter.z_dim, "the student's basis fits another generator")
        spec = painter.spec(token_id)
        return painter.draw([replace(spec, shift=tuple(own.tolist())) for own in shifts])

    def _differs(self, row: EpochPicture, picture: NDArray[np.uint8]) -> int | None:
        """By how many levels; None where it is another picture, as far as can be told.

        Of a picture that is not at hand nothing but the hash can be compared.
        """
        raw = codec.encode_png(picture)
        if hashlib.sha256(raw).hexdigest() == row.image_sha256:
            return 0
        beside = self.given.folder / f"{row.image_sha256}.png"
        if not beside.is_file():
            return None
        found = difference(codec.read_stored(beside), picture)
        return found.largest if is_near(found) else None
