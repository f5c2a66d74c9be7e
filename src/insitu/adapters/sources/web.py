"""Files by url: ``http``, ``https``, and objects of a bucket (``s3``, ``gs``, ``az``)."""

import re
from collections.abc import AsyncIterator, Sequence
from urllib.parse import SplitResult, urlsplit

import httpx
from typing_extensions import override

from insitu.adapters.object_store import SCHEMES, Access
from insitu.adapters.sources.guarded import GuardedTransport
from insitu.adapters.sources.object_stores import bucket_and_key, open_object
from insitu.adapters.sources.targets import Targets
from insitu.domain.errors import InsituError
from insitu.ports.sources import Sources

REDIRECTS = 5
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_USER = re.compile(r"//[^/]*@")
_PORTS = {"http": 80, "https": 443}


class WebSources(Sources):
    """Fetches files. At each redirect it connects to exactly the address that was checked.

    ``access`` is how buckets are reached. ``reserved`` has prefixes of the provider's own buckets: its credentials open
    them, but no data set may read from them.
    """

    def __init__(self, targets: Targets, access: Access | None = None, reserved: Sequence[str] = ()) -> None:
        self._targets = targets
        self._access = access or Access()
        self._reserved = tuple(reserved)

    @override
    async def check(self, url: str) -> None:
        parts = _split(url)
        if parts.scheme in SCHEMES:
            self._check_object(url)
        else:
            await self._targets.resolve(parts.hostname or "", parts.port or _PORTS[parts.scheme])

    @override
    async def open(self, url: str) -> AsyncIterator[bytes]:
        if _split(url).scheme in SCHEMES:
            self._check_object(url)
            async for chunk in open_object(url, self._access):
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
                    raise InsituError("ConfigurationFailed", f"{_redact(url)} answered with {response.status_code}")
                async for chunk in response.aiter_bytes():
                    yield chunk
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InsituError("ConfigurationFailed", f"{_redact(url)} did not answer: {type(error).__name__}") from None

    def _check_object(self, url: str) -> None:
        bucket, key = bucket_and_key(url)
        if any(f"{bucket}/{key}".startswith(f"{own}/") for own in self._reserved):
            raise InsituError("TargetNotAllowed", f"{_redact(url)} is where this provider keeps results or logs")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES or (parts.scheme in _PORTS and parts.hostname and parts.port != 0)
    except ValueError:
        known = False
        parts = SplitResult("", "", "", "", "")
    if not known or parts.username is not None:
        raise InsituError("InvalidRequest", f"{_redact(url)} is not a url that files can be fetched from")
    return parts


def _redact(url: str) -> str:
    """Return a url for a message, without query and user: in pre-signed urls these are secrets."""
    return ascii(_USER.sub("//", url.partition("?")[0])[:200])[1:-1]
