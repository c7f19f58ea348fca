// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {LivingCollection} from "../../src/LivingCollection.sol";
import {LivingVotesCollection} from "../../src/LivingVotesCollection.sol";
import {Founding} from "../../src/governance/Founding.sol";
import {HoldersGovernor} from "../../src/governance/HoldersGovernor.sol";
import {ParameterBounds} from "../../src/governance/ParameterBounds.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Holders set the bounds of the parameters, and nobody else does
contract HoldersTest is LivingTest {
    bytes32 private constant PSI = "truncation_psi";
    uint256 private constant WAIT_S = 2 days;

    Founding private founding;
    HoldersGovernor private governor;
    TimelockController private timelock;
    ParameterBounds private bounds;

    /// @notice Alice has three of four votes, Bob one; both have delegated to themselves.
    function setUp() public override {
        super.setUp();
        founding = new Founding(LivingVotesCollection(address(collection)), 1, 100, 1, 50, WAIT_S);
        (timelock, governor, bounds) = (founding.timelock(), founding.governor(), founding.bounds());
        _open(_fixedBody(1, 10), _public(0));
        _buy(ALICE, 1, 0, 3, 3 * PRICE_WEI);
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        for (uint256 i = 0; i < 2; ++i) {
            address wallet = i == 0 ? ALICE : BOB;
            vm.prank(wallet);
            LivingVotesCollection(address(collection)).delegate(wallet);
        }
        vm.roll(block.number + 1);
    }

    function _deploy() internal override returns (LivingCollection) {
        return new LivingVotesCollection("Portraits", "PORTRAIT", "", "https://live/", TREASURY, 500);
    }

    /// @notice The governor proposes and cancels, anybody carries out, and whoever founded it all has no say.
    function test_nobody_keeps_a_role_of_the_founding() public view {
        address[3] memory others = [address(this), address(founding), ALICE];
        vm.assertTrue(timelock.hasRole(timelock.PROPOSER_ROLE(), address(governor)));
        vm.assertTrue(timelock.hasRole(timelock.CANCELLER_ROLE(), address(governor)));
        vm.assertTrue(timelock.hasRole(timelock.EXECUTOR_ROLE(), address(0)));
        vm.assertFalse(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), address(governor)));
        for (uint256 i = 0; i < others.length; ++i) {
            vm.assertFalse(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), others[i]));
            vm.assertFalse(timelock.hasRole(timelock.PROPOSER_ROLE(), others[i]));
            vm.assertFalse(timelock.hasRole(timelock.CANCELLER_ROLE(), others[i]));
        }
        vm.assertTrue(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), address(timelock)));
        vm.assertEq(timelock.getMinDelay(), WAIT_S);
        vm.assertEq(bounds.owner(), address(timelock));
        vm.assertEq(address(governor.token()), address(collection));
    }

    /// @notice What passes is carried out after the timelock's wait.
    function test_a_decision_sets_the_bounds() public {
        (uint256 id, bytes32 description) = _propose();
        _vote(id, ALICE, 1);
        _vote(id, BOB, 0);
        vm.roll(block.number + 101);
        _queue(description);
        vm.warp(block.timestamp + WAIT_S);

        vm.expectEmit(address(bounds));
        emit ParameterBounds.BoundsChanged(PSI, 500_000, 1_000_000);
        _execute(description);

        vm.assertEq(uint128(bounds.boundsOf(PSI).high), 1_000_000);
        vm.assertEq(bounds.names().length, 1);
    }

    /// @notice Nothing is carried out before the wait is over.
    function test_a_decision_waits() public {
        (uint256 id, bytes32 description) = _propose();
        _vote(id, ALICE, 1);
        vm.roll(block.number + 101);
        _queue(description);
        bytes32 operation = _operation(description);

        vm.expectRevert(
            abi.encodeWithSelector(TimelockController.TimelockUnexpectedOperationState.selector, operation, 1 << 2)
        );
        _execute(description);
    }

    /// @notice What a quarter of the votes wants does not pass.
    function test_a_quarter_decides_nothing() public {
        (uint256 id, bytes32 description) = _propose();
        _vote(id, BOB, 1);
        vm.roll(block.number + 101);

        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, id, IGovernor.ProposalState.Defeated, 1 << 4
            )
        );
        _queue(description);
    }

    /// @notice Works that change hands after the snapshot vote where they were.
    function test_votes_are_counted_at_the_snapshot() public {
        (uint256 id,) = _propose();
        vm.roll(block.number + 2);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);

        vm.prank(BOB);
        governor.castVote(id, 1);

        (, uint256 votesFor,) = governor.proposalVotes(id);
        vm.assertEq(votesFor, 1);
    }

    /// @notice Nobody but the timelock sets bounds, and crossed ones are refused even then.
    function test_bounds_are_the_timelock_s() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        bounds.setBounds(PSI, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ParameterBounds.BoundsCrossed.selector, PSI, int128(2), int128(1)));
        vm.prank(address(timelock));
        bounds.setBounds(PSI, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(ParameterBounds.UnknownParameter.selector, PSI));
        bounds.boundsOf(PSI);
    }

    /// @notice The variant with votes is described and announces itself as the other one.
    function test_the_variant_is_a_living_collection() public view {
        vm.assertTrue(collection.supportsInterface(0x49064906));
        vm.assertEq(bytes(collection.tokenURI(1)).length, 7 + 59 + bytes("/metadata/1.json").length);
    }

    function _call() private view returns (address[] memory to, uint256[] memory values, bytes[] memory calls) {
        (to, values, calls) = (new address[](1), new uint256[](1), new bytes[](1));
        to[0] = address(bounds);
        calls[0] = abi.encodeCall(ParameterBounds.setBounds, (PSI, 500_000, 1_000_000));
    }

    function _propose() private returns (uint256 id, bytes32 description) {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = _call();
        vm.prank(ALICE);
        id = governor.propose(to, values, calls, "Bound psi");
        description = keccak256("Bound psi");
    }

    function _vote(uint256 id, address wallet, uint8 support) private {
        if (block.number <= governor.proposalSnapshot(id)) vm.roll(governor.proposalSnapshot(id) + 1);
        vm.prank(wallet);
        governor.castVote(id, support);
    }

    function _queue(bytes32 description) private {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = _call();
        governor.queue(to, values, calls, description);
    }

    function _execute(bytes32 description) private {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = _call();
        governor.execute(to, values, calls, description);
    }

    function _operation(bytes32 description) private view returns (bytes32) {
        (address[] memory to, uint256[] memory values, bytes[] memory calls) = _call();
        bytes32 salt = bytes20(address(governor)) ^ description;
        return timelock.hashOperationBatch(to, values, calls, 0, salt);
    }
}
