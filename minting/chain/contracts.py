"""The collection contract as its compiled output describes it: calls, answers, errors as bytes."""

import json
from collections.abc import Mapping
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from minting.provenance.keccak import keccak256
from minting.provenance.lineage import DropBody

ARTEFACT = Path(__file__).parent.parent / "abi" / "MorphoraCollection.json"
# Solidity's own errors; everything else a contract refuses with is in its ABI.
BUILT_IN = [
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
]


@cache
def artefact() -> dict[str, Any]:
    """What the compiler wrote: abi, bytecode, compiler, input_sha256."""
    loaded: dict[str, Any] = json.loads(ARTEFACT.read_text())
    return loaded


@cache
def element(kind: str, name: str) -> Mapping[str, Any]:
    """The ABI's entry of a function, event or error; KeyError if there is none."""
    for entry in artefact()["abi"]:
        if entry["type"] == kind and entry.get("name", "") == name:
            return dict(entry)
    raise KeyError(f"the contract has no {kind} {name}")


def types(parameters: list[dict[str, Any]]) -> list[str]:
    """ABI types with structs written out as tuples."""
    return [_type(parameter) for parameter in parameters]


def signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(types(entry['inputs']))})"


def call(name: str, *arguments: Any) -> bytes:
    """The input of a transaction or call to function ``name``."""
    entry = element("function", name)
    selector = keccak256(signature(entry).encode())[:4]
    return selector + encode(types(entry["inputs"]), arguments)


def answer(name: str, raw: bytes) -> Any:
    """What a call to function ``name`` returned: a value, or a tuple of several."""
    values = decode(types(element("function", name)["outputs"]), raw)
    return values[0] if len(values) == 1 else values


def deployment(
    *, name: str, symbol: str, contract_uri: str, treasury: str, royalty_bps: int
) -> bytes:
    """The input of the transaction that creates the contract."""
    inputs = types(element("constructor", "")["inputs"])
    arguments = encode(inputs, [name, symbol, contract_uri, treasury, royalty_bps])
    return bytes.fromhex(artefact()["bytecode"][2:]) + arguments


def commit_drop(body: DropBody, base_uri: str) -> bytes:
    return call("commitDrop", astuple(body), base_uri)


def open_sale(drop_number: int, price_wei: int, max_per_transaction: int) -> bytes:
    return call("openSale", drop_number, price_wei, max_per_transaction)


def mint(drop_number: int, quantity: int) -> bytes:
    return call("mint", drop_number, quantity)


def explain_revert(raw: bytes) -> str:
    """A refusal in words, such as ``SaleNotOpen(dropNumber=3)``."""
    if not raw:
        return "refused without a reason"
    for entry in [*artefact()["abi"], *BUILT_IN]:
        if entry["type"] == "error" and keccak256(signature(entry).encode())[:4] == raw[:4]:
            return _explain(entry, raw[4:])
    return f"refused with 0x{raw.hex()}"


def _explain(entry: Mapping[str, Any], raw: bytes) -> str:
    try:
        values = decode(types(entry["inputs"]), raw)
    except DecodingError:
        return f"{entry['name']} with 0x{raw.hex()}"
    named = (
        f"{field['name']}={value}" for field, value in zip(entry["inputs"], values, strict=True)
    )
    return f"{entry['name']}({', '.join(named)})"


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        inner = ",".join(types(parameter["components"]))
        return f"({inner}){kind.removeprefix('tuple')}"
    return kind
