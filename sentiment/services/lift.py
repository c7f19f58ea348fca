"""What steering brought each drop, by the votes on it."""

from datetime import datetime
from functools import lru_cache

import numpy as np
from django.db.models import Count, Q

from generation.models import Collection
from sentiment.models import Round, Vote
from sentiment.preference import lift
from sentiment.preference.bradley_terry import FitError
from sentiment.preference.lift import Lift

COLUMNS = ("first_id", "second_id", "winner_id", "shown_left_id", "first__is_control")


def read_lift(round: Round) -> Lift | None:
    """The lift of a round's drop, worked out once for each number of votes.

    None without a vote between a steered work and one that nobody steered; works that were drawn
    to be unusual are neither.
    """
    return _read(round.pk, round.opened_at, round.votes.count())


def read_lifts(collection: Collection) -> list[tuple[int, Lift | None]]:
    """Of every drop that was voted on, by its number, the first one first."""
    rounds = Round.objects.filter(drop__collection=collection).order_by("drop__number", "pk")
    counted = rounds.annotate(n=Count("votes"))
    rows = counted.values_list("drop__number", "pk", "opened_at", "n")
    return [(number, _read(*known)) for number, *known in rows]


@lru_cache(maxsize=256)
def _read(round_id: int, opened_at: datetime, n_votes: int) -> Lift | None:
    apart = Q(first__is_control=True, second__is_control=False, second__explores=False) | Q(
        first__is_control=False, first__explores=False, second__is_control=True
    )
    votes = Vote.objects.filter(apart, round=round_id).order_by("first_id", "second_id", "pk")
    rows = np.array(list(votes.values_list(*COLUMNS)), np.int64).reshape(-1, len(COLUMNS))
    first, second, winner, left, is_first = rows.T
    control = np.where(is_first, first, second)
    try:
        return lift.measure(control, left != control, winner != control)
    except FitError:
        return None
