"""Integers that are too large for a database's own, as text."""

from typing import Any

from django.db import models

WEI_DIGITS = 78
AMOUNT_DIGITS = 79


class WideField(models.CharField[int, int]):
    """A whole number as text.

    A uint256 fits no integer of a database, and SQLite turns decimals above 2^63 into doubles.
    """

    digits: int

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"max_length": self.digits})

    def deconstruct(self) -> Any:
        name, path, positional, options = super().deconstruct()
        del options["max_length"]
        return name, path, positional, options

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else self.written(int(value))

    def written(self, value: int) -> str:
        """The number as it is stored; ValueError if it is out of range."""
        raise NotImplementedError


class WeiField(WideField):
    """An amount in wei, as 78 digits of text that sort like numbers."""

    digits = WEI_DIGITS

    def written(self, value: int) -> str:
        if not 0 <= value < 2**256:
            raise ValueError(f"{value} is not a uint256")
        return f"{value:0{WEI_DIGITS}d}"


class AmountField(WideField):
    """An integer of 256 bits with its sign, as text; it does not sort like numbers."""

    digits = AMOUNT_DIGITS

    def written(self, value: int) -> str:
        if abs(value) >= 2**256:
            raise ValueError(f"{value} has more than 256 bits")
        return str(value)
