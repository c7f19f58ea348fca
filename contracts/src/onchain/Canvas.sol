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

    // Where parts of the room begin: one output's sums, its rows, its weights, and two pictures between layers.
    uint256 private constant SUMS = 24_416;
    uint256 private constant JOINED = 36_704;
    uint256 private constant KERNEL = 40_800;
    uint256 private constant ONE = 43_104;
    uint256 private constant OTHER = 108_640;
    uint256 private constant ROOM = 141_408;

    uint256 private constant GROUP = 256; // bytes: words of eight channels
    uint256 private constant LANE = 24; // bits

    // In each of eight lanes: 1, 128, the lowest byte; in every second, 24 bits; in ten, 2^23.
    uint256 private constant ONES = 0x000001000001000001000001000001000001000001000001;
    uint256 private constant RAISED = 0x000080000080000080000080000080000080000080000080;
    uint256 private constant BYTES = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff;
    uint256 private constant SECONDS = 0x000000ffffff000000ffffff000000ffffff000000ffffff;
    uint256 private constant FIRSTS = 0xffffff000000ffffff000000ffffff000000ffffff000000;
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
            _spread(room + START, room + ONE, 1_536, 8, RAISED);
            _clear(room + SUMS, 48);
            for (uint256 i = 0; i < 32; ++i) {
                _store(room + KERNEL + 32 * i, uint8(latents[i]));
            }
            for (uint256 i = 0; i < 4; ++i) {
                uint256 rows = room + ONE + i * 48 * GROUP;
                _accumulate(room + KERNEL + i * GROUP, rows + 48 * GROUP, room + SUMS, rows);
            }
            _addBiases(room);
            _quantise(room + SUMS, room + SUMS, 48, 32, EIGHT_HALVES, _multiplier(room, 0));
            for (uint256 i = 0; i < 48; ++i) {
                // Each word is two rows of a channel.
                uint256 to = room + OTHER + ((i >> 4) * 4 + (i & 1) * 2) * GROUP + ((i >> 1) & 7) * 32;
                _storeDoubled(to, _load(room + SUMS + 32 * i));
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
            _spread(room + COLOURS, room + KERNEL, 48, 1, 128);
            for (uint256 i = 0; i < 6; ++i) {
                uint256 from = room + ONE + (i & 1) * 128 * GROUP;
                _accumulate(room + KERNEL + i * GROUP, from + 128 * GROUP, room + SUMS + (i >> 1) * 4_096, from);
            }
            uint256 m = _multiplier(room, 4);
            for (uint256 i = 0; i < 3; ++i) {
                uint256 sums = room + SUMS + i * 4_096;
                _quantise(sums, sums, 128, 32, EIGHT_HALVES + _bias(room, 440 + i) * ONES, m);
            }
        }
        _mix(room + SUMS, picture);
    }

    /// @dev The sums of one output's rows of the kernel, each over all channels.
    function _convolve(uint256 room, Layer memory layer, uint256 output) private pure {
        unchecked {
            uint256 groups = layer.rows * layer.groups;
            uint256 kernel = room + KERNEL;
            uint256 taps = 3 * 8 * layer.eights;
            uint256 sums = room + SUMS + 32 * layer.groups;
            // Above the first and below the last row there is nothing: zeros before and after the sums.
            _clear(room + SUMS, 3 * groups + 2 * layer.groups);
            _spread(layer.weights + output * taps * 3, kernel, taps, 3, 0x000080000080000080);
            for (uint256 row = 0; row < 3; ++row) {
                uint256 from = layer.from;
                for (uint256 i = 0; i < layer.eights; ++i) {
                    uint256 end = from + groups * GROUP;
                    _accumulate(kernel, end, sums, from);
                    kernel += GROUP;
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
            uint256 bias = _bias(room, layer.biases + output) * ONES - (1 << 23) - (1 << 191);
            uint256 to = layer.to + (output & 7) * 32;
            _join(room + SUMS, room + JOINED, layer.rows, layer.groups);
            if (layer.number == 3) {
                _quantise(room + JOINED, to + (output >> 3) * count * GROUP, count, GROUP, bias, m);
                return;
            }
            _quantise(room + JOINED, room + JOINED, count, 32, bias, m);
            to += (output >> 3) * count * 2 * GROUP;
            for (uint256 i = 0; i < count; ++i) {
                _storeDoubled(to + i * 2 * GROUP, _load(room + JOINED + i * 32));
            }
        }
    }

    /// @dev The rows of an output, by groups of eight pixels, each lane raised by 2^23, the first and the last twice. A
    /// row of the picture was doubled, so row y of the input counts for rows 2y - 1 (the kernel's lowest row), 2y and
    /// 2y + 1 (two rows each) and 2y + 2 (the uppermost).
    function _join(uint256 sums, uint256 to, uint256 rows, uint256 groups) private pure {
        // Assembly: up to 128 words an output, each from three sums and its neighbours' outermost lanes. Only sums are
        // read, only the joined rows are written.
        assembly ("memory-safe") {
            let length := mul(groups, 0x20)
            let size := mul(rows, length)
            let upper := sums
            let middle := add(add(sums, length), size)
            let lower := add(middle, size)
            let next := 0
            for { let y := 0 } lt(y, mul(rows, 2)) { y := add(y, 1) } {
                let left := HALVES
                let here := add(add(mload(upper), mload(middle)), add(mload(lower), HALVES))
                for { let i := 0x20 } lt(i, length) { i := add(i, 0x20) } {
                    next := add(add(mload(add(upper, i)), mload(add(middle, i))), add(mload(add(lower, i)), HALVES))
                    mstore(to, shr(LANE, add(add(here, shl(192, left)), shl(LANE, shr(216, next)))))
                    to := add(to, 0x20)
                    left := here
                    here := next
                }
                next := HALVES
                mstore(to, shr(LANE, add(add(here, shl(192, left)), shl(LANE, shr(216, next)))))
                to := add(to, 0x20)
                // After an even row the upper and the lower sums go on, after an odd one the middle.
                switch and(y, 1)
                case 0 {
                    upper := add(upper, length)
                    lower := add(lower, length)
                }
                default { middle := add(middle, length) }
            }
        }
    }

    /// @dev Of each word, in eight lanes, (x + bias - 2^23) * m >> 16, clipped to 0..255. Results are `stride` apart.
    function _quantise(uint256 from, uint256 to, uint256 count, uint256 stride, uint256 bias, uint256 m) private pure {
        // Assembly: 3,184 words a picture. Only words of the room are written.
        assembly ("memory-safe") {
            for { let end := add(from, mul(count, 0x20)) } lt(from, end) { from := add(from, 0x20) } {
                let x := add(mload(from), bias)
                // What is below 2^23 was negative and becomes zero.
                let sign := and(shr(23, x), ONES)
                x := and(x, sub(shl(23, sign), sign))
                // Every second lane has 48 bits for 23 + 16.
                x := or(and(shr(16, mul(and(x, SECONDS), m)), SECONDS), and(shr(16, mul(and(x, FIRSTS), m)), FIRSTS))
                sign := and(shr(23, add(x, ABOVE_BYTE)), ONES)
                mstore(to, and(or(x, sub(shl(8, sign), sign)), BYTES))
                to := add(to, stride)
            }
        }
    }

    /// @dev Red, green and blue, 4,096 bytes each, become pixels, the lowest row first.
    function _mix(uint256 sums, bytes memory picture) private pure {
        // Assembly: each store of 32 bytes brings 24, and 8 that the next one overwrites; so do the last ones, in the
        // room that was taken after the picture.
        assembly ("memory-safe") {
            let to := add(picture, 0x20)
            for { let row := add(sums, 3968) } iszero(lt(row, sums)) { row := sub(row, 0x80) } {
                for { let i := 0 } lt(i, 0x80) { i := add(i, 0x20) } {
                    let from := add(row, i)
                    let eight := or(mload(from), shl(8, mload(add(from, 4096))))
                    mstore(to, shl(64, or(eight, shl(16, mload(add(from, 8192))))))
                    to := add(to, 24)
                }
            }
        }
    }

    /// @dev Bytes in eight lanes become two groups of four pixels, doubled.
    function _storeDoubled(uint256 to, uint256 eight) private pure {
        unchecked {
            _store(to, _doubled(eight >> 96));
            _store(to + GROUP, _doubled(eight & 0xffffffffffffffffffffffff));
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
    function _accumulate(uint256 kernel, uint256 to, uint256 sums, uint256 from) private pure {
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
            for {} lt(from, to) { from := add(from, 0x200) } {
                mstore(
                    sums,
                    add(
                        add(
                            mload(sums),
                            add(
                                add(mul(mload(from), w0), mul(mload(add(from, 0x20)), w1)),
                                add(mul(mload(add(from, 0x40)), w2), mul(mload(add(from, 0x60)), w3))
                            )
                        ),
                        add(
                            add(mul(mload(add(from, 0x80)), w4), mul(mload(add(from, 0xa0)), w5)),
                            add(mul(mload(add(from, 0xc0)), w6), mul(mload(add(from, 0xe0)), w7))
                        )
                    )
                )
                mstore(
                    add(sums, 0x20),
                    add(
                        add(
                            mload(add(sums, 0x20)),
                            add(
                                add(mul(mload(add(from, 0x100)), w0), mul(mload(add(from, 0x120)), w1)),
                                add(mul(mload(add(from, 0x140)), w2), mul(mload(add(from, 0x160)), w3))
                            )
                        ),
                        add(
                            add(mul(mload(add(from, 0x180)), w4), mul(mload(add(from, 0x1a0)), w5)),
                            add(mul(mload(add(from, 0x1c0)), w6), mul(mload(add(from, 0x1e0)), w7))
                        )
                    )
                )
                sums := add(sums, 0x40)
            }
        }
    }

    /// @dev Rows of `width` weights, a word each, from where three rows are interleaved.
    /// @param from where they are stored
    /// @param to where the words go
    /// @param rows how many rows, a multiple of three
    /// @param width how many weights, from 1 to 8
    /// @param raised by what all weights of a row were raised, 128 in each lane
    function _spread(uint256 from, uint256 to, uint256 rows, uint256 width, uint256 raised) private pure {
        // Assembly: 5,232 words a picture, from unaligned bytes of the network. Only words of the room are written.
        assembly ("memory-safe") {
            let bytes_ := mul(width, 3)
            let right := sub(256, mul(bytes_, 8))
            for { let end := add(to, mul(rows, 0x20)) } lt(to, end) { to := add(to, 0x60) } {
                let three := shr(right, mload(from))
                mstore(to, sub(and(shr(16, three), BYTES), raised))
                mstore(add(to, 0x20), sub(and(shr(8, three), BYTES), raised))
                mstore(add(to, 0x40), sub(and(three, BYTES), raised))
                from := add(from, bytes_)
            }
        }
    }

    /// @dev Add each output of the linear layer its bias.
    function _addBiases(uint256 room) private pure {
        unchecked {
            for (uint256 i = 0; i < 48; ++i) {
                uint256 sums = room + SUMS + 32 * i;
                uint256 eight = _load(sums);
                for (uint256 k = 0; k < 8; ++k) {
                    eight += _bias(room, 8 * i + k) << (LANE * (7 - k));
                }
                _store(sums, eight);
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

    /// @dev Words become zero.
    function _clear(uint256 place, uint256 words) private pure {
        // Assembly: what is copied from after the input is zeros.
        assembly ("memory-safe") {
            calldatacopy(place, calldatasize(), mul(words, 0x20))
        }
    }

    /// @dev A word of the room.
    function _load(uint256 place) private pure returns (uint256 word) {
        // Assembly: at any byte, which no array gives.
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    /// @dev Write a word of the room.
    function _store(uint256 place, uint256 word) private pure {
        // Assembly: as for reading.
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }
}
