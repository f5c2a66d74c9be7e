"""Values as people read them, on the command line and on pages: sizes, lengths of time, rules, characters unseen."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insitu.domain.image_contents import ImageContents

UNSEEN = (
    "0-1F 7F-9F AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 2028-202E 2060-206F 2800 3164 D800-F8FF FDD0-FDEF "
    "FE00-FE0F FEFF FFA0 FFF0-FFFB FFFE-FFFF 13430-1343F 1BCA0-1BCA3 1D173-1D17A 1FFFE-1FFFF 2FFFE-2FFFF 3FFFE-3FFFF "
    "4FFFE-4FFFF 5FFFE-5FFFF 6FFFE-6FFFF 7FFFE-7FFFF 8FFFE-8FFFF 9FFFE-9FFFF AFFFE-AFFFF BFFFE-BFFFF CFFFE-CFFFF "
    "DFFFE-E0FFF EFFFE-10FFFF"
)
"""Ranges of characters that control, reorder or break text, or have no ink and no shape: with them one name can look
like another. The table is fixed, so that every language agrees whatever its Unicode. Vectors: ``unseen.json``."""
JOINING = "180B-180D 180F 200C-200D FE00-FE0F E0100-E01EF"
"""Of these, what changes how the character before looks or joins; between Latin letters it is only unseen."""


def _class(ranges: str) -> str:
    ends = (part.split("-") for part in ranges.split())
    return "".join("-".join(f"\\U{int(end, 16):08X}" for end in pair) for pair in ends)


_UNSEEN = re.compile(
    f"((?<=[^\\0-\\u05ff{_class(JOINING)}])[{_class(JOINING)}]|(?<=\\ufe0f)\\u200d)|[{_class(UNSEEN)}]"
)

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


def visible(text: str, keep: str = "") -> str:
    """Return text with the numbers of what cannot be seen in its place, except the characters in ``keep``."""

    def numbered(found: re.Match[str]) -> str:
        character = found[0]
        return character if found[1] or character in keep else character.encode("unicode_escape").decode("ascii")

    return _UNSEEN.sub(numbered, text)


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
