"""A client of the METADATA-API (P2)."""

from collections.abc import Mapping, Sequence
from time import time
from typing import Any, TypeVar

from pydantic import JsonValue, ValidationError

from insitu.api import metadata_v1 as wire
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import SIGNED_FOR, catalogue_digest, catalogues_domain
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.wire import WireRequest, first_problem
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.http import Http, if_found

Filters = TypeVar("Filters", bound=WireRequest)


def read_filters(kind: type[Filters], given: Mapping[str, object]) -> Filters:
    """Read what a search asks for. Raises ``InvalidRequest`` for a filter that does not exist or cannot be read."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise InsituError("InvalidRequest", first_problem(error, ".")) from None


class MetadataClient:
    """Calls one METADATA-API.

    Parameters
    ----------
    url
        Address of the server, without the path of the API.
    """

    def __init__(self, http: Http, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    @property
    def address(self) -> str:
        """The URL that is registered on chain, with ``{did}`` for the DID (P3)."""
        return f"{self._url}{wire.DDO}/{{did}}"

    async def publish(
        self, document: Mapping[str, JsonValue], *, key: str | None = None, without_compute: bool = False
    ) -> wire.AssetStatus:
        """Publish a document; see ``MetadataService.accept``. Repeating it is harmless."""
        return await self._http.model(
            wire.AssetStatus,
            "POST",
            self._url + wire.DDO,
            json=document,
            params={"withoutCompute": "true" if without_compute else None},
            headers={"Idempotency-Key": key} if key is not None else None,
            idempotent=True,
        )

    async def update(self, document: Mapping[str, JsonValue], *, without_compute: bool = False) -> wire.AssetStatus:
        """Publish a new version, signed by the on-chain owner."""
        return await self._http.model(
            wire.AssetStatus,
            "PUT",
            self._at(str(document.get("id"))),
            json=document,
            params={"withoutCompute": "true" if without_compute else None},
        )

    async def retire(self, did: str, signer: Signer, chain: Chain) -> wire.AssetStatus:
        """Take an asset off the lists of this server, and of no other. The signer must be its on-chain owner."""
        signed = self._sign("ListingRequest", did, signer, chain, action="retire")
        body = {name: value for name, value in signed.items() if name != "action"}
        return await self._http.model(wire.AssetStatus, "DELETE", self._at(did), json=body)

    async def set_listed(self, did: str, signer: Signer, chain: Chain, *, listed: bool) -> wire.AssetStatus:
        """Let strangers find an asset at this server, or not. The signer must be its on-chain owner."""
        body = self._sign("ListingRequest", did, signer, chain, action="list" if listed else "unlist")
        return await self._http.model(wire.AssetStatus, "PUT", f"{self._at(did)}/listing", json=body)

    async def curate(
        self, did: str, signer: Signer, chain: Chain, action: wire.CurationAction, reason: str = ""
    ) -> wire.AssetStatus:
        """Hide or feature an asset at this server, or end that. The signer must be one of its curators."""
        body = self._sign("CurationRequest", did, signer, chain, action=action, reason=reason)
        body |= {"account": signer.address}
        return await self._http.model(wire.AssetStatus, "PUT", f"{self._at(did)}/curation", json=body)

    async def read(self, url: str, checksum: str | None = None) -> JsonObject:
        """Read the document at a URL of any server, without verifying it. Raises ``AssetNotFound``."""
        try:
            document = await self._http.call("GET", url, params={"checksum": checksum}, follow_redirects=True)
        except InsituError as error:
            if error.code != "NotFound":
                raise
            raise InsituError("AssetNotFound", f"there is no document at {url}") from None
        if not isinstance(document, dict):
            raise InsituError("ChecksumMismatch", f"{url} returns something that is not a document")
        return document

    async def document(self, did: str, checksum: str | None = None) -> JsonObject:
        """Read a document of this server, without verifying it."""
        return await self.read(self._at(did), checksum)

    async def status(self, did: str, *, checksum: str | None = None, wait: float = 0) -> wire.AssetStatus:
        """Return where an asset stands, with ``wait`` once it is listed or after so many seconds."""
        params: dict[str, Any] = {"checksum": checksum, "wait": min(wait, wire.MAX_WAIT) or None}
        return await self._http.model(wire.AssetStatus, "GET", self._at(did) + "/status", params=params)

    async def versions(self, did: str) -> wire.AssetVersions:
        """Return the versions of an asset that the server saw on chain, newest first."""
        return await self._http.model(wire.AssetVersions, "GET", self._at(did) + "/versions")

    async def published(self, creator: Address, key: str, deadline: int, signature: bytes) -> wire.AssetStatus | None:
        """Return which asset the creator published under an Idempotency-Key, if any. A gateway asks and signs."""
        signed = "0x" + signature.hex()
        request = wire.PublicationRequest(
            catalogue=self._url, creator=creator, key=key, deadline=deadline, signature=signed
        )
        address = self._url + wire.PUBLICATIONS
        return await if_found(self._http.model(wire.AssetStatus, "POST", address, json=request, idempotent=True))

    async def search(self, request: wire.SearchRequest) -> wire.SearchPage:
        """Find listed assets."""
        return await self._http.model(wire.SearchPage, "POST", self._url + wire.QUERY, json=request, idempotent=True)

    async def facets(self, request: wire.SearchFilters) -> wire.AssetFacets:
        """Count what the assets have that a search finds."""
        return await self._http.model(wire.AssetFacets, "POST", self._url + wire.FACETS, json=request, idempotent=True)

    async def summaries(self, dids: Sequence[str]) -> wire.AssetSummaries:
        """Return what a list shows of at most 100 assets."""
        body = {"dids": list(dids)}
        return await self._http.model(
            wire.AssetSummaries, "POST", self._url + wire.SUMMARIES, json=body, idempotent=True
        )

    async def curated(self, request: wire.CuratedRequest) -> wire.CuratedPage:
        """List what curators hide or feature now."""
        params = request.model_dump(mode="json")
        return await self._http.model(wire.CuratedPage, "GET", self._url + wire.CURATED, params=params)

    async def ids(self, after: str = "") -> wire.AssetIds:
        """List the DIDs that come after ``after``."""
        return await self._http.model(wire.AssetIds, "GET", self._url + wire.ASSETS, params={"after": after or None})

    async def health(self) -> wire.MetadataHealth:
        """Return how far the server has read the chain."""
        return await self._http.model(wire.MetadataHealth, "GET", self._url + wire.HEALTH)

    def _sign(self, kind: str, did: str, signer: Signer, chain: Chain, **given: str) -> JsonObject:
        """Return a request for this server, signed, without its DID."""
        asked: JsonObject = {**given, "catalogue": self._url, "deadline": int(time()) + SIGNED_FOR}
        domain = catalogues_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))
        digest = catalogue_digest(kind, asked | {"did": "0x" + bytes(Did.parse(did)).hex()}, domain)
        return asked | {"signature": "0x" + signer.sign_digest(digest).hex()}

    def _at(self, did: str) -> str:
        return f"{self._url}{wire.DDO}/{Did.parse(did)}"
