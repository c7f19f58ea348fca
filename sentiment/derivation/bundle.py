"""All of a round in one file: what it was computed from, what followed, and what was decided.

A bundle is canonical JSON (RFC 8785), so that there is one file for one round.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minting.provenance import lineage
from minting.provenance.canonical import canonicalize
from sentiment.control import explain
from sentiment.derivation.derive import Derived
from sentiment.derivation.reading import mapping, require

FORMAT = "morphora-round-2"
PARTS = (
    "format",
    "inputs",
    "input_hash",
    "tally",
    "weighing",
    "signatures",
    "code_version",
    "before",
    "derived",
    "decision",
)
DERIVED = ("posterior", "market", "proposed", "rows")
DECISION = ("state", "applied", "reason", "decided_by", "decided_at", "params_hash")


def compose(
    *,
    inputs: Mapping[str, Any],
    tally: Mapping[str, Any],
    weighing: Mapping[str, Any],
    signatures: Mapping[str, Any],
    before: Mapping[str, Any],
    derived: Mapping[str, Any],
    decision: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The parts of a bundle, as they were stored; ``before`` is the body of a parameter set."""
    return {
        "format": FORMAT,
        "inputs": inputs,
        "input_hash": explain.input_hash(inputs),
        "tally": tally,
        "weighing": weighing,
        "signatures": signatures,
        "code_version": inputs["code"],
        "before": parameter_set(before),
        "derived": derived,
        "decision": decision,
    }


def parameter_set(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with their hash, which is the one that a drop commits to."""
    return {"body": body, "params_hash": lineage.params_hash(body).hex()}


def derived_part(derived: Derived) -> dict[str, Any]:
    """What of a derivation stands in a bundle: all but the covariance."""
    return {name: getattr(derived, name) for name in DERIVED}


def read(raw: bytes) -> dict[str, Any]:
    """A bundle out of its bytes.

    Raises
    ------
    ValueError
        They are no canonical JSON, or that of something else; DocumentError says what is missing.
    """
    told = orjson.loads(raw)  # a reader that has a limit of its own to how deep it goes
    require(isinstance(told, dict), "bundle", "not an object")
    require(canonicalize(told) == raw.strip(), "bundle", "not in its canonical form")
    require(told.get("format") == FORMAT, "format", f"not {FORMAT}")
    mapping(told, "bundle", PARTS)
    mapping(told["derived"], "derived", DERIVED)
    mapping(told["before"], "before", ("body", "params_hash"))
    if told["decision"] is not None:
        mapping(told["decision"], "decision", DECISION)
    found: dict[str, Any] = told
    return found
