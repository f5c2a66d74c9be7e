"""Files by url: ``http``, ``https``, and what fsspec's installed parts offer (``s3`` and its kin)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
from typing_extensions import override

from insitu.adapters.sources.object_stores import STORES, open_object
from insitu.adapters.sources.targets import Targets
from insitu.domain.errors import InsituError
from insitu.ports.sources import Sources

__all__ = ["WebSources"]

REDIRECTS = 5
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_PORTS = {"http": 80, "https": 443}


class WebSources(Sources):
    """Fetches files. What was checked is what is connected to: the name is resolved once for each request."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    @override
    async def check(self, url: str) -> None:
        parts = _split(url)
        if parts.scheme in _PORTS:
            await self._targets.resolve(parts.hostname or "", _port(parts))

    @override
    async def open(self, url: str) -> AsyncIterator[bytes]:
        if _split(url).scheme in STORES:
            async for chunk in open_object(url):
                yield chunk
            return
        try:
            async with AsyncExitStack() as stack:
                # Proxies of the environment would connect on our behalf, to what we did not check.
                client = await stack.enter_async_context(httpx.AsyncClient(timeout=TIMEOUT, trust_env=False))
                response = await self._answer(client, url, stack)
                async for chunk in response.aiter_bytes():
                    yield chunk
        except httpx.HTTPError as error:
            raise InsituError("ConfigurationFailed", f"{_shown(url)} does not answer: {type(error).__name__}") from None

    async def _answer(self, client: httpx.AsyncClient, url: str, stack: AsyncExitStack) -> httpx.Response:
        for _ in range(REDIRECTS + 1):
            response = await client.send(await self._request(client, url), stream=True)
            stack.push_async_callback(response.aclose)
            if not response.is_redirect:
                break
            url = urljoin(url, response.headers.get("Location", ""))
        else:
            raise InsituError("ConfigurationFailed", f"{_shown(url)} is redirected more than {REDIRECTS} times")
        if response.status_code != 200:
            raise InsituError("ConfigurationFailed", f"{_shown(url)} answers with status {response.status_code}")
        return response

    async def _request(self, client: httpx.AsyncClient, url: str) -> httpx.Request:
        parts = _split(url)
        if parts.scheme not in _PORTS:
            raise InsituError("TargetNotAllowed", f"{_shown(url)} is no web address")
        host, port = parts.hostname or "", _port(parts)
        address = await self._targets.resolve(host, port)
        literal = f"[{address}]" if ":" in address else address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = f"[{host}]" if ":" in host else host
        shown = named if port == _PORTS[parts.scheme] else f"{named}:{port}"
        return client.build_request(
            "GET",
            f"{parts.scheme}://{literal}:{port}{path}",
            headers={"Host": shown, "Accept-Encoding": "identity"},
            # The certificate is checked for the name, although the connection goes to the checked address.
            extensions={"sni_hostname": host},
        )


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


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _shown(url: str) -> str:
    """A url for a message: queries of pre-signed urls are secrets."""
    return ascii(url.partition("?")[0][:200])[1:-1]
