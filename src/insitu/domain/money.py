"""Money: integers in base units of the token. No float ever touches an amount, and decimals are only for display."""

import re
from decimal import Decimal, InvalidOperation, localcontext
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from insitu.domain.errors import InsituError

MAX_AMOUNT = 2**128 - 1
"""The largest total that the escrow holds for one agreement (uint128)."""

_DIGITS = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)


def parse_amount(value: object) -> int:
    """Read an amount as documents write it: a string of decimal digits in base units, or a JSON integer.

    Raises ``InvalidAmount`` for a sign, point, exponent, leading zero, blank, bool, float, or more than 2^128 - 1.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _require_in_range(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return _require_in_range(int(value))
    raise InsituError("InvalidAmount", f"{_show(value)} is not a decimal integer of base units")


def _require_in_range(amount: int) -> int:
    if not 0 <= amount <= MAX_AMOUNT:
        raise InsituError("InvalidAmount", f"{_show(amount)} is not between 0 and 2^128 - 1")
    return amount


def _show(value: object) -> str:
    # Python itself refuses to write thousands of digits, hence the bit length.
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
"""An amount in base units in a pydantic model: ``int`` in Python, a string of digits in JSON."""


def display_amount(amount: int, decimals: int, symbol: str = "") -> str:
    """Write base units for people: ``1500000000000000000`` with 18 decimals is ``1.5``. Exact, never rounded.

    ``decimals`` are the token's, 0 to 77. Its ``symbol`` is appended after a space.
    """
    with localcontext() as context:
        context.prec = 200
        shown = format(Decimal(amount).scaleb(-decimals), "f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return f"{shown} {symbol}" if symbol else shown


def amount_of_display(text: str, decimals: int) -> int:
    """Return the base units of a decimal number typed by a person, e.g. ``1.5`` with 18 decimals.

    Raises ``InvalidAmount`` if it is not a number, negative, or finer than the token's base unit.
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
        return _require_in_range(int(scaled))
