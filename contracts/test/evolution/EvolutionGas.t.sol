// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IPool, IPositions} from "../../src/evolution/Peers.sol";
import {vm} from "../Cheats.sol";
import {EvolutionTest} from "./EvolutionTest.sol";
import {Mode} from "./Peer.sol";

/// @title What evolution costs, with a rule of each source; pools here are cheaper than the real ones
contract EvolutionGasTest is EvolutionTest {
    /// @notice What holders and the operator send.
    function test_calls() public {
        vm.prank(ALICE);
        evolution.interact(1);
        _note("interact, the first of a work");
        vm.warp(END + PERIOD_S);
        vm.prank(ALICE);
        evolution.interact(1);
        _note("interact, a later one that raises the level");
        vm.warp(END + 2 * PERIOD_S);
        vm.prank(ALICE);
        evolution.interact(1);
        _note("interact, a later one");
        _publish(1, 3, 2);
        _note("publish");
        evolution.prove(1, 1, _levels(3, 2), new bytes32[](0));
        _note("prove, without siblings");
        vm.prank(ALICE);
        evolution.namePosition(POSITION, 1, POSITION_ID);
        _note("name a position");
        evolution.refresh(1);
        _note("refresh");
    }

    /// @notice What a work costs a node, when pools are honest and when they use all they get.
    function test_works() public {
        vm.prank(ALICE);
        evolution.namePosition(POSITION, 1, POSITION_ID);
        evolving.tokenURI(1);
        _note("tokenURI");
        evolution.levelsOf(1);
        _note("levels");
        manager.behave(IERC721.ownerOf.selector, Mode.Slow);
        manager.behave(IPositions.positions.selector, Mode.Slow);
        pool.behave(IPool.slot0.selector, Mode.Burns);
        pair.behave(IERC20.balanceOf.selector, Mode.Slow);
        pair.behave(IERC20.totalSupply.selector, Mode.Burns);
        evolving.tokenURI(1);
        _note("tokenURI, hostile pools");
        evolution.levelsOf(1);
        _note("levels, hostile pools");
    }

    function _note(string memory name) private {
        vm.snapshotGasLastCall("Evolution", name);
    }
}
