"""Reading documents that a person names on the command line."""

import json
import sys
from pathlib import Path
from typing import Any

from insitu.domain.errors import InsituError

__all__ = ["LARGEST", "read_json"]

LARGEST = 16 * 1024 * 1024
"""Bytes of a document that is read; real ones have some kilobytes."""


def read_json(source: str) -> Any:
    """Return the JSON of a file, or of standard input for ``-``.

    Raises ``NotFound`` where there is no such file, ``InvalidDocument`` where it is no JSON, with the line.
    """
    try:
        raw = sys.stdin.buffer.read(LARGEST + 1) if source == "-" else _read(Path(source))
    except FileNotFoundError:
        raise InsituError("NotFound", f"there is no file {source}") from None
    if len(raw) > LARGEST:
        raise InsituError("InvalidDocument", f"{source} is larger than {LARGEST} bytes")
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InsituError("InvalidDocument", f"{source} is no JSON: {error.msg} in {where}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InsituError("InvalidDocument", f"{source} is no JSON: {error}") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
