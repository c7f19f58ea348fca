// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

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

    // Where parts of the room begin: sums of one output of a layer, eight weights, two pictures between layers.
    uint256 private constant SUMS = 24_416;
    uint256 private constant KERNEL = 37_216;
    uint256 private constant ROW = 37_472;
    uint256 private constant ONE = 37_728;
    uint256 private constant OTHER = 103_264;
    uint256 private constant ROOM = 136_032;

    uint256 private constant GROUP = 256; // bytes: words of eight channels
    uint256 private constant LANE = 24; // bits

    // In each of eight lanes: 1, 128, the lowest byte; in every second, 24 bits; in ten, 2^23.
    uint256 private constant ONES = 0x000001000001000001000001000001000001000001000001;
    uint256 private constant RAISED = 0x000080000080000080000080000080000080000080000080;
    uint256 private constant BYTES = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff;
    uint256 private constant SECONDS = 0x000000ffffff000000ffffff000000ffffff000000ffffff;
    uint256 private constant HALVES = 0x800000800000800000800000800000800000800000800000800000800000;
    uint256 private constant EIGHT_HALVES = 0x800000800000800000800000800000800000800000800000;
    // 2^23 - 256 in each lane: added to a number below 2^23 it reaches 2^23 from 256 on.
    uint256 private constant ABOVE_BYTE = 0x7fff007fff007fff007fff007fff007fff007fff007fff00;

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
            _spread(room + START, room + ONE);
            _clear(room + SUMS, 48);
            for (uint256 i = 0; i < 4; ++i) {
                _eightBytes(room + KERNEL, uint256(latents) >> (192 - 64 * i), 0);
                uint256 rows = room + ONE + i * 48 * GROUP;
                _accumulate(room + KERNEL, rows, rows + 48 * GROUP, room + SUMS);
            }
            for (uint256 i = 0; i < 48; ++i) {
                uint256 bias = EIGHT_HALVES;
                for (uint256 k = 0; k < 8; ++k) {
                    bias += _bias(room, 8 * i + k) << (LANE * (7 - k));
                }
                uint256 eight = quantised(_load(room + SUMS + 32 * i) + bias, _multiplier(room, 0));
                // Each word is two rows of a channel.
                uint256 to = room + OTHER + ((i >> 4) * 4 + (i & 1) * 2) * GROUP + ((i >> 1) & 7) * 32;
                _store(to, _doubled(eight >> (4 * LANE)));
                _store(to + GROUP, _doubled(eight & 0xffffffffffffffffffffffff));
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
            _clear(room + SUMS, 3 * 128);
            for (uint256 i = 0; i < 6; ++i) {
                _eightBytes(room + KERNEL, _load(room + COLOURS + 8 * i) >> 192, 128);
                uint256 from = room + ONE + (i & 1) * 128 * GROUP;
                _accumulate(room + KERNEL, from, from + 128 * GROUP, room + SUMS + (i >> 1) * 4_096);
            }
            uint256 m = _multiplier(room, 4);
            uint256 red = EIGHT_HALVES + _bias(room, 440) * ONES;
            uint256 green = EIGHT_HALVES + _bias(room, 441) * ONES;
            uint256 blue = EIGHT_HALVES + _bias(room, 442) * ONES;
            uint256 to;
            assembly ("memory-safe") {
                to := add(picture, 0x20)
            }
            for (uint256 i = 0; i < 128; ++i) {
                uint256 sums = room + SUMS + 32 * ((31 - (i >> 2)) * 4 + (i & 3));
                uint256 eight = quantised(_load(sums) + red, m) | quantised(_load(sums + 4_096) + green, m) << 8
                    | quantised(_load(sums + 8_192) + blue, m) << 16;
                _store(to, eight << 64);
                to += 24;
            }
        }
    }

    /// @notice In eight lanes, (x - 2^23) * m >> 16, clipped to 0..255.
    /// @param x sums, each 2^23 more than it is; what is above the eighth lane is left out
    /// @param m the layer's multiplier, below 2^16
    function quantised(uint256 x, uint256 m) internal pure returns (uint256 eight) {
        unchecked {
            // What is below 2^23 was negative and becomes zero. Then every second lane has 48 bits for 23 + 16.
            uint256 sign = (x >> 23) & ONES;
            x &= (sign << 23) - sign;
            eight = (((x & SECONDS) * m >> 16) & SECONDS) | ((((x >> LANE) & SECONDS) * m >> 16) & SECONDS) << LANE;
            sign = ((eight + ABOVE_BYTE) >> 23) & ONES;
            return (eight | ((sign << 8) - sign)) & BYTES;
        }
    }

    /// @dev The sums of one output's rows of the kernel, each over all channels.
    function _convolve(uint256 room, Layer memory layer, uint256 output) private pure {
        unchecked {
            uint256 groups = layer.rows * layer.groups;
            uint256 weights = layer.weights + output * layer.eights * 72;
            uint256 sums = room + SUMS + 32 * layer.groups;
            // Above the first and below the last row there is nothing: zeros before and after the sums.
            _clear(room + SUMS, 3 * groups + 2 * layer.groups);
            for (uint256 row = 0; row < 3; ++row) {
                uint256 from = layer.from;
                for (uint256 i = 0; i < layer.eights; ++i) {
                    _eightTaps(room + KERNEL, weights);
                    _accumulate(room + KERNEL, from, from + groups * GROUP, sums);
                    from += groups * GROUP;
                    weights += 24;
                }
                sums += 32 * groups;
            }
        }
    }

    /// @dev From one output's sums to the next layer's input. A row of the picture was doubled, so row y of the input
    /// counts for rows 2y - 1 (the kernel's lowest row), 2y and 2y + 1 (two rows each) and 2y + 2 (the uppermost).
    function _finish(uint256 room, Layer memory layer, uint256 output) private pure {
        unchecked {
            uint256 groups = layer.groups;
            uint256 m = _multiplier(room, layer.number);
            // Neighbours' lanes bring another 2^23 into the first and the last.
            uint256 bias = (_bias(room, layer.biases + output) * ONES << LANE) - (1 << 47) - (1 << 215);
            uint256 row = room + ROW;
            _store(row, HALVES);
            _store(row + 32 * groups + 32, HALVES);
            for (uint256 y = 0; y < 2 * layer.rows; ++y) {
                _sumRows(room, layer, y);
                for (uint256 g = 0; g < groups; ++g) {
                    uint256 place = row + 32 * g;
                    uint256 x = _load(place + 32) + (_load(place) << 192) + (_load(place + 64) >> 216 << LANE) + bias;
                    _put(layer, output, y * groups + g, quantised(x >> LANE, m));
                }
            }
        }
    }

    /// @dev The groups of row y of an output, each lane raised by 2^23.
    function _sumRows(uint256 room, Layer memory layer, uint256 y) private pure {
        unchecked {
            uint256 length = 32 * layer.groups;
            uint256 size = length * layer.rows;
            uint256 upper = room + SUMS + ((y + 1) >> 1) * length;
            uint256 middle = room + SUMS + length + size + (y >> 1) * length;
            uint256 lower = room + SUMS + length + 2 * size + ((y + 1) >> 1) * length;
            uint256 to = room + ROW + 32;
            for (uint256 i = 0; i < length; i += 32) {
                _store(to + i, _load(upper + i) + _load(middle + i) + _load(lower + i) + HALVES);
            }
        }
    }

    /// @dev Eight pixels of an output, as the next layer wants them: the last one as they are, others doubled.
    function _put(Layer memory layer, uint256 output, uint256 group, uint256 eight) private pure {
        unchecked {
            uint256 to = layer.to + (output & 7) * 32;
            uint256 groups = 2 * layer.rows * layer.groups;
            if (layer.number == 3) {
                _store(to + ((output >> 3) * groups + group) * GROUP, eight);
            } else {
                to += ((output >> 3) * groups + group) * 2 * GROUP;
                _store(to, _doubled(eight >> (4 * LANE)));
                _store(to + GROUP, _doubled(eight & 0xffffffffffffffffffffffff));
            }
        }
    }

    /// @dev Bytes in four lanes, each in two lanes.
    function _doubled(uint256 four) private pure returns (uint256) {
        unchecked {
            four = (four | four << 48) & 0x0000ff0000ff0000000000000000ff0000ff;
            four = (four | four << 24) & 0x0000ff0000000000ff0000000000ff0000000000ff;
            return four | four << 24;
        }
    }

    /// @dev Add to the sums of each group its product with eight channels' weights. `from` to `to` are an even number
    /// of groups.
    function _accumulate(uint256 kernel, uint256 from, uint256 to, uint256 sums) private pure {
        // Assembly: here is most of the work, and each step is a load, a MUL and an ADD. Sums are read and written in
        // the room only.
        assembly ("memory-safe") {
            let w0 := mload(kernel)
            let w1 := mload(add(kernel, 0x20))
            let w2 := mload(add(kernel, 0x40))
            let w3 := mload(add(kernel, 0x60))
            let w4 := mload(add(kernel, 0x80))
            let w5 := mload(add(kernel, 0xa0))
            let w6 := mload(add(kernel, 0xc0))
            let w7 := mload(add(kernel, 0xe0))
            for {} lt(from, to) { from := add(from, GROUP) } {
                let s := add(mload(sums), mul(mload(from), w0))
                s := add(mul(mload(add(from, 0x20)), w1), s)
                s := add(mul(mload(add(from, 0x40)), w2), s)
                s := add(mul(mload(add(from, 0x60)), w3), s)
                s := add(mul(mload(add(from, 0x80)), w4), s)
                s := add(mul(mload(add(from, 0xa0)), w5), s)
                s := add(mul(mload(add(from, 0xc0)), w6), s)
                mstore(sums, add(mul(mload(add(from, 0xe0)), w7), s))
                sums := add(sums, 0x20)
            }
        }
    }

    /// @dev The taps of eight channels, three bytes each at `weights`, to `kernel`.
    function _eightTaps(uint256 kernel, uint256 weights) private pure {
        unchecked {
            uint256 eight = _load(weights) >> 64;
            for (uint256 i = 0; i < 256; i += 32) {
                uint256 three = eight >> 168;
                three = (three | three << 16 | three << 32) & 0x0000ff0000ff0000ff;
                _store(kernel + i, three - 0x000080000080000080);
                eight = (eight << 24) & 0xffffffffffffffffffffffffffffffffffffffffffffffff;
            }
        }
    }

    /// @dev Eight bytes less `raised`, a word each, to `kernel`.
    function _eightBytes(uint256 kernel, uint256 eight, uint256 raised) private pure {
        unchecked {
            for (uint256 i = 0; i < 8; ++i) {
                _store(kernel + 32 * i, ((eight >> (56 - 8 * i)) & 0xff) - raised);
            }
        }
    }

    /// @dev The linear layer's 1,536 rows of eight weights, a word each.
    function _spread(uint256 from, uint256 to) private pure {
        // Assembly: 512 rounds of three stores in the room.
        assembly ("memory-safe") {
            for { let end := add(from, 12288) } lt(from, end) { from := add(from, 24) } {
                let three := shr(64, mload(from))
                mstore(to, sub(and(shr(16, three), BYTES), RAISED))
                mstore(add(to, 0x20), sub(and(shr(8, three), BYTES), RAISED))
                mstore(add(to, 0x40), sub(and(three, BYTES), RAISED))
                to := add(to, 0x60)
            }
        }
    }

    /// @dev A layer's multiplier.
    function _multiplier(uint256 room, uint256 layer) private pure returns (uint256) {
        unchecked {
            return _load(room + 2 * layer) >> 240;
        }
    }

    /// @dev A bias of 20 bits, in two's complement of 256.
    function _bias(uint256 room, uint256 i) private pure returns (uint256) {
        unchecked {
            uint256 left = _load(room + BIASES + (i * 5 >> 1)) << ((i & 1) * 4);
            return uint256(int256(left) >> 236);
        }
    }

    function _clear(uint256 place, uint256 words) private pure {
        // Assembly: what is copied from after the input is zeros.
        assembly ("memory-safe") {
            calldatacopy(place, calldatasize(), mul(words, 0x20))
        }
    }

    function _load(uint256 place) private pure returns (uint256 word) {
        // Assembly: a word of the room, at any byte of it.
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    function _store(uint256 place, uint256 word) private pure {
        // Assembly: a word of the room, or of the picture that is being written.
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }
}
