"""Writes of sentiment: voters, rounds, votes, proposals and what leads decide about them."""

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
    AlreadyVotedError,
    NotAPairError,
    RoundClosedError,
    UnknownWorkError,
    cast_vote,
    next_pair,
    register_wallet,
)

__all__ = [
    "AlreadyDecidedError",
    "AlreadyVotedError",
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
    "next_pair",
    "open_round",
    "register_wallet",
    "reject_proposal",
    "round_inputs",
    "start_next_drop",
]
