"""What a check found: passed, failed, or could not be checked, and why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eth_abi.exceptions import DecodingError

# Files and answers are other people's: whatever form they have, a check ends with a finding.
MISSHAPEN = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    DecodingError,
)
SHOWN = 10  # ids that a reason names


class State(StrEnum):
    PASS = "pass"  # noqa: S105  # a verdict
    FAIL = "fail"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True)
class Finding:
    """One line of the table; ``numbers`` are for programs."""

    check: str
    subject: str
    state: State
    why: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"state": str(self.state)}


class FailedError(Exception):
    """What was checked is not so."""


class NotCheckableError(Exception):
    """Something is missing that the check needs."""


Said = str | tuple[str, dict[str, Any]]


def judge(check: str, subject: str, ask: Callable[[], Said]) -> Finding:
    """Run one check: what it says where it passes, else why it does not."""
    try:
        said = ask()
    except FailedError as error:
        return Finding(check, subject, State.FAIL, str(error))
    except NotCheckableError as error:
        return Finding(check, subject, State.NOT_CHECKABLE, str(error))
    except MISSHAPEN as error:
        why = f"not of the form that is asked for: {type(error).__name__}: {error}"
        return Finding(check, subject, State.FAIL, why[:300])
    why, numbers = said if isinstance(said, tuple) else (said, {})
    return Finding(check, subject, State.PASS, why, numbers)


def require(is_so: bool, otherwise: str) -> None:
    """FailedError unless something is so."""
    if not is_so:
        raise FailedError(otherwise)


def named(ids: Sequence[int]) -> str:
    """Some ids in a sentence."""
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(map(str, ids[:SHOWN])) + more


def counted(n: int, thing: str) -> str:
    """A number and what there are so many of."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def table(findings: Iterable[Finding]) -> str:
    """Lines for people: state, check, subject, why."""
    rows = [(str(one.state), one.check, one.subject, one.why) for one in findings]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join(lines)
