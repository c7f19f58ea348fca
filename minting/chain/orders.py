"""Orders of Seaport 1.6 as data, read strictly from JSON in the field names of EIP-712.

Source: Seaport's documentation (https://github.com/ProjectOpenSea/seaport, MIT),
docs/SeaportDocumentation.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from eth_utils.address import is_address, to_checksum_address

from minting.chain.logs import ZERO_ADDRESS

NATIVE, ERC20, ERC721, ERC1155 = range(4)
FULL_OPEN = 0
NO_WORD = b"\0" * 32


class OrderFormatError(ValueError):
    """Something is not an order's components; ``field`` is where it is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class Item:
    """Something offered (``recipient`` empty) or asked for."""

    item_type: int
    token: str
    identifier: int
    start_amount: int
    end_amount: int
    recipient: str = ""

    @property
    def is_token(self) -> bool:
        return self.item_type in (ERC721, ERC1155)


@dataclass(frozen=True)
class Order:
    """Seaport's OrderComponents."""

    offerer: str
    offer: tuple[Item, ...]
    consideration: tuple[Item, ...]
    start_time: int
    end_time: int
    salt: int
    counter: int
    zone: str = ZERO_ADDRESS
    order_type: int = FULL_OPEN
    zone_hash: bytes = NO_WORD
    conduit_key: bytes = NO_WORD

    @classmethod
    def from_json(cls, body: Any) -> Self:
        """An order in the field names of EIP-712, integers as numbers or text.

        Raises
        ------
        OrderFormatError
        """
        fields = _mapping(body, "order")
        return cls(
            offerer=_address(fields, "offerer"),
            offer=_items(fields, "offer"),
            consideration=_items(fields, "consideration"),
            start_time=_integer(fields, "startTime"),
            end_time=_integer(fields, "endTime"),
            salt=_integer(fields, "salt"),
            counter=_integer(fields, "counter"),
            zone=_address(fields, "zone"),
            order_type=_integer(fields, "orderType", 8),
            zone_hash=_word(fields, "zoneHash"),
            conduit_key=_word(fields, "conduitKey"),
        )

    def to_json(self) -> dict[str, Any]:
        """The same, integers as decimal text, since they exceed those of JSON."""
        return {
            "offerer": self.offerer,
            "zone": self.zone,
            "offer": [_item_json(item) for item in self.offer],
            "consideration": [
                _item_json(item) | {"recipient": item.recipient} for item in self.consideration
            ],
            "orderType": self.order_type,
            "startTime": str(self.start_time),
            "endTime": str(self.end_time),
            "zoneHash": "0x" + self.zone_hash.hex(),
            "salt": str(self.salt),
            "conduitKey": "0x" + self.conduit_key.hex(),
            "counter": str(self.counter),
        }


def listing(
    *,
    offerer: str,
    contract: str,
    token_id: int,
    payments: Sequence[tuple[str, int]],
    start_time: int,
    end_time: int,
    salt: int,
    counter: int,
) -> Order:
    """An order that sells one token for native currency, paid out as ``payments`` say."""
    return Order(
        offerer=offerer,
        offer=(Item(ERC721, contract, token_id, 1, 1),),
        consideration=tuple(
            Item(NATIVE, ZERO_ADDRESS, 0, amount, amount, recipient)
            for recipient, amount in payments
        ),
        start_time=start_time,
        end_time=end_time,
        salt=salt,
        counter=counter,
    )


def _item_json(item: Item) -> dict[str, Any]:
    return {
        "itemType": item.item_type,
        "token": item.token,
        "identifierOrCriteria": str(item.identifier),
        "startAmount": str(item.start_amount),
        "endAmount": str(item.end_amount),
    }


def _items(fields: Mapping[str, Any], name: str) -> tuple[Item, ...]:
    rows = fields.get(name)
    if not isinstance(rows, list):
        raise OrderFormatError(name, "not a list")
    return tuple(_item(row, f"{name}[{i}]", name == "consideration") for i, row in enumerate(rows))


def _item(row: Any, name: str, is_asked: bool) -> Item:
    fields = {f"{name}.{key}": value for key, value in _mapping(row, name).items()}
    return Item(
        item_type=_integer(fields, f"{name}.itemType", 8),
        token=_address(fields, f"{name}.token"),
        identifier=_integer(fields, f"{name}.identifierOrCriteria"),
        start_amount=_integer(fields, f"{name}.startAmount"),
        end_amount=_integer(fields, f"{name}.endAmount"),
        recipient=_address(fields, f"{name}.recipient") if is_asked else "",
    )


def _mapping(body: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise OrderFormatError(name, "not an object")
    return body


def _address(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str) or not found.startswith("0x") or not is_address(found):
        raise OrderFormatError(name, "not an address")
    return str(to_checksum_address(found))


def _integer(fields: Mapping[str, Any], name: str, bits: int = 256) -> int:
    """A whole number from a number, decimal text or 0x and hex, as wallets write them."""
    found = fields.get(name)
    if isinstance(found, str) and len(found) <= 80 and found.isascii():
        hexadecimal = found.startswith("0x") and found[2:].isalnum()
        if hexadecimal or found.isdigit():
            try:
                found = int(found, 16 if hexadecimal else 10)
            except ValueError:
                found = None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**bits:
        raise OrderFormatError(name, f"not a uint{bits}")
    return found


def _word(fields: Mapping[str, Any], name: str) -> bytes:
    found = fields.get(name)
    try:
        raw = bytes.fromhex(found.removeprefix("0x")) if isinstance(found, str) else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise OrderFormatError(name, "not 32 bytes in hex")
    return raw
