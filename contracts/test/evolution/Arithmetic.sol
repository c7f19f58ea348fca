// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Levels} from "../../src/evolution/Levels.sol";

/// @title The arithmetic of evolution in many cases at once, for the tests in Python
contract Arithmetic {
    /// @notice Levels of quantities.
    function levels(uint256[] calldata given, uint8[] calldata offsets, uint8[] calldata highest)
        external
        pure
        returns (uint256[] memory found)
    {
        found = new uint256[](given.length);
        for (uint256 i = 0; i < found.length; ++i) {
            found[i] = Levels.level(given[i], offsets[i], highest[i]);
        }
    }

    /// @notice For each case of four words: an age of the first two, a share of the first three, liquidity in range.
    function quantities(uint256[4][] calldata cases) external pure returns (uint256[3][] memory found) {
        found = new uint256[3][](cases.length);
        for (uint256 i = 0; i < found.length; ++i) {
            uint256[4] calldata one = cases[i];
            found[i] = [
                Levels.age(one[0], one[1]),
                Levels.share(one[0], one[1], one[2]),
                Levels.inRange(one[0], one[1], one[2], one[3])
            ];
        }
    }

    /// @notice Moved latents.
    function moves(bytes32[] calldata latents, uint256[][] calldata risen, bytes32[] calldata directions)
        external
        pure
        returns (bytes32[] memory found)
    {
        found = new bytes32[](latents.length);
        for (uint256 i = 0; i < found.length; ++i) {
            found[i] = Levels.move(latents[i], risen[i], directions);
        }
    }
}
