// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {LivingCollection} from "../../src/LivingCollection.sol";
import {ILockable, Staking} from "../../src/staking/Staking.sol";
import {between, vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Works that are locked in place and earn
contract StakingTest is LivingTest {
    Staking private staking;

    /// @notice Alice has works 1 to 3, Bob 4 and 5.
    function setUp() public override {
        super.setUp();
        staking = new Staking(ILockable(address(collection)));
        collection.setLocker(address(staking));
        _open(_fixedBody(1, 10), _public(0));
        _buy(ALICE, 1, 0, 3, 3 * PRICE_WEI);
        _buy(BOB, 1, 0, 2, 2 * PRICE_WEI);
        vm.deal(address(this), 100 ether);
    }

    /// @notice A staked work stays its owner's and cannot be transferred until it is taken back.
    function test_a_staked_work_stays_where_it_is() public {
        vm.expectEmit(address(staking));
        emit Staking.Staked(ALICE, 1);
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.assertEq(collection.ownerOf(1), ALICE);
        vm.assertEq(staking.stakeOf(1).owner, ALICE);
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.IsStaked.selector, 1));
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);

        vm.expectEmit(address(staking));
        emit Staking.Unstaked(ALICE, 1);
        vm.prank(ALICE);
        staking.unstake(_only(1));
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        vm.assertEq(collection.ownerOf(1), BOB);
    }

    /// @notice Only its owner stakes a work, once, and only its staker takes it back.
    function test_stakes_are_checked() public {
        vm.expectRevert(abi.encodeWithSelector(Staking.NotTheOwner.selector, 4, ALICE));
        vm.prank(ALICE);
        staking.stake(_only(4));
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadyStaked.selector, 1));
        vm.prank(ALICE);
        staking.stake(_only(1));

        vm.prank(BOB);
        staking.stake(_only(4));
        vm.expectRevert(abi.encodeWithSelector(Staking.NotStaked.selector, 1, BOB));
        vm.prank(BOB);
        staking.unstake(_only(1));
    }

    /// @notice Works share a pool equally, second by second.
    function test_works_share_the_pool() public {
        vm.prank(ALICE);
        staking.stake(_ids(1, 2));
        vm.expectEmit(address(staking));
        emit Staking.Funded(1 ether, START + 1_000);
        staking.fund{value: 1 ether}(START + 1_000);
        vm.warp(START + 500);
        vm.prank(BOB);
        staking.stake(_ids(4, 5));
        vm.warp(START + 5_000);

        vm.assertEq(staking.earned(ALICE), 0.75 ether);
        vm.assertEq(staking.earned(BOB), 0.25 ether);
        vm.expectEmit(address(staking));
        emit Staking.Claimed(ALICE, 0.75 ether);
        vm.prank(ALICE);
        staking.claim();
        vm.prank(BOB);
        staking.claim();
        vm.assertEq(ALICE.balance, 0.75 ether);
        vm.assertEq(address(staking).balance, 0);
        vm.expectRevert(abi.encodeWithSelector(Staking.NothingEarned.selector, ALICE));
        vm.prank(ALICE);
        staking.claim();
    }

    /// @notice What falls due while nothing is staked joins the next pool.
    function test_nothing_is_lost_while_nothing_is_staked() public {
        staking.fund{value: 1 ether}(START + 1_000);
        vm.warp(START + 1_000);
        staking.fund{value: 1 ether}(START + 2_000);
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.warp(START + 2_000);

        vm.assertEq(staking.earned(ALICE), 2 ether);
    }

    /// @notice A pool joins what is left of the running one.
    function test_a_pool_joins_the_running_one() public {
        vm.prank(ALICE);
        staking.stake(_only(1));
        staking.fund{value: 1 ether}(START + 1_000);
        vm.warp(START + 500);
        staking.fund{value: 1 ether}(START + 2_000);
        (uint256 rate, uint256 endsAt) = staking.pool();
        vm.assertEq(rate, 0.001 ether);
        vm.assertEq(endsAt, START + 2_000);

        vm.warp(START + 2_000);
        vm.assertEq(staking.earned(ALICE), 2 ether);
    }

    /// @notice Pools need wei and time, do not end before the running one, and are the owner's.
    function test_pools_are_checked() public {
        vm.expectRevert(abi.encodeWithSelector(Staking.BadPool.selector, 0, START + 9));
        staking.fund(START + 9);
        vm.expectRevert(abi.encodeWithSelector(Staking.BadPool.selector, 1, START));
        staking.fund{value: 1}(START);
        staking.fund{value: 1 ether}(START + 9);
        vm.expectRevert(abi.encodeWithSelector(Staking.BadPool.selector, 1, START + 8));
        staking.fund{value: 1}(START + 8);
        vm.deal(ALICE, 1);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        staking.fund{value: 1}(START + 9);
        vm.expectRevert(abi.encodeWithSelector(Staking.OwnershipCannotBeRenounced.selector, address(this)));
        staking.renounceOwnership();
    }

    /// @notice A work of a failed drop is taken back from the pool before it is paid back.
    function test_a_staked_work_of_a_failed_drop_is_taken_back_first() public {
        _open(_preparedBody(2, 11, 2), _public(0));
        _buy(ALICE, 2, 0, 1, PRICE_WEI);
        vm.prank(ALICE);
        staking.stake(_only(11));
        vm.warp(FINAL_BY + 1);
        collection.fail(2);
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.IsStaked.selector, 11));
        vm.prank(ALICE);
        collection.refund(2, _only(11));

        vm.prank(ALICE);
        staking.unstake(_only(11));
        vm.prank(ALICE);
        collection.refund(2, _only(11));
        vm.assertEq(ALICE.balance, PRICE_WEI);
    }

    /// @notice Whoever stakes, takes back and claims whenever: nobody gets more than the pools held.
    function test_rewards_never_exceed_the_pools(uint256[24] calldata moves, uint96 first, uint96 second) public {
        uint256 paid = between(first, 1, 10 ether);
        staking.fund{value: paid}(START + 10_000);
        uint256 time = START;
        for (uint256 i = 0; i < moves.length; ++i) {
            time += moves[i] % 900;
            vm.warp(time);
            if (i == 12) {
                uint256 more = between(second, 1, 10 ether);
                staking.fund{value: more}(uint64(time + 10_000));
                paid += more;
            }
            _move(moves[i] >> 16);
        }
        vm.warp(time + 20_000);
        _claim(ALICE);
        _claim(BOB);

        vm.assertEq(ALICE.balance + BOB.balance + address(staking).balance, paid);
        vm.assertEq(staking.total(), staking.countOf(ALICE) + staking.countOf(BOB));
    }

    /// @dev A wallet stakes one of its works, or takes it back if it is staked, or claims.
    function _move(uint256 pick) private {
        uint256 tokenId = 1 + pick % 5;
        address wallet = tokenId < 4 ? ALICE : BOB;
        if ((pick >> 8) % 4 == 0) {
            _claim(wallet);
        } else if (staking.stakeOf(tokenId).owner == address(0)) {
            vm.prank(wallet);
            staking.stake(_only(tokenId));
        } else {
            vm.prank(wallet);
            staking.unstake(_only(tokenId));
        }
    }

    function _claim(address wallet) private {
        if (staking.earned(wallet) == 0) return;
        vm.prank(wallet);
        staking.claim();
    }

    function _ids(uint256 from, uint256 to) private pure returns (uint256[] memory ids) {
        ids = new uint256[](to - from + 1);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = from + i;
        }
    }
}
