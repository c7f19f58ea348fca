// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {between, vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Commitment, capture, reveal, seal, failure
contract ChainTest is LivingTest {
    /// @notice A head is the hash of the head before and the body, and each is kept.
    function test_heads_form_a_chain() public {
        DropChain.Drop memory first = _fixedBody(1, 3);
        DropChain.Drop memory second = _preparedBody(2, 4, 5);
        bytes32 head = keccak256(abi.encode(bytes32(0), first));

        vm.expectEmit(address(collection));
        emit DropChain.DropCommitted(1, head, first);
        collection.commitDrop(first);
        collection.commitDrop(second);

        vm.assertEq(collection.headOf(1), head);
        vm.assertEq(collection.headOf(2), keccak256(abi.encode(head, second)));
        vm.assertEq(collection.head(), collection.headOf(2));
        vm.assertEq(collection.headOf(0), bytes32(0));
        vm.assertEq(collection.dropCount(), 2);
    }

    /// @notice There is no head of a drop that was not committed.
    function test_an_unknown_drop_has_no_head() public {
        vm.expectRevert(abi.encodeWithSelector(DropChain.UnknownDrop.selector, 1));
        collection.headOf(1);
    }

    /// @notice A stranger commits nothing.
    function test_a_stranger_commits_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.commitDrop(_fixedBody(1, 3));
    }

    /// @notice An empty drop, a gap, a drop of no kind and a past reveal block are refused.
    function test_unsound_drops_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(DropChain.EmptyDrop.selector, 1));
        collection.commitDrop(_fixedBody(1, 0));

        vm.expectRevert(abi.encodeWithSelector(DropChain.FirstTokenIdOutOfOrder.selector, 2, 1));
        collection.commitDrop(_fixedBody(2, 1));

        DropChain.Drop memory drop = _fixedBody(1, 1);
        drop.metadataRoot = 0;
        vm.expectRevert(abi.encodeWithSelector(DropChain.NoSuchKind.selector, 1));
        collection.commitDrop(drop);

        drop = _fixedBody(1, 1);
        drop.revealBlock = REVEAL_BLOCK;
        vm.expectRevert(abi.encodeWithSelector(DropChain.NoSuchKind.selector, 1));
        collection.commitDrop(drop);

        drop = _preparedBody(1, 1, 1);
        drop.revealBlock = block.number;
        vm.expectRevert(abi.encodeWithSelector(DropChain.RevealBlockPast.selector, block.number, block.number));
        collection.commitDrop(drop);
    }

    /// @notice A number too large to be kept is refused at once: such a drop could not be opened, nor any after it.
    function test_numbers_that_cannot_be_kept_are_refused() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 1);
        drop.revealBlock = 1 << 64;
        vm.expectRevert(abi.encodeWithSelector(DropChain.NoSuchKind.selector, 1));
        collection.commitDrop(drop);

        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, 1 << 32));
        collection.commitDrop(_fixedBody(1, 1 << 32));
    }

    /// @notice A body that differs in one field is not the committed one.
    function test_another_body_is_not_proven() public {
        _open(_preparedBody(1, 1, 3), _public(0));
        _capture(1);
        DropChain.Drop memory other = _preparedBody(1, 1, 3);
        other.paramsHash = keccak256("others");

        vm.expectRevert(abi.encodeWithSelector(DropChain.NotTheCommittedDrop.selector, 1));
        collection.reveal(1, other, SECRET);
    }

    /// @notice The seed is the hash of the secret and of the reveal block's hash, whoever captured it.
    function test_a_reveal_gives_the_seed() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 3);
        _open(drop, _public(0));
        vm.warp(END);
        vm.roll(REVEAL_BLOCK + 1);
        bytes32 blockHash = blockhash(REVEAL_BLOCK);

        vm.expectEmit(address(collection));
        emit DropChain.BlockCaptured(1, REVEAL_BLOCK, blockHash);
        vm.prank(ALICE);
        collection.capture(1);
        bytes32 seed = keccak256(abi.encode(SECRET, blockHash));
        vm.expectEmit(address(collection));
        emit DropChain.DropRevealed(1, seed, SECRET);
        vm.expectEmit(address(collection));
        emit IERC4906.BatchMetadataUpdate(1, 3);
        collection.reveal(1, drop, SECRET);

        vm.assertEq(collection.dropSeedOf(1), seed);
        vm.assertTrue(collection.fateOf(1).isFinal);
    }

    /// @notice There is no seed before the reveal.
    function test_there_is_no_seed_before_the_reveal() public {
        _open(_preparedBody(1, 1, 3), _public(0));
        _capture(1);

        vm.expectRevert(abi.encodeWithSelector(DropChain.NotRevealed.selector, 1));
        collection.dropSeedOf(1);
    }

    /// @notice Nothing is captured before its block, twice, or of a fixed drop.
    function test_captures_have_their_time() public {
        _open(_preparedBody(1, 1, 3), _public(0));
        _open(_fixedBody(4, 1), _public(0));
        vm.roll(REVEAL_BLOCK);
        vm.expectRevert(abi.encodeWithSelector(DropChain.RevealTooEarly.selector, 1, REVEAL_BLOCK));
        collection.capture(1);

        _capture(1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.AlreadyCaptured.selector, 1));
        collection.capture(1);

        vm.expectRevert(abi.encodeWithSelector(DropChain.NothingToReveal.selector, 2));
        collection.capture(2);
        vm.expectRevert(abi.encodeWithSelector(DropChain.UnknownDrop.selector, 3));
        collection.capture(3);
    }

    /// @notice A hash that is out of reach is replaced by that of a block to come.
    function test_a_missed_block_is_replaced() public {
        _open(_preparedBody(1, 1, 3), _public(0));
        vm.roll(REVEAL_BLOCK + 257);
        uint256 next = REVEAL_BLOCK + 257 + collection.REARM_BLOCKS();

        vm.expectEmit(address(collection));
        emit DropChain.RevealRearmed(1, next);
        collection.capture(1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.RevealTooEarly.selector, 1, next));
        collection.capture(1);
        vm.roll(next + 256);
        collection.capture(1);

        vm.assertTrue(collection.fateOf(1).isCaptured);
    }

    /// @notice A secret is told after the sale, after the capture, once, and is the committed one.
    function test_reveals_are_checked() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 3);
        _open(drop, _public(0));
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotCaptured.selector, 1));
        collection.reveal(1, drop, SECRET);

        vm.roll(REVEAL_BLOCK + 1);
        collection.capture(1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.SaleGoesOn.selector, 1));
        collection.reveal(1, drop, SECRET);

        vm.warp(END);
        vm.expectRevert(abi.encodeWithSelector(DropChain.WrongSecret.selector, 1));
        collection.reveal(1, drop, keccak256("guess"));

        collection.reveal(1, drop, SECRET);
        vm.expectRevert(abi.encodeWithSelector(DropChain.AlreadyRevealed.selector, 1));
        collection.reveal(1, drop, SECRET);
    }

    /// @notice A drop that sold out is revealed at once.
    function test_a_sold_out_drop_need_not_wait() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 3);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 3, 3 * PRICE_WEI);
        vm.roll(REVEAL_BLOCK + 1);
        collection.capture(1);

        collection.reveal(1, drop, SECRET);

        vm.assertTrue(collection.fateOf(1).isRevealed);
    }

    /// @notice After the reveal each id has a number of its own, turned by the seed.
    function test_a_reveal_turns_the_order(uint256 count, bytes32 secret) public {
        count = between(count, 1, 20);
        DropChain.Drop memory drop = _preparedBody(1, 1, count);
        drop.seedCommit = keccak256(abi.encode(secret, 1));
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, count, count * PRICE_WEI);
        _capture(1);
        collection.reveal(1, drop, secret);

        uint256 seen = 0;
        for (uint256 id = 1; id <= count; ++id) {
            seen |= 1 << collection.numberOf(id);
        }

        vm.assertEq(seen, (1 << (count + 1)) - 2);
        vm.assertEq(collection.numberOf(1), 1 + uint256(collection.dropSeedOf(1)) % count);
    }

    /// @notice What was drawn on the fly is described by the site, and by its folder once it is sealed.
    function test_a_seal_fixes_the_works() public {
        DropChain.Drop memory drop = _liveBody(1, 1, 3);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);
        vm.assertEq(collection.tokenURI(2), "https://live/2.json");
        _capture(1);
        collection.reveal(1, drop, SECRET);
        vm.assertEq(collection.tokenURI(2), "https://live/2.json");
        DropChain.Roots memory roots = DropChain.Roots(bytes32(uint256(1)), bytes32(uint256(2)), sha256(""), 0);

        vm.expectEmit(address(collection));
        emit DropChain.DropSealed(1, roots);
        collection.seal(1, roots);

        vm.assertEq(
            collection.tokenURI(2), "ipfs://bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/metadata/2.json"
        );
        vm.expectRevert(abi.encodeWithSelector(DropChain.FateDecided.selector, 1));
        collection.seal(1, roots);
    }

    /// @notice Nothing is sealed before its reveal, without roots, of another kind, or by a stranger.
    function test_seals_are_checked() public {
        DropChain.Roots memory roots = DropChain.Roots(bytes32(uint256(1)), 0, 0, 0);
        _open(_liveBody(1, 1, 3), _public(0));
        _open(_fixedBody(4, 1), _public(0));
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotRevealed.selector, 1));
        collection.seal(1, roots);

        vm.expectRevert(abi.encodeWithSelector(DropChain.NothingToSeal.selector, 2));
        collection.seal(2, roots);
        vm.expectRevert(abi.encodeWithSelector(DropChain.NothingToSeal.selector, 1));
        collection.seal(1, DropChain.Roots(0, 0, 0, 0));

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.seal(1, roots);
    }

    /// @notice A drop that was not revealed in time fails, and is not revealed any more.
    function test_a_drop_fails_after_its_time() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 3);
        _open(drop, _public(0));
        _capture(1);
        vm.warp(FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotOverdue.selector, 1, FINAL_BY));
        collection.fail(1);

        vm.warp(FINAL_BY + 1);
        vm.expectEmit(address(collection));
        emit DropChain.DropFailed(1);
        vm.prank(BOB);
        collection.fail(1);

        vm.expectRevert(abi.encodeWithSelector(DropChain.FateDecided.selector, 1));
        collection.reveal(1, drop, SECRET);
    }

    /// @notice What is final never fails.
    function test_a_final_drop_does_not_fail() public {
        _open(_fixedBody(1, 3), _public(0));
        vm.warp(FINAL_BY + 1);

        vm.expectRevert(abi.encodeWithSelector(DropChain.FateDecided.selector, 1));
        collection.fail(1);
    }
}
