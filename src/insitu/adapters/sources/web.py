"""Files by url: ``http``, ``https``, and what fsspec's installed parts offer (``s3`` and its kin)."""

from collections.abc import AsyncIterator
from urllib.parse import SplitResult, urlsplit

import httpx
from typing_extensions import override

from insitu.adapters.sources.guarded import GuardedTransport
from insitu.adapters.sources.object_stores import STORES, open_object
from insitu.adapters.sources.targets import Targets
from insitu.domain.errors import InsituError
from insitu.ports.sources import Sources

__all__ = ["WebSources"]

REDIRECTS = 5
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_PORTS = {"http": 80, "https": 443}


class WebSources(Sources):
    """Fetches files. What was checked is what is connected to, at each redirect."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    @override
    async def check(self, url: str) -> None:
        parts = _split(url)
        if parts.scheme in _PORTS:
            await self._targets.resolve(parts.hostname or "", parts.port or _PORTS[parts.scheme])

    @override
    async def open(self, url: str) -> AsyncIterator[bytes]:
        if _split(url).scheme in STORES:
            async for chunk in open_object(url):
                yield chunk
            return
        client = httpx.AsyncClient(
            transport=GuardedTransport(self._targets),
            timeout=TIMEOUT,
            follow_redirects=True,
            max_redirects=REDIRECTS,
            headers={"Accept-Encoding": "identity"},
        )
        try:
            async with client, client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise InsituError("ConfigurationFailed", f"{_shown(url)} answers with {response.status_code}")
                async for chunk in response.aiter_bytes():
                    yield chunk
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InsituError("ConfigurationFailed", f"{_shown(url)} does not answer: {type(error).__name__}") from None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = parts.scheme in STORES or (parts.scheme in _PORTS and parts.hostname and parts.port != 0)
    except ValueError:
        known = False
        parts = SplitResult("", "", "", "", "")
    if not known or parts.username is not None:
        raise InsituError("InvalidRequest", f"{_shown(url)} is no url that files are fetched from")
    return parts


def _shown(url: str) -> str:
    """A url for a message: queries of pre-signed urls are secrets."""
    return ascii(url.partition("?")[0][:200])[1:-1]
