"""All checks of a collection, a drop or a token, in the order in which one leads to the next."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from generation.gan.twins import Twin
from generation.shipped import ONCHAIN
from minting.chain.client import Client
from minting.provenance.sources import code_files
from minting.verification import folder as folders
from minting.verification import ledger as ledgers
from minting.verification import moved, onchain, painted, pictures, tokens, works
from minting.verification.findings import (
    MISSHAPEN,
    FailedError,
    Finding,
    NotCheckableError,
    Said,
    State,
    judge,
)
from minting.verification.folder import Folder
from minting.verification.ledger import ChainDrop, Ledger
from minting.verification.node import ContradictionError, Node
from minting.verification.painted import Hand

SAMPLE = 32  # a canonical batch, drawn in seconds
Votes = Callable[[ChainDrop], list[Finding]]


@dataclass(frozen=True)
class Request:
    """What is to be checked, after which block, from which files; None: the newest.

    ``sample`` None: as many as is usual.
    """

    contract: str
    cars: Sequence[Path] = ()
    checkpoint: Path | None = None
    parser: Path | None = None
    token: int | None = None
    drop: int | None = None
    sample: int | None = None
    snapshots: Sequence[Path] = ()
    moved: Sequence[Path] = ()
    student: Path = ONCHAIN
    first_block: int = 0
    block: int | None = None


def verify(
    client: Client, request: Request, tell: pictures.Tell, votes: Votes = onchain.check_tally
) -> list[Finding]:
    """Findings in the order of the checks; ``votes`` judges what led to a drop's parameters.

    Raises
    ------
    UnreadableError
        The node cannot be reached, or what it answers cannot be read.
    ValueError
        There is no such drop or token.
    """
    try:
        return _Run(client, request, tell, votes).findings()
    except ContradictionError as error:
        why = f"the node contradicts itself: {error}"
        return [Finding("answers of the node", onchain.CHAIN, State.FAIL, why)]


class _Run:
    def __init__(self, client: Client, request: Request, tell: pictures.Tell, votes: Votes) -> None:
        self._request, self._tell, self._votes = request, tell, votes
        self._node = Node(client, request.contract, request.block)
        tell(f"reading the chain up to block {self._node.block.number}")
        self._ledger: Ledger = ledgers.read(self._node, request.first_block)
        self._snapshots = painted.load_snapshots(request.snapshots)
        self._moved = moved.load(request.moved)

    def findings(self) -> list[Finding]:
        node, ledger = self._node, self._ledger
        found = onchain.check_contract(node, ledger)
        if node.contract in ledger.foreign:
            return found
        wanted = self._wanted()
        loaded, refused = self._load()
        found += refused
        for drop in wanted:
            self._tell(f"drop {drop.number}")
            found += onchain.check_drop(drop, ledger, node.block, node.header)
            found += self._votes(drop)
            found += [self._descent(drop, loaded.get(drop.number))]
            found += self._files(drop, loaded.get(drop.number))
            found += self._tokens(drop, loaded.get(drop.number))
        others = sorted(set(loaded) - {drop.number for drop in wanted})
        found += [
            Finding("CAR", f"drop {number}", State.NOT_CHECKABLE, "not asked for")
            for number in others
        ]
        why = "not asked for, or not a work that moves"
        return found + [
            Finding("moved work", f"token {token_id}", State.NOT_CHECKABLE, why)
            for token_id in self._moved
        ]

    def _wanted(self) -> list[ChainDrop]:
        token, number = self._request.token, self._request.drop
        drops = list(self._ledger.drops)
        if token is not None:
            drops = [drop for drop in drops if drop == self._ledger.drop_of(token)]
        if number is not None:
            drops = [drop for drop in drops if drop.number == number]
        if not drops and (token is not None or number is not None):
            raise ValueError("no committed drop has this number or token")
        return drops

    def _load(self) -> tuple[dict[int, Folder], list[Finding]]:
        """Folders by the number of their drop; what cannot be read is a finding."""
        loaded: dict[int, Folder] = {}
        refused = []
        for path in self._request.cars:
            self._tell(f"reading {path.name}")
            try:
                folder = folders.load(path)
                loaded[self._drop_of(folder)] = folder
            except MISSHAPEN as error:
                why = f"no folder of a drop of this contract: {error}"[:300]
                refused.append(Finding("CAR", path.name, State.FAIL, why))
        return loaded, refused

    def _drop_of(self, folder: Folder) -> int:
        """By the folder that the chain names; else by what the folder says, to be compared."""
        for drop in self._ledger.drops:
            if drop.roots is not None and drop.roots.folder == folder.car.node.digest:
                return drop.number
        number = self._request.drop or int(folder.told["drop"]["chain_number"])
        if self._ledger.drop(number) is None:
            raise ValueError(f"no drop {number} was committed")
        return number

    def _descent(self, drop: ChainDrop, folder: Folder | None) -> Finding:
        if folder is None or not folder.told:
            return onchain.check_descent(drop, self._ledger)
        return folders.check_descent(folder, drop, list(self._ledger.drops[: drop.number - 1]))

    def _files(self, drop: ChainDrop, folder: Folder | None) -> list[Finding]:
        subject = f"drop {drop.number}"
        if folder is None:
            why = "no CAR of this drop was given" if drop.roots else "not sealed: there is no CAR"
            return [Finding("files", subject, State.NOT_CHECKABLE, why)]
        found = folders.check(folder, drop)
        if drop.roots is None:
            return found
        twins = self._twins(drop, folder)
        found += works.check(folder, drop, self._ledger, self._node.contract, twins)
        here = folders.check_here(folder, code_files(), subject)
        found += [here, *self._checkpoint(folder, drop, here.state == State.PASS)]
        return [*found, *self._parser(folder, drop, here.state == State.PASS)]

    def _checkpoint(self, folder: Folder, drop: ChainDrop, is_same: bool) -> list[Finding]:
        subject, path = f"drop {drop.number}", self._request.checkpoint
        numbers = self._sample(drop, folder.numbers)
        alike = judge("works alike", subject, lambda: pictures.check_alike(folder, drop))
        if path is None:
            why = "no checkpoint file was given"
            return [alike, Finding("checkpoint", subject, State.NOT_CHECKABLE, why)]
        wanted = drop.body.checkpoint_hash.hex()
        own = folders.check_file("checkpoint", path, wanted, subject)
        twins = self._twins(drop, folder)

        def seed_of(number: int) -> bytes:
            return works.token_seed(drop, self._ledger, self._node.contract, number)

        def redraw() -> Said:
            return pictures.rerender(folder, numbers, path, is_same, self._tell, twins)

        def attempts() -> Said:
            return pictures.check_attempts(folder, drop, numbers, path, seed_of, twins)

        return [
            alike,
            own,
            judge("drawn again", self._subject(drop), _after(own, redraw)),
            judge("tries", self._subject(drop), _after(own, attempts)),
        ]

    def _twins(self, drop: ChainDrop, folder: Folder | None) -> pictures.Twins | None:
        """What the contract draws of works, along the basis that the folder tells."""
        if folder is None or not painted.is_painted(self._ledger, drop):
            return None
        hand = Hand(self._node, self._ledger, drop, self._request.first_block)

        def twin(number: int) -> Twin:
            return hand.twin(number, np.array(folders.told(folder, "basis"), np.float32))

        return cache(twin)

    def _parser(self, folder: Folder, drop: ChainDrop, is_same: bool) -> list[Finding]:
        subject, path = f"drop {drop.number}", self._request.parser
        if path is None:
            return []
        own = judge("parser", subject, lambda: _file(folder, path, subject))
        numbers = self._sample(drop, folder.numbers)
        again = _after(own, lambda: pictures.read_again(folder, numbers, path, is_same))
        return [own, judge("traits read again", self._subject(drop), again)]

    def _tokens(self, drop: ChainDrop, folder: Folder | None) -> list[Finding]:
        if not drop.phases:
            return []
        first, count = drop.body.first_token_id, drop.body.count
        ids = self._sample(drop, range(first, first + count))
        if self._request.token is not None:
            ids = [self._request.token]
        is_final, since = drop.roots is not None, self._request.first_block
        is_painted = painted.is_painted(self._ledger, drop) and bool(drop.secret)
        final = folder if is_final else None
        found = tokens.check(self._node, drop, final, ids, since, is_painted=is_painted)
        if painted.is_painted(self._ledger, drop):
            hand = Hand(self._node, self._ledger, drop, since)
            found += painted.check(hand, ids, self._snapshots)
            found += self._large(hand, folder, ids)
        return found

    def _large(self, hand: Hand, folder: Folder | None, ids: Sequence[int]) -> list[Finding]:
        """Large pictures of works that move, of those of the drop whose documents were given."""
        drop, token = hand.drop, self._request.token
        if hand.evolution is None or not drop.secret:
            return []
        all_ids = range(drop.body.first_token_id, drop.body.first_token_id + drop.body.count)
        asked = all_ids if token is None else [token]
        own = {n: self._moved.pop(n) for n in sorted(self._moved) if n in asked}
        tools = moved.Tools(
            drop,
            folder,
            self._request.checkpoint,
            self._request.student,
            self._twins(drop, folder),
        )
        return moved.check(hand, ids, own, tools, self._snapshots)

    def _subject(self, drop: ChainDrop) -> str:
        token = self._request.token
        return f"drop {drop.number}" if token is None else f"token {token}"

    def _sample(self, drop: ChainDrop, numbers: Sequence[int]) -> list[int]:
        """The token's own work, or some that nobody could foresee: the newest block chooses."""
        if self._request.token is not None:
            return [n for n in numbers if n == drop.number_of(self._request.token)]
        size = SAMPLE if self._request.sample is None else self._request.sample
        seed = self._node.block.hash

        def lot(number: int) -> bytes:
            return hashlib.sha256(seed + number.to_bytes(32)).digest()

        return sorted(sorted(numbers, key=lot)[:size])


def _after(earlier: Finding, ask: Callable[[], Said]) -> Callable[[], Said]:
    """What makes sense only where an earlier check passed."""

    def skip() -> Said:
        raise NotCheckableError(f"without the right {earlier.check} there is nothing to compare")

    return ask if earlier.state == State.PASS else skip


def _file(folder: Folder, path: Path, subject: str) -> Said:
    wanted = folders.told(folder, "checkpoint")["parser_sha256"]
    found = folders.check_file("parser", path, wanted, subject)
    if found.state == State.FAIL:
        raise FailedError(found.why)
    return found.why
