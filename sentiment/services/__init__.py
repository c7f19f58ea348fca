"""Writes of sentiment: voters, rounds, votes, proposals and what leads decide about them."""

from sentiment.services.bundles import (
    NoBundleError,
    bundle_before,
    counted_votes,
    name_of,
    round_before,
    round_bundle,
    tally_root_for,
)
from sentiment.services.comments import (
    MAX_LENGTH,
    CommentRefusedError,
    comment_scorer,
    hide_comment,
    moderate_comments,
    write_comment,
)
from sentiment.services.documents import round_inputs
from sentiment.services.epochs import close_epoch, is_due
from sentiment.services.history import import_history
from sentiment.services.integrity import (
    RULES,
    Suspicion,
    discount_voters,
    read_funding,
    suspicions,
)
from sentiment.services.lift import read_lift, read_lifts
from sentiment.services.opinions import (
    Liking,
    NotVotedOnError,
    read_liking,
    say_opinion,
)
from sentiment.services.pasts import find_past, pasts
from sentiment.services.price_index import PeriodPrice, newest_score, read_price_index
from sentiment.services.proposals import (
    AlreadyDecidedError,
    NotALeadError,
    OutOfBoundsError,
    StaleProposalError,
    UndecidedError,
    approve_proposal,
    edit_proposal,
    reject_proposal,
    set_autopilot,
    start_next_drop,
)
from sentiment.services.rounds import close_round, open_round
from sentiment.services.standings import (
    Standing,
    begin_voting,
    may_see_standings,
    read_standing,
)
from sentiment.services.steering import (
    NothingToUndoError,
    UndecidedProposalError,
    drops_by_set,
    foretell,
    roll_back,
)
from sentiment.services.turnout import LastTime, Turnout, last_time, read_turnout, streak
from sentiment.services.votes import (
    SIMULATED,
    AlreadyVotedError,
    NotAPairError,
    RoundClosedError,
    UnknownWorkError,
    WrongSignatureError,
    cast_vote,
    mark_simulated,
    next_pair,
    register_wallet,
    simulated_among,
)
from sentiment.services.weights import NoSnapshotError

__all__ = [
    "MAX_LENGTH",
    "RULES",
    "SIMULATED",
    "AlreadyDecidedError",
    "AlreadyVotedError",
    "CommentRefusedError",
    "LastTime",
    "Liking",
    "NoBundleError",
    "NoSnapshotError",
    "NotALeadError",
    "NotAPairError",
    "NotVotedOnError",
    "NothingToUndoError",
    "OutOfBoundsError",
    "PeriodPrice",
    "RoundClosedError",
    "StaleProposalError",
    "Standing",
    "Suspicion",
    "Turnout",
    "UndecidedError",
    "UndecidedProposalError",
    "UnknownWorkError",
    "WrongSignatureError",
    "approve_proposal",
    "begin_voting",
    "bundle_before",
    "cast_vote",
    "close_epoch",
    "close_round",
    "comment_scorer",
    "counted_votes",
    "discount_voters",
    "drops_by_set",
    "edit_proposal",
    "find_past",
    "foretell",
    "hide_comment",
    "import_history",
    "is_due",
    "last_time",
    "mark_simulated",
    "may_see_standings",
    "moderate_comments",
    "name_of",
    "newest_score",
    "next_pair",
    "open_round",
    "pasts",
    "read_funding",
    "read_lift",
    "read_lifts",
    "read_liking",
    "read_price_index",
    "read_standing",
    "read_turnout",
    "register_wallet",
    "reject_proposal",
    "roll_back",
    "round_before",
    "round_bundle",
    "round_inputs",
    "say_opinion",
    "set_autopilot",
    "simulated_among",
    "start_next_drop",
    "streak",
    "suspicions",
    "tally_root_for",
    "write_comment",
]
