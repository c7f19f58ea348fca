"""Each tool notices what it is there for: with one fault in a copy of the contract it fails."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("LivingCollection.sol", "LivingVotesCollection.sol", "collection", "staking")
SUPPORT = ("Cheats.sol", "living/LivingTest.sol")
# Of works that are painted, and that move.
MORE_SOURCES = ("onchain", "evolution")
MORE_SUPPORT = (
    "onchain/PainterTest.sol",
    "onchain/PainterParts.sol",
    "evolution/Arithmetic.sol",
    "evolution/EvolutionParts.sol",
    "evolution/EvolutionTest.sol",
    "evolution/Peer.sol",
)

REENTRANT = """
    mapping(address wallet => uint256) private _refunds;

    function giveBack() external {
        (bool isPaid,) = msg.sender.call{value: _refunds[msg.sender]}("");
        if (isPaid) _refunds[msg.sender] = 0;
    }
"""
UNPROTECTED = """
    function rescue(address payable receiver) external {
        receiver.transfer(address(this).balance);
    }
"""
LAST = "    function _setTreasury("


@dataclass(frozen=True)
class Fault:
    """Write ``new`` for ``old``, and the test ``noticed_by`` (a detector, for slither) fails."""

    source: str
    old: str
    new: str
    noticed_by: str
    suite: str = ""
    folder: str = "living"

    def copy(self, contracts: Path) -> None:
        """All that its test needs."""
        test = f"{self.folder}/{self.suite}.t.sol"
        if self.folder == "living":
            copy_sources(contracts, test)
        else:
            copy_sources(contracts, *MORE_SUPPORT, test, more=MORE_SOURCES)

    def plant(self, contracts: Path) -> None:
        path = contracts / "src" / self.source
        text = path.read_text()
        assert text.count(self.old) == 1
        path.write_text(text.replace(self.old, self.new))


COLLECTION = "LivingCollection.sol"
SALE = "collection/Sale.sol"
FATES = "collection/Fates.sol"
PHASES = "collection/Phases.sol"
PAYOUTS = "collection/Payouts.sol"
STAKING = "staking/Staking.sol"

UNPAID = (SALE, "msg.value < due : msg.value != due", "msg.value < due : msg.value > due")
UNHELD = (SALE, "if (isPaused) revert", "if (isPaused && phase > 0) revert")
UNLOCKED = (
    COLLECTION,
    "if (from != address(0) && _locked[tokenId])",
    "if (from == to && _locked[tokenId])",
)
UNCOUNTED = (SALE, "has + quantity > walletCap)", "quantity > walletCap)")
UNCLAIMED = (STAKING, "_claimed[msg.sender] = all;", "_claimed[msg.sender] = before;")

BY_FORGE = {
    "a held sale that sells": Fault(*UNHELD, "test_a_sale_can_be_held", "Sale"),
    "a payment below the price": Fault(*UNPAID, "test_another_payment_is_refused", "Sale"),
    "more works than a drop has": Fault(
        SALE,
        "if (minted + quantity > count)",
        "if (minted + quantity > count + 1)",
        "invariant_promises_are_kept",
        "LivingInvariants",
    ),
}
BY_FORGE_DEEP = {
    "a head without its past": Fault(
        FATES,
        "bytes32 head = keccak256(abi.encode(book.heads[dropNumber - 1], drop));",
        "bytes32 head = keccak256(abi.encode(drop));",
        "test_heads_form_a_chain",
        "Chain",
    ),
    "a gap between drops": Fault(
        FATES,
        "drop.firstTokenId != next.tokenId",
        "drop.firstTokenId < next.tokenId",
        "test_unsound_drops_are_refused",
        "Chain",
    ),
    "an order that is not turned": Fault(
        "collection/DropChain.sol",
        "(tokenId - firstTokenId + turn) % count",
        "(tokenId - firstTokenId + turn % 2) % count",
        "test_a_reveal_turns_the_order",
        "Chain",
    ),
    "an opening after the reveal block": Fault(
        PHASES,
        "drop.revealBlock <= block.number",
        "drop.revealBlock < block.number",
        "test_a_sale_opens_before_the_reveal_block",
        "Sale",
    ),
    "withdrawal by strangers": Fault(
        SALE,
        "function withdraw(uint256 dropNumber) external onlyOwner",
        "function withdraw(uint256 dropNumber) external",
        "test_proceeds_are_withdrawn_when_final",
        "Sale",
    ),
    "a cap for each mint": Fault(*UNCOUNTED, "test_a_wallet_has_a_cap", "Sale"),
    "a price of the work before": Fault(
        PAYOUTS,
        "runs[middle].firstTokenId <= tokenId",
        "runs[middle].firstTokenId < tokenId",
        "test_each_gets_back_what_they_paid",
        "Money",
    ),
    "an auction that pays back twice": Fault(
        PAYOUTS,
        "bought.paidWei = SafeCast.toUint96(cost);",
        "bought.paidWei += SafeCast.toUint96(0 * cost);",
        "test_an_auction_settles_at_the_last_price",
        "Money",
    ),
    "a work that is paid back and kept": Fault(
        SALE, "_burn(tokenIds[i]);", "", "test_a_failed_drop_is_paid_back", "Money"
    ),
    "a reward that is paid twice": Fault(*UNCLAIMED, "test_works_share_the_pool", "Staking"),
    "rewards above the pool": Fault(
        STAKING,
        "perWork + due / _total",
        "perWork + due",
        "test_rewards_never_exceed_the_pools",
        "Staking",
    ),
    "a royalty above the cap": Fault(
        COLLECTION,
        "if (bps > MAX_ROYALTY_BPS)",
        "if (bps > MAX_ROYALTY_BPS + 100)",
        "invariant_royalties_keep_to_their_cap",
        "LivingInvariants",
    ),
    "a staked work that moves": Fault(
        *UNLOCKED, "invariant_stakes_and_locks_agree", "LivingInvariants"
    ),
    "proceeds that forget": Fault(
        SALE,
        "proceedsWei += due;",
        "proceedsWei = due;",
        "invariant_money_held_is_money_owed",
        "LivingInvariants",
    ),
    "a supply that forgets": Fault(
        SALE,
        "supply += _shop.lots[n].minted;",
        "supply = _shop.lots[n].minted;",
        "invariant_supply_is_what_wallets_hold",
        "LivingInvariants",
    ),
    "a pool that counts twice": Fault(
        STAKING,
        "_rate = all / (endsAt - block.timestamp);",
        "_rate = 2 * all / (endsAt - block.timestamp);",
        "invariant_rewards_are_covered",
        "LivingInvariants",
    ),
}
BY_HALMOS = {
    "a payment below the price": Fault(*UNPAID, "check_a_mint_sells_what_was_paid_for"),
    "a held sale that sells": Fault(*UNHELD, "check_a_mint_sells_what_was_paid_for"),
    "a payment that is refused": Fault(
        SALE,
        "msg.value < due : msg.value != due",
        "msg.value < due : msg.value <= due",
        "check_a_paid_mint_goes_through",
    ),
    "a cap for each mint": Fault(*UNCOUNTED, "check_a_cap_counts_over_mints"),
    "a stake of somebody's": Fault(
        STAKING,
        "_collection.ownerOf(tokenId) != msg.sender",
        "_collection.ownerOf(tokenId) == address(0)",
        "check_only_its_owner_stakes_a_work",
    ),
    "a staked work that moves": Fault(*UNLOCKED, "check_a_staked_work_stays"),
    "a lock of anybody's": Fault(
        COLLECTION,
        "if (msg.sender != _locker)",
        "if (msg.sender == address(0))",
        "check_only_the_locker_locks",
    ),
    "a reward that is paid twice": Fault(*UNCLAIMED, "check_claims_stay_within_the_pool"),
}
BY_SLITHER = {
    "a payment before the books": Fault(SALE, LAST, REENTRANT + LAST, "reentrancy-eth"),
    "a till without a lock": Fault(SALE, LAST, UNPROTECTED + LAST, "arbitrary-send-eth"),
}


def project(folder: Path) -> Path:
    """Forge's root without contracts and tests; its folder ``contracts``."""
    (folder / "contracts").mkdir()
    for name in ("foundry.toml", "contracts/forge.mjs", "contracts/solc.mjs"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("node_modules", ".venv-contracts"):
        (folder / name).symlink_to(ROOT / name)
    return folder / "contracts"


def copy_sources(target: Path, *tests: str, more: Sequence[str] = ()) -> None:
    for name in (*SOURCES, *more):
        path = ROOT / "contracts/src" / name
        for source in path.glob("*.sol") if path.is_dir() else (path,):
            _copy(source, target)
    for name in (*SUPPORT, *tests):
        _copy(ROOT / "contracts/test" / name, target)


def _copy(source: Path, target: Path) -> None:
    path = target / source.relative_to(ROOT / "contracts")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, path)


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
        fault.copy(contracts / f"test/{n}")
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
    """The contracts and their proofs, to be changed."""
    folder = project(tmp_path)
    copy_sources(folder, "living/LivingSymbolic.t.sol", "living/StakingSymbolic.t.sol")
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
    copy_sources(contracts, "living/LivingGas.t.sol")
    noted = json.loads((ROOT / "contracts/gas.json").read_text())
    measured = noted["LivingCollection"]["reveal"]
    noted["LivingCollection"]["reveal"] = 21_000
    (contracts / "gas.json").write_text(json.dumps(noted))

    done = run(contracts, "gas", "--check")

    assert done.returncode == 1
    assert f"reveal: 21000 noted, {measured} measured" in done.stderr
    assert "node contracts/forge.mjs gas" in done.stderr
