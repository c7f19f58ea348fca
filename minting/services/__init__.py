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
    "CommitmentPendingError",
    "CursorMovedError",
    "ExportMismatchError",
    "FolderNotEmptyError",
    "ForkError",
    "ImageMismatchError",
    "SaleAlreadyRequestedError",
    "UnknownTokenError",
    "abandon_attempt",
    "connect",
    "drop_car",
    "export_drop",
    "intend",
    "load_signer",
    "note_accepted",
    "note_error",
    "prepare_commitment",
    "prune_blocks",
    "record_window",
    "refuse",
    "replace_attempt",
    "request_commit",
    "request_deploy",
    "request_open_sale",
    "rewind",
    "settle",
    "shrink_window",
    "sign_attempt",
]
