"""Tokens on chain: whose they are, what they point at, what was paid."""

import base64
import itertools
import json
from collections.abc import Sequence

from minting.chain.phases import PhaseKind
from minting.provenance import cid
from minting.verification.findings import FailedError, Finding, Said, judge, require
from minting.verification.folder import Folder
from minting.verification.ledger import KINDS, ChainDrop
from minting.verification.node import Event, Node

NOBODY = 0
INSIDE, PICTURE = "data:application/json;base64,", "data:image/bmp;base64,"


def check(
    node: Node,
    drop: ChainDrop,
    folder: Folder | None,
    token_ids: Sequence[int],
    first: int,
    *,
    is_painted: bool = False,
) -> list[Finding]:
    """Some tokens of a drop whose sale was opened; ``first`` is where events are looked for.

    What a work points at that its contract paints is looked at where it is painted again.
    """
    subject = f"drop {drop.number}"
    if len(token_ids) == 1:
        subject = f"token {token_ids[0]}"
    found = [judge("tokens", subject, lambda: _tokens(node, drop, token_ids, first, is_painted))]
    if folder is not None:
        found.append(judge("all works minted", subject, lambda: _ends(node, drop, folder, first)))
    return found


def _tokens(
    node: Node, drop: ChainDrop, token_ids: Sequence[int], first: int, is_painted: bool
) -> Said:
    words = [f"0x{token_id:064x}" for token_id in token_ids]
    found: dict[int, list[Event]] = {token_id: [] for token_id in token_ids}
    for event in node.events(["Transfer"], first, None, None, words):
        found[event.words[2]].append(event)
    told = [
        _token(node, drop, token_id, moves, is_painted)
        for token_id, moves in found.items()
        if moves
    ]
    for token_id, moves in found.items():
        require(
            bool(moves) or node.ask("ownerOf", token_id) is None,
            f"token {token_id} has an owner, but was never minted",
        )
    if len(token_ids) == 1:
        return told[0] if told else "not minted yet"
    n_left = len(token_ids) - len(told)
    return (
        f"{len(told)} minted ones belong to whom transfers say, were paid for as their phase asks,"
        f" and point at their metadata; {n_left} not minted yet"
    )


def _token(node: Node, drop: ChainDrop, token_id: int, moves: list[Event], is_painted: bool) -> str:
    for earlier, later in itertools.pairwise(moves):
        require(earlier.words[1] == later.words[0], f"transfers of {token_id} do not follow on")
    require(moves[0].words[0] == NOBODY, f"the mint of {token_id} is missing")
    owner = node.ask("ownerOf", token_id)
    holder = f"0x{moves[-1].words[1]:040x}"
    if moves[-1].words[1] == NOBODY:
        require(owner is None, f"token {token_id} was given back, and has an owner")
        return "given back"
    require(owner == holder, f"token {token_id} belongs to {owner}, transfers say {holder}")
    paid = _paid(node, drop, token_id, moves[0])
    points = "painted by its contract" if is_painted else _points(node, drop, token_id)
    return f"belongs to {owner}, {paid} wei were paid at its mint; {points}"


def _points(node: Node, drop: ChainDrop, token_id: int) -> str:
    uri, roots = node.call("tokenURI", token_id), drop.roots
    if uri.startswith(INSIDE):
        return _drawn(uri, token_id)
    if roots is None or not drop.is_final:
        return f"described at {uri} until it is final"
    folder = cid.Node(bytes([1, cid.DAG_PB]) + cid.SHA2_256 + roots.folder, 0).text
    wanted = f"ipfs://{folder}/metadata/{drop.number_of(token_id)}.json"
    require(uri == wanted, f"token {token_id} points at {uri}, not at {wanted}")
    return f"points at {uri}"


def _drawn(uri: str, token_id: int) -> str:
    """A work that its contract draws names no file: its picture is in what it answers."""
    try:
        image = str(json.loads(base64.b64decode(uri.removeprefix(INSIDE)))["image"])
        picture = base64.b64decode(image.removeprefix(PICTURE), validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise FailedError(f"token {token_id} is not described by its contract: {error}") from error
    return f"is drawn inside the chain, {len(picture):,} bytes"


def _paid(node: Node, drop: ChainDrop, token_id: int, mint: Event) -> int:
    """What one work cost, as the sale of its transaction says; checked where terms fix it."""
    waiting: list[int] = []
    number = mint.block_number
    for event in node.events(["Transfer", "Sold"], number, last=number):
        if event.tx_hash != mint.tx_hash:
            continue
        if event.name == "Transfer" and event.words[0] == NOBODY:
            waiting.append(event.words[2])
        elif event.name == "Sold" and token_id in waiting:
            phase_number, total = event.values
            require(event.words[0] == drop.number, f"token {token_id} was sold of another drop")
            phase = drop.phases[phase_number]
            each, rest = divmod(total, len(waiting))
            price = phase.price_at(node.header(mint.block_number).timestamp)
            is_fixed = phase.kind == PhaseKind.PUBLIC
            require(
                (each == price and rest == 0) if is_fixed else True,
                f"{total} wei for {len(waiting)} works, the phase asks {price} for one",
            )
            require(
                phase.kind != PhaseKind.AUCTION or total >= price * len(waiting),
                f"{total} wei are less than the auction asked",
            )
            return int(each)
        elif event.name == "Sold":
            waiting.clear()
    raise FailedError(f"no sale is told of the mint of {token_id}")


def _ends(node: Node, drop: ChainDrop, folder: Folder, first: int) -> Said:
    """Of a drop that is drawn on the fly every minted work is in the folder."""
    if drop.kind != KINDS[2]:
        return "the folder has every work that can be minted"
    last = folder.numbers[-1]
    is_whole = last + 1 == drop.body.first_token_id + drop.body.count
    moved = [f"0x{last:064x}", f"0x{last + 1:064x}"]
    minted = {event.words[2] for event in node.events(["Transfer"], first, None, None, moved)}
    require(last in minted, f"the folder has work {last}, which was never minted")
    require(
        is_whole or last + 1 not in minted, f"work {last + 1} was minted and is not in the folder"
    )
    return f"the last one minted is {last}, and the folder has all of them"
