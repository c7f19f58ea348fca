"""What people think: voters, rounds, votes, and what the votes propose."""

from sentiment.models.comments import Comment, CommentQuerySet, Opinion, OpinionQuerySet
from sentiment.models.integrity import Discount, DiscountQuerySet, Funding, FundingScan, Holding
from sentiment.models.voting import (
    AutopilotQuerySet,
    AutopilotSwitch,
    Proposal,
    ProposalQuerySet,
    ReferenceSale,
    ReferenceSaleQuerySet,
    Round,
    RoundQuerySet,
    ScoreInputs,
    ScoreRun,
    Vote,
    VoteArrays,
    VoteQuerySet,
    Voter,
)

__all__ = [
    "AutopilotQuerySet",
    "AutopilotSwitch",
    "Comment",
    "CommentQuerySet",
    "Discount",
    "DiscountQuerySet",
    "Funding",
    "FundingScan",
    "Holding",
    "Opinion",
    "OpinionQuerySet",
    "Proposal",
    "ProposalQuerySet",
    "ReferenceSale",
    "ReferenceSaleQuerySet",
    "Round",
    "RoundQuerySet",
    "ScoreInputs",
    "ScoreRun",
    "Vote",
    "VoteArrays",
    "VoteQuerySet",
    "Voter",
]
