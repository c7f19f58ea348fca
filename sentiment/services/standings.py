"""How a round stands, and who may see that before it is over."""

from dataclasses import dataclass

import numpy as np
from django.db import transaction

from generation.models import Artwork, Drop
from sentiment.models import Round, ScoreRun, Vote, Voter
from sentiment.preference import effects, features
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.effects import Effects
from sentiment.preference.features import Option
from sentiment.services.evidence import current_belief, names_of
from sentiment.services.rounds import open_round

N_BEST = 6


@dataclass(frozen=True)
class Standing:
    """What a round's evidence says of each value, and its drop's works of most expected worth."""

    effects: Effects
    best: list[Artwork]


@transaction.atomic
def begin_voting(
    *, drop: Drop, hides_standings: bool, weighting: str = Round.Weighting.EQUAL
) -> Round:
    """Open a drop's round as a lead wants it; a round that is there stays as it is."""
    Drop.objects.select_for_update().get(pk=drop.pk)
    known = Round.objects.filter(drop=drop).first()
    if known is not None:
        return known
    current = open_round(drop=drop, weighting=weighting)
    current.hides_standings = hides_standings
    current.save(update_fields=["hides_standings"])
    return current


def may_see_standings(*, round: Round, voter: Voter | None, is_lead: bool) -> bool:
    """Whether somebody may know how a round stands: not to be swayed, one votes first."""
    if not round.is_open or is_lead or not round.hides_standings:
        return True
    return voter is not None and Vote.objects.filter(round=round, voter=voter).exists()


def read_standing(round: Round) -> Standing:
    """The standing of a round: of a closed one as it was scored, of an open one as it is now.

    ``round`` comes with its drop and the drop's parameters.
    """
    names, belief = _believed(round)
    return Standing(effects.centred(belief, names), _best(round.drop, names, belief))


def _believed(round: Round) -> tuple[list[Option], Belief]:
    if round.is_open:
        return _of_traits(names_of(round), current_belief(round).belief)
    posterior = ScoreRun.objects.get(round=round).posterior
    belief = Belief(np.array(posterior["mean"]), np.array(posterior["covariance"]))
    names = [(attribute, value) for attribute, value in posterior["names"]]
    return _of_traits(names, belief)


def _of_traits(names: list[Option], belief: Belief) -> tuple[list[Option], Belief]:
    """What is believed of values alone: directions are no matter of taste that has a name."""
    traits = [i for i, (attribute, _) in enumerate(names) if not features.is_direction(attribute)]
    return [names[i] for i in traits], belief.only(traits)


def _best(drop: Drop, names: list[Option], belief: Belief) -> list[Artwork]:
    """Accepted works of most mean worth; of equals the first. Unknown values have no worth."""
    attributes, known = {attribute for attribute, _ in names}, set(names)
    rows = [
        (pk, parsed)
        for pk, parsed in drop.artworks.accepted().in_order().values_list("pk", "parsed")
        if all((attribute, parsed.get(attribute)) in known for attribute in attributes)
    ]
    worth = features.encode([parsed for _, parsed in rows], names) @ belief.effects
    chosen = [rows[i][0] for i in np.argsort(-worth, kind="stable")[:N_BEST]]
    works = Artwork.objects.in_bulk(chosen)
    return [works[pk] for pk in chosen]
