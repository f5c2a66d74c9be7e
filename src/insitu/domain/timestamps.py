"""Times in documents: UTC, RFC 3339, whole seconds, ``Z`` (``2019-04-09T19:02:11Z``)."""

import re
from datetime import UTC, datetime

from insitu.domain.errors import InsituError

_DOCUMENT_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


def format_time(moment: datetime) -> str:
    """Write a moment as documents do, without fractions of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Read a moment from a document.

    Raises ``InvalidDocument`` if it is not UTC with ``Z`` and whole seconds, or if there is no such moment.
    """
    if not _DOCUMENT_TIME.fullmatch(text):
        raise InsituError("InvalidDocument", f"{text[:60]!r} is not a time like 2019-04-09T19:02:11Z")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InsituError("InvalidDocument", f"{text!r} is not a date and time that exists") from None


def is_document_time(text: object) -> bool:
    """Return whether ``text`` is a time as documents write it."""
    if not isinstance(text, str):
        return False
    try:
        parse_time(text)
    except InsituError:
        return False
    return True
