"""Quantities of infrastructure: cores, graphics processors, bytes. Exact integers without floats.

``kb mb gb tb`` are powers of 1000, ``kib mib gib tib`` powers of 1024; a bare number is bytes.
"""

import re

from insitu.domain.errors import InsituError

MAX_BYTES = 2**63 - 1
"""The largest size: larger ones fit neither a file system nor a database column."""

MAX_MILLICORES = 1_000_000_000

_FACTORS: dict[str, int] = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgtp", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtp", start=1)},
}
_SIZE = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,9}))? ?([a-z]{0,3})", re.ASCII)
_CORES = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,3}))?", re.ASCII)


def parse_bytes(value: object) -> int:
    """Read a size in bytes: ``128gb``, ``512MiB``, ``1.5gb``, ``1024``.

    Raises ``InvalidQuantity`` if it is not a number, has an unknown unit or a fraction of a byte, or exceeds 2^63 - 1.
    """
    match = _SIZE.fullmatch(_text(value).lower())
    if match is None or match[3] not in _FACTORS:
        raise InsituError("InvalidQuantity", f"{_shown(value)} is not a size like 8gb or 512mib")
    whole, fraction, unit = match[1], match[2] or "", match[3]
    scaled = int(whole + fraction) * _FACTORS[unit]
    scale: int = 10 ** len(fraction)
    size, rest = divmod(scaled, scale)
    if rest:
        raise InsituError("InvalidQuantity", f"{_shown(value)} is not a whole number of bytes")
    if size > MAX_BYTES:
        raise InsituError("InvalidQuantity", f"{_shown(value)} is beyond 2^63 - 1 bytes")
    return size


def parse_cores(value: object) -> int:
    """Read a number of cores in thousandths: ``2`` is 2000, ``0.5`` is 500.

    Raises ``InvalidQuantity`` if it is not a number, finer than a thousandth, or too large.
    """
    match = _CORES.fullmatch(_text(value))
    if match is None:
        raise InsituError("InvalidQuantity", f"{_shown(value)} is not a number of cores like 2 or 0.5")
    thousandths = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))
    if thousandths > MAX_MILLICORES:
        raise InsituError("InvalidQuantity", f"{_shown(value)} is too many cores")
    return thousandths


def parse_count(value: object) -> int:
    """Read a whole number of things, e.g. graphics processors: ``0``, ``4``. Raises ``InvalidQuantity``."""
    text = _text(value)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise InsituError("InvalidQuantity", f"{_shown(value)} is not a whole number")
    return int(text)


def format_bytes(size: int) -> str:
    """Write a size for a document, exact and as short as possible: ``8gb``, ``512mib``, ``1025b``."""
    for unit in ("pb", "pib", "tb", "tib", "gb", "gib", "mb", "mib", "kb", "kib"):
        if size and size % _FACTORS[unit] == 0:
            return f"{size // _FACTORS[unit]}{unit}"
    return f"{size}b"


def format_cores(thousandths: int) -> str:
    """Write a number of cores for a document, exactly: 2000 is ``2``, 500 is ``0.5``."""
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
        return str(value)
    return value if isinstance(value, str) else ""


def _shown(value: object) -> str:
    return repr(value)[:60] if not isinstance(value, int) else "the number"
