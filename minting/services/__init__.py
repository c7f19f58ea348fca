"""Writes of minting: keyword-only arguments, one transaction, the row as the answer."""

from minting.services.chain import connect, load_signer
from minting.services.commitments import (
    prepare_commitment,
    request_commit,
)
from minting.services.contracts import request_deploy
from minting.services.exports import (
    ExportMismatchError,
    FolderNotEmptyError,
    NotSealedError,
    drop_car,
    export_drop,
    published,
)
from minting.services.listings import ChainMovedError, create_listing, expire_listings
from minting.services.living import (
    announcement,
    awaited_block,
    find_drop_seed,
    hang,
    live_description,
    living_drops,
    next_step,
    request_living_commit,
    token_seed,
    undrawn,
)
from minting.services.market import (
    NoMarketplaceError,
    find_marketplace,
    open_sellers,
    request_marketplace,
)
from minting.services.outbox import (
    abandon_attempt,
    intend,
    note_accepted,
    note_error,
    refuse,
    replace_attempt,
    settle,
    sign_attempt,
)
from minting.services.places import CommitmentPendingError
from minting.services.sales import (
    MAX_PER_TRANSACTION,
    NO_END,
    SaleAlreadyRequestedError,
    Terms,
    public_sale,
    request_open_sale,
    running_phase,
)
from minting.services.tokens import (
    CursorMovedError,
    ForkError,
    UnknownTokenError,
    Window,
    prune_blocks,
    record_window,
    rewind,
    shrink_window,
)
from minting.services.works import ImageMismatchError

__all__ = [
    "MAX_PER_TRANSACTION",
    "NO_END",
    "ChainMovedError",
    "CommitmentPendingError",
    "CursorMovedError",
    "ExportMismatchError",
    "FolderNotEmptyError",
    "ForkError",
    "ImageMismatchError",
    "NoMarketplaceError",
    "NotSealedError",
    "SaleAlreadyRequestedError",
    "Terms",
    "UnknownTokenError",
    "Window",
    "abandon_attempt",
    "announcement",
    "awaited_block",
    "connect",
    "create_listing",
    "drop_car",
    "expire_listings",
    "export_drop",
    "find_drop_seed",
    "find_marketplace",
    "hang",
    "intend",
    "live_description",
    "living_drops",
    "load_signer",
    "next_step",
    "note_accepted",
    "note_error",
    "open_sellers",
    "prepare_commitment",
    "prune_blocks",
    "public_sale",
    "published",
    "record_window",
    "refuse",
    "replace_attempt",
    "request_commit",
    "request_deploy",
    "request_living_commit",
    "request_marketplace",
    "request_open_sale",
    "rewind",
    "running_phase",
    "settle",
    "shrink_window",
    "sign_attempt",
    "token_seed",
    "undrawn",
]
