"""Why a parameter changed: one audit row per option, and a digest of all that went in."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import rfc8785
from numpy.typing import NDArray

from sentiment.control.allocate import Change
from sentiment.preference.bradley_terry import Votes


@dataclass(frozen=True)
class AuditRow:
    """One option of one attribute.

    Parameters
    ----------
    old, target, proposed
        shares; the target is where boundless patience would lead.
    mean, sd
        belief about the option's effect, in log-odds.
    n_votes
        comparisons between a work that shows the option and one that does not.
    n_sales
        sales of works that show the option, as far as they count.
    confidence
        probability that the attribute's step is an improvement.
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
    n_sales: int
    evidence: float
    confidence: float
    clipped_by: list[str]
    stopped_by: str
    without: dict[str, float]
    why: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def rows(
    changes: list[Change],
    n_votes: NDArray[np.int64],
    without: Mapping[str, list[Change]],
    n_sales: NDArray[np.int64] | None = None,
) -> list[AuditRow]:
    """Audit rows of every option, in the order of the changes.

    Parameters
    ----------
    n_votes, n_sales : [D] from ``informative_votes`` and the market, in the order of the options.
    without
        source of evidence -> what ``allocate.propose`` says when that source is left out.
    """
    sold = np.zeros_like(n_votes) if n_sales is None else n_sales
    counts = zip(n_votes.tolist(), sold.tolist(), strict=True)
    return [
        _row(change, o, *next(counts), {source: others[k] for source, others in without.items()})
        for k, change in enumerate(changes)
        for o in range(len(change.options))
    ]


def _row(
    change: Change, o: int, n_votes: int, n_sales: int, without: Mapping[str, Change]
) -> AuditRow:
    proposed = float(change.proposed[o])
    return AuditRow(
        attribute=change.attribute,
        value=change.options[o],
        old=float(change.old[o]),
        target=float(change.target[o]),
        proposed=proposed,
        mean=float(change.mean[o]),
        sd=float(change.sd[o]),
        n_votes=n_votes,
        n_sales=n_sales,
        evidence=change.evidence,
        confidence=change.confidence,
        clipped_by=list(change.clipped_by),
        stopped_by=change.stopped_by,
        without=_deltas(change, o, without),
        why=_why(change, n_votes, n_sales),
    )


def _deltas(change: Change, o: int, without: Mapping[str, Change]) -> dict[str, float]:
    proposed = float(change.proposed[o])
    found = {source: proposed - float(other.proposed[o]) for source, other in without.items()}
    if len(found) > 1:
        found["interaction"] = proposed - float(change.old[o]) - sum(found.values())
    return found


def _why(change: Change, n_votes: int, n_sales: int) -> str:
    said = f"{n_votes} votes and {n_sales} sales tell" if n_sales else f"{n_votes} votes tell"
    match change.stopped_by:
        case "no_evidence":
            return f"{said}; the differences are within noise, so nothing changes"
        case "small_step":
            return f"{said}; the shares are already where they lead"
        case "low_confidence":
            return f"{said}; an improvement is not likely enough ({change.confidence:.0%})"
    limits = {"step": "the largest step", "p_min": "the least share", "entropy": "diversity"}
    limited = ", ".join(limits[rule] for rule in change.clipped_by)
    bounded = f"; limited by {limited}" if limited else ""
    return f"{said}; {change.confidence:.1%} likely an improvement{bounded}"


def informative_votes(votes: Votes) -> NDArray[np.int64]:
    """Votes [D] that can tell something about each feature: it differs between the two items."""
    differs = votes.features[votes.left] != votes.features[votes.right]
    counts: NDArray[np.int64] = differs.sum(0)
    return counts


@cache
def code_version() -> str:
    """sha256 in hex over the sources of the packages that turn votes into proposals."""
    control = Path(__file__).parent
    packages = [control, control.parent / "preference", control.parent / "market"]
    sources = [path for package in packages for path in package.glob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(sources, key=lambda path: (path.parent.name, path.name)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def input_hash(inputs: Mapping[str, Any]) -> str:
    """sha256 in hex of the canonical JSON (RFC 8785) of everything a run of the loop reads."""
    return hashlib.sha256(rfc8785.dumps(dict(inputs))).hexdigest()
