"""The terms of a sale's phases, as the contract packs them, and the price at a time."""

from dataclasses import dataclass
from enum import IntEnum

from eth_utils.address import to_checksum_address

MAX_PHASES = 16
PRICE_LIMIT_WEI = 2**96
TIME_LIMIT = 2**40


class PhaseKind(IntEnum):
    """Whom a phase sells to; the numbers are the contract's."""

    PUBLIC = 0
    LISTED = 1
    AUCTION = 2
    SIGNED = 3


class PhaseError(ValueError):
    """The terms of a phase contradict themselves."""


@dataclass(frozen=True)
class Phase:
    """One phase. Times are seconds since 1970, the end not included; prices are of one work.

    ``max_per_wallet`` 0 is no cap. ``terms`` is zero for a public phase, the Merkle root of an
    allow list, a signer's address, or how an auction's price falls (``falling``).
    """

    kind: PhaseKind
    price_wei: int
    start: int
    end: int
    max_per_transaction: int
    max_per_wallet: int = 0
    terms: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.price_wei < PRICE_LIMIT_WEI:
            raise PhaseError(f"price {self.price_wei} is not in 0..2^96 - 1 wei")
        if not 0 <= self.start < self.end < TIME_LIMIT:
            raise PhaseError("a phase ends after it starts")
        if not 1 <= self.max_per_transaction < 2**16 or not 0 <= self.max_per_wallet < 2**16:
            raise PhaseError("a transaction has 1..65535 works, a wallet's cap is 0..65535")
        if (self.kind == PhaseKind.PUBLIC) != (self.terms == 0) or not 0 <= self.terms < 2**256:
            raise PhaseError("only a public phase has no list, signer or falling price")
        if self.kind == PhaseKind.SIGNED and self.terms >= 2**160:
            raise PhaseError("the signer is not an address")
        if self.kind == PhaseKind.AUCTION:
            self._check_auction()

    def _check_auction(self) -> None:
        if self.floor_wei > self.price_wei:
            raise PhaseError("an auction ends below the price it starts at")
        if not self.every_s or self.terms >> 224:
            raise PhaseError("an auction's price falls every so many seconds")

    @property
    def is_for_everybody(self) -> bool:
        """Whether a wallet needs nothing but the price."""
        return self.kind in (PhaseKind.PUBLIC, PhaseKind.AUCTION)

    @property
    def floor_wei(self) -> int:
        """The lowest price of an auction."""
        return self.terms >> 128 & PRICE_LIMIT_WEI - 1

    @property
    def fall_wei(self) -> int:
        """How far an auction's price falls at a time."""
        return self.terms >> 32 & PRICE_LIMIT_WEI - 1

    @property
    def every_s(self) -> int:
        """How often an auction's price falls, in seconds."""
        return self.terms & 2**32 - 1

    @property
    def signer(self) -> str:
        return str(to_checksum_address(self.terms.to_bytes(20)))

    def price_at(self, time: int) -> int:
        """What one work costs at a time; of a list the price that its leaves may change."""
        if self.kind != PhaseKind.AUCTION or time <= self.start:
            return self.price_wei
        fallen = (time - self.start) // self.every_s * self.fall_wei
        return max(self.price_wei - fallen, self.floor_wei)

    def words(self) -> tuple[int, int, int, int, int, int, bytes]:
        """The struct in the order of the contract."""
        return (
            self.price_wei,
            self.start,
            self.end,
            self.max_per_transaction,
            self.max_per_wallet,
            int(self.kind),
            self.terms.to_bytes(32),
        )


def unpack(words: tuple[int, int, int, int, int, int, bytes]) -> Phase:
    """A phase from the contract's struct."""
    price_wei, start, end, per_transaction, per_wallet, kind, terms = words
    return Phase(
        kind=PhaseKind(kind),
        price_wei=price_wei,
        start=start,
        end=end,
        max_per_transaction=per_transaction,
        max_per_wallet=per_wallet,
        terms=int.from_bytes(terms),
    )


def falling(*, floor_wei: int, fall_wei: int, every_s: int) -> int:
    """``terms`` of an auction: floor and fall of 96 bits each, seconds of 32."""
    if not (0 <= floor_wei < PRICE_LIMIT_WEI and 0 < fall_wei < PRICE_LIMIT_WEI):
        raise PhaseError("floor and fall are amounts below 2^96 wei, the fall above 0")
    if not 0 < every_s < 2**32:
        raise PhaseError("a price falls every 1..2^32 - 1 seconds")
    return floor_wei << 128 | fall_wei << 32 | every_s
