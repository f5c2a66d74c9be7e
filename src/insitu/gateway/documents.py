"""Resolving DIDs: registry → url with ``{did}`` → GET → checksum (P3, E2)."""

from collections import OrderedDict
from dataclasses import dataclass

from pydantic import JsonValue

from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import verify_checksum
from insitu.domain.ledger import DidRecord
from insitu.ports.chain import Chain
from insitu.ports.peers import MetadataPeer

__all__ = ["Documents", "ResolvedAsset"]

CACHED = 512


@dataclass(frozen=True, slots=True)
class ResolvedAsset:
    """A registered asset and one version of its document; ``checksum`` is that version's, 64 digits."""

    did: str
    record: DidRecord
    ddo: Ddo
    checksum: str

    @property
    def owner(self) -> Address:
        """The on-chain owner."""
        return self.record.owner


class Documents:
    """Reads documents by DID and proves that they are what the chain names; versions never change, so they are kept."""

    def __init__(self, chain: Chain, metadata: MetadataPeer) -> None:
        self._chain = chain
        self._metadata = metadata
        self._cache: OrderedDict[tuple[str, str], Ddo] = OrderedDict()

    async def record(self, did: str) -> DidRecord:
        """Return the registry's record. Raises ``InvalidDid``, ``AssetNotFound``."""
        record = await self._chain.did_record(str(Did.parse(did)))
        if record is None:
            raise InsituError("AssetNotFound", f"{did} is not registered", did=did)
        return record

    async def is_retired(self, did: str) -> bool:
        """Tell whether its owner took the asset off the lists of this provider's catalogue."""
        return await self._metadata.is_retired(did)

    async def resolve(self, did: str, checksum: str | None = None) -> ResolvedAsset:
        """Return the asset in its present version, or in the one with this on-chain checksum.

        Raises ``InvalidDid``, ``AssetNotFound``, ``ChecksumMismatch``, ``InvalidDocument``, ``PeerUnavailable``.
        """
        record = await self.record(did)
        wanted = (checksum or record.checksum).lower().removeprefix("0x")
        key = (did, wanted)
        if key in self._cache:
            self._cache.move_to_end(key)
            return ResolvedAsset(did, record, self._cache[key], wanted)
        ddo = read_ddo(await self._read(record, did, wanted))
        if ddo.id != did:
            raise InsituError("ChecksumMismatch", f"the url of {did} gives another document", did=did)
        verify_checksum(ddo, wanted)
        self._cache[key] = ddo
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return ResolvedAsset(did, record, ddo, wanted)

    async def _read(self, record: DidRecord, did: str, wanted: str) -> dict[str, JsonValue]:
        try:
            return await self._metadata.read(record.url.replace("{did}", did), wanted)
        except InsituError as error:
            # The registered version may yet appear where it is published; any other one will not.
            if error.code != "AssetNotFound" or wanted == record.checksum:
                raise
            detail = f"{did} has no version {wanted}, registered is {record.checksum}"
            raise InsituError("ChecksumMismatch", detail, did=did) from error
