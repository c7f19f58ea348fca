"""The voting page: one pair after another, and what became of one's votes last time."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.serializers import percent
from gallery.views.past import counted
from gallery.views.public import find_drop
from sentiment.models import Proposal, Round, Vote, Voter
from sentiment.services import LastTime, last_time, streak

GOAL = 20  # pairs a round: about two minutes of anybody's time


@require_safe
def vote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    voter = Voter.objects.filter(user_id=request.user.pk or 0).first()
    current = Round.objects.select_related("drop").filter(drop=drop).first()
    context = {
        "collection": drop.collection,
        "drop": drop,
        "drop_url": reverse("gallery:drop", args=[slug, number]),
        "results_url": reverse("gallery:results", args=[slug, number]),
        "round": current,
        "voter": voter,
        "goal": GOAL,
        "chain_id": settings.CHAIN_ID,
    }
    if current and current.is_open and voter:
        context |= voter_context(current, voter)
    return render(request, "gallery/vote.html", context)


def voter_context(current: Round, voter: Voter) -> dict[str, Any]:
    """``earlier`` counts the rounds in a row before this one."""
    n_votes = Vote.objects.filter(round=current, voter=voter).count()
    found = last_time(voter=voter, round=current)
    return {
        "n_votes": n_votes,
        "earlier": streak(voter=voter, round=current) - (n_votes > 0),
        "last_time": found and last_words(found),
        "weight_words": weight_words(current, voter),
    }


def weight_words(current: Round, voter: Voter) -> str:
    """What a voter's works count in a round that counts works; nothing where all weigh the same."""
    if current.snapshot_block is None:
        return ""
    held = current.holdings.filter(wallet=voter.address).first()
    works = counted(held.n_works if held else 0, "work")
    alone = " and your wallet one" if current.weighting == Round.Weighting.BOTH else ""
    return f"You held {works} at block {current.snapshot_block}: each counts{alone} in this round."


def last_words(found: LastTime) -> dict[str, str]:
    """What was decided after somebody's votes, and how it compares with them: facts, no thanks."""
    proposal, moved = found.proposal, found.moved
    drop = proposal.drop
    yours = counted(found.n_votes, "vote")
    told = {"url": reverse("gallery:results", args=[drop.collection.slug, drop.number])}
    if proposal.state == Proposal.State.PENDING:
        says = f"A lead has not decided yet what follows from the round of drop {drop.number}."
    elif proposal.state == Proposal.State.REJECTED:
        says = f"After the round of drop {drop.number} a lead kept the parameters as they were."
    elif moved is None:
        says = f"After the round of drop {drop.number} no share moved the way of your {yours}."
    else:
        n = moved.chosen + moved.passed
        verb, times = (
            ("took", moved.chosen) if moved.new > moved.old else ("passed over", moved.passed)
        )
        value = f"{moved.value} ({moved.attribute})".replace("_", " ")
        says = (
            f"On drop {drop.number} you {verb} {value} {times} of {counted(n, 'time')} when one of "
            f"two works had it. Its share went from {percent(moved.old)} % to "
            f"{percent(moved.new)} % of the works."
        )
    return told | {"says": says}
