"""The contract's own tests, in Solidity, and the gas they note: contracts/README.md."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from minting.chain import contracts
from minting.chain.abi import compiled
from tests.fixtures.chain import ALICE, BOB, Chain, drop_body

ROOT = Path(__file__).parents[2]
GAS = json.loads((ROOT / "contracts/gas.json").read_text())["LivingCollection"]
ARTEFACTS = ROOT / "minting/abi"
BUILT = ROOT / "var/forge/out"
PRICE_WEI = 10**16
EIP_170 = 24_576  # bytes of a contract


def forge(*words: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", root / "contracts/forge.mjs", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def without_metadata(bytecode: str) -> str:
    """Code without what solc appends: a hash of sources and settings, and how long it is."""
    code = bytecode.removeprefix("0x")
    return code[: -2 * (int(code[-4:], 16) + 2)]


@pytest.fixture(scope="module")
def tests() -> subprocess.CompletedProcess[str]:
    return forge("test")


def test_contracts_pass_their_tests(tests: subprocess.CompletedProcess[str]) -> None:
    assert tests.returncode == 0, tests.stdout


def test_contracts_are_laid_out_as_forge_lays_them_out() -> None:
    done = forge("format", "--check")

    assert done.returncode == 0, done.stdout


def test_gas_is_what_is_noted() -> None:
    done = forge("gas", "--check")

    assert done.returncode == 0, done.stdout


def test_a_node_measures_the_same_gas(chain: Chain) -> None:
    address = chain.deploy()
    body = replace(drop_body(count=100), seed_commit=b"\1" * 32, reveal_block=10**6)
    chain.put_on_sale(address, body, PRICE_WEI)

    _, of_a_wallet, later = (
        chain.succeed(contracts.mint(1, 0, 1), address, wallet, PRICE_WEI)
        for wallet in (BOB, ALICE, ALICE)
    )

    assert [receipt.gas_used for receipt in (of_a_wallet, later)] == [
        GAS["mint 1, no cap, the first of a wallet"],
        GAS["mint 1, no cap, a later one"],
    ]


def test_no_contract_is_larger_than_the_chain_takes(
    tests: subprocess.CompletedProcess[str],
) -> None:
    sizes = {
        path.stem: len(json.loads(path.read_text())["deployedBytecode"]["object"]) // 2 - 1
        for source in (ROOT / "contracts/src").rglob("*.sol")
        for path in (BUILT / source.name).glob("*.json")
    }

    assert "LivingVotesCollection" in sizes
    assert {name: size for name, size in sizes.items() if size > EIP_170} == {}


@pytest.mark.parametrize("path", sorted(ARTEFACTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_tested_code_is_the_deployed_code(
    tests: subprocess.CompletedProcess[str], path: Path
) -> None:
    code = json.loads((BUILT / f"{path.stem}.sol" / path.name).read_text())["deployedBytecode"]
    built = code["object"]
    for names in code["linkReferences"].values():
        for name, places in names.items():
            address = compiled(path.stem).libraries[name][2:].lower()
            for place in places:
                start = 2 + 2 * place["start"]
                built = built[:start] + address + built[start + 40 :]

    committed = compiled(path.stem).artefact["deployed_bytecode"]
    assert without_metadata(built) == without_metadata(committed)


def test_without_forge_it_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    shutil.copy(ROOT / "contracts/forge.mjs", tmp_path / "contracts")

    done = forge("test", root=tmp_path)

    assert done.returncode == 1
    assert "npm ci installs it" in done.stdout
