"""What people think: voters, rounds, votes, and what the votes propose."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.db.models.functions import Trunc
from numpy.typing import NDArray

from generation.models import Artwork, Collection, Drop, ParameterSet
from minting.models import WeiField

# A curve of votes over time has at most about two hundred steps, unless it took years.
STEPS_OF_TIME = (
    (timedelta(minutes=3), "second"),
    (timedelta(hours=3), "minute"),
    (timedelta(days=8), "hour"),
)


class Voter(models.Model):
    """A wallet that signed in. Its user has no password."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="voter")
    address = models.CharField(max_length=42, unique=True)
    is_simulated = models.BooleanField(
        default=False, help_text="run by us: its data are labelled wherever they are shown"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.address


class RoundQuerySet(models.QuerySet["Round"]):
    def overdue(self, now: datetime) -> Self:
        return self.filter(state=Round.State.OPEN, closes_at__lte=now).order_by("closes_at", "pk")

    def leading_to(self, current: "Round") -> Self:
        """The round itself and the closed ones of the collection's earlier drops, in order."""
        drop = current.drop
        earlier = Q(state=Round.State.CLOSED, drop__number__lt=drop.number)
        return self.filter(
            Q(pk=current.pk) | earlier, drop__collection_id=drop.collection_id
        ).order_by("drop__number", "pk")

    def voted_by(self, voter: "Voter") -> Self:
        """Rounds in which a voter decided at least one pair."""
        return self.filter(Exists(Vote.objects.filter(round=OuterRef("pk"), voter=voter)))


class Round(models.Model):
    """The time in which a drop's works are compared."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    class Weighting(models.TextChoices):
        EQUAL = "equal", "every wallet the same"
        WORKS = "works", "each work a wallet holds"
        BOTH = "both", "a wallet one, and one more for each work it holds"

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="round")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    hides_standings = models.BooleanField(
        default=True, help_text="while it is open, those who have not voted in it see no standings"
    )
    weighting = models.CharField(max_length=10, choices=Weighting, default=Weighting.EQUAL)
    snapshot_block = models.PositiveBigIntegerField(
        null=True, help_text="the block at which works are counted, where they are"
    )

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | Q(state="closed", closed_at__isnull=False),
                name="round_closed_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(weighting="equal", snapshot_block=None)
                | (~Q(weighting="equal") & Q(snapshot_block__isnull=False)),
                name="round_counts_works_at_a_block",
            ),
        ]

    def __str__(self) -> str:
        return f"round of drop {self.drop_id}"

    @property
    def is_open(self) -> bool:
        return self.state == Round.State.OPEN


@dataclass(frozen=True)
class VoteArrays:
    """Votes as the mathematics takes them; ``left`` and ``right`` are places in ``artwork_ids``.

    ``ages`` counts rounds back from the present one, ``rounds`` has the rounds that the votes were
    cast in and ``drops`` the numbers of their drops. The order depends on what was voted, not when.
    """

    artwork_ids: list[int]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_won: NDArray[np.bool_]
    voters: NDArray[np.int64]
    ages: NDArray[np.int64]
    rounds: NDArray[np.int64]
    drops: NDArray[np.int64]


class VoteQuerySet(models.QuerySet["Vote"]):
    def as_arrays(self, current: Round) -> VoteArrays:
        """All votes that bear on ``current``: its own, and those of the rounds that led to it."""
        rounds = dict(Round.objects.leading_to(current).values_list("pk", "drop__number"))
        ages = {pk: age for age, pk in enumerate(reversed(rounds))}
        columns = ("round_id", "first_id", "second_id", "winner_id", "shown_left_id", "voter_id")
        ordered = self.filter(round_id__in=rounds).order_by(
            "round__drop__number", "first_id", "second_id", "voter_id", "pk"
        )
        rows = np.array(list(ordered.values_list(*columns)), np.int64).reshape(-1, len(columns))
        round_ids, first, second, winner, left, voters = rows.T
        artwork_ids, places = np.unique(
            np.concatenate([left, first + second - left]), return_inverse=True
        )
        return VoteArrays(
            artwork_ids=artwork_ids.tolist(),
            left=places[: len(rows)],
            right=places[len(rows) :],
            left_won=winner == left,
            voters=voters,
            ages=np.array([ages[pk] for pk in round_ids.tolist()], np.int64),
            rounds=round_ids,
            drops=np.array([rounds[pk] for pk in round_ids.tolist()], np.int64),
        )

    def tallies(self) -> NDArray[np.int64]:
        """Votes [P, 2] for the first and for the second work of each pair that was judged."""
        for_first = Count("pk", filter=Q(winner=F("first")))
        rows = self.order_by().values_list("round", "first", "second")
        counted = rows.annotate(n_first=for_first, n=Count("pk")).values_list("n_first", "n")
        n_first, n = np.array(list(counted), np.int64).reshape(-1, 2).T
        return np.column_stack([n_first, n - n_first])

    def over_time(self) -> list[tuple[datetime, int]]:
        """How many votes there were by each second, minute, hour or day that brought some."""
        span = self.aggregate(first=Min("cast_at"), last=Max("cast_at"))
        if span["first"] is None:
            return []
        took = span["last"] - span["first"]
        unit = next((unit for limit, unit in STEPS_OF_TIME if took < limit), "day")
        steps = self.annotate(step=Trunc("cast_at", unit, tzinfo=UTC)).order_by("step")
        counts = list(steps.values_list("step").annotate(n=Count("pk")))
        return list(zip([at for at, _ in counts], accumulate(n for _, n in counts), strict=True))

    def pairs(self, voter: Voter, current: Round) -> set[tuple[int, int]]:
        """Ids (first, second) of the pairs a voter has decided in a round."""
        rows = self.filter(round=current, voter=voter).order_by("first_id", "second_id", "pk")
        return set(rows.values_list("first_id", "second_id"))


class Vote(models.Model):
    """Of two works, the one a voter prefers; the pair is stored in canonical order."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="votes")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="votes")
    first = models.ForeignKey(Artwork, models.PROTECT, related_name="+")
    second = models.ForeignKey(Artwork, models.PROTECT, related_name="+")
    winner = models.ForeignKey(Artwork, models.PROTECT, related_name="+")
    shown_left = models.ForeignKey(Artwork, models.PROTECT, related_name="+")
    cast_at = models.DateTimeField(auto_now_add=True)
    signature = models.CharField(
        max_length=132, blank=True, help_text="of the voter's wallet, EIP-712; blank: not signed"
    )

    objects = VoteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "voter", "first", "second"], name="vote_once_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="vote_pair_in_canonical_order"
            ),
            models.CheckConstraint(
                condition=Q(winner=F("first")) | Q(winner=F("second")), name="vote_winner_of_pair"
            ),
            models.CheckConstraint(
                condition=Q(shown_left=F("first")) | Q(shown_left=F("second")),
                name="vote_left_of_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id}: {self.first_id} or {self.second_id}"


class ReferenceSaleQuerySet(models.QuerySet["ReferenceSale"]):
    def in_order(self) -> Self:
        return self.order_by("sold_at", "source_row", "pk")


class ReferenceSale(models.Model):
    """A sale of another collection, imported from a file; what the file does not say is blank."""

    source = models.CharField(max_length=100)
    source_row = models.PositiveIntegerField(help_text="record of the file, from 1")
    sold_at = models.DateTimeField()
    token_ref = models.CharField(max_length=100)
    traits = models.JSONField(default=dict)
    price_wei = WeiField(null=True)  # type: ignore[misc]  # the field is typed for amounts
    seller = models.CharField(max_length=42, blank=True, help_text="blank: unknown")
    buyer = models.CharField(max_length=42, blank=True, help_text="blank: unknown")
    tx_hash = models.CharField(max_length=66, blank=True)

    objects = ReferenceSaleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_row"], name="reference_sale_source_row"
            ),
            models.CheckConstraint(
                condition=~Q(seller="0x" + "0" * 40) & ~Q(buyer="0x" + "0" * 40),
                name="reference_sale_unknown_party_is_blank",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_row}"


class ScoreRun(models.Model):
    """What a closed round taught; ``posterior`` has names, mean and covariance of the effects.

    ``market`` says up to which block sales were read, what they added, which were left out and why.
    """

    round = models.OneToOneField(Round, models.PROTECT, related_name="score_run")
    input_hash = models.CharField(max_length=64)
    n_votes = models.PositiveIntegerField()
    n_voters = models.PositiveIntegerField()
    posterior = models.JSONField()
    market = models.JSONField(default=dict)
    code_version = models.CharField(max_length=64)
    tally_root = models.CharField(
        max_length=64, blank=True, help_text="blank: closed before tallies were kept"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"score of {self.n_votes} votes"


class ScoreInputs(models.Model):
    """The document that a score run was computed from: compressed canonical JSON."""

    run = models.OneToOneField(ScoreRun, models.PROTECT, related_name="inputs")
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"inputs of score run {self.run_id}"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def newest_first(self) -> Self:
        return self.order_by("-drop__number", "-pk")


class Proposal(models.Model):
    """A change of parameters that waits for a lead, and then what the lead made of it.

    ``old``, ``proposed`` and ``applied`` are parameters as JSON; ``rows`` is the audit.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        EDITED = "edited"
        REJECTED = "rejected"

    score_run = models.OneToOneField(ScoreRun, models.PROTECT, related_name="proposal")
    drop = models.OneToOneField(Drop, models.PROTECT, related_name="proposal")
    base = models.ForeignKey(ParameterSet, models.PROTECT, related_name="proposals")
    old = models.JSONField()
    proposed = models.JSONField()
    applied: models.JSONField[Any, Any] = models.JSONField(null=True)
    rows = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    resulting = models.OneToOneField(
        ParameterSet, models.PROTECT, null=True, related_name="from_proposal"
    )
    next_drop = models.OneToOneField(
        Drop, models.PROTECT, null=True, related_name="opened_by_proposal"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="pending", decided_by=None, decided_at=None, resulting=None)
                | (~Q(state="pending") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="proposal_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"proposal for drop {self.drop_id}: {self.state}"

    @property
    def is_change(self) -> bool:
        return bool(self.old != self.proposed)


class AutopilotQuerySet(models.QuerySet["AutopilotSwitch"]):
    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class AutopilotSwitch(models.Model):
    """A lead lets proposals be approved as they come, or decides again; the newest row holds."""

    collection = models.ForeignKey(Collection, models.PROTECT, related_name="autopilot")
    is_on = models.BooleanField()
    lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AutopilotQuerySet.as_manager()

    def __str__(self) -> str:
        return f"autopilot of {self.collection_id} {'on' if self.is_on else 'off'}"
