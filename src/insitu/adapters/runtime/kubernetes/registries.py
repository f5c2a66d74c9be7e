"""Asking a registry whether it has an image, before a pod is made for it (OCI distribution specification 1.1, HEAD).

Only registries that the provider has named are asked: the owner of a data set writes the host in an image's name, and
the operator can reach what that owner cannot. An answer proves nothing either, so only a plain "no" counts. Whatever
else happens (no answer, a login, a redirect), the node's pull decides: it may have the image, or the account for it.
"""

import json
import logging
import re
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import anyio
import httpx

from insitu.adapters.runtime.oci.images.documents import INDEX_TYPES, MANIFEST_TYPES

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""Seconds for an answer, including everything that leads to it."""
KEPT = 600.0
"""Seconds for which an image that existed counts as existing."""
SILENCE = 30.0
"""Seconds for which a registry that gave no answer is not asked again."""

_MOST_KEPT = 1024
_MOST_BYTES = 64 << 10
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_ACCEPT = ", ".join(MANIFEST_TYPES + INDEX_TYPES)


class Registries:
    """The registries that may be asked, by the ``host[:port]`` in an image's name.

    Parameters
    ----------
    addresses
        ``https://host[:port]`` of each, ``http://…`` of one without TLS.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = {urlsplit(address).netloc: address.rstrip("/") for address in addresses}
        self._there: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    async def lacks(self, reference: str) -> bool:
        """Return whether ``host[:port]/repository@digest`` is known not to exist. Raises nothing."""
        host, _, image = reference.partition("/")
        address, now = self._addresses.get(host), time.monotonic()
        if address is None or now < self._there.get(reference, 0.0) or now < self._silent.get(host, 0.0):
            return False
        repository, _, digest = image.partition("@")
        status, trouble = 0, f"no answer within {SECONDS:.0f} s"
        with anyio.move_on_after(SECONDS):
            try:
                async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client:
                    status = await _head(client, address, f"/v2/{repository}/manifests/{digest}")
                trouble = f"status {status}"
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                trouble = str(error) or type(error).__name__
        if status == httpx.codes.OK:
            self._keep(reference, now)
        elif status != httpx.codes.NOT_FOUND:
            logger.warning("%s does not say whether it has %s (%s): the pull decides", host, image, trouble)
            if status == 0 or status >= httpx.codes.INTERNAL_SERVER_ERROR:
                self._silent[host] = now + SILENCE
        return status == httpx.codes.NOT_FOUND

    def _keep(self, reference: str, now: float) -> None:
        if len(self._there) >= _MOST_KEPT:
            self._there.pop(next(iter(self._there)))
        self._there[reference] = now + KEPT


async def _head(client: httpx.AsyncClient, address: str, path: str) -> int:
    """Return the status of a manifest; if the registry demands a token, use one that it gives to everyone."""
    answer = await client.head(address + path, headers={"Accept": _ACCEPT})
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        return answer.status_code
    token = await _token(client, address, answer.headers.get("WWW-Authenticate", ""))
    if not token:
        return answer.status_code
    answer = await client.head(address + path, headers={"Accept": _ACCEPT, "Authorization": f"Bearer {token}"})
    return answer.status_code


async def _token(client: httpx.AsyncClient, address: str, challenge: str) -> str:
    """Request a token without an account; empty if the registry does not give one."""
    facts = dict(_CHALLENGE.findall(challenge))
    realm = urlsplit(facts.get("realm", ""))
    trusted = realm.scheme == "https" or realm[:2] == urlsplit(address)[:2]
    if not challenge.lower().startswith("bearer ") or not trusted:
        return ""
    query = {name: facts[name] for name in ("service", "scope") if name in facts}
    async with client.stream("GET", facts["realm"], params=query) as answer:
        if answer.status_code != httpx.codes.OK:
            return ""
        data = b""
        async for chunk in answer.aiter_bytes():
            data += chunk
            if len(data) > _MOST_BYTES:
                return ""
    document = json.loads(data)
    found = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""
