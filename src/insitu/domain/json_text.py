"""Reading JSON text that every reader understands in the same way (RFC 7493, I-JSON)."""

import json
import math
from typing import NoReturn

from insitu.domain.canonical import JsonObject, JsonValue, plain_json
from insitu.domain.errors import InsituError


def read_json(text: str | bytes) -> JsonValue:
    """Read JSON text strictly.

    Of two members with one name some readers take the first and others the last, so one document could say two things.

    Raises ``ValueError`` or ``RecursionError`` if the text is not JSON, and ``InvalidDocument`` if it has two members
    with one name, a number that is not finite, a lone surrogate, or more than ``canonical.MAX_DEPTH`` levels.
    """
    return plain_json(json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_number, parse_float=_finite))


def _object(members: list[tuple[str, JsonValue]]) -> JsonObject:
    found: JsonObject = {}
    for name, value in members:
        if name in found:
            raise InsituError("InvalidDocument", f"an object names the member {name[:80]!a} twice")
        found[name] = value
    return found


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _refuse_number(text)


def _refuse_number(text: str) -> NoReturn:
    raise InsituError("InvalidDocument", f"{text[:20]} is not a finite JSON number")
