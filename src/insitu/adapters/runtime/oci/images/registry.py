"""Pulling by digest from a registry (OCI distribution specification 1.1): manifest, blobs, nothing trusted but digests.

A registry answers the first request with a challenge; the token is requested without an account. Redirects of blobs to
a storage host are followed, but the token stays with the registry.
"""

import hashlib
import re
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx

from insitu.adapters.runtime.oci.images.documents import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    MAX_DOCUMENT_BYTES,
    Descriptor,
    choose_manifest,
    read_json,
    read_manifest,
)
from insitu.adapters.runtime.oci.images.layout import FoundImage, blob_path
from insitu.domain.errors import InsituError

_REFERENCE = re.compile(
    r"(?P<host>[a-zA-Z0-9.-]+(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?)/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::[\w.-]+)?@(?P<digest>sha256:[0-9a-f]{64})"
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ACCEPT = ", ".join(MANIFEST_TYPES + INDEX_TYPES)
_TIMEOUT = httpx.Timeout(30.0)
_MAX_NESTING = 4


@dataclass(frozen=True, slots=True)
class RegistryClient:
    """One repository of one registry, and the digest to pull from it."""

    base: str
    repository: str
    digest: str

    @classmethod
    def of(cls, reference: str, *, insecure: bool = False) -> "RegistryClient":
        """Read ``host[:port]/repository[:tag]@sha256:…``. Raises ``InvalidRequest``: a tag alone identifies nothing."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise InsituError("InvalidRequest", "an image is pulled as host[:port]/repository@sha256:<64 hex digits>")
        host = match["host"]
        plain = insecure or re.sub(r":[0-9]+$", "", host) in _LOOPBACK
        return cls(
            f"{'http' if plain else 'https'}://{host}/v2/{match['repository']}", match["repository"], match["digest"]
        )

    async def fetch(self, layout: Path) -> FoundImage:
        """Write the image's blobs into a layout folder. Raises ``ImageUnavailable``, ``ArchiveInvalid``."""
        (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client:
                return await _Pull(client, self, layout).run()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InsituError("ImageUnavailable", f"the registry does not answer: {error}") from error


class _Pull:
    """One pull: a connection, and the token that the registry demands."""

    def __init__(self, client: httpx.AsyncClient, wanted: RegistryClient, layout: Path) -> None:
        self.client = client
        self.wanted = wanted
        self.layout = layout
        self.token: str | None = None

    async def run(self) -> FoundImage:
        start = Descriptor("", self.wanted.digest, 0)
        index_digest = None
        for _ in range(_MAX_NESTING):
            data = await self._manifest(start.digest)
            document = read_json(data)
            if "manifests" in document and "layers" not in document:
                index_digest = index_digest or start.digest
                start = choose_manifest(document)
                continue
            media_type = str(document.get("mediaType") or MANIFEST_TYPES[0])
            found = FoundImage(Descriptor(media_type, start.digest, len(data)), read_manifest(data), index_digest)
            await anyio.Path(blob_path(self.layout, start.digest)).write_bytes(data)
            for descriptor in dict.fromkeys((found.manifest.config, *found.manifest.layers)):
                await self._blob(descriptor)
            return found
        raise InsituError("ArchiveInvalid", "the index nests too deeply")

    async def _manifest(self, digest: str) -> bytes:
        data = b""
        async with aclosing(await self._get(f"{self.wanted.base}/manifests/{digest}", _ACCEPT)) as answer:
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > MAX_DOCUMENT_BYTES:
                    raise InsituError("ArchiveInvalid", "the registry's manifest is too large")
        found = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if found != digest:
            raise InsituError("ArchiveInvalid", f"the registry answered {found} where {digest} was asked for")
        return data

    async def _blob(self, descriptor: Descriptor) -> None:
        digest, size = hashlib.sha256(), 0
        target = blob_path(self.layout, descriptor.digest)
        async with (
            aclosing(await self._get(f"{self.wanted.base}/blobs/{descriptor.digest}", "*/*")) as answer,
            await anyio.open_file(target, "wb") as file,
        ):
            # Raw bytes: the digest is that of the stored bytes, whatever a proxy calls their encoding.
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > descriptor.size:
                    break
                digest.update(chunk)
                await file.write(chunk)
        if size != descriptor.size or f"sha256:{digest.hexdigest()}" != descriptor.digest:
            raise InsituError("ArchiveInvalid", f"a blob is not what its manifest says: {descriptor.digest}")

    async def _get(self, url: str, accept: str) -> httpx.Response:
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        answer = await self._send(url, headers | self._authorization(url))
        if answer.status_code == httpx.codes.UNAUTHORIZED and self.token is None:
            self.token = await self._ask_token(answer)
            answer = await self._send(url, headers | self._authorization(url))
        for _ in range(5):
            if not answer.is_redirect or answer.next_request is None:
                break
            url = str(answer.next_request.url)
            await answer.aclose()
            answer = await self._send(url, headers | self._authorization(url))
        if answer.status_code == httpx.codes.NOT_FOUND:
            await answer.aclose()
            raise InsituError("ImageUnavailable", f"the registry has no {url.rsplit('/', 1)[-1]}")
        if answer.status_code != httpx.codes.OK:
            await answer.aclose()
            raise InsituError("ImageUnavailable", f"the registry answered {answer.status_code}")
        return answer

    async def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        return await self.client.send(self.client.build_request("GET", url, headers=headers), stream=True)

    def _authorization(self, url: str) -> dict[str, str]:
        ours = urlsplit(url)[:2] == urlsplit(self.wanted.base)[:2]
        return {"Authorization": f"Bearer {self.token}"} if self.token and ours else {}

    async def _ask_token(self, answer: httpx.Response) -> str:
        challenge = answer.headers.get("WWW-Authenticate", "")
        await answer.aclose()
        facts = dict(_CHALLENGE.findall(challenge))
        if not challenge.lower().startswith("bearer ") or "realm" not in facts:
            raise InsituError("ImageUnavailable", "the registry wants a login; export the image and import it")
        query = {name: facts[name] for name in ("service", "scope") if name in facts}
        given = await self.client.get(facts["realm"], params=query)
        if given.status_code != httpx.codes.OK:
            raise InsituError("ImageUnavailable", f"the registry's token service answered {given.status_code}")
        document = read_json(given.content)
        return str(document.get("token") or document.get("access_token") or "")
