// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title From quantities to levels, and from levels to a picture
/// @notice Integers alone; `minting/evolution/levels.py` gives the same for every input. Nothing here reverts: what is out
/// of its range counts as nothing.
library Levels {
    /// @notice A whole pool, in the unit of shares.
    uint256 internal constant WHOLE = 1 << 32;
    /// @notice The furthest tick from 0 that a pool of Uniswap v3 has.
    int256 internal constant MAX_TICK = 887_272;

    /// @notice The level of a quantity: 0 below 2^offset, 1 from there on, and one more each time it doubles.
    /// @param quantity in the unit of its source
    /// @param offset the logarithm of what gives level 1
    /// @param highest where levels end
    function level(uint256 quantity, uint8 offset, uint8 highest) internal pure returns (uint256) {
        uint256 units = quantity >> offset;
        return units == 0 ? 0 : Math.min(Math.log2(units) + 1, highest);
    }

    /// @notice Seconds since a moment; 0 if it is unknown or to come.
    /// @param since seconds since 1970, zero if unknown
    /// @param time now
    function age(uint256 since, uint256 time) internal pure returns (uint256) {
        return since == 0 || since > time ? 0 : time - since;
    }

    /// @notice The liquidity of a position if trades meet it, else 0.
    /// @param liquidity a word that should be 128 bits
    /// @param lower a word that should be the tick at which it begins
    /// @param upper a word that should be the tick before which it ends
    /// @param tick a word that should be the pool's tick
    function inRange(uint256 liquidity, uint256 lower, uint256 upper, uint256 tick) internal pure returns (uint256) {
        bool isSound = liquidity <= type(uint128).max && _isTick(lower) && _isTick(upper) && _isTick(tick);
        bool isIn = int256(lower) <= int256(tick) && int256(tick) < int256(upper);
        return isSound && isIn ? liquidity : 0;
    }

    /// @notice The part of a pool that counts for one work of a holder, WHOLE for all of it. What they have is shared out
    /// among their works.
    /// @param balance the holder's shares
    /// @param supply all shares
    /// @param works how many works they hold
    function share(uint256 balance, uint256 supply, uint256 works) internal pure returns (uint256) {
        bool isSound = supply <= type(uint128).max && balance <= supply && works <= type(uint64).max;
        if (!isSound || supply == 0 || works == 0) return 0;
        return balance * WHOLE / (supply * works);
    }

    /// @notice Latents, each moved by the sum of level times direction, and kept from 0 to 255.
    /// @param latents 32 bytes
    /// @param levels 255 at most each, 8 at most
    /// @param directions 32 signed bytes for each level
    function move(bytes32 latents, uint256[] memory levels, bytes32[] memory directions)
        internal
        pure
        returns (bytes32)
    {
        uint256 moved = 0;
        // A sum is at most 255 + 8 * 255 * 128 away from 0; indices end at 32 and at 8.
        unchecked {
            for (uint256 i = 0; i < 32; ++i) {
                int256 z = int256(uint256(uint8(latents[i])));
                for (uint256 k = 0; k < levels.length; ++k) {
                    z += int256(levels[k]) * int8(uint8(directions[k][i]));
                }
                moved = moved << 8 | (z < 0 ? 0 : z > 255 ? 255 : uint256(z));
            }
        }
        return bytes32(moved);
    }

    /// @dev Whether a word is a tick, in two's complement of 256 bits.
    function _isTick(uint256 word) private pure returns (bool) {
        return int256(word) >= -MAX_TICK && int256(word) <= MAX_TICK;
    }
}
