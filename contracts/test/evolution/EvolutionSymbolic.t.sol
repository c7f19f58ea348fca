// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Levels} from "../../src/evolution/Levels.sol";

/// @title What holds of levels for every input; moved latents are fuzzed, as each byte of them is three paths
contract EvolutionSymbolicTest {
    /// @notice No level is above the highest, and there is one exactly from 2^offset on.
    function check_levels_keep_to_their_rule(uint256 quantity, uint8 offset, uint8 highest) public pure {
        uint256 level = Levels.level(quantity, offset, highest);
        assert(level <= highest);
        assert((level > 0) == (quantity >> offset > 0 && highest > 0));
    }

    /// @notice Liquidity counts in range, whole, and only if it can be a pool's.
    function check_liquidity_counts_in_range(uint256 liquidity, int256 lower, int256 upper, int256 tick) public pure {
        uint256 counted = Levels.inRange(liquidity, uint256(lower), uint256(upper), uint256(tick));
        assert(counted == 0 || counted == liquidity);
        if (counted > 0) assert(lower <= tick && tick < upper && counted < 1 << 128);
        bool areTicks = lower >= -887_272 && upper <= 887_272;
        if (areTicks && lower <= tick && tick < upper && liquidity < 1 << 128) assert(counted == liquidity);
    }

    /// @notice An age is the time since, or nothing.
    function check_ages_are_differences(uint256 since, uint256 time) public pure {
        uint256 age = Levels.age(since, time);
        assert(age == 0 || (since > 0 && since + age == time));
    }
}
