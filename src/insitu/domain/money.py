"""Money: integers in base units of the token. No float ever touches an amount; decimals are for display only."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation, localcontext
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from insitu.domain.errors import InsituError

MAX_AMOUNT = 2**128 - 1
"""The largest total that the escrow holds for one agreement (uint128)."""

_DIGITS = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)


def parse_amount(value: object) -> int:
    """An amount as documents write it: a string of decimal digits in base units; a JSON integer is understood too.

    Raises:
        InsituError: `InvalidAmount`: sign, point, exponent, leading zero, blank, bool, float, or beyond 2^128 - 1.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _in_range(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return _in_range(int(value))
    raise InsituError("InvalidAmount", f"{_shown(value)} is not a decimal integer of base units")


def _in_range(amount: int) -> int:
    if not 0 <= amount <= MAX_AMOUNT:
        raise InsituError("InvalidAmount", f"{_shown(amount)} is not between 0 and 2^128 - 1")
    return amount


def _shown(value: object) -> str:
    # int() of thousands of digits to text is refused by Python itself, hence the bit length.
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 256 bits"
    return repr(value)[:60]


def _amount_field(value: object) -> int:
    try:
        return parse_amount(value)
    except InsituError as error:
        raise ValueError(error.detail) from None


DocumentAmount = Annotated[
    int,
    BeforeValidator(_amount_field),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,38})$", "examples": ["10"]}),
]
"""An amount in base units in a pydantic model: `int` in Python, a string of digits in JSON."""


def display_amount(amount: int, decimals: int, symbol: str = "") -> str:
    """An amount for people: `1500000000000000000` with 18 decimals is `1.5`. Exact, never rounded.

    Args:
        amount: base units.
        decimals: of the token, 0 to 77.
        symbol: of the token, appended after a space.
    """
    with localcontext() as context:
        context.prec = 200
        shown = format(Decimal(amount).scaleb(-decimals), "f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return f"{shown} {symbol}" if symbol else shown


def amount_of_display(text: str, decimals: int) -> int:
    """The base units of a decimal number that a person typed, e.g. `1.5` with 18 decimals.

    Raises:
        InsituError: `InvalidAmount`, if it is not a number, negative, or finer than the token's base unit.
    """
    if not re.fullmatch(r"[0-9]{1,60}(\.[0-9]{1,60})?", text, re.ASCII):
        raise InsituError("InvalidAmount", f"{text[:60]!r} is not a decimal number")
    with localcontext() as context:
        context.prec = 200
        try:
            scaled = Decimal(text).scaleb(decimals)
        except InvalidOperation:
            raise InsituError("InvalidAmount", f"{text[:60]!r} is not a decimal number") from None
        if scaled != scaled.to_integral_value():
            raise InsituError("InvalidAmount", f"{text[:60]!r} has more than {decimals} decimals")
        return _in_range(int(scaled))
