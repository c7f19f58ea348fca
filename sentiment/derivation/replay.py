"""A round computed again from its bundle, and compared with what the bundle says, byte for byte."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from generation.traits.parameters import Parameters
from minting.provenance import lineage
from minting.provenance.canonical import canonicalize
from minting.verification.findings import (
    FailedError,
    Finding,
    NotCheckableError,
    Said,
    State,
    judge,
    require,
)
from sentiment.control import explain
from sentiment.derivation import bundle, document, signing, tally, weighing
from sentiment.derivation.derive import DECIMALS, DerivationError, derive
from sentiment.derivation.document import VoteRow

# Other processors and threads round differently. That once in some thousand rounds moves the last
# published digit of a number by one, and of what is a difference of several by a few.
LAST_DIGITS = 4 * 10.0**-DECIMALS
SHOWN = 80  # characters of a value
DECIDED = ("approved", "edited", "rejected")
CHECKS = {
    "posterior": "posterior",
    "market": "market",
    "proposed": "proposal",
    "rows": "audit rows",
}


def replay(told: Mapping[str, Any]) -> list[Finding]:
    """Findings about a bundle that has been read, in the order in which one leads to the next."""
    inputs = told["inputs"]
    subject = _subject(inputs)

    def asked(check: str, ask: Callable[[], Said]) -> Finding:
        return judge(check, subject, ask)

    found = [
        asked("input hash", lambda: _input_hash(told)),
        asked("code version", lambda: _code(told)),
        asked("tally root", lambda: _tally(told)),
        asked("weights", lambda: weighing.check(told["weighing"], _votes(told))),
        asked("signatures", lambda: signing.check(told["signatures"], inputs, _votes(told))),
        asked("parameters before", lambda: _before(told)),
    ]
    try:
        derived = bundle.derived_part(derive(inputs))
    except (ValueError, DerivationError) as error:
        found.append(Finding("inputs", subject, State.FAIL, f"nothing follows from them: {error}"))
    else:
        found += [
            asked(check, partial(_same, told["derived"][name], derived[name], name))
            for name, check in CHECKS.items()
        ]
    return [*found, asked("decision", lambda: _decision(told))]


def differences(told: Any, found: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: path, what is told, what was found."""
    if isinstance(told, dict) and isinstance(found, dict):
        for name in sorted({*told, *found}):
            inner = f"{path}.{name}"
            if name in told and name in found:
                yield from differences(told[name], found[name], inner)
            else:
                yield inner, told.get(name, "nothing"), found.get(name, "nothing")
    elif isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for place, pair in enumerate(zip(told, found, strict=True)):
            yield from differences(*pair, f"{path}[{place}]")
    elif canonicalize(told) != canonicalize(found):
        yield path, told, found


def _subject(inputs: Any) -> str:
    if not isinstance(inputs, dict):
        return "round"
    return f"round of {inputs.get('collection')!s:.40} {inputs.get('drop')!s:.10}"


def _input_hash(told: Mapping[str, Any]) -> Said:
    found = explain.input_hash(told["inputs"])
    require(found == told["input_hash"], f"told {told['input_hash']}, found {found}")
    return f"sha256 {found}"


def _code(told: Mapping[str, Any]) -> Said:
    version, here = told["code_version"], explain.code_version()
    require(version == told["inputs"]["code"], "the inputs name another version of the code")
    if version != here:
        raise NotCheckableError(
            f"made by {version:.16}, this is {here:.16}: what follows here need not be the same"
        )
    return f"made by the code that runs here, {here:.16}"


def _votes(told: Mapping[str, Any]) -> list[VoteRow]:
    return document.read(told["inputs"]).votes


def _tally(told: Mapping[str, Any]) -> Said:
    found = tally.describe(_votes(told))
    _exactly(told["tally"], found, "tally")
    return f"{found['count']} votes lead to {found['root']}"


def _before(told: Mapping[str, Any]) -> Said:
    before = told["before"]
    _exactly(before, bundle.parameter_set(before["body"]), "before")
    read = Parameters.from_json(before["body"]).to_json()
    _exactly(told["inputs"]["parameters"], read, "parameters")
    return f"those of the inputs, which hash to {before['params_hash']}"


def _decision(told: Mapping[str, Any]) -> Said:
    decision = told["decision"]
    if decision is None:
        raise NotCheckableError("the proposal is not decided yet")
    require(decision["state"] in DECIDED, f"{decision['state']!s:.20} is no decision")
    applied, before = decision["applied"], told["before"]["body"]
    if decision["state"] == "approved":
        _exactly(applied, told["derived"]["proposed"], "applied")
    _exactly(decision["params_hash"], _hash_of(applied, before), "params_hash")
    return f"{decision['state']} by {decision['decided_by']}, hashes to {decision['params_hash']}"


def _hash_of(applied: Any, before: Any) -> str:
    """Of what was applied; where that is what there was, of the body as it stands."""
    is_same = Parameters.from_json(before).to_json() == applied
    return lineage.params_hash(before if is_same else applied).hex()


def _exactly(told: Any, found: Any, path: str) -> None:
    for where, one, other in differences(told, found, path):
        raise FailedError(_unlike(where, one, other))


def _same(told: Any, found: Any, path: str) -> Said:
    """What is told is what was found, but for what processors differ by."""
    if canonicalize(told) == canonicalize(found):
        return "the same, byte for byte"
    unlike = list(differences(told, found, path))
    for where, one, other in unlike:
        require(_is_rounding(one, other), _unlike(where, one, other))
    return f"the same but for the last digits of {len(unlike)} numbers: another processor"


def _unlike(where: str, told: Any, found: Any) -> str:
    return f"{where}: told {told!s:.{SHOWN}}, found {found!s:.{SHOWN}}"


def _is_rounding(told: Any, found: Any) -> bool:
    is_number = all(type(one) in (int, float) for one in (told, found))
    is_fraction = float in (type(told), type(found))
    return is_number and is_fraction and abs(told - found) <= LAST_DIGITS
