"""An httpx transport that only connects to checked addresses, for urls that strangers wrote."""

import httpx
from typing_extensions import override

from insitu.adapters.sources.targets import Targets
from insitu.domain.errors import InsituError

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves each request's host once, refuses addresses that are not public, and connects to the checked address.

    It sees every hop of a redirect, because the client sends each as a request. Raises ``TargetNotAllowed``,
    ``ConfigurationFailed`` if the name does not resolve.
    """

    def __init__(self, targets: Targets, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._targets = targets
        # A proxy from the environment would connect for us, to an address that we did not check.
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in _PORTS:
            raise InsituError("TargetNotAllowed", f"{url.scheme[:20]!r} is not a web scheme")
        address = await self._targets.resolve(url.host, url.port or _PORTS[url.scheme])
        # The certificate is checked for the name, although the connection goes to the checked address.
        extensions = {**request.extensions, "sni_hostname": url.host}
        checked = httpx.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers.raw,  # unchanged: Host has the name in the url
            stream=request.stream,
            extensions=extensions,
        )
        return await self._inner.handle_async_request(checked)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()
