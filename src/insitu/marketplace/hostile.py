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
MOST_LINKS = 300
"""Opening brackets of a description with links; with more of them, they all are text."""
NAMELESS = "without a name"
COMBINING = 4
"""Marks on one letter that are shown: more of them climb over the lines above."""

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
    cleaned = cut if is_plain else visible("".join(_few_marks(cut)), keep=_LINES if lines else "")
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
    # For each bracket the reader looks for its end, so many of them would take as many times as long.
    reader = _READER if text.count("[") <= MOST_LINKS else _WITHOUT_LINKS
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"  # below the headings of the page
    html = reader.renderer.render(tokens, reader.options, {})
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


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) == "Mn" else 0
        if marks <= COMBINING:
            yield character


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return reader.disable(["image", "html_block", "html_inline", "reference"])


_READER = _reader()
_WITHOUT_LINKS = _reader().disable("link")
