"""Seaport 1.6: the hashes, signatures and calls of its orders, as bytes.

Source: Seaport's documentation and reference (https://github.com/ProjectOpenSea/seaport, MIT):
docs/SeaportDocumentation.md for the structs, the event and the EIP-712 domain. Orders use no
conduit: the seller approves Seaport itself, with conduit key 0.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from minting.chain.orders import NO_WORD, Item, Order
from minting.provenance.keccak import keccak256

# The same on every public chain (docs/Deployment.md of the source above).
CANONICAL_ADDRESS = "0x0000000000000068F116a894984e2DB1123eB395"
# Wrapped ether, one for one, on the chains whose native currency is ether (chain id -> address).
WRAPPED_NATIVE = {
    1: "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    10: "0x4200000000000000000000000000000000000006",
    8453: "0x4200000000000000000000000000000000000006",
    42161: "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
    11155111: "0xfFf9976782d46CC05630D1f6eBAb18b2324d6B14",
}

_ITEM = "(uint8,address,uint256,uint256,uint256)"
_RECEIVED = "(uint8,address,uint256,uint256,uint256,address)"
_ORDER = (
    f"(address,address,{_ITEM}[],{_RECEIVED}[],uint8,uint256,uint256,bytes32,uint256,"
    "bytes32,uint256)"
)
_SIGNED = f"({_ORDER},bytes)"
_FULFILMENT = "((uint256,uint256)[],(uint256,uint256)[])"
_ITEM_FIELDS = {
    "itemType": "uint8",
    "token": "address",
    "identifierOrCriteria": "uint256",
    "startAmount": "uint256",
    "endAmount": "uint256",
}
_ORDER_FIELDS = {
    "offerer": "address",
    "zone": "address",
    "offer": "OfferItem[]",
    "consideration": "ConsiderationItem[]",
    "orderType": "uint8",
    "startTime": "uint256",
    "endTime": "uint256",
    "zoneHash": "bytes32",
    "salt": "uint256",
    "conduitKey": "bytes32",
    "counter": "uint256",
}
_TYPES = {
    name: [{"name": field, "type": kind} for field, kind in fields.items()]
    for name, fields in {
        "OrderComponents": _ORDER_FIELDS,
        "OfferItem": _ITEM_FIELDS,
        "ConsiderationItem": _ITEM_FIELDS | {"recipient": "address"},
    }.items()
}


class SignatureError(ValueError):
    """Bytes are not a signature, or not one by the offerer; ``signer`` is whose, if anybody's."""

    def __init__(self, reason: str, signer: str = "") -> None:
        super().__init__(reason)
        self.signer = signer


def typed_data(order: Order, chain_id: int, seaport: str) -> dict[str, Any]:
    """What a wallet signs (EIP-712)."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            **_TYPES,
        },
        "primaryType": "OrderComponents",
        "domain": {
            "name": "Seaport",
            "version": "1.6",
            "chainId": chain_id,
            "verifyingContract": seaport,
        },
        "message": order.to_json(),
    }


def order_hash(order: Order) -> str:
    """The order's hashStruct: the name by which Seaport's events call it."""
    return "0x" + _signable(order, 1, CANONICAL_ADDRESS).body.hex()


def recover(order: Order, signature: str, chain_id: int, seaport: str) -> str:
    """Who signed the order.

    Parameters
    ----------
    signature : 65 bytes in hex, or 64 in the compact form of EIP-2098, which Seaport takes too.

    Raises
    ------
    SignatureError
        It is no signature at all. A contract wallet's (EIP-1271) is not one for us.
    """
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
        if len(raw) == 64:
            raw = _expand(raw)
        if len(raw) != 65 or raw[64] not in (27, 28):
            raise SignatureError("not 64 or 65 bytes of a signature with v 27 or 28")
        signable = _signable(order, chain_id, seaport)
        return str(Account.recover_message(signable, signature=raw))
    except (BadSignature, ValidationError) as error:
        raise SignatureError("not a signature of any key") from error
    except ValueError as error:
        if isinstance(error, SignatureError):
            raise
        raise SignatureError("not hexadecimal") from error


def sign(order: Order, key: bytes, chain_id: int, seaport: str) -> str:
    """The order's signature by ``key``, 65 bytes in hex."""
    signed = Account.from_key(key).sign_message(_signable(order, chain_id, seaport))
    return "0x" + bytes(signed.signature).hex()


def fulfil_order(order: Order, signature: str) -> bytes:
    """The call that buys a listing, or that accepts an offer for a token the caller has."""
    return _call(f"fulfillOrder({_SIGNED},bytes32)", [_signed(order, signature), NO_WORD])


def match_orders(
    orders: Sequence[tuple[Order, str]],
    fulfilments: Sequence[tuple[list[tuple[int, int]], list[tuple[int, int]]]],
) -> bytes:
    """The call that settles orders against each other.

    Parameters
    ----------
    fulfilments : pairs of (order, item) places: offered ones, and the asked ones that they meet.
    """
    signed = [_signed(order, signature) for order, signature in orders]
    return _call(f"matchOrders({_SIGNED}[],{_FULFILMENT}[])", [signed, list(fulfilments)])


def cancel(orders: Sequence[Order]) -> bytes:
    """The call by which an offerer takes orders back."""
    return _call(f"cancel({_ORDER}[])", [[_tuple(order, order.counter) for order in orders]])


def increment_counter() -> bytes:
    """The call by which an offerer takes all orders back."""
    return _call("incrementCounter()", [])


def get_order_hash(order: Order) -> bytes:
    return _call(f"getOrderHash({_ORDER})", [_tuple(order, order.counter)])


def get_order_status(hashed: str) -> bytes:
    return _call("getOrderStatus(bytes32)", [bytes.fromhex(hashed[2:])])


def get_counter(offerer: str) -> bytes:
    return _call("getCounter(address)", [offerer])


def decode_counter(raw: bytes) -> int:
    (counter,) = decode(["uint256"], raw)
    return int(counter)


def is_usable(raw: bytes) -> bool:
    """Whether an order of that status is neither cancelled nor filled, not even in part."""
    _, is_cancelled, filled, _ = decode(["bool", "bool", "uint256", "uint256"], raw)
    return not is_cancelled and not filled


def conduit_controller_creation(node_modules: Path) -> bytes:
    """The input that creates the controller which Seaport's constructor asks for."""
    return _bytecode(node_modules, "conduit/ConduitController.sol/LocalConduitController.json")


def creation(node_modules: Path, conduit_controller: str) -> bytes:
    """The input that creates Seaport 1.6 on a chain that has none."""
    code = _bytecode(node_modules, "Seaport.sol/Seaport.json")
    return code + encode(["address"], [conduit_controller])


def _bytecode(node_modules: Path, name: str) -> bytes:
    folder = node_modules / "@opensea/seaport-js/src/artifacts/seaport/contracts"
    return bytes.fromhex(json.loads((folder / name).read_text())["bytecode"][2:])


def _signable(order: Order, chain_id: int, seaport: str) -> SignableMessage:
    return encode_typed_data(full_message=typed_data(order, chain_id, seaport))


def _expand(compact: bytes) -> bytes:
    """65 bytes from EIP-2098's 64, in which v is the highest bit of s."""
    s = bytes([compact[32] & 0x7F]) + compact[33:]
    return compact[:32] + s + bytes([27 + (compact[32] >> 7)])


def _call(signature: str, arguments: list[Any]) -> bytes:
    kinds = _parameters(signature[signature.index("(") + 1 : -1])
    return keccak256(signature.encode())[:4] + encode(kinds, arguments)


def _parameters(inner: str) -> list[str]:
    """Parameter types, split at the commas that are in no brackets."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(inner[start:at])
            start = at + 1
    return [*found, inner[start:]] if inner else []


def _signed(order: Order, signature: str) -> tuple[Any, bytes]:
    raw = bytes.fromhex(signature.removeprefix("0x"))
    return _tuple(order, len(order.consideration)), raw


def _tuple(order: Order, last: int) -> tuple[Any, ...]:
    """OrderComponents with the counter last, or OrderParameters with the number of items asked."""
    return (
        order.offerer,
        order.zone,
        [_item_tuple(item) for item in order.offer],
        [(*_item_tuple(item), item.recipient) for item in order.consideration],
        order.order_type,
        order.start_time,
        order.end_time,
        order.zone_hash,
        order.salt,
        order.conduit_key,
        last,
    )


def _item_tuple(item: Item) -> tuple[Any, ...]:
    return (item.item_type, item.token, item.identifier, item.start_amount, item.end_amount)
