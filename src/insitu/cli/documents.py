"""Documents: reading them from a file, and describing them in a line."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.cli.render import name_of
from insitu.domain.errors import InsituError
from insitu.domain.json_text import read_json as read_text

if TYPE_CHECKING:
    from insitu.domain.ddo import Ddo
    from insitu.domain.document_verification import Verification

LARGEST = 16 * 1024 * 1024
"""The most bytes of a document that are read; real ones have a few kilobytes."""


def read_json(source: str) -> Any:
    """Return the JSON of a file, or of standard input for ``-``.

    Raises ``FileMissing``, and ``InvalidDocument`` with the line if the file is not JSON.
    """
    try:
        raw = sys.stdin.buffer.read(LARGEST + 1) if source == "-" else _read(Path(source))
    except FileNotFoundError:
        raise InsituError("FileMissing", f"there is no file {source}") from None
    if len(raw) > LARGEST:
        raise InsituError("InvalidDocument", f"{source} is larger than {LARGEST} bytes")
    try:
        return read_text(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InsituError("InvalidDocument", f"{source} is not JSON: {error.msg} in {where}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InsituError("InvalidDocument", f"{source} is not JSON: {error}") from None


def read_object(source: str) -> dict[str, Any]:
    """Return the JSON object of a file. Raises like :func:`read_json`, and ``InvalidDocument`` for any other value."""
    found = read_json(source)
    if not isinstance(found, dict):
        raise InsituError("InvalidDocument", f"{source} does not contain a JSON object")
    return found


def introduce(ddo: "Ddo") -> str:
    """Say in a line what a document is, however old its format: type, name, DID, date, software."""
    from insitu.domain.document_verification import verify_document

    try:
        software = f", written by {written_by(verify_document(ddo))}"
    except InsituError:
        software = ""  # it is not signed, or it has no DID
    name = ddo.main.get("name")
    named = f" {name_of(name)}" if isinstance(name, str) and name else ""
    dated = f", created {name_of(ddo.created)}" if ddo.created else ""
    return f"{name_of(ddo.asset_type, 'document')}{named}, {name_of(ddo.id or '', 'without a DID')}{dated}{software}"


def written_by(found: "Verification") -> str:
    """Name the software that wrote a document, as far as the document shows it."""
    return " or ".join(found.written_by) or "unknown software"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def published_at(ddo: "Ddo") -> datetime | None:
    """Return when the document says that it was published; None if it does not say, or not readably."""
    from insitu.domain.timestamps import is_document_time, parse_time

    published = ddo.main.get("datePublished") or ddo.created
    return parse_time(str(published)) if is_document_time(published) else None
