// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lanes} from "./Lanes.sol";

/// @title Draws 32 x 32 pixels from 32 bytes with a small network
/// @notice In integers alone, so that numpy (`minting/evolution/network.py`), torch and this draw the same bytes. The
/// bytes of the network are described in `minting/evolution/packing.py`.
/// @dev A word holds lanes of 24 bits, the first (leftmost) pixel in the highest one. A row of a picture is cut in
/// groups of four pixels; doubled they fill eight lanes, and the product with a word of three weights, the taps, is
/// their convolution in ten lanes: 24 multiplications and their sums with one MUL. Lanes are signed, the sum of all
/// lanes is what counts, and no sum reaches 2^23, for any weights (24 * 9 * 128 * 255 + 2^19). The outermost lanes
/// belong to the neighbours and are added there.
///
/// Of a layer's input, memory holds a word for each channel and group. The words of eight channels stand together, then
/// those of the next group, and so on by row; then the next eight channels.
library Canvas {
    /// @notice How many bytes a network's contract has.
    uint256 internal constant NETWORK_BYTES = 24_399;
    /// @notice How many bytes a picture has: blue, green, red of each pixel, the lowest row first.
    uint256 internal constant PICTURE_BYTES = 3_072;

    // Where parts begin after the leading byte.
    uint256 private constant BIASES = 10;
    uint256 private constant START = 1_118;
    uint256 private constant FIRST = 13_406;
    uint256 private constant SECOND = 18_590;
    uint256 private constant THIRD = 22_046;
    uint256 private constant COLOURS = 24_350;

    // Where parts of the room begin: one output's sums, its rows, its weights, and two pictures between layers.
    uint256 private constant SUMS = 24_416;
    uint256 private constant JOINED = 36_704;
    uint256 private constant KERNEL = 40_800;
    uint256 private constant ONE = 43_104;
    uint256 private constant OTHER = 108_640;
    uint256 private constant ROOM = 141_408;

    /// @dev One 3 x 3 layer: its place among layers, where its weights and biases begin, its channels by eight, its
    /// outputs, rows of its input, groups of a row, and the pictures it reads and writes.
    struct Layer {
        uint256 number;
        uint256 weights;
        uint256 biases;
        uint256 eights;
        uint256 outputs;
        uint256 rows;
        uint256 groups;
        uint256 from;
        uint256 to;
    }

    /// @notice The picture of these latents.
    /// @param network where the network is; NETWORK_BYTES long, which is not checked here
    /// @param latents what to draw
    /// @return picture PICTURE_BYTES long
    function draw(address network, bytes32 latents) internal view returns (bytes memory picture) {
        uint256 room = open(network);
        start(room, latents);
        double(room, 1);
        double(room, 2);
        double(room, 3);
        return colours(room);
    }

    /// @notice Memory to draw in, with the network at its beginning.
    /// @param network where the network is
    /// @return room its address
    function open(address network) internal view returns (uint256 room) {
        // Assembly: reads code, and takes memory that nobody needs to clear. Only memory taken here is written.
        assembly ("memory-safe") {
            room := mload(0x40)
            mstore(0x40, add(room, ROOM))
            extcodecopy(network, room, 1, sub(NETWORK_BYTES, 1))
        }
    }

    /// @notice The linear layer: 24 channels of 4 x 4.
    /// @param room with the network
    /// @param latents the input
    function start(uint256 room, bytes32 latents) internal pure {
        unchecked {
            Lanes.spread(room + START, room + ONE, 1_536, 8, Lanes.RAISED);
            Lanes.clear(room + SUMS, 48);
            for (uint256 i = 0; i < 32; ++i) {
                Lanes.store(room + KERNEL + 32 * i, uint8(latents[i]));
            }
            for (uint256 i = 0; i < 4; ++i) {
                uint256 rows = room + ONE + i * 48 * Lanes.GROUP;
                Lanes.accumulate(room + KERNEL + i * Lanes.GROUP, rows + 48 * Lanes.GROUP, room + SUMS, rows);
            }
            _addBiases(room);
            Lanes.quantise(room + SUMS, room + SUMS, 48, 32, Lanes.EIGHT_HALVES, _multiplier(room, 0));
            for (uint256 i = 0; i < 48; ++i) {
                // Each word is two rows of a channel.
                uint256 to = room + OTHER + ((i >> 4) * 4 + (i & 1) * 2) * Lanes.GROUP + ((i >> 1) & 7) * 32;
                Lanes.storeDoubled(to, Lanes.load(room + SUMS + 32 * i));
            }
        }
    }

    /// @notice One 3 x 3 layer on the doubled picture before it.
    /// @param room with what the layer before has left
    /// @param number of the layer, 1 to 3
    function double(uint256 room, uint256 number) internal pure {
        Layer memory layer;
        if (number == 1) {
            layer = Layer(1, room + FIRST, 384, 3, 24, 4, 1, room + OTHER, room + ONE);
        } else if (number == 2) {
            layer = Layer(2, room + SECOND, 408, 3, 16, 8, 2, room + ONE, room + OTHER);
        } else {
            layer = Layer(3, room + THIRD, 424, 2, 16, 16, 4, room + OTHER, room + ONE);
        }
        for (uint256 output = 0; output < layer.outputs; ++output) {
            _convolve(room, layer, output);
            _finish(room, layer, output);
        }
    }

    /// @notice The 1 x 1 layer, and its colours as they stand in a BMP.
    /// @param room with what the layer before has left
    /// @return picture PICTURE_BYTES long
    function colours(uint256 room) internal pure returns (bytes memory picture) {
        // Assembly: 8 bytes of room after the end, as words of 24 bytes are written in ascending order below.
        assembly ("memory-safe") {
            picture := mload(0x40)
            mstore(0x40, add(picture, add(0x40, PICTURE_BYTES)))
            mstore(picture, PICTURE_BYTES)
        }
        unchecked {
            Lanes.clear(room + SUMS, 3 * 128);
            Lanes.spread(room + COLOURS, room + KERNEL, 48, 1, 128);
            for (uint256 i = 0; i < 6; ++i) {
                uint256 from = room + ONE + (i & 1) * 128 * Lanes.GROUP;
                Lanes.accumulate(
                    room + KERNEL + i * Lanes.GROUP, from + 128 * Lanes.GROUP, room + SUMS + (i >> 1) * 4_096, from
                );
            }
            uint256 m = _multiplier(room, 4);
            for (uint256 i = 0; i < 3; ++i) {
                uint256 sums = room + SUMS + i * 4_096;
                Lanes.quantise(sums, sums, 128, 32, Lanes.EIGHT_HALVES + _bias(room, 440 + i) * Lanes.ONES, m);
            }
        }
        Lanes.mix(room + SUMS, picture);
    }

    /// @dev The sums of one output's rows of the kernel, each over all channels.
    function _convolve(uint256 room, Layer memory layer, uint256 output) private pure {
        unchecked {
            uint256 groups = layer.rows * layer.groups;
            uint256 kernel = room + KERNEL;
            uint256 taps = 3 * 8 * layer.eights;
            uint256 sums = room + SUMS + 32 * layer.groups;
            // Above the first and below the last row there is nothing: zeros before and after the sums.
            Lanes.clear(room + SUMS, 3 * groups + 2 * layer.groups);
            Lanes.spread(layer.weights + output * taps * 3, kernel, taps, 3, 0x000080000080000080);
            for (uint256 row = 0; row < 3; ++row) {
                uint256 from = layer.from;
                for (uint256 i = 0; i < layer.eights; ++i) {
                    uint256 end = from + groups * Lanes.GROUP;
                    Lanes.accumulate(kernel, end, sums, from);
                    kernel += Lanes.GROUP;
                    from = end;
                }
                sums += 32 * groups;
            }
        }
    }

    /// @dev From one output's sums to the next layer's input: the last layer's as it is, others' doubled.
    function _finish(uint256 room, Layer memory layer, uint256 output) private pure {
        unchecked {
            uint256 count = 2 * layer.rows * layer.groups;
            uint256 m = _multiplier(room, layer.number);
            // In the sums, the first and the last lane have 2^23 twice.
            uint256 bias = _bias(room, layer.biases + output) * Lanes.ONES - (1 << 23) - (1 << 191);
            uint256 to = layer.to + (output & 7) * 32;
            Lanes.join(room + SUMS, room + JOINED, layer.rows, layer.groups);
            if (layer.number == 3) {
                Lanes.quantise(room + JOINED, to + (output >> 3) * count * Lanes.GROUP, count, Lanes.GROUP, bias, m);
                return;
            }
            Lanes.quantise(room + JOINED, room + JOINED, count, 32, bias, m);
            to += (output >> 3) * count * 2 * Lanes.GROUP;
            for (uint256 i = 0; i < count; ++i) {
                Lanes.storeDoubled(to + i * 2 * Lanes.GROUP, Lanes.load(room + JOINED + i * 32));
            }
        }
    }

    /// @dev Add each output of the linear layer its bias.
    function _addBiases(uint256 room) private pure {
        unchecked {
            for (uint256 i = 0; i < 48; ++i) {
                uint256 sums = room + SUMS + 32 * i;
                uint256 eight = Lanes.load(sums);
                for (uint256 k = 0; k < 8; ++k) {
                    eight += _bias(room, 8 * i + k) << (Lanes.LANE * (7 - k));
                }
                Lanes.store(sums, eight);
            }
        }
    }

    /// @dev A layer's multiplier.
    function _multiplier(uint256 room, uint256 layer) private pure returns (uint256) {
        unchecked {
            return Lanes.load(room + 2 * layer) >> 240;
        }
    }

    /// @dev A bias of 20 bits, in two's complement of 256.
    function _bias(uint256 room, uint256 i) private pure returns (uint256) {
        unchecked {
            uint256 left = Lanes.load(room + BIASES + (i * 5 >> 1)) << ((i & 1) * 4);
            return uint256(int256(left) >> 236);
        }
    }
}
