"""Whether a drop's files are where they should be, some works at a time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from generation.models import Artwork, Drop
from minting import services
from minting.chain import contracts
from minting.chain.client import ChainError, RpcError
from minting.models import Commitment, Contract, StorageRound, StoredWork
from minting.publishing.gateway import Gateways, NoGatewayError, Wanted

# At a ring a minute 10,000 works come round in 100 minutes; 100 take 1.5 s where the gateway is
# near. A ring takes no longer than its time and one answer more.
WORKS_A_RING = 100
RING_S = 40.0

Tell = Callable[[StorageRound], None]


@dataclass(frozen=True)
class Named:
    """What a token's address is, and whether the contract said so."""

    uri: str
    is_minted: bool


def ring(tell: Tell) -> None:
    """Go on with every round that is due, in turn, until the time is over."""
    ends = time.monotonic() + RING_S
    with Gateways(settings.IPFS_GATEWAYS) as gateways:
        for round in services.open_rounds(now=timezone.now()):
            if time.monotonic() > ends:
                return
            look(round, gateways, ends)
            tell(round)


def look(round: StorageRound, gateways: Gateways, ends: float) -> bool:
    """Look at the next works of a round; whether it can go on at once."""
    final = services.final_works(round.drop)
    if final is None:
        return False
    commitment, told = final
    rows = [row for row in told.manifest["works"] if row["token_id"] >= round.next_token_id]
    window = rows[:WORKS_A_RING]
    try:
        named = name_works(commitment, told.root_cid, [row["token_id"] for row in window])
    except ChainError as error:
        services.note_trouble(round=round, says=f"the chain cannot be asked: {error}")
        return False
    works = _artworks(round.drop, window)
    found: list[StoredWork] = []
    for row in window:
        if found and time.monotonic() > ends:
            break
        try:
            found.append(_look(round.drop, row, works, named, gateways))
        except NoGatewayError:  # all that are set are away
            break
    is_cut = len(found) < len(window)
    is_over = not is_cut and len(window) == len(rows)
    after = None if is_over else (found[-1].token_id + 1 if found else round.next_token_id)
    moved = services.note_works(round=round, works=found, after=after, now=timezone.now())
    if is_cut and settings.IPFS_GATEWAYS and not gateways.left:
        services.note_trouble(round=round, says="no gateway answers; it goes on by itself")
        return False
    return moved and not is_over


def name_works(commitment: Commitment, root_cid: str, ids: Sequence[int]) -> dict[int, Named]:
    """What the contract answers for each id; for those that nobody has minted, what it will.

    Raises
    ------
    ChainError
        The node cannot be asked, or serves another chain.
    """
    contract = Contract.objects.deployed().filter(collection=commitment.collection_id).first()
    committed = {
        token_id: Named(f"ipfs://{root_cid}/metadata/{token_id}.json", False) for token_id in ids
    }
    if contract is None:
        return committed
    with services.connect() as node:
        node.check_chain(contract.chain_id)
        answers = node.outcomes(
            (
                "eth_call",
                [
                    {
                        "to": contract.address,
                        "data": "0x" + contracts.call("tokenURI", token_id).hex(),
                    },
                    "latest",
                ],
            )
            for token_id in ids
        )
    for token_id, answer in zip(ids, answers, strict=True):
        if isinstance(answer, RpcError):
            if not answer.is_revert:
                raise answer
            continue
        uri = str(contracts.answer("tokenURI", bytes.fromhex(str(answer).removeprefix("0x"))))
        # A work that its contract draws names nothing that could be lost; its folder is there too.
        named = committed[token_id].uri if uri.startswith("data:") else uri
        committed[token_id] = Named(named, True)
    return committed


def _artworks(drop: Drop, window: Sequence[dict[str, Any]]) -> dict[int, Artwork]:
    ids = [row["token_id"] for row in window]
    works = Artwork.objects.filter(drop=drop, token_id__in=ids)
    return {work.token_id: work for work in works if work.token_id is not None}


def _look(
    drop: Drop,
    row: dict[str, Any],
    works: dict[int, Artwork],
    named: dict[int, Named],
    gateways: Gateways,
) -> StoredWork:
    token_id = row["token_id"]
    own, own_file = services.own_state(row, works.get(token_id))
    address = named[token_id]
    sight = None
    if settings.IPFS_GATEWAYS or not address.uri.startswith("ipfs://"):
        sight = gateways.look(Wanted(address.uri, row["metadata_keccak256"], row["image_sha256"]))
    return StoredWork(
        drop=drop,
        token_id=token_id,
        own=own,
        remote=sight.found if sight else "",
        uri=address.uri[:500],
        is_minted=address.is_minted,
        file=(sight.file if sight and sight.file else own_file)[:100],
        through=sight.through[:250] if sight else "",
        why=sight.why[:250] if sight else "",
        checked_at=timezone.now(),
    )


def look_now(drop: Drop, tell: Tell) -> StorageRound | None:
    """A whole round of a drop, here and now; None if its works are not final."""
    if not services.is_final(drop):
        return None
    round = services.start_round(drop=drop, now=timezone.now())
    with Gateways(settings.IPFS_GATEWAYS) as gateways:
        while True:
            goes_on = look(round, gateways, time.monotonic() + RING_S)
            round = StorageRound.objects.select_related("drop__collection").get(pk=round.pk)
            tell(round)
            if not goes_on:
                return round
