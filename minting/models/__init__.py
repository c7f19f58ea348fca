"""What is on chain: blocks, contracts, what we send, commitments, tokens, market, stakes, votes."""

from minting.models.chain import (
    Alarm,
    Attempt,
    Block,
    BlockQuerySet,
    ChainTransaction,
    ChainTransactionQuerySet,
    Contract,
    ContractQuerySet,
    Marketplace,
    Sender,
)
from minting.models.cursors import Cursor, CursorQuerySet, Source
from minting.models.fields import WEI_DIGITS, AmountField, WeiField
from minting.models.governance import Governance
from minting.models.market import (
    Listing,
    ListingQuerySet,
    Sale,
    SaleQuerySet,
)
from minting.models.pools import (
    LiquidityChange,
    LiquiditySnapshot,
    Pool,
    PoolRowQuerySet,
    Swap,
)
from minting.models.publications import (
    PackedCar,
    Publication,
    PublicationPart,
    PublicationQuerySet,
    StorageRound,
    StoredWork,
    StoredWorkQuerySet,
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
from minting.models.votes import (
    Delegation,
    DelegationQuerySet,
    VotingPower,
    VotingPowerQuerySet,
)

__all__ = [
    "WEI_DIGITS",
    "Alarm",
    "AmountField",
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
    "CursorQuerySet",
    "Delegation",
    "DelegationQuerySet",
    "DropEvent",
    "Governance",
    "LiquidityChange",
    "LiquiditySnapshot",
    "ListEntry",
    "Listing",
    "ListingQuerySet",
    "Marketplace",
    "PackedCar",
    "Pool",
    "PoolPayment",
    "PoolPaymentQuerySet",
    "PoolRowQuerySet",
    "Publication",
    "PublicationPart",
    "PublicationQuerySet",
    "Rehearsal",
    "RehearsalQuerySet",
    "Sale",
    "SalePhase",
    "SalePhaseQuerySet",
    "SaleQuerySet",
    "Seal",
    "Sender",
    "Source",
    "Stake",
    "StakeQuerySet",
    "StorageRound",
    "StoredWork",
    "StoredWorkQuerySet",
    "Swap",
    "Token",
    "TokenQuerySet",
    "Transfer",
    "TransferQuerySet",
    "VotingPower",
    "VotingPowerQuerySet",
    "WeiField",
]
