"""Writes of minting: keyword-only arguments, one transaction, the row as the answer."""

from minting.services.chain import connect, load_signer
from minting.services.commitments import (
    CommitmentPendingError,
    ImageMismatchError,
    prepare_commitment,
    request_commit,
)
from minting.services.contracts import request_deploy
from minting.services.exports import (
    ExportMismatchError,
    FolderNotEmptyError,
    drop_car,
    export_drop,
)
from minting.services.listings import ChainMovedError, create_listing, expire_listings
from minting.services.market import (
    NoMarketplaceError,
    find_marketplace,
    open_sellers,
    request_marketplace,
)
from minting.services.mints import request_mint
from minting.services.outbox import (
    abandon_attempt,
    intend,
    note_accepted,
    note_error,
    refuse,
    replace_attempt,
    settle,
    sign_attempts,
)
from minting.services.sales import (
    MAX_PER_TRANSACTION,
    SaleAlreadyRequestedError,
    request_open_sale,
)
from minting.services.tokens import (
    CursorMovedError,
    ForkError,
    UnknownTokenError,
    prune_blocks,
    record_window,
    rewind,
    shrink_window,
)

__all__ = [
    "MAX_PER_TRANSACTION",
    "ChainMovedError",
    "CommitmentPendingError",
    "CursorMovedError",
    "ExportMismatchError",
    "FolderNotEmptyError",
    "ForkError",
    "ImageMismatchError",
    "NoMarketplaceError",
    "SaleAlreadyRequestedError",
    "UnknownTokenError",
    "abandon_attempt",
    "connect",
    "create_listing",
    "drop_car",
    "expire_listings",
    "export_drop",
    "find_marketplace",
    "intend",
    "load_signer",
    "note_accepted",
    "note_error",
    "open_sellers",
    "prepare_commitment",
    "prune_blocks",
    "record_window",
    "refuse",
    "replace_attempt",
    "request_commit",
    "request_deploy",
    "request_marketplace",
    "request_mint",
    "request_open_sale",
    "rewind",
    "settle",
    "shrink_window",
    "sign_attempts",
]
