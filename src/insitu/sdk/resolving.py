"""From a DID to its document: registry → URL with ``{did}`` → GET → checksum (P3, E2). Needs no metadata URL."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from insitu.domain.agreement import Terms
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import verify_checksum
from insitu.domain.ledger import DidRecord
from insitu.ports.chain import Chain
from insitu.sdk.long_work import LongWork

__all__ = ["DocumentReader", "ResolvedAsset", "Resolver"]

KEPT = 512
"""The number of documents that are kept."""


class DocumentReader(Protocol):
    """Reads the document at a URL: a client of a METADATA-API, or the catalogue of this process."""

    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        """Read the version with this on-chain ``checksum``. Raises ``AssetNotFound``, ``PeerUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedAsset:
    """One version of an asset, proved to be what the chain names. ``checksum`` is that version's, 64 digits."""

    did: str
    record: DidRecord
    ddo: Ddo
    checksum: str

    @property
    def owner(self) -> Address:
        """The on-chain owner."""
        return self.record.owner


class Resolver:
    """Reads documents by DID, proves that they are what the chain names, and keeps them, as versions never change."""

    def __init__(self, chain: Chain, metadata: DocumentReader) -> None:
        self._chain = chain
        self._metadata = metadata
        self._work = LongWork()
        self._proved: OrderedDict[tuple[str, str], Ddo] = OrderedDict()

    async def endpoint(self, terms: Terms) -> str:
        """Return where a bought service is called now; its owner may have changed that since the purchase."""
        present = await self.resolve(str(Did.from_hex(terms.did)))
        return present.ddo.compute_service(terms.service_index).service_endpoint or ""

    async def record(self, did: str) -> DidRecord:
        """Return the registry's record. Raises ``InvalidDid``, ``AssetNotFound``."""
        record = await self._chain.did_record(str(Did.parse(did)))
        if record is None:
            raise InsituError("AssetNotFound", f"{did} is not registered on chain", did=did)
        return record

    async def resolve(self, did: str, checksum: str | None = None) -> ResolvedAsset:
        """Return the asset in its current version, or in the one with this on-chain checksum.

        Raises ``InvalidDid``, ``AssetNotFound``, ``ChecksumMismatch``, ``InvalidDocument``, ``PeerUnavailable``.
        """
        record = await self.record(did)
        wanted = (checksum or record.checksum).lower().removeprefix("0x")
        key = (did, wanted)
        if key not in self._proved:
            self._proved[key] = await self._read(record, did, wanted)
        self._proved.move_to_end(key)
        ddo = self._proved[key]
        if len(self._proved) > KEPT:
            self._proved.popitem(last=False)
        return ResolvedAsset(did, record, ddo, wanted)

    async def version(self, url: str, did: str, checksum: str) -> Ddo:
        """Read the version of a document with this on-chain checksum at a URL with ``{did}``, without keeping it.

        Raises ``AssetNotFound``, ``ChecksumMismatch``, ``InvalidDocument``, ``PeerUnavailable``.
        """
        document = await self._metadata.read(url.replace("{did}", did), checksum)
        # For a long document this takes a second, during which others need answers.
        return await self._work.run(_prove, document, did, checksum)

    async def _read(self, record: DidRecord, did: str, wanted: str) -> Ddo:
        try:
            return await self.version(record.url, did, wanted)
        except InsituError as error:
            # The registered version may still appear where it is published; any other one will not.
            if error.code != "AssetNotFound" or wanted == record.checksum:
                raise
            detail = f"{did} has no version {wanted}; {record.checksum} is registered"
            raise InsituError("ChecksumMismatch", detail, did=did) from error


def _prove(document: dict[str, JsonValue], did: str, checksum: str) -> Ddo:
    ddo = read_ddo(document)
    if ddo.id != did:
        raise InsituError("ChecksumMismatch", f"the URL of {did} returns the document of another DID", did=did)
    verify_checksum(ddo, checksum)
    return ddo
