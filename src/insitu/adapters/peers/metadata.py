"""Catalogues in other processes: publish to the configured one, read from wherever the chain says."""

from dataclasses import fields

from pydantic import JsonValue
from typing_extensions import override

from insitu.domain.ids import Address
from insitu.ports.catalog import AssetRecord
from insitu.ports.peers import MetadataPeer
from insitu.sdk.http import Http, if_found
from insitu.sdk.metadata import MetadataClient

_RECORDED = {field.name for field in fields(AssetRecord)}


class HttpMetadata(MetadataPeer):
    """A METADATA-API over HTTP.

    Parameters
    ----------
    http
        For reading strangers' urls, pass one whose transport refuses private targets.
    url
        Address of the catalogue to publish to, without the path of the API.
    """

    def __init__(self, http: Http, url: str) -> None:
        self._client = MetadataClient(http, url)

    @override
    async def publish(self, document: dict[str, JsonValue]) -> str:
        await self._client.publish(document, without_compute=True)
        return self._client.address

    @override
    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        return await self._client.read(url, checksum)

    @override
    async def is_retired(self, did: str) -> bool:
        status = await if_found(self._client.status(did))
        return status is not None and status.state == "retired"

    @override
    async def published(self, creator: Address, key: str, deadline: int, signature: bytes) -> AssetRecord | None:
        status = await self._client.published(creator, key, deadline, signature)
        if status is None:
            return None
        # A catalogue says more about an asset than its record.
        return AssetRecord(**{name: value for name, value in status if name in _RECORDED})


class OwnMetadata(MetadataPeer):
    """The catalogue of this process for its own urls, others over HTTP.

    Parameters
    ----------
    own
        The service object.
    own_url
        The beginning of its urls.
    others
        Reads all other urls.
    """

    def __init__(self, own: MetadataPeer, own_url: str, others: MetadataPeer) -> None:
        self._own = own
        self._prefix = own_url.rstrip("/") + "/"
        self._others = others

    @override
    async def publish(self, document: dict[str, JsonValue]) -> str:
        return await self._own.publish(document)

    @override
    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        return await (self._own if url.startswith(self._prefix) else self._others).read(url, checksum)

    @override
    async def is_retired(self, did: str) -> bool:
        return await self._own.is_retired(did)

    @override
    async def published(self, creator: Address, key: str, deadline: int, signature: bytes) -> AssetRecord | None:
        return await self._own.published(creator, key, deadline, signature)
