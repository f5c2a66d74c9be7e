"""Reading urls of strangers without being led into one's own network (design §5).

The chain names where a document lies, and whoever registered the DID wrote it. A server that resolves such urls uses
this transport; a redirect is another request through it.
"""

from collections.abc import Awaitable, Callable

import httpx
from typing_extensions import override

from insitu.domain.errors import InsituError

__all__ = ["GuardedTransport"]

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to the very address that was checked.

    Parameters
    ----------
    resolve
        Host and port → address in text; raises ``TargetNotAllowed`` for one that is not to be reached.
    """

    def __init__(self, resolve: Callable[[str, int], Awaitable[str]]) -> None:
        self._resolve = resolve
        self._inner = httpx.AsyncHTTPTransport()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in _PORTS or not url.host:
            raise InsituError("TargetNotAllowed", f"{url.scheme}: is no web address")
        address = await self._resolve(url.host, url.port or _PORTS[url.scheme])
        # The Host header stays; the certificate is checked for the name, although we connect to the address.
        request.url = url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        try:
            return await self._inner.handle_async_request(request)
        finally:
            request.url = url

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()
