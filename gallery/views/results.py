"""What a round says: how it stands or came out, who took part, who was heard, what came of it."""

from datetime import datetime
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from numpy.typing import NDArray

from gallery.serializers import percent, picture
from gallery.views.console import is_lead
from gallery.views.integrity import weighing_facts
from gallery.views.lifts import lift_rows
from gallery.views.past import day
from gallery.views.plots import HEIGHT, MARGIN, PLOT_PX, WIDTH, interval, verdict_of
from gallery.views.public import find_drop, revalidated, work_address
from generation.models import Artwork, Drop
from minting.services import is_painted
from sentiment.models import Proposal, Round, Voter
from sentiment.preference.bradley_terry import FitError
from sentiment.preference.effects import Effects, preferred
from sentiment.preference.turnout import Concentration
from sentiment.services import (
    Turnout,
    may_see_standings,
    read_lift,
    read_standing,
    read_turnout,
)

SIDE = 200
LEAST_MOVE = 5e-4  # a share that moved by less is the same to a reader
MIN_REACH = 0.1
N_MOVES = 6
WORDS = {
    "up": "more liked than the average value of its attribute",
    "down": "less liked than the average value of its attribute",
    "": "not told apart from the average value of its attribute",
}


@revalidated
@require_safe
def results(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    context = results_context(request, drop)
    name, turnout = f"{drop.collection.name}, round {number}", context["turnout"]
    page = reverse("gallery:results", args=[slug, number])
    card = reverse("gallery:round-card", args=[slug, number])
    told = {
        "page_url": request.build_absolute_uri(page),
        "card_url": request.build_absolute_uri(card),
        "share_title": name,
        "share_text": turnout_words(turnout) if turnout else f"Drop {number}",
    }
    return render(request, "gallery/results.html", context | told)


@revalidated
@require_safe
def results_live(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The part of the page that changes while people vote; complete in itself."""
    context = results_context(request, find_drop(slug, number))
    return render(request, "gallery/results_live.html", context)


def results_context(request: HttpRequest, drop: Drop) -> dict[str, Any]:
    """All that the page says, from the database alone."""
    rounds = Round.objects.select_related("drop__collection", "drop__parameter_set")
    current = rounds.filter(drop=drop).first()
    address = [drop.collection.slug, drop.number]
    told = {
        "collection": drop.collection,
        "drop": drop,
        "drop_url": reverse("gallery:drop", args=address),
        "vote_url": reverse("gallery:vote", args=address),
        "live_url": reverse("gallery:results-live", args=address),
        "round": current,
        "is_painted": is_painted(drop.collection),
        "turnout": None,
    }
    if current is None:
        return told
    turnout = read_turnout(current)
    return (
        told
        | turnout_context(current, turnout)
        | standing_context(request, current)
        | outcome(drop)
        | {"weighing": weighing_facts(current)}
    )


def turnout_words(turnout: Turnout) -> str:
    votes = f"{turnout.n_votes:,} vote{'' if turnout.n_votes == 1 else 's'}"
    voters = f"{turnout.n_voters:,} voter{'' if turnout.n_voters == 1 else 's'}"
    simulated = f", {turnout.n_simulated:,} of them simulated" if turnout.n_simulated else ""
    return f"{votes} of {voters}{simulated}"


def standing_context(request: HttpRequest, current: Round) -> dict[str, Any]:
    """What the evidence says, for those who may know it by now."""
    voter = Voter.objects.filter(user_id=request.user.pk or 0).first()
    if not may_see_standings(round=current, voter=voter, is_lead=is_lead(request.user)):
        return {"is_hidden": True}
    try:
        standing = read_standing(current)
    except FitError:
        return {"is_hidden": False, "is_unsettled": True}
    return {
        "is_hidden": False,
        "attributes": effect_rows(standing.effects),
        "verdicts": verdicts(standing.effects),
        "best": [best_work(current.drop, work) for work in standing.best],
        "lift": lift_context(current),
        "plot_px": PLOT_PX,
    }


def lift_context(current: Round) -> dict[str, Any]:
    """What steering brought the drop; without rows where nothing can be said."""
    return lift_rows([(current.drop.number, read_lift(current))])


def best_work(drop: Drop, work: Artwork) -> dict[str, Any]:
    is_published = drop.state in Drop.COMMITTED_STATES and work.token_id is not None
    return {
        "picture": picture(work),
        "url": work_address(drop, work),
        "name": f"#{work.token_id if is_published else work.index}",
    }


def effect_rows(effects: Effects) -> list[dict[str, Any]]:
    """Each attribute with a dot and an interval for each value, the best liked first.

    All are drawn to one scale, around the middle: as often as an average value.
    """
    middle, low, high = (preferred(one) for one in (effects.mean, effects.low, effects.high))
    reach = max(MIN_REACH, float(np.abs(np.concatenate([low, high]) - 0.5).max()))
    places: dict[str, list[int]] = {}
    for i, (attribute, _) in enumerate(effects.names):
        places.setdefault(attribute, []).append(i)
    return [
        {
            "title": attribute.replace("_", " "),
            "low_percent": percent(0.5 - reach),
            "high_percent": percent(0.5 + reach),
            "rows": [
                effect_row(effects.names[i][1], (middle[i], low[i], high[i]), reach)
                for i in sorted(at, key=lambda i: -middle[i])
            ],
        }
        for attribute, at in places.items()
    ]


def effect_row(value: str, shares: tuple[float, float, float], reach: float) -> dict[str, Any]:
    """``shares`` are the estimate and the ends of its interval."""
    middle, low, high = shares
    verdict = verdict_of(low - 0.5, high - 0.5)
    return interval((middle - 0.5, low - 0.5, high - 0.5), reach) | {
        "value": value.replace("_", " "),
        "percent": f"{100 * middle:.0f}",
        "low": f"{100 * low:.0f}",
        "high": f"{100 * high:.0f}",
        "verdict": verdict,
        "words": WORDS[verdict],
    }


def verdicts(effects: Effects) -> list[tuple[str, str, list[str]]]:
    """What is said of values in words, with the values of which it is said, the surest first."""
    sides = [verdict_of(*one) for one in zip(effects.low, effects.high, strict=True)]
    order = np.argsort(-np.abs(effects.mean) / effects.sd.clip(1e-12), kind="stable").tolist()
    names = [f"{value} ({attribute})".replace("_", " ") for attribute, value in effects.names]
    return [
        (side, words, [names[i] for i in order if sides[i] == side])
        for side, words in WORDS.items()
        if side in sides
    ]


def turnout_context(current: Round, turnout: Turnout) -> dict[str, Any]:
    spread = turnout.concentration
    agreement = turnout.agreement
    return {
        "turnout": turnout,
        "over_time": time_steps(current, turnout.over_time),
        "width": WIDTH,
        "height": HEIGHT,
        "agreement": agreement
        and {
            "percent": f"{100 * agreement.share:.0f}",
            "low": f"{100 * agreement.low:.0f}",
            "high": f"{100 * agreement.high:.0f}",
            "n": agreement.n_comparisons,
        },
        "spread": spread and spread_facts(turnout, spread),
        "side": SIDE,
    }


def spread_facts(turnout: Turnout, spread: Concentration) -> dict[str, Any]:
    return {
        "n_heaviest": spread.n_heaviest,
        "heaviest_percent": percent(spread.heaviest),
        "gini": f"{spread.gini:.2f}",
        "effective": f"{spread.effective:.1f}",
        "n": turnout.n_weighing,
        "simulated_percent": percent(turnout.simulated_share),
        "curve": curve(spread.lorenz),
        "voters": [
            {
                "address": one.address,
                "is_simulated": one.is_simulated,
                "votes": f"{one.votes:.1f}",
                "percent": percent(one.share),
            }
            for one in turnout.heaviest
        ],
    }


def curve(lorenz: NDArray[np.float64]) -> str:
    """Points of a line in a square, at most a hundred of them."""
    kept = np.unique(np.linspace(0, len(lorenz) - 1, 101).astype(int))
    return " ".join(
        f"{SIDE * i / (len(lorenz) - 1):.1f},{SIDE * (1 - lorenz[i]):.1f}" for i in kept.tolist()
    )


def time_steps(current: Round, counts: list[tuple[datetime, int]]) -> dict[str, Any] | None:
    """Votes so far since the round was opened: a line that keeps each number until the next."""
    if not counts:
        return None
    first, last = current.opened_at, current.closed_at or counts[-1][0]
    span = max((last - first).total_seconds(), 1)
    room, depth = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    total, y = counts[-1][1], float(HEIGHT - MARGIN)
    points = [f"{MARGIN},{y}"]
    for at, n in counts:
        gone = min(max((at - first).total_seconds() / span, 0), 1)
        x = round(MARGIN + room * gone, 1)
        points.append(f"{x},{y}")
        y = round(HEIGHT - MARGIN - depth * n / total, 1)
        points.append(f"{x},{y}")
    points.append(f"{WIDTH - MARGIN},{y}")
    return {"line": " ".join(points), "first": first, "last": last, "total": total}


def outcome(drop: Drop) -> dict[str, Any]:
    """The proposal that came of the round, what was decided, and the drop that followed."""
    proposal = Proposal.objects.select_related("resulting", "score_run").filter(drop=drop).first()
    following = drop.collection.drops.filter(number=drop.number + 1).first()
    moves = moved_rows(proposal) if proposal else []
    return {
        "proposal": proposal,
        "decision": decision_words(proposal) if proposal else "",
        "moves": moves[:N_MOVES],
        "more_moves": moves[N_MOVES:],
        "next_drop": following,
    }


def decision_words(proposal: Proposal) -> str:
    """What a lead decided and when, with the reason that was given."""
    if proposal.decided_at is None:
        return "The proposal waits for a lead's decision. Nothing is changed yet."
    said = {
        Proposal.State.APPROVED: "A lead approved the proposal",
        Proposal.State.EDITED: "A lead applied other numbers than those proposed",
        Proposal.State.REJECTED: "A lead rejected the proposal and kept the parameters",
    }[Proposal.State(proposal.state)]
    reason = f": “{proposal.reason}”" if proposal.reason else "."
    return f"{said} on {day(proposal.decided_at)}{reason}"


def by_size(move: tuple[str, str, float, float]) -> tuple[float, str, str]:
    """Most moved first, of equals by name: what a database keeps of an object has no order."""
    attribute, value, before, after = move
    return -round(abs(after - before), 6), attribute, value


def reasons(proposal: Proposal, shares: dict[str, dict[str, float]]) -> dict[tuple[str, str], str]:
    """The audit's sentence of each value, which says nothing of a share that a lead chose."""
    found = {}
    for row in proposal.rows:
        attribute, value, proposed = row["attribute"], row["value"], percent(float(row["proposed"]))
        chosen = shares.get(attribute, {}).get(value)
        is_own = chosen is not None and percent(chosen) != proposed
        found[attribute, value] = (
            f"a lead's number, {proposed} % was proposed" if is_own else row["why"]
        )
    return found


def moved_rows(proposal: Proposal) -> list[dict[str, Any]]:
    """Values whose share was changed, or would be, each with its reason; most moved first."""
    old = proposal.old["distributions"]
    new = (proposal.applied or proposal.proposed)["distributions"]
    why = reasons(proposal, new)
    moves = [
        (attribute, value, share, new.get(attribute, {}).get(value, share))
        for attribute, shares in old.items()
        for value, share in shares.items()
    ]
    return [
        {
            "title": attribute.replace("_", " "),
            "value": value.replace("_", " "),
            "old_percent": percent(before),
            "new_percent": percent(after),
            "old_width": round(130 * before, 1),
            "new_width": round(130 * after, 1),
            "direction": "up" if after > before else "down",
            "why": why.get((attribute, value), ""),
        }
        for attribute, value, before, after in sorted(moves, key=by_size)
        if abs(after - before) >= LEAST_MOVE
    ]
