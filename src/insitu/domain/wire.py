"""The form in which values cross a boundary: frozen models, ``snake_case`` in Python and ``camelCase`` in JSON."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from insitu.domain.amount import Amount as TokenAmount
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.signatures import MAX_SIGNATURE


def first_problem(error: ValidationError, between: str = "/") -> str:
    """Return the place and the message of the first of a model's problems."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{between.join(map(str, first['loc']))}: {first['msg']}"


def rfc3339(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC with milliseconds and ``Z``."""
    from datetime import UTC

    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


Time = Annotated[AwareDatetime, PlainSerializer(rfc3339, when_used="json")]
"""An aware time; in JSON it is RFC 3339 in UTC with milliseconds."""


def _digits(value: object) -> object:
    """Read an amount: an integer, or a string of decimal digits. Floats never touch money."""
    if isinstance(value, bool | float):
        # Pydantic turns a ValueError into a problem with a pointer; a TypeError would escape.
        raise ValueError("an amount is a string of digits, in base units of the token")  # noqa: TRY004
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdigit() and len(value) <= 78):
        raise ValueError("an amount is a string of digits, in base units of the token")
    return int(value)


Amount = Annotated[
    int,
    BeforeValidator(_digits),
    Field(ge=0, lt=2**256),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,78}$"}),
]
"""An amount in base units of the token: an integer, in JSON a string of digits."""

AccountSignature = Annotated[
    str, Field(pattern=r"^0x(?:[0-9a-fA-F]{2})+$", min_length=2 + 2 * 65, max_length=2 + 2 * MAX_SIGNATURE)
]
"""0x and hexadecimal digits: the signature of any account, also of a contract (ERC-1271), 65 to 4,096 bytes."""


def _price(value: object) -> TokenAmount:
    number = value.base_units if isinstance(value, TokenAmount) else _digits(value)
    if not isinstance(number, int) or not 0 <= number < 2**256:
        raise ValueError("an amount is a string of digits, in base units of the token")
    return value if isinstance(value, TokenAmount) else TokenAmount.from_base_units(number)


Price = Annotated[
    TokenAmount,
    PlainValidator(_price),
    PlainSerializer(lambda amount: str(amount.base_units), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
"""An amount that people see: in Python it knows its unit, in JSON it is the same string of digits."""


def _account(value: str) -> Address:
    try:
        return read_address(value)
    except InsituError as error:
        raise ValueError(error.detail) from None


Account = Annotated[Address, AfterValidator(_account)]
"""An account's address in a request, in any case; it becomes EIP-55."""


def _bytes32(value: object) -> object:
    """Read 0x and 64 hexadecimal digits."""
    if isinstance(value, str) and re.fullmatch("0x[0-9a-fA-F]{64}", value, re.ASCII):
        return bytes.fromhex(value[2:])
    if isinstance(value, bytes) and len(value) == 32:
        return value
    raise ValueError("32 bytes are 0x and 64 hexadecimal digits")


Bytes32 = Annotated[
    bytes,
    PlainValidator(_bytes32),
    PlainSerializer(lambda value: "0x" + value.hex(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
]
"""32 bytes; in JSON 0x and 64 hexadecimal digits."""


class WireModel(BaseModel):
    """A frozen value with a JSON form. Unknown members are ignored, so that a newer server's answer can be read."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
    )


class WireRequest(WireModel):
    """A request. Unknown members are refused, so that a misspelt one is reported and not silently dropped."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _has_utf8_form(cls, value: object) -> object:
        r"""Refuse text like ``"\ud800"``, which JSON can express but nothing can store, hash or answer."""
        pending = [value]
        while pending:
            part = pending.pop()
            if isinstance(part, str):
                part.encode("utf-8")
            elif isinstance(part, Mapping):
                pending += [*part.keys(), *part.values()]
            elif isinstance(part, list | tuple):
                pending += part
        return value
