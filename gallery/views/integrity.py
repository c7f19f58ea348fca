"""What votes weigh and whose they may be: for a lead who decides, and for whoever reads results."""

from typing import Any

from django.db.models import Count

from generation.models import Drop
from sentiment.models import Round
from sentiment.services import name_of

SAYS = {
    Round.Weighting.EQUAL: "Every wallet counts the same.",
    Round.Weighting.WORKS: (
        "A wallet counts for the works it held at the block: twice as many, twice the weight."
    ),
    Round.Weighting.BOTH: (
        "A wallet counts one by itself, and one more for each work it held at the block."
    ),
}
RULES = {
    "funding": "same funder",
    "bursts": "votes together",
    "agreement": "same choices",
    "other": "something else",
}


def weightings(drop: Drop) -> list[dict[str, Any]]:
    """How votes may weigh in a drop's round; first chosen is what the round before had."""
    earlier = Round.objects.filter(drop__collection=drop.collection_id)
    last = earlier.order_by("-drop__number", "-pk").values_list("weighting", flat=True).first()
    usual = last or Round.Weighting.EQUAL
    return [
        {"value": value, "label": label, "is_usual": value == usual}
        for value, label in Round.Weighting.choices
    ]


def weighing_facts(current: Round) -> dict[str, Any]:
    """By what rule a round's votes weigh, how many are signed, and which count less, and why."""
    return {
        "rule": SAYS[Round.Weighting(current.weighting)],
        "n_signed": current.votes.exclude(signature="").count(),
        "n_holders": current.holdings.count() if current.snapshot_block else 0,
        "discounts": discount_rows(current),
    }


def discount_rows(current: Round) -> list[dict[str, Any]]:
    rows = list(current.discounts.in_force().select_related("voter", "lead__voter"))
    voters = [one.voter_id for one in rows]
    cast = current.votes.filter(voter__in=voters).order_by("voter_id").values_list("voter_id")
    n_votes = dict(cast.annotate(n=Count("pk"))) if rows else {}
    return [
        {
            "voter": one.voter,
            "n_votes": n_votes.get(one.voter_id, 0),
            "percent": f"{100 * one.factor:g}",
            "rule": RULES.get(one.rule, one.rule),
            "reason": one.reason,
            "by": name_of(one.lead),
            "at": one.created_at,
        }
        for one in rows
    ]
