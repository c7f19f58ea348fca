"""The hash that places names in a sharded directory: MurmurHash3 x64 128, its first half, seed 0.

Written from Austin Appleby's public-domain description of the algorithm.
"""

_MASK = 2**64 - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


def murmur3_x64_64(raw: bytes) -> bytes:
    """The first 64 bits, big-endian, as the multihash murmur3-x64-64 has them."""
    h1 = h2 = 0
    whole = len(raw) // 16 * 16
    for at in range(0, whole, 16):
        h1 ^= _mix(int.from_bytes(raw[at : at + 8], "little"), _C1, 31, _C2)
        h1 = ((_rotate(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _mix(int.from_bytes(raw[at + 8 : at + 16], "little"), _C2, 33, _C1)
        h2 = ((_rotate(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    tail = raw[whole:]
    h2 ^= _mix(int.from_bytes(tail[8:], "little"), _C2, 33, _C1)
    h1 ^= _mix(int.from_bytes(tail[:8], "little"), _C1, 31, _C2)
    h1, h2 = h1 ^ len(raw), h2 ^ len(raw)
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    return ((_finish(h1) + _finish(h2)) & _MASK).to_bytes(8)


def _mix(word: int, first: int, bits: int, second: int) -> int:
    return _rotate(word * first & _MASK, bits) * second & _MASK


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


def _finish(word: int) -> int:
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD & _MASK
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return word ^ word >> 33
