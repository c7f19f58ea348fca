"""What a closed round was computed from and came to, for whoever wants to compute it again."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from generation.models import Drop
from minting.provenance import lineage
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import ZERO
from sentiment.derivation import bundle, document, signing, tally, weighing
from sentiment.derivation.document import VoteRow
from sentiment.models import Proposal, Round, ScoreInputs, Vote, Voter
from sentiment.services.documents import round_inputs

LEAD = "lead"  # one who has no wallet here


class NoBundleError(Exception):
    """A round is open, or was closed before its inputs were kept."""

    def __init__(self, round: Round) -> None:
        super().__init__(f"of the {round} no inputs are kept")
        self.round = round


def round_bundle(*, round: Round) -> bytes:
    """The round's bundle: canonical JSON of inputs, tally, what followed and what was decided."""
    if not ScoreInputs.objects.filter(run__round=round).exists():
        raise NoBundleError(round)
    proposals = Proposal.objects.select_related("score_run", "base", "resulting", "decided_by")
    proposal = proposals.get(score_run__round=round)
    inputs = round_inputs(round=round)
    run, votes = proposal.score_run, document.read(inputs).votes
    posterior = {name: one for name, one in run.posterior.items() if name != "covariance"}
    return canonicalize(
        bundle.compose(
            inputs=inputs,
            tally=tally.describe(votes),
            weighing=_weighing(round),
            signatures=_signatures(round, votes),
            before=proposal.base.body,
            derived={
                "posterior": posterior,
                "market": run.market,
                "proposed": proposal.proposed,
                "rows": proposal.rows,
            },
            decision=_decision(proposal),
        )
    )


def round_before(drop: Drop) -> Round | None:
    """The round whose decided proposal a drop's parameters are of; None where they are no one's.

    Drops need not be opened from the proposal, and a lead may have changed parameters since.
    """
    own = Q(next_drop=drop) | Q(resulting=drop.parameter_set_id)
    proposals = Proposal.objects.exclude(state=Proposal.State.PENDING).filter(own)
    applied = drop.parameter_set.parameters.to_json()
    for proposal in proposals.select_related("score_run__round").order_by("-pk"):
        if proposal.applied == applied:
            return proposal.score_run.round
    return None


def bundle_before(drop: Drop) -> dict[int, bytes]:
    """The bundle of the round that led to a drop, by the number of the drop that was voted on."""
    before = round_before(drop)
    try:
        return {before.drop.number: round_bundle(round=before)} if before else {}
    except NoBundleError:
        return {}


def tally_root_for(drop: Drop) -> bytes:
    """The root over the votes that led to a drop's parameters, which it commits to; else zero."""
    before = round_before(drop)
    return bytes.fromhex(before.score_run.tally_root if before else "") or ZERO


def counted_votes(*, round: Round, voter: Voter) -> dict[str, Any]:
    """A voter's votes among those that counted in a closed round, each with its Merkle proof."""
    if not ScoreInputs.objects.filter(run__round=round).exists():
        raise NoBundleError(round)
    votes = document.read(round_inputs(round=round)).votes
    places = [place for place, vote in enumerate(votes) if vote.voter == voter.address]
    found = zip(places, tally.proofs(votes, places), strict=True)
    signatures = _signed(round)
    return tally.describe(votes) | {
        "votes": [
            {
                "value": tally.values(votes[place]),
                "leaf": tally.leaf_hash(tally.values(votes[place])).hex(),
                "proof": [sibling.hex() for sibling in proof],
                "signature": signatures.get(_key(votes[place])),
            }
            for place, proof in found
        ]
    }


Key = tuple[int, str, str, str]  # drop, voter, left, right: there is one vote of it


def _key(vote: VoteRow) -> Key:
    return vote.drop, vote.voter, vote.left, vote.right


def _signed(round: Round) -> dict[Key, str]:
    """The signatures of all votes that bear on a round, as far as they have one."""
    signed = Vote.objects.filter(round__in=Round.objects.leading_to(round).order_by())
    columns = ("round__drop__number", "voter__address", "first__index", "second__index")
    rows = signed.exclude(signature="").order_by("pk")
    found = {}
    for number, voter, first, second, shown_left, first_id, signature in rows.values_list(
        *columns, "shown_left_id", "first_id", "signature"
    ):
        names = [f"{number}/{first}", f"{number}/{second}"]
        left, right = names if shown_left == first_id else names[::-1]
        found[number, voter, left, right] = signature
    return found


def _signatures(round: Round, votes: Sequence[VoteRow]) -> dict[str, Any]:
    signed = _signed(round)
    keys = [_key(vote) for vote in votes]
    rows = [(place, signed[key]) for place, key in enumerate(keys) if key in signed]
    return signing.describe(settings.CHAIN_ID, rows)


def _weighing(round: Round) -> dict[str, Any]:
    """By what rule and by whose decision the round's own votes weigh what they do."""
    voters = Voter.objects.filter(votes__round=round)
    held = round.holdings.filter(wallet__in=voters.order_by().values("address")).order_by("pk")
    rows = round.discounts.in_force().select_related("voter", "lead__voter")
    return weighing.describe(
        round.weighting,
        round.snapshot_block,
        list(held.values_list("wallet", "n_works")),
        [
            (
                one.voter.address,
                one.factor,
                one.rule,
                one.reason,
                name_of(one.lead),
                one.created_at.isoformat(),
            )
            for one in rows
        ],
    )


def name_of(user: User) -> str:
    """How a lead is named in public: by their wallet, if they have one here."""
    voter = getattr(user, "voter", None)
    return voter.address if voter else LEAD


def _decision(proposal: Proposal) -> dict[str, Any] | None:
    if proposal.decided_at is None or proposal.decided_by is None:
        return None
    base, applied = proposal.base, proposal.applied
    unchanged = base.body if applied == base.parameters.to_json() else applied
    body = proposal.resulting.body if proposal.resulting else unchanged
    return {
        "state": proposal.state,
        "applied": applied,
        "reason": proposal.reason,
        "decided_by": name_of(proposal.decided_by),
        "decided_at": proposal.decided_at.isoformat(),
        "params_hash": lineage.params_hash(body).hex(),
    }
