"""The contract's own tests, in Solidity, and the gas they note: contracts/README.md."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from minting.chain import contracts
from tests.fixtures.chain import ALICE, BOB, Chain, drop_body

ROOT = Path(__file__).parents[2]
GAS = json.loads((ROOT / "contracts/gas.json").read_text())["MorphoraCollection"]
BUILT = ROOT / "var/forge/out/MorphoraCollection.sol/MorphoraCollection.json"
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
    chain.succeed(contracts.commit_drop(drop_body(count=100), "ipfs://root/"), address)

    opening = chain.succeed(contracts.open_sale(1, PRICE_WEI, 20), address)
    first, of_a_wallet, later = (
        chain.succeed(contracts.mint(1, 1), address, wallet, PRICE_WEI)
        for wallet in (BOB, ALICE, ALICE)
    )

    assert [receipt.gas_used for receipt in (opening, first, of_a_wallet, later)] == [
        GAS["open a sale"],
        GAS["mint 1, the first work of a drop"],
        GAS["mint 1, the first of a wallet"],
        GAS["mint 1, a later one of a wallet"],
    ]


def test_no_contract_is_larger_than_the_chain_takes(
    tests: subprocess.CompletedProcess[str],
) -> None:
    sizes = {
        path.stem: len(json.loads(path.read_text())["deployedBytecode"]["object"]) // 2 - 1
        for source in (ROOT / "contracts/src").rglob("*.sol")
        for path in (ROOT / "var/forge/out" / source.name).glob("*.json")
    }

    assert "LivingVotesCollection" in sizes
    assert {name: size for name, size in sizes.items() if size > EIP_170} == {}


def test_the_tested_code_is_the_deployed_code(tests: subprocess.CompletedProcess[str]) -> None:
    built = json.loads(BUILT.read_text())["deployedBytecode"]["object"]

    committed = contracts.artefact()["deployed_bytecode"]
    assert without_metadata(built) == without_metadata(committed)


def test_without_forge_it_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    shutil.copy(ROOT / "contracts/forge.mjs", tmp_path / "contracts")

    done = forge("test", root=tmp_path)

    assert done.returncode == 1
    assert "npm ci installs it" in done.stdout
