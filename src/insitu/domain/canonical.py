"""Canonical JSON (RFC 8785), and the three hashes that the system uses.

* SHA3-256 over canonical JSON: checksums of documents (METADATA specification).
* Keccak-256: everything that a contract computes (DIDs, condition keys, EIP-712).
* SHA-256: receipts, files, images.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import rfc8785
from Crypto.Hash import keccak

from insitu.domain.errors import InsituError

JsonValue: TypeAlias = Any
"""Anything that ``json.loads`` gives: None, bool, int, float, str, list, dict with str keys."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""

MAX_DEPTH = 64
"""The deepest nesting that a document may have; real DDOs stay below 12."""

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest number that every JSON reader represents exactly (RFC 7493)."""


def plain_json(value: object, pointer: str = "") -> JsonValue:
    """Copy ``value`` and check that it is JSON: finite numbers, string keys, valid Unicode, not too deep.

    Tuples become lists and mappings become dicts, so the copy shares nothing with the argument.

    Raises ``InvalidDocument`` with the JSON pointer of the first part that is not JSON.
    """
    return _copy(value, pointer, 0)


def _copy(value: object, pointer: str, depth: int) -> JsonValue:
    if depth > MAX_DEPTH:
        raise InsituError("InvalidDocument", f"nested deeper than {MAX_DEPTH} levels", pointer=pointer)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _writable(value, pointer)
    if isinstance(value, str):
        return _valid_text(value, pointer)
    if isinstance(value, float):
        return _finite(value, pointer)
    if isinstance(value, Mapping):
        copied: JsonObject = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise InsituError("InvalidDocument", "an object has a key that is not text", pointer=pointer)
            _valid_text(key, pointer)
            copied[key] = _copy(member, f"{pointer}/{escape_pointer(key)}", depth + 1)
        return copied
    if isinstance(value, list | tuple):
        return [_copy(item, f"{pointer}/{i}", depth + 1) for i, item in enumerate(value)]
    raise InsituError("InvalidDocument", f"{type(value).__name__} is not a JSON type", pointer=pointer)


def _valid_text(text: str, pointer: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InsituError("InvalidDocument", "text with a lone surrogate", pointer=pointer) from None
    return text


def _writable(number: int, pointer: str) -> int:
    # Python refuses to write integers of more than 4300 digits, and readers refuse much smaller ones.
    if number.bit_length() > 1024:
        raise InsituError("InvalidDocument", "a number of more than 1024 bits", pointer=pointer)
    return number


def _finite(number: float, pointer: str) -> float:
    if not math.isfinite(number):
        raise InsituError("InvalidDocument", f"{number} is not a JSON number", pointer=pointer)
    return number


def escape_pointer(segment: str) -> str:
    """Escape one segment of a JSON pointer (RFC 6901, section 3)."""
    return segment.replace("~", "~0").replace("/", "~1")


def canonical_json(value: object) -> bytes:
    """Return the canonical UTF-8 form of a JSON value (RFC 8785).

    Numbers beyond ±(2^53 - 1) are refused, because readers disagree about them; write such amounts as strings.

    Raises ``InvalidDocument`` if the value is not JSON or holds such a number.
    """
    plain = plain_json(value)
    _check_numbers(plain, "")
    return rfc8785.dumps(plain)


def _check_numbers(value: JsonValue, pointer: str) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _check_numbers(member, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _check_numbers(item, f"{pointer}/{i}")
    elif isinstance(value, int | float) and abs(value) > MAX_SAFE_INTEGER:
        raise InsituError("InvalidDocument", "a number beyond 2^53 - 1: write it as a string", pointer=pointer)


def sha3_256(data: bytes) -> bytes:
    """Return the SHA3-256 (FIPS 202), 32 bytes. Not Keccak-256."""
    return hashlib.sha3_256(data).digest()


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 as Ethereum uses it, 32 bytes. Not SHA3-256."""
    return keccak.new(digest_bits=256, data=data).digest()


def sha256(data: bytes) -> bytes:
    """Return the SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 as 64 lower-case hex characters."""
    return hashlib.sha256(data).hexdigest()


def checksum(value: object) -> str:
    """Return the SHA3-256 of the canonical JSON of ``value``: 64 lower-case hex characters without 0x.

    Raises ``InvalidDocument`` if the value has no canonical form.
    """
    return sha3_256(canonical_json(value)).hex()
