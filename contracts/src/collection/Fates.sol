// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {DropChain} from "./DropChain.sol";

/// @title What becomes of a drop: committed, on sale, revealed, final or failed
/// @notice Deployed once and linked: the collection alone would be larger than a contract may be. What each function
/// is for is said where the collection calls it.
library Fates {
    uint256 internal constant REARM_BLOCKS = 16;

    /// @notice See `DropChain.commitDrop`.
    /// @param book what is kept of all drops
    /// @param drop the body
    /// @return dropNumber 1 for the first drop
    function commit(DropChain.Book storage book, DropChain.Drop calldata drop) external returns (uint256 dropNumber) {
        DropChain.Next memory next = book.next;
        dropNumber = uint256(next.drops) + 1;
        if (drop.count == 0) revert DropChain.EmptyDrop(dropNumber);
        if (drop.firstTokenId != next.tokenId) {
            revert DropChain.FirstTokenIdOutOfOrder(drop.firstTokenId, next.tokenId);
        }
        bool hasReveal = drop.seedCommit != 0;
        bool hasRoots = drop.metadataRoot != 0;
        bool isPossible = hasReveal ? drop.revealBlock <= type(uint64).max : hasRoots && drop.revealBlock == 0;
        if (!isPossible) revert DropChain.NoSuchKind(dropNumber);
        if (hasReveal && drop.revealBlock <= block.number) {
            revert DropChain.RevealBlockPast(drop.revealBlock, block.number);
        }
        bytes32 head = keccak256(abi.encode(book.heads[dropNumber - 1], drop));
        book.heads[dropNumber] = head;
        next.tokenId = SafeCast.toUint64(drop.firstTokenId + SafeCast.toUint32(drop.count));
        next.drops = SafeCast.toUint32(dropNumber);
        book.next = next;
        emit DropChain.DropCommitted(dropNumber, head, drop);
    }

    /// @notice See `DropChain.capture`.
    /// @param book what is kept of all drops
    /// @param dropNumber the drop
    function capture(DropChain.Book storage book, uint256 dropNumber) external {
        DropChain.Fate storage fate = _toReveal(book, dropNumber);
        if (fate.isCaptured) revert DropChain.AlreadyCaptured(dropNumber);
        uint256 revealBlock = fate.revealBlock;
        if (block.number <= revealBlock) revert DropChain.RevealTooEarly(dropNumber, revealBlock);
        bytes32 blockHash = blockhash(revealBlock);
        if (blockHash == 0) {
            fate.revealBlock = SafeCast.toUint64(block.number + REARM_BLOCKS);
            emit DropChain.RevealRearmed(dropNumber, block.number + REARM_BLOCKS);
            return;
        }
        fate.isCaptured = true;
        book.seeds[dropNumber] = blockHash;
        emit DropChain.BlockCaptured(dropNumber, revealBlock, blockHash);
    }

    /// @notice See `DropChain.reveal`.
    /// @param book what is kept of all drops
    /// @param dropNumber the drop
    /// @param drop its body
    /// @param secret what was committed to
    /// @param isLeft whether works can still be minted, but for the time
    function reveal(
        DropChain.Book storage book,
        uint256 dropNumber,
        DropChain.Drop calldata drop,
        bytes32 secret,
        bool isLeft
    ) external {
        DropChain.Fate storage fate = _toReveal(book, dropNumber);
        prove(book, dropNumber, drop);
        if (!fate.isCaptured) revert DropChain.NotCaptured(dropNumber);
        if (fate.isRevealed) revert DropChain.AlreadyRevealed(dropNumber);
        if (fate.hasFailed) revert DropChain.FateDecided(dropNumber);
        if (isLeft && block.timestamp < fate.salesEnd) revert DropChain.SaleGoesOn(dropNumber);
        if (keccak256(abi.encode(secret, dropNumber)) != drop.seedCommit) revert DropChain.WrongSecret(dropNumber);
        bytes32 dropSeed = keccak256(abi.encode(secret, book.seeds[dropNumber]));
        book.seeds[dropNumber] = dropSeed;
        fate.isRevealed = true;
        if (fate.kind == DropChain.Kind.Prepared) {
            fate.isFinal = true;
            book.folders[dropNumber] = drop.folder;
        }
        emit DropChain.DropRevealed(dropNumber, dropSeed, secret);
    }

    /// @notice See `DropChain.seal`.
    /// @param book what is kept of all drops
    /// @param dropNumber the drop
    /// @param roots what its works turned out to be
    /// @param isLeft whether works can still be minted, but for the time
    function seal(DropChain.Book storage book, uint256 dropNumber, DropChain.Roots calldata roots, bool isLeft)
        external
    {
        DropChain.Fate storage fate = fateOf(book, dropNumber);
        if (fate.kind != DropChain.Kind.OnTheFly || roots.metadataRoot == 0) {
            revert DropChain.NothingToSeal(dropNumber);
        }
        if (fate.isFinal || fate.hasFailed) revert DropChain.FateDecided(dropNumber);
        if (!fate.isRevealed) revert DropChain.NotRevealed(dropNumber);
        if (isLeft && block.timestamp < fate.salesEnd) revert DropChain.SaleGoesOn(dropNumber);
        fate.isFinal = true;
        book.folders[dropNumber] = roots.folder;
        emit DropChain.DropSealed(dropNumber, roots);
    }

    /// @notice See `DropChain.fail`.
    /// @param book what is kept of all drops
    /// @param dropNumber the drop
    function fail(DropChain.Book storage book, uint256 dropNumber) external {
        DropChain.Fate storage fate = fateOf(book, dropNumber);
        if (fate.isFinal || fate.hasFailed) revert DropChain.FateDecided(dropNumber);
        if (block.timestamp <= fate.finalBy) revert DropChain.NotOverdue(dropNumber, fate.finalBy);
        fate.hasFailed = true;
        emit DropChain.DropFailed(dropNumber);
    }

    /// @dev Begins a fate, as a sale opens. This and what follows stays inside who calls it.
    function begin(
        DropChain.Book storage book,
        uint256 dropNumber,
        DropChain.Drop calldata drop,
        DropChain.Kind kind,
        uint40 salesEnd,
        uint40 finalBy
    ) internal {
        DropChain.Fate storage fate = book.fates[dropNumber];
        fate.revealBlock = uint64(drop.revealBlock); // loses nothing, see `commit`
        fate.salesEnd = salesEnd;
        fate.finalBy = finalBy;
        fate.kind = kind;
        if (kind == DropChain.Kind.Fixed) {
            fate.isFinal = true;
            book.folders[dropNumber] = drop.folder;
        }
    }

    /// @dev The kind of a drop; reverts unless this body was committed under this number.
    function prove(DropChain.Book storage book, uint256 dropNumber, DropChain.Drop calldata drop)
        internal
        view
        returns (DropChain.Kind)
    {
        if (dropNumber == 0 || dropNumber > book.next.drops) revert DropChain.UnknownDrop(dropNumber);
        if (keccak256(abi.encode(book.heads[dropNumber - 1], drop)) != book.heads[dropNumber]) {
            revert DropChain.NotTheCommittedDrop(dropNumber);
        }
        if (drop.seedCommit == 0) return DropChain.Kind.Fixed;
        return drop.metadataRoot == 0 ? DropChain.Kind.OnTheFly : DropChain.Kind.Prepared;
    }

    /// @dev The fate of a drop whose sale was opened.
    function fateOf(DropChain.Book storage book, uint256 dropNumber)
        internal
        view
        returns (DropChain.Fate storage fate)
    {
        fate = book.fates[dropNumber];
        if (fate.salesEnd == 0) revert DropChain.UnknownDrop(dropNumber);
    }

    function _toReveal(DropChain.Book storage book, uint256 dropNumber)
        private
        view
        returns (DropChain.Fate storage fate)
    {
        fate = fateOf(book, dropNumber);
        if (fate.kind == DropChain.Kind.Fixed) revert DropChain.NothingToReveal(dropNumber);
    }
}
