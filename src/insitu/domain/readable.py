"""Values as people read them, on the command line and on pages: sizes, lengths of time, rules, characters unseen."""

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insitu.domain.image_contents import ImageContents

UNSEEN = frozenset("\u200e\u200f\u061c\u2028\u2029\ufeff") | {
    chr(code) for start, end in ((0x202A, 0x202E), (0x2066, 0x2069)) for code in range(start, end + 1)
}
"""Marks that change the direction of text or break lines: they can make a file name look like another."""


SAID: Mapping[str, str] = {
    "none": "only the workflow that was bought runs",
    "untilSuccess": "the consumer may correct the workflow until an execution succeeds",
    "always": "the consumer may change the workflow at any time",
    "charged": "the price is due at the end, even if nothing succeeded",
    "free": "an agreement under which nothing succeeded costs nothing",
    "newest": "each execution reads the newest files",
    "pinned": "each execution reads the files that were bought, and ends if one of them has changed",
}
"""What the value of a rule means: of revisions, failures and data."""


def visible(character: str) -> str:
    """Return a character, or its number if it is a control character or a mark that reorders text."""
    if character in UNSEEN or unicodedata.category(character) in {"Cc", "Cs"}:
        return character.encode("unicode_escape").decode("ascii")
    return character


def duration(seconds: float) -> str:
    """Return a length of time in at most two units: ``850 ms``, ``12 s``, ``3 min 20 s``, ``2 h``, ``5 days``."""
    if seconds < 1:
        return f"{max(round(seconds * 1000), 0)} ms"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 and whole != seconds else f"{whole} s"
    if whole < 3600:
        return _two(whole, 60, "min", "s")
    if whole < 2 * 86400:
        return _two(whole // 60, 60, "h", "min")
    return f"{whole // 86400} days"


def _two(value: int, factor: int, large: str, small: str) -> str:
    whole, rest = divmod(value, factor)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def size(number: int) -> str:
    """Return a number of bytes for people, in powers of 1000: ``12.3 MB``."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.95 or unit == "PB":
            return f"{value:.1f} {unit}"
    raise AssertionError("unreachable: the last unit returns")


def contents_line(found: "ImageContents") -> str:
    """Say what is in an image: what can start algorithms, and which Python modules they can import."""
    parts = [f"Python {found.python}"] if found.python else []
    parts += [name for name in found.programs if not name.startswith("python")]
    parts += [f"{len(found.modules)} modules: {' '.join(found.modules)}"] if found.modules else []
    return ", ".join(parts) or "nothing that can start an algorithm"
