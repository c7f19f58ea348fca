// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Levels} from "../../src/evolution/Levels.sol";
import {vm} from "../Cheats.sol";
import {Arithmetic} from "./Arithmetic.sol";

/// @title From quantities to levels, and from levels to latents
contract LevelsTest {
    uint256 private constant MINUS_ONE = type(uint256).max;

    /// @notice Nothing below the first step, one more at each doubling, and no more than the highest.
    function test_a_level_is_a_logarithm() public pure {
        vm.assertEq(Levels.level(0, 3, 5), 0);
        vm.assertEq(Levels.level(7, 3, 5), 0);
        vm.assertEq(Levels.level(8, 3, 5), 1);
        vm.assertEq(Levels.level(15, 3, 5), 1);
        vm.assertEq(Levels.level(16, 3, 5), 2);
        vm.assertEq(Levels.level(128, 3, 5), 5);
        vm.assertEq(Levels.level(type(uint256).max, 3, 5), 5);
        vm.assertEq(Levels.level(type(uint256).max, 255, 5), 1);
    }

    /// @notice For any quantity: the level below its step is reached, the next one is not.
    function test_fuzz_levels(uint256 quantity, uint8 offset, uint8 highest) public pure {
        uint256 level = Levels.level(quantity, offset, highest);
        vm.assertLe(level, highest);
        if (level > 0) vm.assertTrue(quantity >> offset >= 1 << (level - 1));
        if (level < highest) vm.assertTrue(quantity >> offset >> level == 0);
    }

    /// @notice More is never less.
    function test_fuzz_levels_rise(uint256 less, uint256 more, uint8 offset, uint8 highest) public pure {
        if (less > more) (less, more) = (more, less);
        vm.assertLe(Levels.level(less, offset, highest), Levels.level(more, offset, highest));
    }

    /// @notice Seconds from a moment that is known and over.
    function test_an_age_is_a_difference() public pure {
        vm.assertEq(Levels.age(100, 150), 50);
        vm.assertEq(Levels.age(150, 150), 0);
        vm.assertEq(Levels.age(151, 150), 0);
        vm.assertEq(Levels.age(type(uint256).max, 150), 0);
        vm.assertEq(Levels.age(0, 150), 0);
    }

    /// @notice The lower tick is in, the upper one out.
    function test_liquidity_counts_in_range() public pure {
        vm.assertEq(Levels.inRange(9, 3, 5, 3), 9);
        vm.assertEq(Levels.inRange(9, 3, 5, 4), 9);
        vm.assertEq(Levels.inRange(9, 3, 5, 5), 0);
        vm.assertEq(Levels.inRange(9, 3, 5, 2), 0);
        vm.assertEq(Levels.inRange(9, MINUS_ONE, 5, 0), 9);
        vm.assertEq(Levels.inRange(9, 5, MINUS_ONE, 0), 0);
    }

    /// @notice What no pool can say counts as nothing.
    function test_liquidity_that_is_none_is_nothing() public pure {
        vm.assertEq(Levels.inRange(1 << 128, 3, 5, 4), 0);
        vm.assertEq(Levels.inRange(9, 3, 887_273, 4), 0);
        vm.assertEq(Levels.inRange(9, uint256(int256(-887_273)), 5, 4), 0);
        vm.assertEq(Levels.inRange(9, uint256(1) << 255, type(uint256).max >> 1, 4), 0);
        vm.assertEq(Levels.inRange((1 << 128) - 1, uint256(int256(-887_272)), 887_272, 4), (1 << 128) - 1);
    }

    /// @notice A part of the pool, shared out among the holder's works.
    function test_a_share_is_a_part_of_all() public pure {
        vm.assertEq(Levels.share(5, 5, 1), Levels.WHOLE);
        vm.assertEq(Levels.share(1, 4, 1), Levels.WHOLE / 4);
        vm.assertEq(Levels.share(1, 4, 2), Levels.WHOLE / 8);
        vm.assertEq(Levels.share(0, 4, 2), 0);
    }

    /// @notice What no pair can say counts as nothing.
    function test_a_share_that_is_none_is_nothing() public pure {
        vm.assertEq(Levels.share(0, 0, 1), 0);
        vm.assertEq(Levels.share(6, 5, 1), 0);
        vm.assertEq(Levels.share(1, 1, 0), 0);
        vm.assertEq(Levels.share(1, 1 << 128, 1), 0);
        vm.assertEq(Levels.share(1, 1, 1 << 64), 0);
    }

    /// @notice Whatever is asked, there is an answer, and no share above all.
    function test_fuzz_nothing_reverts(uint256 a, uint256 b, uint256 c, uint256 d) public pure {
        vm.assertLe(Levels.inRange(a, b, c, d), type(uint128).max);
        vm.assertLe(Levels.share(a, b, c), Levels.WHOLE);
        vm.assertLe(Levels.age(a, b), b);
    }

    /// @notice Each byte by itself, and no further than its ends.
    function test_latents_move_and_stop_at_their_ends() public pure {
        (uint256[] memory levels, bytes32[] memory directions) = (new uint256[](2), new bytes32[](2));
        (levels[0], levels[1]) = (3, 1);
        directions[0] = bytes32(hex"01ff7f80");
        directions[1] = bytes32(hex"0200ff01");
        bytes32 moved = Levels.move(bytes32(hex"0a0a0aff07"), levels, directions);
        vm.assertEq(moved, bytes32(hex"0f07ff0007"));
    }

    /// @notice For any latents, levels and directions: the sum, clipped.
    function test_fuzz_moves(bytes32 latents, uint8[8] memory given, bytes32[8] memory along, uint256 i) public pure {
        (uint256[] memory levels, bytes32[] memory directions) = (new uint256[](8), new bytes32[](8));
        i %= 32;
        int256 z = int256(uint256(uint8(latents[i])));
        for (uint256 k = 0; k < 8; ++k) {
            (levels[k], directions[k]) = (given[k], along[k]);
            uint256 raw = uint8(along[k][i]);
            z += int256(uint256(given[k])) * (raw < 128 ? int256(raw) : int256(raw) - 256);
        }
        bytes32 moved = Levels.move(latents, levels, directions);
        vm.assertEq(uint8(moved[i]), z < 0 ? 0 : z > 255 ? 255 : uint256(z));
    }

    /// @notice The contract that Python asks does what the library does, in order.
    function test_many_at_once_are_each_by_itself() public {
        Arithmetic arithmetic = new Arithmetic();
        (uint256[] memory given, uint8[] memory offsets, uint8[] memory highest) =
            (new uint256[](2), new uint8[](2), new uint8[](2));
        (given[0], given[1], offsets[1], highest[0], highest[1]) = (5, 16, 3, 9, 9);
        uint256[] memory found = arithmetic.levels(given, offsets, highest);
        vm.assertEq(found[0], 3);
        vm.assertEq(found[1], 2);
        uint256[4][] memory cases = new uint256[4][](2);
        (cases[0], cases[1]) = ([uint256(1), 4, 2, 0], [uint256(9), 3, 5, 4]);
        uint256[3][] memory quantities = arithmetic.quantities(cases);
        vm.assertEq(keccak256(abi.encode(quantities[0])), keccak256(abi.encode(3, Levels.WHOLE / 8, 0)));
        vm.assertEq(keccak256(abi.encode(quantities[1])), keccak256(abi.encode(0, 0, 9)));
    }

    /// @notice Without levels nothing moves.
    function test_fuzz_no_levels_move_nothing(bytes32 latents, bytes32 direction) public pure {
        (uint256[] memory levels, bytes32[] memory directions) = (new uint256[](1), new bytes32[](1));
        directions[0] = direction;
        vm.assertEq(Levels.move(latents, levels, directions), latents);
    }
}
