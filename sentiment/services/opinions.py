"""What voters say of one work, and what that is worth beside their votes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.utils import timezone

from generation.models import Artwork
from sentiment.derivation import opinions
from sentiment.derivation.opinions import DECIMALS, Average, OpinionRow, Opinions
from sentiment.models import Comment, Opinion, Round, Voter
from sentiment.services.comments import comment_scorer
from sentiment.services.weights import discounted
from sentiment.text.evidence import TextScorer, as_vote


class NotVotedOnError(ValueError):
    """An opinion on a work that is not among the accepted ones of a drop that has a round."""

    def __init__(self, artwork: Artwork) -> None:
        super().__init__("opinions are asked for on works of drops that are, or were, voted on")
        self.artwork = artwork


@dataclass(frozen=True)
class Liking:
    """How many like a work and how many do not; ``own`` is what one voter says, if anything."""

    liked: int
    disliked: int
    own: bool | None


@transaction.atomic
def say_opinion(*, voter: Voter, artwork: Artwork, liked: bool | None) -> Liking:
    """Keep whether a voter likes a work that is voted on; None takes it back.

    Raises NotVotedOnError.
    """
    is_shown = artwork.status == Artwork.Status.ACCEPTED
    if not (is_shown and Round.objects.filter(drop=artwork.drop_id).exists()):
        raise NotVotedOnError(artwork)
    if liked is None:
        Opinion.objects.filter(artwork=artwork, voter=voter).delete()
    else:
        said = {"liked": liked, "said_at": timezone.now()}
        Opinion.objects.update_or_create(artwork=artwork, voter=voter, defaults=said)
    return read_liking(artwork=artwork, voter=voter)


def read_liking(*, artwork: Artwork, voter: Voter | None) -> Liking:
    found = dict(artwork.opinions.values_list("voter", "liked"))
    n_liked = sum(found.values())
    own = None if voter is None else found.get(voter.pk)
    return Liking(n_liked, len(found) - n_liked, own)


def opinions_of(round: Round) -> tuple[Opinions, dict[str, Artwork]]:
    """All opinions that bear on a round, by public names, and the works that they are about."""
    ages = _ages(round)
    works: dict[str, Artwork] = {}
    rows = []
    less = _discounted(round)
    for work, voter, source, liked, weight in _said(round):
        number = work.drop.number
        name = f"{number}/{work.index}"
        works[name] = work
        counts = round_to(weight * less.get((number, voter.pk), 1.0))
        row = OpinionRow(name, voter.address, source, liked, ages[number], counts, number)
        rows.append(row)
    averages = {number: _average(round, number) for number in sorted({row.drop for row in rows})}
    return Opinions(sorted(rows), averages), works


def round_to(weight: float) -> float:
    return float(np.round(weight, DECIMALS))


def _discounted(round: Round) -> dict[tuple[int, int], float]:
    """What discounts leave of a voter's opinions on works of a drop, by (number, voter)."""
    rounds = dict(Round.objects.leading_to(round).values_list("pk", "drop__number"))
    return {(rounds[pk], voter): one for (pk, voter), one in discounted(rounds).items()}


def _said(round: Round) -> Iterator[tuple[Artwork, Voter, str, bool, float]]:
    for one in Opinion.objects.bearing_on(round):
        yield one.artwork, one.voter, "opinions", one.liked, 1.0
    scorer = comment_scorer()
    seen: set[tuple[int, int]] = set()
    for comment in Comment.objects.bearing_on(round):
        if (comment.artwork_id, comment.voter_id) in seen:
            continue  # a voter has one say about a work, the newest
        seen.add((comment.artwork_id, comment.voter_id))
        liked, weight = as_vote(_score(comment, scorer), scorer.accuracy)
        if weight:
            yield comment.artwork, comment.voter, "comments", liked, weight


def _score(comment: Comment, scorer: TextScorer) -> float:
    """As it was read when it was written, unless another one reads comments now."""
    if comment.score is None or comment.scored_by != scorer.name:
        return scorer.score(comment.text)
    return comment.score


def _ages(round: Round) -> dict[int, int]:
    """Of the drops that bear on a round, by number: how many rounds ago each was voted on."""
    numbers = Round.objects.leading_to(round).values_list("drop__number", flat=True)
    return {number: age for age, number in enumerate(reversed(list(numbers)))}


def _average(round: Round, number: int) -> Average:
    """The average work of a drop: of those that are accepted, each counts the same."""
    parameters = round.drop.parameter_set.parameters
    found = Artwork.objects.accepted().filter(
        drop__collection=round.drop.collection_id, drop__number=number
    )
    rows = list(found.in_order().values_list("parsed", "latents"))
    return opinions.average(
        [parsed for parsed, _ in rows],
        [latents for _, latents in rows],
        list(parameters.distributions),
        sorted(parameters.directions or {}),
    )
