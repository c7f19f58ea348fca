"""Tokens and their owners, as the logs of canonical blocks say."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from generation.models import Artwork
from minting.chain import evolving, stakes, votes
from minting.chain.client import Header
from minting.chain.fulfilments import MarketLog
from minting.chain.logs import Place, RevealLog, SoldLog, TransferLog
from minting.models import (
    Block,
    Commitment,
    Contract,
    Cursor,
    DropEvent,
    Sale,
    Token,
    Transfer,
)
from minting.services.blocks import advance_cursor, store_blocks
from minting.services.evolution import forget_evolution, record_evolution
from minting.services.market import find_listings_again, record_market, reopen_listings
from minting.services.reveals import record_reveals
from minting.services.stakes import forget_stakes, record_stakes
from minting.services.votes import forget_votes, record_votes

# A database takes only so many values in one statement.
OWNERS_AT_ONCE = 500


class UnknownTokenError(Exception):
    """A token was minted that no commitment covers, or moved without having been minted."""

    def __init__(self, contract: Contract, token_id: int) -> None:
        super().__init__(f"token {token_id} of {contract} is unknown")
        self.contract = contract
        self.token_id = token_id


@dataclass(frozen=True)
class Window:
    """What some blocks hold, in the order of the chain.

    ``headers`` hold at least the last block and those of the logs; ``sold`` has the price of minted
    works by their id; ``market`` are Seaport's.
    """

    headers: Sequence[Header]
    transfers: Sequence[TransferLog]
    sold: Mapping[int, SoldLog] = field(default_factory=dict)
    reveals: Sequence[RevealLog] = ()
    market: Sequence[MarketLog] = ()
    staked: Sequence[stakes.Log] = ()
    voted: Sequence[votes.Log] = ()
    moved: Sequence[evolving.Log] = ()

    @property
    def places(self) -> list[Place]:
        found = (*self.transfers, *self.reveals, *self.market, *self.staked)
        return [log.place for log in (*found, *self.voted, *self.moved)]


@transaction.atomic
def record_window(
    *, contract: Contract, first: int, last: int, window: int, found: Window
) -> set[int]:
    """Store what happened in blocks first..last and move the cursor; returns the drops touched.

    ``window`` is how many blocks to ask for next time.

    Raises
    ------
    CursorMovedError, ForkError, UnknownTokenError
        and then nothing is written.
    """
    advance_cursor(source=contract, first=first, last=last, window=window)
    transfers = found.transfers
    blocks = store_blocks(chain_id=contract.chain_id, headers=found.headers, places=found.places)
    owners = {log.token_id: log.recipient for log in transfers}
    minted = [log for log in transfers if log.is_mint]
    tokens = _mint(contract, blocks, minted, owners, found.sold)
    find_listings_again(contract=contract, minted=tokens)
    tokens |= _move(contract, {i: owner for i, owner in owners.items() if i not in tokens})
    Transfer.objects.bulk_create(
        _transfer(log, blocks[log.place.block_number], tokens[log.token_id]) for log in transfers
    )
    revealed = record_reveals(contract=contract, reveals=found.reveals, blocks=blocks)
    record_market(
        contract=contract, market=found.market, blocks=blocks, tokens=tokens, moves=transfers
    )
    record_stakes(contract=contract, found=found.staked, blocks=blocks)
    record_votes(contract=contract, found=found.voted, blocks=blocks)
    record_evolution(contract=contract, found=found.moved, blocks=blocks)
    return {token.drop_id for token in tokens.values()} | revealed


@transaction.atomic
def rewind(*, chain_id: int, number: int) -> set[int]:
    """Take back everything above block ``number``; returns the drops touched."""
    gone = Block.objects.filter(chain_id=chain_id, number__gt=number)
    touched = Token.objects.filter(Q(transfers__block__in=gone) | Q(minted_block__in=gone))
    drops = set(touched.order_by().values_list("drop_id", flat=True))
    surviving = set(touched.exclude(minted_block__in=gone).values_list("pk", flat=True))
    gone.delete()
    reopen_listings(chain_id=chain_id, above=number)
    _restore_owners(surviving)
    Cursor.objects.on_chain(chain_id).filter(number__gt=number).update(number=number)
    return drops


@transaction.atomic
def forget(*, contract: Contract, number: int) -> None:
    """Take back what blocks above ``number`` say of one contract; the blocks stay."""
    above = Block.objects.filter(chain_id=contract.chain_id, number__gt=number)
    moved = contract.tokens.filter(transfers__block__in=above).exclude(minted_block__in=above)
    surviving = set(moved.values_list("pk", flat=True))
    forget_stakes(contract=contract, number=number)
    forget_votes(contract=contract, number=number)
    forget_evolution(contract=contract, number=number)
    for table in (Sale, Transfer):
        table._default_manager.filter(token__contract=contract, block__in=above).delete()
    contract.tokens.filter(minted_block__in=above).delete()
    DropEvent.objects.filter(
        commitment__collection=contract.collection_id, block__in=above
    ).delete()
    reopen_listings(chain_id=contract.chain_id, above=number, contract=contract)
    _restore_owners(surviving)
    Cursor.objects.filter(contract=contract, number__gt=number).update(number=number)


def _restore_owners(token_pks: Collection[int]) -> None:
    """Let tokens belong to the recipients of their last transfers."""
    last = Transfer.objects.filter(token=OuterRef("pk")).in_order().reverse()
    pks = sorted(token_pks)
    for at in range(0, len(pks), OWNERS_AT_ONCE):
        Token.objects.filter(pk__in=pks[at : at + OWNERS_AT_ONCE]).update(
            owner=Subquery(last.values("recipient")[:1])
        )


def _mint(
    contract: Contract,
    blocks: dict[int, Block],
    mints: Sequence[TransferLog],
    owners: Mapping[int, str],
    sold: Mapping[int, SoldLog],
) -> dict[int, Token]:
    """New tokens by id, each with the work that its commitment assigned to it.

    ``owners`` are those after the window.
    """
    if not mints:
        return {}
    commitments = list(
        Commitment.objects.light()
        .filter(collection=contract.collection_id)
        .order_by("first_token_id")
    )
    starts = [commitment.first_token_id for commitment in commitments]
    tokens = []
    for log in mints:
        place = bisect_right(starts, log.token_id) - 1
        if place < 0 or log.token_id >= commitments[place].end_token_id:
            raise UnknownTokenError(contract, log.token_id)
        tokens.append(
            Token(
                contract=contract,
                token_id=log.token_id,
                drop_id=commitments[place].drop_id,
                owner=owners[log.token_id],
                minted_block=blocks[log.place.block_number],
                phase=sold[log.token_id].phase if log.token_id in sold else None,
                price_wei=sold[log.token_id].paid_wei if log.token_id in sold else 0,
            )
        )
    works = Artwork.objects.filter(
        drop__in={token.drop_id for token in tokens}, token_id__in=[t.token_id for t in tokens]
    )
    artwork_ids = dict(works.values_list("token_id", "pk"))
    for token in tokens:
        token.artwork_id = artwork_ids.get(token.token_id)
    return {token.token_id: token for token in Token.objects.bulk_create(tokens)}


def _move(contract: Contract, owners: Mapping[int, str]) -> dict[int, Token]:
    """Tokens of earlier windows by id, with their owners after this one."""
    tokens = {token.token_id: token for token in contract.tokens.filter(token_id__in=owners)}
    for token_id, owner in owners.items():
        if token_id not in tokens:
            raise UnknownTokenError(contract, token_id)
        tokens[token_id].owner = owner
    Token.objects.bulk_update(tokens.values(), ["owner"], batch_size=500)
    return tokens


def _transfer(log: TransferLog, block: Block, token: Token) -> Transfer:
    return Transfer(
        block=block,
        token=token,
        chain_id=block.chain_id,
        tx_hash=log.place.tx_hash,
        log_index=log.place.log_index,
        sender=log.sender,
        recipient=log.recipient,
    )
