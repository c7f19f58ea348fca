"""Compiled contracts as their output describes them: calls, answers, events, errors as bytes."""

import json
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.provenance.keccak import keccak256

FOLDER = Path(__file__).parent.parent / "abi"
# On nearly every chain at this address: creates what it is sent, where its bytes say (EIP-1014).
FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
SALT = bytes(32)
# Solidity's own errors; everything else a contract refuses with is in its ABI.
BUILT_IN: list[Mapping[str, Any]] = [
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
]

Entry = Mapping[str, Any]


class Interface:
    """One contract's functions, events and errors."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self._found = {(entry["type"], entry.get("name", "")): entry for entry in self.entries}

    def element(self, kind: str, name: str) -> Entry:
        """The entry of a function, event or error; KeyError if there is none."""
        if (kind, name) not in self._found:
            raise KeyError(f"the contract has no {kind} {name}")
        return self._found[kind, name]

    def call(self, name: str, *arguments: Any) -> bytes:
        """The input of a transaction or call to function ``name``."""
        entry = self.element("function", name)
        return keccak256(signature(entry).encode())[:4] + encode(types(entry["inputs"]), arguments)

    def answer(self, name: str, raw: bytes) -> Any:
        """What a call to function ``name`` returned: a value, or a tuple of several."""
        values = decode(types(self.element("function", name)["outputs"]), raw)
        return values[0] if len(values) == 1 else values

    def topic(self, event: str) -> str:
        """The first topic of an event's logs."""
        return "0x" + keccak256(signature(self.element("event", event)).encode()).hex()

    def unindexed(self, event: str) -> list[str]:
        """The types in an event's data."""
        inputs = self.element("event", event)["inputs"]
        return types([field for field in inputs if not field["indexed"]])


class Compiled(Interface):
    """What the compiler wrote of one contract, its libraries linked."""

    def __init__(self, name: str) -> None:
        self.artefact: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
        super().__init__(self.artefact["abi"])

    @cached_property
    def bytecode(self) -> bytes:
        return bytes.fromhex(self.artefact["bytecode"][2:])

    @property
    def libraries(self) -> dict[str, str]:
        """Name -> address of what has to be on the chain for this contract to work."""
        return dict(self.artefact["libraries"])

    def deployment(self, *arguments: Any) -> bytes:
        """The input of the transaction that creates the contract."""
        return self.bytecode + encode(types(self.element("constructor", "")["inputs"]), arguments)


@cache
def compiled(name: str) -> Compiled:
    """One of the contracts in ``minting/abi``; FileNotFoundError if there is no such."""
    return Compiled(name)


def factory_address(bytecode: bytes) -> str:
    """Where the factory puts a contract: keccak256(0xff, factory, salt, keccak256(code))[12:]."""
    parts = b"\xff" + bytes.fromhex(FACTORY[2:]) + SALT + keccak256(bytecode)
    return str(to_checksum_address(keccak256(parts)[12:]))


def types(parameters: Iterable[Entry]) -> list[str]:
    """ABI types with structs written out as tuples."""
    return [_type(parameter) for parameter in parameters]


def signature(entry: Entry) -> str:
    return f"{entry['name']}({','.join(types(entry['inputs']))})"


def explain_revert(raw: bytes) -> str:
    """A refusal of any of our contracts in words, such as ``SaleNotOpen(dropNumber=3)``."""
    if not raw:
        return "refused without a reason"
    entry = _errors().get(raw[:4])
    return f"refused with 0x{raw.hex()}" if entry is None else _explain(entry, raw[4:])


@cache
def _errors() -> dict[bytes, Entry]:
    """Every error of every contract by its selector; equal selectors are equal errors."""
    entries = list(BUILT_IN)
    for path in sorted(FOLDER.glob("*.json")):
        entries += [entry for entry in compiled(path.stem).entries if entry["type"] == "error"]
    return {keccak256(signature(entry).encode())[:4]: entry for entry in entries}


def _explain(entry: Entry, raw: bytes) -> str:
    try:
        values = decode(types(entry["inputs"]), raw)
    except DecodingError:
        return f"{entry['name']} with 0x{raw.hex()}"
    named = (
        f"{field['name']}={value}" for field, value in zip(entry["inputs"], values, strict=True)
    )
    return f"{entry['name']}({', '.join(named)})"


def _type(parameter: Entry) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        inner = ",".join(types(parameter["components"]))
        return f"({inner}){kind.removeprefix('tuple')}"
    return kind
