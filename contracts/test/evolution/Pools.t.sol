// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {Evolution} from "../../src/evolution/Evolution.sol";
import {IERC7496} from "../../src/evolution/IERC7496.sol";
import {IPool, IPositions, Peers} from "../../src/evolution/Peers.sol";
import {vm} from "../Cheats.sol";
import {EvolutionParts} from "./EvolutionParts.sol";
import {EvolutionTest} from "./EvolutionTest.sol";
import {Mode, Peer} from "./Peer.sol";

/// @title What is read of pools, whatever they do
contract PoolsTest is EvolutionTest {
    /// @dev Level 5 is 2^20 of liquidity.
    function _name(uint256 tokenId, uint256 positionId) private {
        vm.prank(ALICE);
        evolution.namePosition(POSITION, tokenId, positionId);
    }

    /// @notice A holder names their position; its liquidity counts while it is in range.
    function test_a_position_counts_in_range() public {
        vm.assertEq(_level(POSITION, 1), 0);
        vm.expectEmit(address(evolution));
        emit Evolution.PositionNamed(POSITION, 1, POSITION_ID);
        vm.expectEmit(address(evolving));
        emit IERC7496.TraitUpdated(_key(POSITION), 1, bytes32(uint256(5)));
        vm.expectEmit(address(evolving));
        emit IERC4906.MetadataUpdate(1);
        _name(1, POSITION_ID);
        vm.assertEq(evolution.positionOf(POSITION, 1), POSITION_ID);
        int256[4] memory ticks = [int256(-61), -60, 59, 60];
        for (uint256 i = 0; i < 4; ++i) {
            _sayTick(ticks[i]);
            vm.assertEq(_level(POSITION, 1), i == 1 || i == 2 ? 5 : 0);
        }
    }

    /// @notice More liquidity, higher level, up to the highest.
    function test_fuzz_liquidity(uint128 liquidity) public {
        _name(1, POSITION_ID);
        _sayPosition(liquidity, -60, 60);
        uint256 expected = 0;
        while (expected < 30 && liquidity >> (16 + expected) > 0) {
            ++expected;
        }
        vm.assertEq(_level(POSITION, 1), expected);
    }

    /// @notice A position of another pool is none.
    function test_a_position_of_another_pool_does_not_count() public {
        _name(1, POSITION_ID);
        bytes memory tail = abi.encode(-60, 60, 1 << 20, 0, 0, 0, 0);
        uint256[3][3] memory others = [[uint256(3), 2, 3_000], [uint256(1), 3, 3_000], [uint256(1), 2, 500]];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory head = abi.encode(0, 0, others[i][0], others[i][1], others[i][2]);
            manager.say(IPositions.positions.selector, bytes.concat(head, tail));
            vm.assertEq(_level(POSITION, 1), 0);
        }
    }

    /// @notice One position counts for one work; the last one named has it.
    function test_a_position_counts_for_one_work() public {
        _name(1, POSITION_ID);
        vm.expectEmit(address(evolution));
        emit Evolution.PositionNamed(POSITION, 1, 0);
        vm.expectEmit(address(evolution));
        emit Evolution.PositionNamed(POSITION, 2, POSITION_ID);
        vm.expectEmit(address(evolving));
        emit IERC7496.TraitUpdated(_key(POSITION), 1, 0);
        _name(2, POSITION_ID);
        vm.assertEq(_level(POSITION, 1), 0);
        vm.assertEq(_level(POSITION, 2), 5);
        _name(2, POSITION_ID);
        vm.assertEq(_level(POSITION, 2), 5);
        _name(2, 0);
        _name(1, POSITION_ID);
        vm.assertEq(_level(POSITION, 2), 0);
        vm.assertEq(_level(POSITION, 1), 5);
        _name(1, POSITION_ID + 1);
        _name(2, POSITION_ID);
        vm.assertEq(_level(POSITION, 1), 5);
    }

    /// @notice Who sells the work or the position has the level no more.
    function test_a_position_counts_for_its_owner() public {
        _name(1, POSITION_ID);
        manager.say(IERC721.ownerOf.selector, abi.encode(BOB));
        vm.assertEq(_level(POSITION, 1), 0);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        vm.assertEq(_level(POSITION, 1), 5);
    }

    /// @notice Only the holder of both names a position, and only where positions are asked for.
    function test_positions_of_others_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotTheHolder.selector, 4, ALICE));
        _name(4, POSITION_ID);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotYourPosition.selector, POSITION_ID, BOB));
        vm.prank(BOB);
        evolution.namePosition(POSITION, 4, POSITION_ID);
        for (uint256 rule = 5; rule < 7; ++rule) {
            vm.expectRevert(abi.encodeWithSelector(Evolution.NoPositions.selector, rule));
            vm.prank(ALICE);
            evolution.namePosition(rule, 1, POSITION_ID);
        }
    }

    /// @notice What a holder has of a pair is shared out among their works.
    function test_a_share_counts_for_each_work() public {
        vm.assertEq(_level(SHARE, 1), 8);
        vm.assertEq(_level(SHARE, 4), 10);
        pair.say(IERC20.balanceOf.selector, abi.encode(1 << 63));
        vm.assertEq(_level(SHARE, 4), 12);
        pair.say(IERC20.balanceOf.selector, abi.encode(1 << 51));
        vm.assertEq(_level(SHARE, 4), 1);
        pair.say(IERC20.balanceOf.selector, abi.encode((1 << 51) - 1));
        vm.assertEq(_level(SHARE, 4), 0);
    }

    /// @notice Every question of every peer, in every behaviour: what is not an answer is nothing, and the rest stays.
    function test_nothing_that_a_pool_does_breaks_a_work() public {
        _name(1, POSITION_ID);
        for (uint256 q = 0; q < 5; ++q) {
            (Peer peer, bytes4 selector, uint256 k) = _question(q);
            for (uint256 mode = 0; mode < 10; ++mode) {
                peer.behave(selector, Mode(mode));
                uint256[] memory levels = evolution.levelsOf(1);
                bool isAnswer = mode < uint256(Mode.Reverts);
                vm.assertEq(levels[k], isAnswer ? (k == SHARE ? 8 : 5) : 0);
                vm.assertEq(levels[9 - k], k == SHARE ? 5 : 8);
                vm.assertTrue(bytes(evolving.tokenURI(1)).length > 4_000);
            }
            peer.behave(selector, Mode.Honest);
        }
    }

    /// @notice A pool that is gone is nothing.
    function test_a_pool_without_code_is_nothing() public {
        _name(1, POSITION_ID);
        vm.etch(address(pool), "");
        vm.etch(address(pair), "");
        vm.assertEq(_level(POSITION, 1), 0);
        vm.assertEq(_level(SHARE, 1), 0);
        vm.assertTrue(bytes(evolving.tokenURI(1)).length > 4_000);
    }

    /// @notice A manager that does not answer takes no position, and lets go of one.
    function test_a_hostile_manager_names_nothing() public {
        _name(1, POSITION_ID);
        manager.behave(IERC721.ownerOf.selector, Mode.Reason);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotYourPosition.selector, POSITION_ID, ALICE));
        _name(2, POSITION_ID);
        _name(1, 0);
        vm.assertEq(evolution.positionOf(POSITION, 1), 0);
    }

    /// @notice With any gas there is the right level or none at all, in a call and in a transaction.
    function test_too_little_gas_gives_no_level() public {
        _name(1, POSITION_ID);
        uint256 n = 0;
        for (uint256 gas_ = 40_000; gas_ < 400_000; gas_ += 1_000) {
            try evolution.levelsOf{gas: gas_}(1) returns (uint256[] memory levels) {
                vm.assertEq(levels[POSITION], 5);
                vm.assertEq(levels[SHARE], 8);
                ++n;
            } catch {}
            try evolution.refresh{gas: gas_}(1) {} catch {}
        }
        vm.assertTrue(n > 100 && n < 300);
        bytes memory reason = "";
        try evolution.levelsOf{gas: 100_000}(1) {}
        catch (bytes memory found) {
            reason = found;
        }
        vm.assertTrue(bytes4(reason) == Peers.NotEnoughGas.selector);
    }

    /// @notice The bounded call gives what Solidity's own gives, cut after so many words, and writes nowhere else.
    function test_fuzz_asking_is_a_bounded_call(bytes calldata answer, uint256 mode, uint256 words) public {
        words %= 9;
        bytes4 selector = IPool.slot0.selector;
        pool.say(selector, answer);
        pool.behave(selector, answer.length == 0 ? Mode.Honest : Mode(mode % 10));
        bytes memory question = abi.encodePacked(selector);
        bytes32 before = keccak256(question);
        uint256[] memory found = Peers.ask(address(pool), question, words);
        bytes memory after_ = abi.encode(1, 2, 3);
        (bool isDone, bytes memory raw) = address(pool).staticcall{gas: Peers.STIPEND}(question);
        bool isAnswer = isDone && raw.length >= 32 * words;
        vm.assertEq(found.length, isAnswer ? words : 0);
        for (uint256 i = 0; i < found.length; ++i) {
            uint256 word = 0;
            for (uint256 k = 0; k < 32; ++k) {
                word = word << 8 | uint8(raw[32 * i + k]);
            }
            vm.assertEq(found[i], word);
        }
        vm.assertEq(keccak256(question), before);
        vm.assertEq(keccak256(after_), keccak256(abi.encode(1, 2, 3)));
    }

    /// @notice Reading a peer costs something, and no more than its questions may.
    function test_reading_a_peer_is_bounded() public {
        _name(1, POSITION_ID);
        pool.behave(IPool.slot0.selector, Mode.Burns);
        uint256[] memory spent = new EvolutionParts().reads(evolution, 1);
        for (uint256 k = 0; k < 6; ++k) {
            vm.assertTrue((spent[k] > 0) == (k >= STAKE));
            vm.assertLe(spent[k], 3 * Peers.STIPEND + 10_000);
        }
        vm.assertTrue(spent[POSITION] > Peers.STIPEND);
    }

    /// @notice A peer gets its stipend and no more.
    function test_a_stipend_is_all_that_a_pool_can_burn() public {
        _name(1, POSITION_ID);
        uint256 before = gasleft();
        evolution.levelsOf(1);
        uint256 honest = before - gasleft();
        manager.behave(IERC721.ownerOf.selector, Mode.Slow);
        manager.behave(IPositions.positions.selector, Mode.Slow);
        pool.behave(IPool.slot0.selector, Mode.Burns);
        pair.behave(IERC20.balanceOf.selector, Mode.Slow);
        pair.behave(IERC20.totalSupply.selector, Mode.Burns);
        before = gasleft();
        evolution.levelsOf(1);
        vm.assertLe(before - gasleft(), honest + 5 * Peers.STIPEND);
    }

    function _question(uint256 q) private view returns (Peer, bytes4, uint256) {
        if (q == 0) return (manager, IERC721.ownerOf.selector, POSITION);
        if (q == 1) return (manager, IPositions.positions.selector, POSITION);
        if (q == 2) return (pool, IPool.slot0.selector, POSITION);
        if (q == 3) return (pair, IERC20.balanceOf.selector, SHARE);
        return (pair, IERC20.totalSupply.selector, SHARE);
    }
}
