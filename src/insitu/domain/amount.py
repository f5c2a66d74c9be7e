"""An amount of the payment token for Python programs: it knows its unit, and no float touches it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self, TypeAlias

from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.money import amount_of_display, display_amount

BASE_UNITS = "base units"
MOST_TOKENS = 10**15
"""A larger integer probably means base units, in a program older than this class."""


@dataclass(frozen=True, slots=True, order=True, init=False)
class Amount:
    """``Amount("10.5")`` is ten and a half tokens; ``Amount.from_base_units(1)`` is the token's smallest unit.

    Amounts compare only with amounts, and zero is false. Raises ``InvalidAmount`` for a float, a negative number, more
    decimals than the token has, or more than 2^128 - 1.

    Attributes
    ----------
    base_units
        What documents, signatures and contracts use.
    decimals, symbol
        For display: how many base units a token has (a power of ten), and its name. 18 and NVM are those of the
        Nevermined token; 0 if only base units are known.
    """

    base_units: int
    decimals: int = field(compare=False)
    symbol: str = field(compare=False)

    def __init__(self, tokens: str | int | Decimal, *, decimals: int = 18, symbol: str = "NVM") -> None:
        _fill(self, amount_of_display(_decimal_text(tokens), decimals), decimals, symbol)

    @classmethod
    def from_base_units(cls, number: int, *, decimals: int = 0, symbol: str = BASE_UNITS) -> Self:
        """Return an amount of base units, as in documents and contracts. Raises ``InvalidAmount`` beyond uint256."""
        if not 0 <= number < 2**256:
            raise InsituError("InvalidAmount", "base units are an integer from 0 to 2^256 - 1")
        amount = cls.__new__(cls)
        _fill(amount, number, decimals, symbol)
        return amount

    @classmethod
    def read(cls, value: "AmountLike", *, decimals: int, symbol: str) -> Self:
        """Return the amount a caller means, in a token with so many decimals. Text and numbers mean whole tokens.

        Raises ``InvalidAmount``.
        """
        if not isinstance(value, Amount):
            return cls(value, decimals=decimals, symbol=symbol)
        if value.decimals not in {0, decimals}:
            raise InsituError("InvalidAmount", f"{value} has {value.decimals} decimals, but the token has {decimals}")
        return cls.from_base_units(value.base_units, decimals=decimals, symbol=symbol)

    def __bool__(self) -> bool:
        return self.base_units != 0

    @override
    def __str__(self) -> str:
        return display_amount(self.base_units, self.decimals, self.symbol)


AmountLike: TypeAlias = Amount | str | int | Decimal
"""What the SDK accepts as an amount: whole tokens (``"10.5"``, ``10``, ``Decimal("10.5")``), or an Amount."""


def _fill(amount: Amount, base_units: int, decimals: int, symbol: str) -> None:
    for name, value in (("base_units", base_units), ("decimals", decimals), ("symbol", symbol)):
        object.__setattr__(amount, name, value)


def _decimal_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST_TOKENS:
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 60:
        return format(value, "f")
    if isinstance(value, float):
        raise InsituError("InvalidAmount", f"{value} is a float, which is never exact: write {str(value)!r}")
    if isinstance(value, int) and not isinstance(value, bool):
        raise InsituError("InvalidAmount", "that is too many tokens; for base units use Amount.from_base_units(number)")
    raise InsituError("InvalidAmount", f"{ascii(value)[:60]} is not an amount")
