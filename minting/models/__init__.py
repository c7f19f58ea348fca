"""What is on chain, from blocks to stakes, and where the files are that it names."""

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
    "PackedCar",
    "PoolPayment",
    "PoolPaymentQuerySet",
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
    "Stake",
    "StakeQuerySet",
    "StorageRound",
    "StoredWork",
    "StoredWorkQuerySet",
    "Token",
    "TokenQuerySet",
    "Transfer",
    "TransferQuerySet",
    "WeiField",
]
