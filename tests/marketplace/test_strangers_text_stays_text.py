"""No text of a document becomes an element, an attribute, an address or a header, in whichever member it stands."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline

from insitu.api.metadata_v1 import AssetFacets, Facet, FacetValue
from insitu.domain.canonical import JsonObject
from insitu.marketplace import hostile
from insitu.marketplace.hostile import (
    COMBINING,
    LINE,
    MOST_LINKS,
    NAME,
    NAMELESS,
    first_words,
    link_of,
    markdown,
    name_of,
    shown,
)  # fmt: skip
from insitu.marketplace.samples import CHECKSUM, STRICT, did, document, result, workflow
from tests.doubles.catalogue import CATALOGUE, CatalogueDouble, summary
from tests.marketplace.hostile_texts import HOSTILE

ELEMENTS = {
    "a", "aside", "b", "blockquote", "body", "br", "button", "caption", "code", "dd", "details", "div", "dl", "dt",
    "em", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "input", "label", "li",
    "link", "main", "meta", "nav", "ol", "p", "path", "pre", "q", "rect", "s", "script", "search", "section", "small",
    "span", "strong", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "time", "title", "tr", "ul",
}  # fmt: skip
OURS = re.compile(r"insitu-[a-z-]+")
LINKS = re.compile(r"(https?://[^\s]+|/[^/\\].*|/|\?.*|#.*|data:image/svg\+xml,%3Csvg.*)")


NOFOLLOW = ' rel="nofollow noreferrer"'
KEPT = ("id", "type", "creator")
UNSEEN = {"\u202e", "\u2066", "\u200b", "\x1b", "\0"}


class Reader(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.data: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag not in ELEMENTS and not OURS.fullmatch(tag):
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc", "formaction", "autofocus", "background", "ping"}:
                self.wrong.append(f"{tag} {name}={value!r}")
            if name in {"href", "src", "action"} and not LINKS.fullmatch(value or ""):
                self.wrong.append(f"{tag} {name}={value!r}")
        found = dict(attrs)
        href = found.get("href") or ""
        if (
            tag == "a"
            and href.startswith("http")
            and not href.startswith(CATALOGUE)
            and "nofollow" not in (found.get("rel") or "")
        ):
            self.wrong.append(f"a link that vouches for {href}")
        if tag == "script":
            self.scripts.append(found)
            self.data.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.data[-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def leaves(value: Any, text: str, keep: tuple[str, ...] = ("id", "type", "creator", "serviceEndpoint")) -> Any:
    """The same document with ``text`` in place of each of its texts, but for those by which it is found."""
    if isinstance(value, dict):
        return {
            name: part if name in keep and isinstance(part, str) else leaves(part, text) for name, part in value.items()
        }
    if isinstance(value, list):
        return [leaves(part, text) for part in value]
    return text if isinstance(value, str) and not re.fullmatch(r"\d+", value) else value


def samples() -> Iterator[JsonObject]:
    policy = {**STRICT, "use": "x", "parameters": ["x"], "unknown": "x", "consumers": "any"}
    found = document(policy=policy, description="x", algorithm={"entrypoint": "x", "language": "x"})
    found["service"][0]["attributes"]["additionalInformation"] |= {"successor": "x", "categories": ["x"]}
    found["service"][1]["serviceEndpoint"] = "x"
    yield from (found, result(1), workflow(1), document("algorithm", 1, algorithm={"entrypoint": "x", "language": "x"}))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:30])
async def test_a_hostile_text_in_every_member_changes_no_page(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, text: str
) -> None:
    facet = Facet(values=(FacetValue(value=text[:200], count=1),))
    catalogue.counted = AssetFacets(total_results=1, tag=facet, author=facet, license=facet, category=facet)
    for state, sample in zip(("listed", "hidden", "retired", "pending"), samples(), strict=True):
        catalogue.known.clear()
        catalogue.documents.clear()
        found = leaves(sample, text)
        catalogue.add(summary(1, did=did(1), name=text, checksum=CHECKSUM, state=state, reason=text), found)
        await require_harmless(browser, f"/assets/{did(1)}", text)
        if state == "listed":
            for address in ("/search", "/", f"/accounts/0x{1:040x}"):
                await require_harmless(browser, address, text)


@pytest.mark.parametrize("place", ["cpu", "memory", "disk", "types"])
async def test_a_rule_that_is_readable_but_for_one_text_shows_what_it_hides(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, place: str
) -> None:
    text = "\u202egnp\x1b[31m\0"
    found = document(policy={**STRICT, "output": {**STRICT["output"], "types": [text if place == "types" else ".csv"]}})
    if place != "types":
        found["service"][1]["attributes"]["main"]["provider"]["environment"]["supportedServers"][0][place] = text
    catalogue.add(summary(1, did=did(1), checksum=CHECKSUM), found)
    for address in (f"/assets/{did(1)}", "/search", "/"):
        await require_harmless(browser, address, text)
    assert "\\u202egnp\\x1b[31m\\x00" in (await browser.get(f"/assets/{did(1)}")).text


async def test_the_page_of_a_run_shows_a_name_that_hides_nothing(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    catalogue.add(
        summary(1, did=did(1), checksum=CHECKSUM), document(policy=STRICT, name="\u202egnp\x1b\0" + "x" * 20_000)
    )
    page = (await browser.get(f"/run?on={did(1)}")).text
    assert not UNSEEN & set(page)
    assert "\\u202egnp\\x1b\\x00x" in page
    assert "x" * NAME not in page


async def require_harmless(browser: httpx.AsyncClient, address: str, text: str) -> None:
    answer = await browser.get(address, params={"text": text[:400]} if address == "/search" else None)
    assert answer.status_code == 200, answer.text
    reader = read(answer.text)
    assert reader.wrong == [], address
    assert not UNSEEN & set(answer.text), address
    assert "phish.example" not in str(answer.headers)
    for script, data in zip(reader.scripts, reader.data, strict=True):
        if script.get("type") == "module":
            assert data == ""
        else:
            assert script.get("type") in {"application/json", "application/ld+json"}
            assert isinstance(json.loads(data), dict)


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) < 400], ids=lambda text: ascii(text)[1:30])
def test_a_search_for_it_stays_text(text: str) -> None:
    from insitu.marketplace.search import Wanted

    address = Wanted(text=text, tag=text).with_(page=2)
    assert re.fullmatch(r"/search\?[\w.~%+=&*-]*", address)


def test_unseen_characters_are_shown_by_their_numbers() -> None:
    assert shown("\u202egnp.exe") == "\\u202egnp.exe"
    assert shown("pay\u200dpal\u200b\u00ad") == "pay\\u200dpal\\u200b\\xad"
    assert shown("a\x00b\x1bc\ud800") == "a\\x00b\\x1bc\\ud800"
    assert shown("\U000e0041") == "\\U000e0041"


def test_scripts_that_need_a_joiner_keep_it() -> None:
    assert shown("می\u200cخواهم") == "می\u200cخواهم"
    assert shown("👩\u200d🔬") == "👩\u200d🔬"


def test_only_so_many_marks_stand_on_a_letter() -> None:
    assert shown("e" + "\u0301" * 500) == "e" + "\u0301" * COMBINING


def test_text_is_cut_and_says_so() -> None:
    assert shown("x" * 500) == "x" * LINE + "…"
    assert len(name_of("x" * 500)) == NAME + 1


@pytest.mark.parametrize("text", ["", "   ", "\n", None, "\u0301\u0301", "\u00a0"])
def test_a_name_is_never_empty(text: str | None) -> None:
    assert name_of(text) == NAMELESS


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("# Big", "<h3>Big</h3>"),
        ("###### Small", "<h6>Small</h6>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        (
            "[a](https://a.example/?b=1&c)",
            '<p><a href="https://a.example/?b=1&amp;c" rel="nofollow noreferrer">a</a></p>',
        ),
        ("[a](//a.example)", f"<p><a{NOFOLLOW}>a</a></p>"),
        ("[a](/here)", f"<p><a{NOFOLLOW}>a</a></p>"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>"),
    ],
)
def test_a_description_is_markdown_without_html(text: str, html: str) -> None:
    assert markdown(text).strip() == html


def test_the_first_words_of_a_description_have_no_marks() -> None:
    assert first_words("# Rows\n\nOf **EWR**, `JFK`\nand [LGA](https://a.b).", 100) == "Rows. Of EWR, JFK and LGA."
    assert first_words("word " * 100, 20) == "word word word word…"


def test_a_beginning_is_read_once_however_many_lists_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read, parse = list[str](), hostile._READER.parse
    monkeypatch.setattr(hostile._READER, "parse", lambda text: (read.append(text), parse(text))[1])
    hostile._first_words.cache_clear()  # other tests may have shown many brackets
    brackets = "[" * 480 + "once"
    assert first_words(brackets, 240) == first_words(brackets + "[", 240) == "[" * 240 + "…"
    assert len(read) == 1


def test_a_picture_is_not_loaded() -> None:
    assert "<img" not in markdown("![x](https://tracker.example/x.png)")


@pytest.mark.parametrize("text", ["https://a.example", "http://127.0.0.1:8030/x?y#z"])
def test_an_address_is_a_link(text: str) -> None:
    assert link_of(text) == text


@pytest.mark.parametrize(
    "text",
    ["javascript:x", "//a.example", "/x", "https://", "https://u:p@a.example", "https://a.example/\\b", "ftp://a", "https://а.example",
     "https://a.example/ b", "http://[", 5, None],
)  # fmt: skip
def test_anything_else_is_no_link(text: object) -> None:
    assert link_of(text) is None


def test_a_description_of_brackets_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bracket would look for its end in all that follows: counted in steps, because a clock depends on others."""
    steps = 0
    skip = ParserInline.skipToken

    def counting(parser: ParserInline, state: StateInline) -> None:
        nonlocal steps
        steps += 1
        skip(parser, state)

    monkeypatch.setattr(ParserInline, "skipToken", counting)
    for text in ("[" * 10_000, "[[a]" * 2_500, "[a](" * 2_500, "![" * 5_000):
        steps = 0
        assert "[" in markdown(text + "!")
        assert steps <= 10_000, text[:8]
    some = markdown(" ".join(f"[a](http://a.test/{number})" for number in range(MOST_LINKS)))
    assert some.count("<a ") == MOST_LINKS
