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
from insitu.marketplace.policy import Policy
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
    """

    pages: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

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
    if leads or kind.partition(";")[0] in PLAIN:
        return None
    found.pages.append(path)
    page = _Page(address + path)
    page.read(content.decode("utf-8", "replace"))
    if kind.replace(" ", "").lower() != PAGE:
        page.wrong.append(f"its type is {kind[:100]!r}, not {PAGE!r}")
    found.findings += [f"{path}: {wrong}" for wrong in (*page.wrong, *_policy_problems(headers))]
    return page


async def _fetch(http: Http, url: str) -> tuple[int, bytes, Mapping[str, str]]:
    received = bytearray()
    async with http.stream("GET", url, quiet=SILENCE, refusals=True) as response:
        async for chunk in response.aiter_bytes():
            received += chunk
            if len(received) > MOST_BYTES:
                raise InsituError("PeerUnavailable", f"{url} is longer than {MOST_BYTES} bytes")
        return response.status_code, bytes(received), dict(response.headers)


def _policy_problems(headers: Mapping[str, str]) -> list[str]:
    """Say which directive would let other scripts run than those of the server's own origin."""
    parts = (part.strip().partition(" ") for part in headers.get("content-security-policy", "").split(";"))
    served = {name.lower(): value.strip() for name, _, value in reversed(list(parts))}
    ours = dict(part.split(" ", 1) for part in Policy().header().split("; "))
    strict = ("default-src", "script-src", "base-uri", "require-trusted-types-for", "trusted-types")
    wrong = [f"its policy has {name} {served.get(name)!r}, not {ours[name]!r}" for name in strict
             if served.get(name) != ours[name]]  # fmt: skip
    loose = [name for name in ("script-src-elem", "script-src-attr", "worker-src", "object-src") if name in served]
    return wrong + [f"its policy has {name} of its own" for name in loose]


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
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc) and not parts.path.startswith(("/api", ADDRESS)):
            self.links.append(parts.path + (f"?{parts.query}" if parts.query else ""))
