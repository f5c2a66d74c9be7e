"""Whether a marketplace serves the scripts of this release, and pages that can run no others.

A server may recognise the comparison, and send others other scripts; so a good answer is about these answers alone.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from insitu.domain.canonical import sha256_hex
from insitu.domain.errors import InsituError
from insitu.marketplace.policy import BLOB, Policy, origins
from insitu.marketplace.static_files import ADDRESS, bundles
from insitu.sdk.http import Http

FIRST = ("/", "/search", "/run", "/agreements", "/executions", "/receipts", "/account", "/status", "/security", "/help",
         "/no/such/page")  # fmt: skip
"""Pages to begin with; those that they link to follow. A page about an error is a page as well."""
MOST_PAGES = 40
MOST_BYTES = 4 * 1024 * 1024
"""Of one answer."""
SILENCE = 10.0
"""Seconds without a byte after which a server counts as silent."""

_DATA = {"application/json", "application/ld+json"}
"""Types of script elements that browsers do not run."""
_FORBIDDEN = {"applet", "base", "embed", "frame", "frameset", "iframe", "object"}
_WATCHED = {"a", "link", "meta", "script"} | _FORBIDDEN
_WRITTEN = re.compile(rf"<({'|'.join(sorted(_WATCHED))})[\s/>]", re.IGNORECASE)
"""Where one of these may begin. A parser can overlook it in what it takes for a comment; a browser need not."""
_SPACES = "\t\n\f\r "
_SPACE = re.compile(f"[{_SPACES}]+")
PAGE = "text/html;charset=utf-8"
PLAIN = ("application/json", "application/problem+json", "text/plain")
"""Types of answers in which browsers run nothing."""


@dataclass(slots=True)
class Verification:
    """What was compared.

    Attributes
    ----------
    pages
        Paths that were read.
    scripts
        Names of the scripts of this release that are served unchanged.
    findings
        Everything that is otherwise, as sentences.
    called
        Other origins that scripts may call according to the policies of these pages. Whether they are the right ones is
        not compared.
    unread
        How many pages were linked to and not read.
    """

    pages: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    unread: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is otherwise, and something was compared."""
        return not self.findings and bool(self.pages and self.scripts)


async def verify_marketplace(http: Http, url: str) -> Verification:
    """Compare what is served at an address with this release. Raises ``PeerUnavailable`` if nothing is served."""
    address, found = url.rstrip("/"), Verification()
    for name, content in sorted(bundles().items()):
        await _compare(http, address, name, content, found)
    waiting, seen = list(FIRST), set(FIRST)
    while waiting and len(found.pages) < MOST_PAGES:
        path = waiting.pop(0)
        page = await _read_page(http, address, path, found)
        new = [link for link in page.links if link not in seen] if page is not None else []
        waiting += dict.fromkeys(new)
        seen |= set(new)
    found.unread = len(waiting)
    return found


async def _compare(http: Http, address: str, name: str, content: bytes, found: Verification) -> None:
    status, served, _ = await _fetch(http, address + ADDRESS + name)
    if status != 200:
        found.findings.append(f"{ADDRESS}{name} of this release is not served; the server may run another release")
    elif served == content:
        found.scripts.append(name)
    else:
        found.findings.append(
            f"{ADDRESS}{name} is another script: sha256 {sha256_hex(served)}, not {sha256_hex(content)}"
        )


async def _read_page(http: Http, address: str, path: str, found: Verification) -> "_Page | None":
    status, content, headers = await _fetch(http, address + path)
    kind, leads = headers.get("content-type", ""), 300 <= status < 400 or "refresh" in headers
    if leads:
        found.findings.append(f"{path}: it leads elsewhere, which no page of this release does")
    # Of several types, browsers take the last one.
    if leads or (kind.partition(";")[0] in PLAIN and "," not in kind):
        return None
    found.pages.append(path)
    page = _Page(address + path)
    try:
        page.read(content.decode("utf-8"))
    except UnicodeDecodeError:
        page.wrong.append("it is not UTF-8")
    if kind.replace(" ", "").lower() != PAGE:
        page.wrong.append(f"its type is {kind[:100]!r}, not {PAGE!r}")
    policy = _policy_of(headers)
    found.findings += [f"{path}: {wrong}" for wrong in (*page.wrong, *_policy_problems(policy))]
    found.called |= {source for source in policy.get("connect-src", ()) if origins([source]) == (source,)}
    return page


async def _fetch(http: Http, url: str) -> tuple[int, bytes, Mapping[str, str]]:
    received = bytearray()
    async with http.stream("GET", url, quiet=SILENCE, refusals=True) as response:
        async for chunk in response.aiter_bytes():
            received += chunk
            if len(received) > MOST_BYTES:
                raise InsituError("PeerUnavailable", f"{url} is longer than {MOST_BYTES} bytes")
        return response.status_code, bytes(received), dict(response.headers)


def _policy_of(headers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Read a policy as browsers do (CSP 3, 2.2.1): spaces of ASCII divide, and the first of two directives counts."""
    parts = [_SPACE.split(part.strip(_SPACES)) for part in headers.get("content-security-policy", "").split(";")]
    return {name.lower(): tuple(sources) for name, *sources in reversed(parts) if name}


def _policy_problems(served: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say which directive allows what no page of this release may."""
    parts = (part.split() for part in Policy().header().split("; "))
    ours: dict[str, tuple[tuple[str, ...], ...]] = {name: (tuple(sources),) for name, *sources in parts}
    ours["frame-src"] += ((BLOB,),)
    named = served.get("connect-src", ())
    if named[:1] == ("'self'",) and origins(named[1:]) == named[1:]:
        ours["connect-src"] = (named,)
    else:
        ours["connect-src"] += (("'none'",),)
    wrong = [f"its policy has {name} {' '.join(served.get(name, ()))!r}, not {' '.join(allowed[0])!r}"
             for name, allowed in ours.items() if served.get(name) not in allowed]  # fmt: skip
    return wrong + [f"its policy has {name} of its own" for name in served if name not in ours]


class _Page(HTMLParser):
    """Finds what a browser would run, and the pages that are linked to."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._known = {ADDRESS + name for name in bundles()}
        self.links: list[str] = []
        self.wrong: list[str] = []
        self._seen: Counter[str] = Counter()

    def read(self, text: str) -> None:
        """Read a whole page."""
        self.feed(text)
        self.close()
        written = Counter(name.lower() for name in _WRITTEN.findall(text))
        self.wrong += [
            f"it hides <{name}> from whoever reads it" for name in written if written[name] != self._seen[name]
        ]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen[tag] += 1
        given = {name: value or "" for name, value in reversed(attrs)}  # of two with one name, browsers take the first
        self.wrong += [f"<{tag}> has the attribute {name}" for name in given if name.startswith("on")]
        if tag == "script":
            self._judge_script(given)
        elif tag == "link" and {"modulepreload", "preload", "import"} & set(given.get("rel", "").lower().split()):
            self._require_known(given.get("href", ""))
        elif tag == "a":
            self._follow(given.get("href", ""))
        elif tag in _FORBIDDEN or (tag == "meta" and "http-equiv" in given):
            self.wrong.append(f"it has an element <{tag}> that no page of this release has")

    def _judge_script(self, given: Mapping[str, str]) -> None:
        if "src" in given:
            self._require_known(given["src"])
        elif given.get("type", "").strip().lower() not in _DATA:
            self.wrong.append("a script is written into the page")

    def _require_known(self, src: str) -> None:
        absolute, own = urljoin(self._url, src), urlsplit(self._url)
        parts = urlsplit(absolute)
        named = (parts.scheme, parts.netloc, parts.query) == (own.scheme, own.netloc, "")
        if not named or parts.path not in self._known:
            self.wrong.append(f"it loads {src[:200]}, which is not a script of this release")

    def _follow(self, href: str) -> None:
        if href.lower().strip().startswith("javascript:"):
            self.wrong.append("a link runs a script")
            return
        try:
            parts, own = urlsplit(urljoin(self._url, href)), urlsplit(self._url)
        except ValueError:
            return
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            self.links.append(parts.path + (f"?{parts.query}" if parts.query else ""))
