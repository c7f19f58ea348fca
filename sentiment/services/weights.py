"""What votes weigh: by the works that wallets held when a round was opened, and by discounts."""

from collections.abc import Iterable

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from generation.models import Drop
from minting.models import Transfer
from sentiment.integrity import weighing
from sentiment.models import Discount, Holding, Round, VoteArrays


class NoSnapshotError(ValueError):
    """Works are to be counted where no block of the collection's contract is final yet."""

    def __init__(self, drop: Drop) -> None:
        super().__init__("works cannot be counted yet: no block of the contract is final")
        self.drop = drop


def keep_holdings(round: Round) -> list[Holding]:
    """Who held how many works at the round's block: by the transfers up to it, not by today's."""
    moves = Transfer.objects.filter(
        token__contract__collection=round.drop.collection_id,
        block__number__lte=round.snapshot_block,
    )
    held = weighing.held(moves.in_order().values_list("token_id", "recipient"))
    return Holding.objects.bulk_create(
        Holding(round=round, wallet=wallet, n_works=n) for wallet, n in sorted(held.items())
    )


def voter_weights(round_ids: Iterable[int]) -> dict[tuple[int, int], float]:
    """What each vote of a voter counts in a round, by (round, voter); who is not there counts 1."""
    ids = list(round_ids)
    found: dict[tuple[int, int], float] = {}
    weighed = Round.objects.filter(pk__in=ids).exclude(weighting=Round.Weighting.EQUAL)
    for current in weighed.order_by("pk"):
        found |= _by_holdings(current)
    for key, factor in discounted(ids).items():
        found[key] = weighing.reduced(found.get(key, 1.0), factor)
    return found


def discounted(round_ids: Iterable[int]) -> dict[tuple[int, int], float]:
    """By how much a lead lets voters count less in a round, by (round, voter)."""
    found: dict[tuple[int, int], float] = {}
    for discount in Discount.objects.filter(round__in=list(round_ids)).in_force():
        key = discount.round_id, discount.voter_id
        found[key] = weighing.reduced(found.get(key, 1.0), discount.factor)
    return found


def vote_weights(arrays: VoteArrays) -> NDArray[np.float64]:
    """Weight [V] of each vote in its own round, before it fades and before a voter's limit."""
    found = voter_weights(np.unique(arrays.rounds).tolist())
    if not found:
        return np.ones(len(arrays.rounds))
    keys = zip(arrays.rounds.tolist(), arrays.voters.tolist(), strict=True)
    return np.array([found.get(key, 1.0) for key in keys])


def _by_holdings(current: Round) -> dict[tuple[int, int], float]:
    held = dict(current.holdings.order_by("pk").values_list("wallet", "n_works"))
    voters = current.votes.order_by("voter_id").values_list("voter_id", "voter__address")
    rows = list(voters.annotate(n=Count("pk")))
    works = np.array([held.get(address, 0) for _, address, _ in rows], np.int64)
    counts = np.array([n for _, _, n in rows], np.int64)
    weights = weighing.weights(current.weighting, works, counts).tolist()
    return {
        (current.pk, voter): weight for (voter, _, _), weight in zip(rows, weights, strict=True)
    }
