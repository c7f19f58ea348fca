// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DropChain} from "./DropChain.sol";
import {Fates} from "./Fates.sol";
import {Sale} from "./Sale.sol";

/// @notice Whom a phase sells to.
enum PhaseKind {
    Public,
    Listed,
    Auction,
    Signed
}

/// @notice One phase; two slots. What `terms` holds depends on the kind: nothing, the Merkle root of the allow
/// list, the address of the signer, or how a price falls: the lowest price in wei (96 bits, shifted by 128), how far it
/// falls at a time in wei (96 bits, shifted by 32), and how often in seconds (32 bits).
struct Phase {
    uint96 priceWei; // of one work; an auction begins with it, signatures ask for no less
    uint40 start; // seconds since 1970
    uint40 end; // seconds since 1970, not included
    uint16 maxPerTransaction;
    uint16 maxPerWallet; // 0: no cap, nothing counted
    PhaseKind kind;
    bytes32 terms;
}

/// @dev From this id on works cost so much; one slot. Only kept where buyers may have to be paid back.
struct Run {
    uint64 firstTokenId;
    uint96 priceWei;
    uint8 phase;
    bool isAuction; // the price is what the auction settles at
}

/// @dev One slot.
struct Auction {
    uint96 lastPriceWei;
    uint32 sold;
    uint96 paidWei;
    bool isSettled;
}

/// @title The terms of phases
/// @notice Deployed once and linked: the collection alone would be larger than a contract may be.
library Phases {
    uint256 private constant MAX_PHASES = 16;

    /// @notice A phase contradicts itself, or ends after the drop is to be final.
    error BadPhase(uint256 phase);
    /// @notice A sale has one phase at least and 16 at most.
    error PhaseCountOutOfRange(uint256 phases);
    /// @notice An auction of the drop is to be settled first.
    error NotSettled(uint256 dropNumber, uint256 phase);

    /// @notice See `Sale.openSale`.
    /// @param book what is kept of all drops
    /// @param shop what is kept of all sales
    /// @param dropNumber the drop
    /// @param drop its body
    /// @param phases the phases
    /// @param finalBy seconds since 1970: a drop that is not final then may be declared failed
    function open(
        DropChain.Book storage book,
        Sale.Shop storage shop,
        uint256 dropNumber,
        DropChain.Drop calldata drop,
        Phase[] calldata phases,
        uint40 finalBy
    ) external {
        uint256 expected = uint256(shop.opened) + 1;
        if (dropNumber != expected) revert Sale.SaleOutOfOrder(dropNumber, expected);
        DropChain.Kind kind = Fates.prove(book, dropNumber, drop);
        bool isLate = kind != DropChain.Kind.Fixed && drop.revealBlock <= block.number;
        if (isLate && phases.length > 0) revert DropChain.RevealBlockPast(drop.revealBlock, block.number);
        if (!isLate) {
            uint40 salesEnd = _keep(shop.phases[dropNumber], phases, finalBy);
            Fates.begin(book, dropNumber, drop, kind, salesEnd, finalBy);
        }
        shop.opened = uint128(dropNumber);
        // Casts lose nothing: id and count were checked when the drop was committed, the number of phases just now.
        shop.lots[dropNumber] =
            Sale.Lot(uint64(drop.firstTokenId), uint32(drop.count), 0, uint8(phases.length), 0, kind, false, 0);
        emit Sale.SaleOpened(dropNumber, phases, finalBy);
    }

    /// @dev The price of an auction at a time; stays inside the collection, where each mint asks for it.
    function priceAt(Phase storage terms, uint256 time) internal view returns (uint256) {
        uint256 packed = uint256(terms.terms);
        uint256 floorWei = uint96(packed >> 128);
        if (time <= terms.start) return terms.priceWei;
        uint256 elapsed = time - terms.start;
        elapsed -= elapsed % uint32(packed);
        uint256 fallen = elapsed * uint96(packed >> 32) / uint32(packed);
        uint256 most = terms.priceWei - floorWei;
        return terms.priceWei - (fallen < most ? fallen : most);
    }

    /// @dev Checks and keeps phases; answers when the last one ends.
    function _keep(mapping(uint256 phase => Phase) storage held, Phase[] calldata phases, uint40 finalBy)
        private
        returns (uint40 salesEnd)
    {
        if (phases.length == 0 || phases.length > MAX_PHASES) revert PhaseCountOutOfRange(phases.length);
        for (uint256 i = 0; i < phases.length; ++i) {
            _check(phases[i], i, finalBy);
            held[i] = phases[i];
            if (phases[i].end > salesEnd) salesEnd = phases[i].end;
        }
    }

    function _check(Phase calldata phase, uint256 i, uint40 finalBy) private pure {
        uint256 packed = uint256(phase.terms);
        bool isSound = phase.start < phase.end && phase.end <= finalBy && phase.maxPerTransaction > 0;
        if (phase.kind == PhaseKind.Public) isSound = isSound && packed == 0;
        else isSound = isSound && packed != 0;
        if (phase.kind == PhaseKind.Auction) {
            isSound = isSound && uint32(packed) != 0 && packed >> 224 == 0 && uint96(packed >> 128) <= phase.priceWei;
        }
        if (phase.kind == PhaseKind.Signed) isSound = isSound && packed >> 160 == 0;
        if (!isSound) revert BadPhase(i);
    }
}
