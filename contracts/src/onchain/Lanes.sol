// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Arithmetic in lanes of a word
/// @notice Ten lanes of 24 bits, the first (leftmost) pixel in the highest one of eight. Lanes are signed: what counts is
/// the sum of all lanes, each times its power of two, and a lane can be told from the others as long as it is from
/// -2^23 to 2^23 - 1.
/// @dev Here is all of the renderer's work and so its assembly. Each function reads and writes only where it is told to,
/// in memory, the room, that its caller has taken.
library Lanes {
    /// @notice Bytes of a group: words of eight channels.
    uint256 internal constant GROUP = 256;
    /// @notice Bits of a lane.
    uint256 internal constant LANE = 24;
    /// @notice 1 in each of eight lanes.
    uint256 internal constant ONES = 0x000001000001000001000001000001000001000001000001;
    /// @notice 128 in each of eight lanes.
    uint256 internal constant RAISED = 0x000080000080000080000080000080000080000080000080;
    /// @notice 2^23 in each of eight lanes.
    uint256 internal constant EIGHT_HALVES = 0x800000800000800000800000800000800000800000800000;

    // In each of eight lanes the lowest byte; in every second all bits; 2^23 in ten.
    uint256 private constant BYTES = 0x0000ff0000ff0000ff0000ff0000ff0000ff0000ff0000ff;
    uint256 private constant SECONDS = 0x000000ffffff000000ffffff000000ffffff000000ffffff;
    uint256 private constant FIRSTS = 0xffffff000000ffffff000000ffffff000000ffffff000000;
    uint256 private constant HALVES = 0x800000800000800000800000800000800000800000800000800000800000;
    // 2^23 - 256 in each lane: added to a number below 2^23 it reaches 2^23 from 256 on.
    uint256 private constant ABOVE_BYTE = 0x7fff007fff007fff007fff007fff007fff007fff007fff00;

    /// @notice Add to the sums of each group its product with eight channels' weights; of an even number of groups.
    /// @param kernel eight words of weights
    /// @param to where the last group ends
    /// @param sums a word for each group
    /// @param from where the first group begins, eight words each
    function accumulate(uint256 kernel, uint256 to, uint256 sums, uint256 from) internal pure {
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

    /// @notice The rows of an output, by groups of eight pixels, each lane raised by 2^23, the first and the last twice. A
    /// row of the picture was doubled, so row y of the input counts for rows 2y - 1 (the kernel's lowest row), 2y and
    /// 2y + 1 (two rows each) and 2y + 2 (the uppermost).
    /// @param sums of the upper, middle and lower row of the kernel, with a row of zeros before and after them
    /// @param to where the rows go
    /// @param rows of the input
    /// @param groups of a row
    function join(uint256 sums, uint256 to, uint256 rows, uint256 groups) internal pure {
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

    /// @notice Of each word, in eight lanes, (x + bias - 2^23) * m >> 16, clipped to 0..255. Results are `stride` apart.
    /// @param from where the words begin
    /// @param to where results go
    /// @param count of words
    /// @param stride bytes from one result to the next
    /// @param bias in each lane, and 2^23
    /// @param m the multiplier, below 2^16
    function quantise(uint256 from, uint256 to, uint256 count, uint256 stride, uint256 bias, uint256 m) internal pure {
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

    /// @notice Red, green and blue, 4,096 bytes each, become pixels, the lowest row first.
    /// @param sums bytes in lanes, by row and group
    /// @param picture 3,072 bytes, with room for 8 more
    function mix(uint256 sums, bytes memory picture) internal pure {
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

    /// @notice Bytes in eight lanes become two groups of four pixels, doubled.
    /// @param to the first group; the other follows
    /// @param eight the bytes
    function storeDoubled(uint256 to, uint256 eight) internal pure {
        unchecked {
            store(to, _doubled(eight >> 96));
            store(to + GROUP, _doubled(eight & 0xffffffffffffffffffffffff));
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

    /// @notice Rows of `width` weights, a word each, from where three rows are interleaved.
    /// @param from where they are stored
    /// @param to where the words go
    /// @param rows how many rows, a multiple of three
    /// @param width how many weights, from 1 to 8
    /// @param raised by what all weights of a row were raised, 128 in each lane
    function spread(uint256 from, uint256 to, uint256 rows, uint256 width, uint256 raised) internal pure {
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

    /// @notice Words become zero.
    /// @param place of the first
    /// @param words how many
    function clear(uint256 place, uint256 words) internal pure {
        // Assembly: what is copied from after the input is zeros.
        assembly ("memory-safe") {
            calldatacopy(place, calldatasize(), mul(words, 0x20))
        }
    }

    /// @notice A word of the room.
    /// @param place of its first byte
    function load(uint256 place) internal pure returns (uint256 word) {
        // Assembly: at any byte, which no array gives.
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    /// @notice Write a word of the room.
    /// @param place of its first byte
    /// @param word what to write
    function store(uint256 place, uint256 word) internal pure {
        // Assembly: as for reading.
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }
}
