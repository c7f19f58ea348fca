"""Who signed a message: signatures of plain accounts (ECDSA), read strictly.

Contracts that sign (EIP-1271) are not asked: what they say depends on a block and needs a node.
"""

import re

from eth_account import Account
from eth_account.messages import SignableMessage
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

# Half of secp256k1's group order: of the two valid s of a signature only the lower one is taken.
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class SignatureError(ValueError):
    """No account made this signature; ``code`` is stable, ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def recover(message: SignableMessage, signature: str) -> str:
    """The checksum address that signed: 65 bytes in hex with 0x, else SignatureError."""
    if re.fullmatch(r"0x[0-9a-fA-F]{130}", signature, re.ASCII) is None:
        raise SignatureError("bad_signature", "a signature has 65 bytes in hex")
    raw = bytes.fromhex(signature[2:])
    if int.from_bytes(raw[32:64]) > HALF_ORDER:
        raise SignatureError("malleable_signature", "s is in the upper half of the order")
    if raw[64] not in (27, 28):
        raise SignatureError("bad_signature", "v is neither 27 nor 28")
    try:
        address: str = Account.recover_message(message, signature=raw)
    except (BadSignature, ValidationError, ValueError) as error:
        raise SignatureError("bad_signature", "no key made this signature") from error
    return address
