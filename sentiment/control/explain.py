"""Why a parameter changed: one audit row per option, and a digest of all that went in."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rfc8785
from numpy.typing import NDArray

from sentiment.control.allocate import Change, Move, Plan
from sentiment.preference.bradley_terry import Votes

NOUNS = (("vote", "opinion", "sale"), ("votes", "opinions", "sales"))
LIMITS = {
    "step": "the largest step",
    "p_min": "the least share",
    "entropy": "diversity",
    "range": "what it may be",
}


@dataclass(frozen=True)
class AuditRow:
    """One option of one attribute, or one direction.

    Parameters
    ----------
    kind
        ``share`` of an option, or ``strength`` of a direction, whose name is the value.
    old, target, proposed
        shares or strengths; the target is where boundless patience would lead.
    mean, sd
        belief about the option's effect, in log-odds; of a direction its linear effect.
    n_votes
        comparisons between a work that shows the option and one that does not.
    n_opinions
        of works that show the option, thumbs and comments.
    n_sales
        sales of works that show the option, as far as they count.
    confidence
        probability that the attribute's step alone is an improvement.
    without
        source of evidence -> proposed share less what would be proposed without that source.
        Where there are several, ``interaction`` is what they only change together.
    why
        the above in a sentence.
    """

    attribute: str
    value: str
    old: float
    target: float
    proposed: float
    mean: float
    sd: float
    n_votes: int
    n_opinions: int
    n_sales: int
    evidence: float
    confidence: float
    clipped_by: list[str]
    stopped_by: str
    without: dict[str, float]
    why: str
    kind: str = "share"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Counts(NamedTuple):
    """How much evidence there is about something: comparisons, opinions, sales."""

    n_votes: int
    n_opinions: int = 0
    n_sales: int = 0

    def __str__(self) -> str:
        said = [
            f"{n} {one if n == 1 else many}"
            for n, one, many in zip(self, *NOUNS, strict=True)
            if n or many == "votes"
        ]
        listed = " and ".join([", ".join(said[:-1]), said[-1]] if said[1:] else said)
        return f"{listed} tell{'s' if sum(self) == 1 else ''}"


def rows(plan: Plan, told: Sequence[Counts], without: Mapping[str, Plan]) -> list[AuditRow]:
    """Audit rows of every option in the order of the plan, then of every direction.

    Parameters
    ----------
    told
        from ``counts``, in the order of the belief.
    without
        source of evidence -> what ``allocate.propose`` says when that source is left out.
    """
    counts = iter(told)
    of_options = [
        _row(
            change,
            o,
            next(counts),
            {source: other.changes[k] for source, other in without.items()},
            _judgement(plan),
        )
        for k, change in enumerate(plan.changes)
        for o in range(len(change.options))
    ]
    of_directions = [
        _direction_row(
            move,
            max(next(counts), next(counts)),
            {source: other.moves[k] for source, other in without.items()},
            _judgement(plan),
        )
        for k, move in enumerate(plan.moves)
    ]
    return of_options + of_directions


def _judgement(plan: Plan) -> str:
    """Of all steps together, since they are proposed together or not at all."""
    return f"{_percent(plan.confidence)} with all that is proposed beside it"


def _percent(p: float) -> str:
    """Nothing is certain, and nothing impossible."""
    return "over 99.9%" if p > 0.999 else "under 0.1%" if p < 0.001 else f"{p:.1%}"


def _row(
    change: Change,
    o: int,
    told: Counts,
    without: Mapping[str, Change],
    judgement: str,
) -> AuditRow:
    proposed = float(change.proposed[o])
    others = {source: float(other.proposed[o]) for source, other in without.items()}
    return AuditRow(
        attribute=change.attribute,
        value=change.options[o],
        old=float(change.old[o]),
        target=float(change.target[o]),
        proposed=proposed,
        mean=float(change.mean[o]),
        sd=float(change.sd[o]),
        **told._asdict(),
        evidence=change.evidence,
        confidence=change.confidence,
        clipped_by=list(change.clipped_by),
        stopped_by=change.stopped_by,
        without=_deltas(float(change.old[o]), proposed, others),
        why=_why(change, told, judgement),
    )


def _direction_row(
    move: Move, told: Counts, without: Mapping[str, Move], judgement: str
) -> AuditRow:
    others = {source: other.proposed for source, other in without.items()}
    return AuditRow(
        kind="strength",
        attribute="direction",
        value=move.direction,
        old=move.old,
        target=move.target,
        proposed=move.proposed,
        mean=float(move.mean[0]),
        sd=float(move.sd[0]),
        **told._asdict(),
        evidence=move.evidence,
        confidence=move.confidence,
        clipped_by=list(move.clipped_by),
        stopped_by=move.stopped_by,
        without=_deltas(move.old, move.proposed, others),
        why=_why(move, told, judgement),
    )


def _deltas(old: float, proposed: float, others: Mapping[str, float]) -> dict[str, float]:
    found = {source: proposed - other for source, other in others.items()}
    if len(found) > 1:
        found["interaction"] = proposed - old - sum(found.values())
    return found


def _why(change: Change | Move, said: Counts, judgement: str) -> str:
    alone = _percent(change.confidence)
    match change.stopped_by:
        case "no_evidence":
            return f"{said}; the differences are within noise, so nothing changes"
        case "small_step":
            return f"{said}; all is already about where they lead"
        case "low_confidence":
            return f"{said}; an improvement is not likely enough: {alone}, {judgement}"
    limited = ", ".join(LIMITS[rule] for rule in change.clipped_by)
    bounded = f"; limited by {limited}" if limited else ""
    return f"{said}; {alone} likely an improvement by itself, {judgement}{bounded}"


def counts(votes: Votes, n_sales: NDArray[np.int64] | None = None) -> list[Counts]:
    """What can tell something about each feature.

    A vote between two items that differ in it, an opinion on an item that has it, and ``n_sales``
    [D] as the market counts them.
    """
    beside = votes.is_sided
    pairs, alone = votes.only(beside), votes.only(~beside)
    differs = (pairs.features[pairs.left] != pairs.features[pairs.right]).sum(0)
    shown = (alone.features[alone.left] != 0).sum(0)
    sold = np.zeros_like(differs) if n_sales is None else n_sales
    columns = (differs.tolist(), shown.tolist(), sold.tolist())
    return [Counts(*row) for row in zip(*columns, strict=True)]


@cache
def code_version() -> str:
    """sha256 in hex over the sources of the packages that turn votes into proposals."""
    control = Path(__file__).parent
    names = ("control", "preference", "market", "derivation", "integrity")
    packages = [control.parent / name for name in names]
    sources = [path for package in packages for path in package.glob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(sources, key=lambda path: (path.parent.name, path.name)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def input_hash(inputs: Mapping[str, Any]) -> str:
    """sha256 in hex of the canonical JSON (RFC 8785) of everything a run of the loop reads."""
    return hashlib.sha256(rfc8785.dumps(dict(inputs))).hexdigest()
