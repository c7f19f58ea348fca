"""Ethereum's hash. The C implementation is about five times faster than the pure ones."""

import sha3  # type: ignore[import-untyped]

ZERO = bytes(32)


def keccak256(raw: bytes) -> bytes:
    digest: bytes = sha3.keccak_256(raw).digest()
    return digest
