"""Documents: read from where a person says, and what a list tells of one."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.domain.ddo import Ddo

__all__ = ["LARGEST", "price_of_document", "published_at", "read_json"]

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


def price_of_document(ddo: "Ddo") -> int | None:
    """Return what an asset costs in base units: the cheapest compute service, else the asset; None if unreadable."""
    from insitu.domain.compute_service import read_compute_service
    from insitu.domain.money import parse_amount

    try:
        if ddo.compute_services:
            return min(read_compute_service(service).price for service in ddo.compute_services)
        return parse_amount(ddo.main.get("price", "0"))
    except InsituError:
        return None


def published_at(ddo: "Ddo") -> datetime | None:
    """Return when a document says that it was published; None if it does not, or not readably."""
    from insitu.domain.timestamps import is_document_time, parse_time

    told = ddo.main.get("datePublished") or ddo.created
    return parse_time(str(told)) if is_document_time(told) else None
