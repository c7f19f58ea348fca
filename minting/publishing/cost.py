"""What it costs to have files kept."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

GB = 10**9
SHOWN = Decimal("0.0001")


@dataclass(frozen=True)
class Price:
    """Amounts in ``currency``: for each GB (10^9 bytes) and month, and for each upload."""

    currency: str
    per_gb_month: Decimal = Decimal(0)
    per_upload: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        amounts = (self.per_gb_month, self.per_upload)
        if not all(amount.is_finite() and amount >= 0 for amount in amounts):
            raise ValueError("a price is a number from 0")
        if not self.currency:
            raise ValueError("a price needs its currency")

    def cost(self, n_bytes: int, months: int) -> Decimal:
        """For one upload of ``n_bytes``, kept for ``months``; exact, in the price's currency."""
        if n_bytes < 0 or months < 1:
            raise ValueError("bytes from 0, months from 1")
        return self.per_gb_month * n_bytes * months / GB + self.per_upload

    def __str__(self) -> str:
        said = []
        if self.per_gb_month:
            said.append(f"{self.per_gb_month} {self.currency} a GB and month")
        if self.per_upload:
            said.append(f"{self.per_upload} {self.currency} an upload")
        return ", ".join(said) or "free"


def shown(amount: Decimal) -> str:
    """An amount for people: four decimals, rounded up, so that nobody pays more than it says."""
    return f"{amount.quantize(SHOWN, ROUND_UP):f}"
