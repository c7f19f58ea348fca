"""Each tool notices what it is there for: with one fault in a copy of the contract it fails."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "src/MorphoraCollection.sol"
SUPPORT = ["Cheats.sol", "collection/CollectionTest.sol", "collection/Seller.sol"]

REENTRANT = """
    mapping(address wallet => uint256) private _refunds;

    function refund() external {
        (bool isPaid,) = msg.sender.call{value: _refunds[msg.sender]}("");
        if (isPaid) _refunds[msg.sender] = 0;
    }
"""
UNPROTECTED = """
    function rescue(address payable receiver) external {
        receiver.transfer(address(this).balance);
    }
"""
LAST = "    function _setRoyalty("


@dataclass(frozen=True)
class Fault:
    """Write ``new`` for ``old``, and the test ``noticed_by`` (a detector, for slither) fails."""

    old: str
    new: str
    noticed_by: str
    suite: str = ""

    def plant(self, contracts: Path) -> None:
        path = contracts / SOURCE
        text = path.read_text()
        assert text.count(self.old) == 1
        path.write_text(text.replace(self.old, self.new))


UNPAID = ("if (msg.value != due)", "if (msg.value > due)")
OVERSOLD = ("if (quantity > sale.count - minted)", "if (quantity > sale.count)")
OPEN_TILL = ("function withdraw() external onlyOwner", "function withdraw() external")

BY_FORGE = {
    "a payment below the price": Fault(*UNPAID, "test_the_price_is_exact", "Sales"),
    "a search that misses": Fault(
        "_sales[middle - 1].firstTokenId <= tokenId",
        "_sales[middle - 1].firstTokenId < tokenId",
        "test_drop_of_agrees_with_counting",
        "CollectionFuzz",
    ),
    "more works than a drop has": Fault(
        *OVERSOLD, "invariant_a_drop_sells_its_first_works_and_no_more", "CollectionInvariants"
    ),
}
BY_FORGE_DEEP = {
    "withdrawal by strangers": Fault(*OPEN_TILL, "test_only_the_owner_withdraws", "Owner"),
    "a gap between drops": Fault(
        "return uint256(last.firstTokenId) + last.count;",
        "return uint256(last.firstTokenId) + last.count + 1;",
        "test_ids_of_drops_touch",
        "CollectionFuzz",
    ),
    "a royalty above the cap": Fault(
        "if (bps > MAX_ROYALTY_BPS)",
        "if (bps > MAX_ROYALTY_BPS + 100)",
        "test_a_royalty_is_at_most_a_tenth",
        "CollectionFuzz",
    ),
    "a payment above the price": Fault(
        "if (msg.value != due)",
        "if (msg.value < due)",
        "invariant_every_payment_is_here_or_withdrawn",
        "CollectionInvariants",
    ),
    "a head without its past": Fault(
        "keccak256(abi.encode(_head, drop))",
        "keccak256(abi.encode(drop))",
        "invariant_the_chain_can_be_rebuilt_from_events",
        "CollectionInvariants",
    ),
    "a sale that opens again": Fault(
        "if (sale.isOpen) revert SaleAlreadyOpen",
        "if (sale.minted > 0) revert SaleAlreadyOpen",
        "invariant_an_open_drop_never_changes",
        "CollectionInvariants",
    ),
    "a supply that forgets": Fault(
        "_totalSupply += quantity;",
        "_totalSupply = quantity;",
        "invariant_supply_is_what_was_minted_and_is_held",
        "CollectionInvariants",
    ),
}
BY_HALMOS = {
    "a payment below the price": Fault(*UNPAID, "check_a_mint_that_goes_through_was_paid"),
    "more works than a drop has": Fault(*OVERSOLD, "check_a_mint_that_goes_through_was_paid"),
    "withdrawal by strangers": Fault(
        *OPEN_TILL, "check_only_the_owner_withdraws_and_to_the_treasury"
    ),
    "a payment that is refused": Fault(
        "if (msg.value != due)", "if (msg.value <= due)", "check_a_paid_mint_goes_through"
    ),
    "a treasury of anybody's": Fault(
        "function setTreasury(address treasury_) external onlyOwner",
        "function setTreasury(address treasury_) external",
        "check_a_stranger_takes_and_changes_nothing",
    ),
}
BY_SLITHER = {
    "a payment before the books": Fault(LAST, REENTRANT + LAST, "reentrancy-eth"),
    "a till without a lock": Fault(LAST, UNPROTECTED + LAST, "arbitrary-send-eth"),
}


def project(folder: Path) -> Path:
    """Forge's root without contracts and tests; its folder ``contracts``."""
    (folder / "contracts").mkdir()
    for name in ("foundry.toml", "contracts/forge.mjs", "contracts/solc.mjs"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("node_modules", ".venv-contracts"):
        (folder / name).symlink_to(ROOT / name)
    return folder / "contracts"


def copy_sources(target: Path, *tests: str) -> None:
    for name in (SOURCE, *(f"test/{name}" for name in (*SUPPORT, *tests))):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "contracts" / name, target / name)


def run(contracts: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", contracts / "forge.mjs", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )


def failures(folder: Path, faults: dict[str, Fault]) -> set[str]:
    """The faults that forge notices: a copy of contract and tests for each, in one compilation."""
    contracts = project(folder)
    for n, fault in enumerate(faults.values()):
        copy_sources(contracts / f"test/{n}", f"collection/{fault.suite}.t.sol")
        fault.plant(contracts / f"test/{n}")
    tests = "|".join({fault.noticed_by for fault in faults.values()})

    done = run(
        contracts, "test", "--json", "--match-test", f"^({tests})", FOUNDRY_OPTIMIZER="false"
    )

    assert done.stdout.startswith("{"), done.stdout + done.stderr
    suites = json.loads(done.stdout)
    results = [_found(suites, f"contracts/test/{n}/") for n in range(len(faults))]
    return {
        name
        for (name, fault), result in zip(faults.items(), results, strict=True)
        if result[fault.noticed_by]["status"] == "Failure"
    }


def _found(suites: dict[str, Any], folder: str) -> dict[str, Any]:
    """Results of the tests in a folder, by their names without arguments."""
    return {
        test.partition("(")[0]: result
        for suite, content in suites.items()
        if suite.startswith(folder)
        for test, result in content["test_results"].items()
    }


def test_forge_notices_faults(tmp_path: Path) -> None:
    assert failures(tmp_path, BY_FORGE) == set(BY_FORGE)


@pytest.mark.deep
def test_forge_notices_more_faults(tmp_path: Path) -> None:
    assert failures(tmp_path, BY_FORGE_DEEP) == set(BY_FORGE_DEEP)


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """The contract and its proofs, to be changed."""
    folder = project(tmp_path)
    copy_sources(folder, "collection/CollectionSymbolic.t.sol")
    return folder


@pytest.mark.deep
@pytest.mark.parametrize("fault", BY_HALMOS.values(), ids=BY_HALMOS.keys())
def test_halmos_notices(fault: Fault, contracts: Path) -> None:
    fault.plant(contracts)

    done = run(contracts, "halmos", "--function", fault.noticed_by)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "Counterexample" in done.stdout


@pytest.mark.deep
@pytest.mark.parametrize("fault", BY_SLITHER.values(), ids=BY_SLITHER.keys())
def test_slither_notices(fault: Fault, contracts: Path) -> None:
    fault.plant(contracts)

    done = run(contracts, "slither")

    assert done.returncode != 0
    assert f"Detector: {fault.noticed_by}" in done.stdout + done.stderr


@pytest.mark.deep
def test_gas_that_is_not_what_is_noted_is_named(contracts: Path) -> None:
    copy_sources(contracts, "collection/CollectionGas.t.sol")
    noted = json.loads((ROOT / "contracts/gas.json").read_text())
    measured = noted["MorphoraCollection"]["open a sale"]
    noted["MorphoraCollection"]["open a sale"] = 21_000
    (contracts / "gas.json").write_text(json.dumps(noted))

    done = run(contracts, "gas", "--check")

    assert done.returncode == 1
    assert f"open a sale: 21000 noted, {measured} measured" in done.stderr
    assert "node contracts/forge.mjs gas" in done.stderr
