// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../../src/LivingCollection.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {PaintedCollection} from "../../src/onchain/PaintedCollection.sol";
import {Painter} from "../../src/onchain/Painter.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "../living/LivingTest.sol";
import {PainterTest} from "./PainterTest.sol";

/// @title Which works of a painted collection are painted, and from what
contract PaintedCollectionTest is LivingTest, PainterTest {
    Painter internal painter;
    PaintedCollection internal painted;

    /// @inheritdoc LivingTest
    function setUp() public override(LivingTest, PainterTest) {
        PainterTest.setUp();
        painter = new Painter(NETWORK, LABEL);
        LivingTest.setUp();
    }

    function _deploy() internal override returns (LivingCollection) {
        painted = new PaintedCollection("P", "P", "ipfs://c", "https://live/", TREASURY, 500, painter);
        return painted;
    }

    /// @notice A work is where its server is until the secret is told, and then in the chain.
    function test_a_revealed_work_is_painted() public {
        DropChain.Drop memory drop = _liveBody(1, 1, 3);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);
        vm.assertEq(painted.tokenURI(2), "https://live/2.json");
        _capture(1);
        vm.assertEq(painted.tokenURI(2), "https://live/2.json");
        collection.reveal(1, drop, SECRET);
        bytes32 word = keccak256(abi.encode(block.chainid, painted, 1, collection.dropSeedOf(1), 2));
        vm.assertEq(painted.wordOf(2), word);
        vm.assertEq(painted.tokenURI(2), painter.tokenURI(2, word));
        vm.assertTrue(painted.wordOf(1) != word);
    }

    /// @notice Before that nobody can know it.
    function test_a_work_has_no_word_before_the_reveal() public {
        _open(_liveBody(1, 1, 3), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        _capture(1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotRevealed.selector, 1));
        painted.wordOf(1);
    }

    /// @notice Works that were fixed from the start are in the drop's files.
    function test_a_prepared_work_is_not_painted() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 3);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        _capture(1);
        collection.reveal(1, drop, SECRET);
        vm.assertTrue(bytes(painted.tokenURI(1)).length < 200);
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotRevealed.selector, 1));
        painted.wordOf(1);
    }

    /// @notice Sealing a drop makes it final and leaves its works as they are.
    function test_a_sealed_work_stays_as_it_was() public {
        DropChain.Drop memory drop = _liveBody(1, 1, 3);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        _capture(1);
        collection.reveal(1, drop, SECRET);
        string memory before = painted.tokenURI(1);
        collection.seal(1, DropChain.Roots(bytes32("a"), bytes32("b"), bytes32("c"), bytes32("d")));
        vm.assertEq(painted.tokenURI(1), before);
    }
}
