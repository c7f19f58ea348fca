"""What is on chain: blocks, contracts, what we send, commitments, tokens, market, stakes."""

from minting.models.chain import (
    WEI_DIGITS,
    Alarm,
    Attempt,
    Block,
    BlockQuerySet,
    ChainTransaction,
    ChainTransactionQuerySet,
    Contract,
    ContractQuerySet,
    Cursor,
    Marketplace,
    Sender,
    WeiField,
)
from minting.models.governance import Governance
from minting.models.market import (
    Listing,
    ListingQuerySet,
    Sale,
    SaleQuerySet,
)
from minting.models.rehearsals import Rehearsal, RehearsalQuerySet
from minting.models.sales import DropEvent, ListEntry, SalePhase, SalePhaseQuerySet, Seal
from minting.models.stakes import PoolPayment, PoolPaymentQuerySet, Stake, StakeQuerySet
from minting.models.tokens import (
    Commitment,
    CommitmentQuerySet,
    Token,
    TokenQuerySet,
    Transfer,
    TransferQuerySet,
)

__all__ = [
    "WEI_DIGITS",
    "Alarm",
    "Attempt",
    "Block",
    "BlockQuerySet",
    "ChainTransaction",
    "ChainTransactionQuerySet",
    "Commitment",
    "CommitmentQuerySet",
    "Contract",
    "ContractQuerySet",
    "Cursor",
    "DropEvent",
    "Governance",
    "ListEntry",
    "Listing",
    "ListingQuerySet",
    "Marketplace",
    "PoolPayment",
    "PoolPaymentQuerySet",
    "Rehearsal",
    "RehearsalQuerySet",
    "Sale",
    "SalePhase",
    "SalePhaseQuerySet",
    "SaleQuerySet",
    "Seal",
    "Sender",
    "Stake",
    "StakeQuerySet",
    "Token",
    "TokenQuerySet",
    "Transfer",
    "TransferQuerySet",
    "WeiField",
]
