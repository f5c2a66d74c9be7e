"""Values as text for people: amounts, times, sizes, tables, and text that others wrote.

Nothing here prints or looks at a terminal, so everything can be tested as a value.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from insitu.domain.readable import visible

_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window titles, hyperlinks, clipboard
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC: strings for the terminal
    r"|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"  # short sequences: character sets, reset
)


def plain(text: str, *, keep_lines: bool = False) -> str:
    """Return other people's text without anything that a terminal would obey.

    Complete escape sequences are removed; other control characters, and marks that reorder text, are shown by number.
    Tabs stay; with ``keep_lines`` line feeds stay as well, and a carriage return becomes a line feed.
    """
    text = _SEQUENCES.sub("", text)
    if keep_lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "\t\n" if keep_lines else "\t"
    return visible(text, kept)


def lines(text: str) -> list[str]:
    """Return the lines of untrusted text, safe to print."""
    return plain(text, keep_lines=True).rstrip("\n").split("\n")


def width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"F", "W"} else 1


def cut(text: str, columns: int) -> str:
    """Return a text cut to a number of columns, with ``…`` where something is missing."""
    if width(text) <= columns:
        return text
    kept, used = "", 1
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept += character
    return kept + "…"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, columns: int | None = None) -> list[str]:
    """Return aligned lines, the headings first.

    Parameters
    ----------
    rows
        Cells, made :func:`plain` here, because most of them come from others.
    columns
        The width of the terminal: the first column is cut so that the others fit. None cuts nothing.
    """
    cells = [list(headings), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    if columns is not None:
        rest = sum(widths[1:]) + 2 * (len(widths) - 1)
        widths[0] = min(widths[0], max(columns - rest, 12))
    return [_row(row, widths) for row in cells]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [cut(cell, wide) for cell, wide in zip(row, widths, strict=True)]
    return "  ".join(cell + " " * (wide - width(cell)) for cell, wide in zip(fitted, widths, strict=True)).rstrip()


def ago(then: datetime, now: datetime) -> str:
    """Return a time as people say it: ``3 min ago``, ``in 2 h``; the date if it is more than 30 days away."""
    distance = now - then
    if abs(distance) > timedelta(days=30):
        return then.astimezone(UTC).strftime("%Y-%m-%d")
    if abs(distance) < timedelta(seconds=2):
        return "now"
    rough = _rough(abs(distance).total_seconds())
    return f"{rough} ago" if distance > timedelta() else f"in {rough}"


def _rough(seconds: float) -> str:
    for unit, size_of_unit in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size_of_unit * (2 if unit == "days" else 1):
            return f"{int(seconds // size_of_unit)} {unit}"
    return f"{int(seconds)} s"


def moment(then: datetime, now: datetime) -> str:
    """Return a time in UTC and how far away it is: ``2026-01-31 03:00:00 UTC (in 2 h)``."""
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({ago(then, now)})"


def name_of(text: str, fallback: str = "–") -> str:
    """Return a name that others chose, on one line, or ``fallback`` if it is empty."""
    return plain(text).strip() or fallback
