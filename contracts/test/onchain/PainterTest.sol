// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Painter} from "../../src/onchain/Painter.sol";
import {Canvas} from "../../src/onchain/Canvas.sol";
import {vm} from "../Cheats.sol";

/// @title A network whose pictures have one colour, and a label of two attributes
abstract contract PainterTest {
    address internal constant NETWORK = address(0x4E7);
    address internal constant LABEL = address(0x1ABE1);

    /// @notice Both contracts, as a painter wants them.
    function setUp() public virtual {
        vm.etch(NETWORK, _network(201, 101, 51));
        vm.etch(LABEL, _label());
    }

    /// @dev Without weights, the colours are what the last biases say: (bias * 65535) >> 16, one less than the bias.
    function _network(int256 red, int256 green, int256 blue) internal pure returns (bytes memory code) {
        code = new bytes(Canvas.NETWORK_BYTES);
        for (uint256 i = 1; i < 11; ++i) {
            code[i] = 0xff;
        }
        // Biases 440, 441 and 442 of 20 bits each begin 1,100 bytes after the first.
        uint256 three =
            (uint256(red) & 0xfffff) << 44 | (uint256(green) & 0xfffff) << 24 | (uint256(blue) & 0xfffff) << 4;
        for (uint256 i = 0; i < 8; ++i) {
            code[1_111 + i] = bytes1(uint8(three >> (56 - 8 * i)));
        }
        for (uint256 i = 1_119; i < code.length; ++i) {
            code[i] = 0x80;
        }
    }

    /// @dev Multipliers with which values neither vanish nor fill up, biases of 4,112 and 65,793 in turn, and weights
    /// that are the keccak256 of 0, 1, 2 and so on, one after the other.
    function _noise() internal pure returns (bytes memory code) {
        bytes memory head = hex"00012c0064006400640190";
        code = new bytes(Canvas.NETWORK_BYTES);
        for (uint256 i = 0; i < code.length; ++i) {
            if (i < 11) code[i] = head[i];
            else if (i < 1_119) code[i] = 0x01;
            else code[i] = keccak256(abi.encode((i - 1_119) / 32))[(i - 1_119) % 32];
        }
    }

    /// @dev "sky" for bytes below 64, else "sea"; no hat below 128, else "cap".
    function _label() internal pure returns (bytes memory) {
        return bytes.concat(hex"00", hex"04", "Work", hex"0007", "A story", hex"02", _ground(), _hat(256));
    }

    function _ground() internal pure returns (bytes memory) {
        bytes memory sky = bytes.concat(hex"0040", hex"0a0b", hex"03", "sky");
        return bytes.concat(hex"06", "ground", hex"0202", sky, hex"0100", hex"0c0d", hex"03", "sea");
    }

    function _hat(uint16 last) internal pure returns (bytes memory) {
        return
            bytes.concat(hex"03", "hat", hex"0201", hex"0080", hex"0e", hex"00", bytes2(last), hex"0f", hex"03", "cap");
    }
}
