"""Text that strangers wrote: shown as what it is, short enough, and never as markup.

Jinja escapes it; this makes visible what escaping leaves, and turns Markdown into the few elements of a description.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from insitu.domain.readable import visible

MOST = 10_000
"""Characters of a description that are shown."""
LINE = 300
"""Characters of anything else."""
NAME = 120
NAMELESS = "without a name"
COMBINING = 4
"""Marks on one letter that are shown: more of them climb over the lines above."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
"""Letters without ink."""
_JOINERS = "\u200c\u200d"
"""They change how letters of some scripts and emoji join; between Latin letters they are only unseen."""
_LINES = "\n\t"
_WITHOUT_LINES = str.maketrans("", "", _LINES)
_ELEMENTS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_SCHEMES = {"http", "https"}


def shown(text: object, limit: int = LINE, *, lines: bool = False) -> str:
    """Return text with its unseen characters by number, cut; with ``lines`` it keeps line feeds and tabs."""
    whole = text if isinstance(text, str) else "" if text is None else str(text)
    cut = whole[: limit + 1]
    if not lines:
        cut = " ".join(cut.split())
    cut = cut.replace("\r\n", "\n")
    is_plain = cut.isascii() and (cut.translate(_WITHOUT_LINES) if lines else cut).isprintable()
    cleaned = cut if is_plain else "".join(_visible(cut, lines=lines))
    return cleaned if len(cleaned) <= limit else cleaned[:limit].rstrip() + "…"


def name_of(text: object, otherwise: str = NAMELESS) -> str:
    """Return a name on one line that is never empty to the eye."""
    name = shown(text, NAME)
    return name if any(unicodedata.category(character)[0] in "LNPS" for character in name) else otherwise


def markdown(text: object) -> Markup:
    """Return a description as HTML: text, lists, tables, code, and links to http and https; no pictures, no HTML."""
    return _rendered(shown(text, MOST, lines=True))


def first_words(text: object, limit: int) -> str:
    """Return the beginning of a description as plain text, without the signs of Markdown."""
    return _first_words(shown(text, 2 * limit, lines=True), limit)


@lru_cache(1024)
def _first_words(beginning: str, limit: int) -> str:
    blocks = (
        "".join(" " if "break" in child.type else child.content for child in token.children or ()).strip()
        for token in _READER.parse(beginning)
    )
    return shown(" ".join(block if block[-1] in ".,;:!?…" else f"{block}." for block in blocks if block), limit)


def link_of(text: object) -> str | None:
    """Return an address to which a page may link; None for any other text."""
    address = text.strip() if isinstance(text, str) else ""
    if len(address) > 2000 or re.search(r"[\s\x00-\x20\x7f-\x9f\\]", address):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not host or not address.isascii() or parts.username is not None:
        return None
    return address


@lru_cache(256)
def _rendered(text: str) -> Markup:
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"  # below the headings of the page
    html = _READER.renderer.render(tokens, _READER.options, {})
    return Markup(  # noqa: S704 - what nh3 lets through
        nh3.clean(
            html,
            tags=_ELEMENTS,
            attributes={"a": {"href"}},
            attribute_filter=lambda _element, name, value: link_of(value) if name == "href" else value,
            url_schemes=_SCHEMES,
            link_rel="nofollow noreferrer",
        )
    )


def _visible(text: str, *, lines: bool) -> Iterator[str]:
    before, marks = "", 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category == "Mn" else 0
        if marks > COMBINING:
            continue
        if lines and character in _LINES:
            yield character
        elif character in _BLANK or (category in {"Cf", "Co", "Cn"} and not _joins(character, before)):
            yield character.encode("unicode_escape").decode("ascii")
        else:
            yield visible(character)
        before = character


def _joins(character: str, before: str) -> bool:
    return character in _JOINERS and ord(before or " ") > 0x5FF


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return reader.disable(["image", "html_block", "html_inline", "reference"])


_READER = _reader()
