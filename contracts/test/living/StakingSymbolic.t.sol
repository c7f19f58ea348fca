// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {LivingCollection} from "../../src/LivingCollection.sol";
import {LivingVotesCollection} from "../../src/LivingVotesCollection.sol";
import {ILockable, Staking} from "../../src/staking/Staking.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title What halmos proves of stakes and rewards, for every input at once
contract StakingSymbolicTest is LivingTest {
    uint64 private constant POOL_S = 1_000;

    Staking private staking;
    LivingVotesCollection private votes;

    /// @notice Alice has works 1 and 2, Bob work 3, and each their own votes.
    function setUp() public override {
        super.setUp();
        votes = LivingVotesCollection(address(collection));
        staking = new Staking(ILockable(address(collection)));
        collection.setLocker(address(staking));
        _open(_fixedBody(1, 4), _public(0));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        vm.prank(ALICE);
        votes.delegate(ALICE);
        vm.prank(BOB);
        votes.delegate(BOB);
    }

    function _deploy() internal override returns (LivingCollection) {
        return new LivingVotesCollection("Portraits", "PORTRAIT", "", "https://live/", TREASURY, 500);
    }

    /// @notice Whoever stakes whatever: it goes through for the owner alone, who keeps the work and its vote.
    function check_only_its_owner_stakes_a_work(address caller, uint256 tokenId) public {
        vm.assume(tokenId >= 1 && tokenId <= 3);
        address owner = collection.ownerOf(tokenId);

        bool isStaked = _try(caller, abi.encodeCall(Staking.stake, (_only(tokenId))));

        assert(isStaked == (caller == owner));
        assert(collection.locked(tokenId) == isStaked);
        assert(collection.ownerOf(tokenId) == owner);
        assert(votes.getVotes(ALICE) == 2 && votes.getVotes(BOB) == 1);
    }

    /// @notice Whoever moves a staked work wherever, with every leave its owner can give: it stays.
    function check_a_staked_work_stays(address caller, address to) public {
        vm.assume(caller != address(0));
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.prank(ALICE);
        collection.setApprovalForAll(caller, true);

        vm.prank(caller);
        (bool isMoved,) = address(collection).call(abi.encodeCall(IERC721.transferFrom, (ALICE, to, 1)));

        assert(!isMoved);
        assert(collection.ownerOf(1) == ALICE);
        assert(votes.getVotes(ALICE) == 2);
    }

    /// @notice Nobody locks or unlocks past the staking contract.
    function check_only_the_locker_locks(address caller, uint256 tokenId, bool isLocked) public {
        vm.assume(tokenId >= 1 && tokenId <= 3 && caller != address(staking));
        vm.prank(ALICE);
        staking.stake(_only(1));

        vm.prank(caller);
        (bool isDone,) = address(collection).call(abi.encodeCall(LivingCollection.setLocked, (tokenId, isLocked)));

        assert(!isDone);
        assert(collection.locked(tokenId) == (tokenId == 1));
    }

    /// @notice Whenever and whether or not the sale is held, its staker takes a work back and can move it; others do not.
    function check_a_work_is_never_trapped(address caller, bool isPaused, uint40 later, bool isFunded) public {
        vm.prank(ALICE);
        staking.stake(_only(1));
        if (isFunded) _fund(1 << 95); // more than there is
        collection.pauseSale(1, isPaused);
        vm.warp(uint256(START) + later);

        bool isBack = _try(caller, abi.encodeCall(Staking.unstake, (_only(1))));

        assert(isBack == (caller == ALICE));
        if (!isBack) return;
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        assert(collection.ownerOf(1) == BOB);
    }

    /// @notice However large the pool, whenever works are staked and claimed for: each claim pays what was said to be
    /// earned, all together not more than the pool, and a second one in the same second nothing.
    /// @dev That the pool always suffices for both is fuzzed: of three divisions in a row the solver made nothing.
    function check_claims_stay_within_the_pool(uint96 pool, uint16 first, uint16 second) public {
        vm.assume(pool > 0 && pool < 1 << 90);
        _fund(pool);
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.warp(uint256(START) + first);
        vm.prank(BOB);
        staking.stake(_only(3));
        vm.warp(uint256(START) + first + second);
        uint256 earned = staking.earned(ALICE);

        bool isPaid = _try(ALICE, abi.encodeCall(Staking.claim, ()));
        bool isPaidTwice = _try(ALICE, abi.encodeCall(Staking.claim, ()));
        _try(BOB, abi.encodeCall(Staking.claim, ()));

        assert(ALICE.balance == (isPaid ? earned : 0) && !isPaidTwice);
        assert(ALICE.balance + BOB.balance <= pool);
    }

    function _fund(uint256 pool) private {
        vm.deal(address(this), pool);
        staking.fund{value: pool}(START + POOL_S);
    }

    function _try(address caller, bytes memory call) private returns (bool isDone) {
        vm.prank(caller);
        (isDone,) = address(staking).call(call);
    }
}
