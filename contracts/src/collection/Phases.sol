// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

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

    /// @notice Check and keep the phases of a sale.
    /// @param held where they are kept, by their number from 0
    /// @param asked the phases
    /// @param finalBy seconds since 1970 that none may go beyond
    /// @return salesEnd when the last one ends
    function open(mapping(uint256 phase => Phase) storage held, Phase[] calldata asked, uint40 finalBy)
        external
        returns (uint40 salesEnd)
    {
        if (asked.length == 0 || asked.length > MAX_PHASES) revert PhaseCountOutOfRange(asked.length);
        for (uint256 i = 0; i < asked.length; ++i) {
            _check(asked[i], i, finalBy);
            held[i] = asked[i];
            if (asked[i].end > salesEnd) salesEnd = asked[i].end;
        }
    }

    /// @notice What the work of an id cost: the last run that does not begin after it.
    /// @param runs the drop's runs
    /// @param auctions the drop's auctions
    /// @param dropNumber the drop
    /// @param tokenId the work
    function cost(
        Run[] storage runs,
        mapping(uint256 phase => Auction) storage auctions,
        uint256 dropNumber,
        uint256 tokenId
    ) external view returns (uint256) {
        uint256 low = 0;
        uint256 high = runs.length - 1;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (runs[middle].firstTokenId <= tokenId) low = middle;
            else high = middle - 1;
        }
        Run memory run = runs[low];
        if (!run.isAuction) return run.priceWei;
        Auction memory auction = auctions[run.phase];
        if (!auction.isSettled) revert NotSettled(dropNumber, run.phase);
        return auction.lastPriceWei;
    }

    /// @dev The price of an auction at a time; stays inside the collection, where each mint asks for it.
    function priceAt(Phase memory terms, uint256 time) internal pure returns (uint256) {
        uint256 packed = uint256(terms.terms);
        uint256 floorWei = uint96(packed >> 128);
        if (time <= terms.start) return terms.priceWei;
        uint256 elapsed = time - terms.start;
        elapsed -= elapsed % uint32(packed);
        uint256 fallen = elapsed * uint96(packed >> 32) / uint32(packed);
        uint256 most = terms.priceWei - floorWei;
        return terms.priceWei - (fallen < most ? fallen : most);
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
