"""Writes of sentiment: voters, rounds, votes, proposals and what leads decide about them."""

from sentiment.services.comments import (
    MAX_LENGTH,
    CommentRefusedError,
    hide_comment,
    write_comment,
)
from sentiment.services.history import import_history
from sentiment.services.proposals import (
    AlreadyDecidedError,
    NotALeadError,
    StaleProposalError,
    UndecidedError,
    approve_proposal,
    edit_proposal,
    reject_proposal,
    start_next_drop,
)
from sentiment.services.rounds import close_round, open_round, round_inputs
from sentiment.services.votes import (
    SIMULATED,
    AlreadyVotedError,
    NotAPairError,
    RoundClosedError,
    UnknownWorkError,
    cast_vote,
    mark_simulated,
    next_pair,
    register_wallet,
)

__all__ = [
    "MAX_LENGTH",
    "SIMULATED",
    "AlreadyDecidedError",
    "AlreadyVotedError",
    "CommentRefusedError",
    "NotALeadError",
    "NotAPairError",
    "RoundClosedError",
    "StaleProposalError",
    "UndecidedError",
    "UnknownWorkError",
    "approve_proposal",
    "cast_vote",
    "close_round",
    "edit_proposal",
    "hide_comment",
    "import_history",
    "mark_simulated",
    "next_pair",
    "open_round",
    "register_wallet",
    "reject_proposal",
    "round_inputs",
    "start_next_drop",
    "write_comment",
]
