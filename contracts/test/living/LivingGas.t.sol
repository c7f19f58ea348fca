// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../../src/LivingCollection.sol";
import {LivingVotesCollection} from "../../src/LivingVotesCollection.sol";
import {Phase, PhaseKind} from "../../src/collection/Phases.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title What each operation costs whoever sends it
/// @notice Every call is a transaction of its own (`--isolate`), with its 21,000 and with storage that is cold.
contract LivingGasTest is LivingTest {
    uint256 private constant PROOF = 14; // a list of 10,000

    function _group() internal pure virtual returns (string memory) {
        return "LivingCollection";
    }

    /// @notice Commitments and openings.
    function test_drops() public {
        collection.commitDrop(_preparedBody(1, 1, 100));
        _note("commit a drop, the first");
        collection.commitDrop(_preparedBody(2, 101, 100));
        _note("commit a drop, a later one");
        Phase[] memory phases = new Phase[](1);
        phases[0] = _public(0);
        collection.openSale(1, _preparedBody(1, 1, 100), phases, FINAL_BY);
        _note("open a sale of one phase");
        vm.warp(END);
        vm.roll(REVEAL_BLOCK + 1);
        collection.capture(1);
        _note("capture");
        collection.reveal(1, _preparedBody(1, 1, 100), SECRET);
        _note("reveal");
    }

    /// @notice Public mints without a wallet's cap, and with one.
    function test_public_mints() public {
        Phase[] memory phases = new Phase[](2);
        (phases[0], phases[1]) = (_public(0), _public(50));
        _open(_preparedBody(1, 1, 100), phases);
        _buy(address(this), 1, 0, 1, PRICE_WEI);
        _mint(ALICE, 0, 1, "mint 1, no cap, the first of a wallet");
        _mint(ALICE, 0, 1, "mint 1, no cap, a later one");
        _mint(ALICE, 0, 5, "mint 5, no cap, later ones");
        _buy(address(this), 1, 1, 1, PRICE_WEI);
        _mint(BOB, 1, 1, "mint 1, cap, the first of a wallet");
        _mint(BOB, 1, 1, "mint 1, cap, a later one");
    }

    /// @notice A mint by an allow list of 10,000.
    function test_listed_mint() public {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(ALICE, 5, PRICE_WEI))));
        bytes32[] memory proof = new bytes32[](PROOF);
        for (uint256 i = 0; i < PROOF; ++i) {
            proof[i] = keccak256(abi.encode("sibling", i));
            leaf = leaf < proof[i] ? keccak256(bytes.concat(leaf, proof[i])) : keccak256(bytes.concat(proof[i], leaf));
        }
        _open(_fixedBody(1, 100), _public(0));
        _buy(address(this), 1, 0, 1, PRICE_WEI);
        _open(_preparedBody(2, 101, 100), Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Listed, leaf));
        vm.roll(block.number + 1);
        vm.deal(ALICE, PRICE_WEI);
        vm.prank(ALICE);
        collection.mintListed{value: PRICE_WEI}(2, 0, 1, 5, PRICE_WEI, proof);
        _note("mint 1, allow list of 10,000");
    }

    /// @notice An auction.
    function test_auction() public {
        _open(_preparedBody(1, 1, 100), _auction());
        _buy(address(this), 1, 0, 1, PRICE_WEI);
        _mint(ALICE, 0, 1, "mint 1, auction, the first of a wallet");
        vm.warp(END);
        collection.settle(1, 0);
        _note("settle");
    }

    /// @notice A transfer.
    function test_transfer() public {
        _open(_fixedBody(1, 100), _public(0));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        _note("transfer to a wallet that has some");
    }

    /// @dev In a block of its own: two mints in one share a checkpoint of the votes.
    function _mint(address wallet, uint256 phase, uint256 quantity, string memory operation) internal {
        vm.roll(block.number + 1);
        _buy(wallet, 1, phase, quantity, quantity * PRICE_WEI);
        _note(operation);
    }

    function _note(string memory operation) private {
        vm.snapshotGasLastCall(_group(), operation);
    }
}

/// @title The same with votes
contract LivingVotesGasTest is LivingGasTest {
    function _group() internal pure override returns (string memory) {
        return "LivingVotesCollection";
    }

    function _deploy() internal override returns (LivingCollection) {
        return new LivingVotesCollection("Portraits", "PORTRAIT", "", "https://live/", TREASURY, 500);
    }

    /// @notice Mints of a wallet that has delegated its votes to itself.
    function test_delegated_mints() public {
        _open(_preparedBody(1, 1, 100), _public(0));
        _buy(address(this), 1, 0, 1, PRICE_WEI);
        vm.prank(ALICE);
        LivingVotesCollection(address(collection)).delegate(ALICE);
        _mint(ALICE, 0, 1, "mint 1, delegated, no cap, the first of a wallet");
        _mint(ALICE, 0, 1, "mint 1, delegated, no cap, a later one");
    }
}
