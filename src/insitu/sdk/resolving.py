"""From a DID to its document: registry → url with ``{did}`` → GET → checksum (P3). No metadata url is configured."""

from dataclasses import dataclass

from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import verify_checksum
from insitu.domain.ledger import DidRecord
from insitu.ports.chain import Chain
from insitu.sdk.metadata import MetadataClient

__all__ = ["Resolved", "Resolver"]

KEPT = 256
"""Documents; as many as a client looks at in a while."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One version of an asset, proved to be what the chain names; ``checksum`` is that version's, 64 digits."""

    did: str
    record: DidRecord
    ddo: Ddo
    checksum: str

    @property
    def owner(self) -> Address:
        """The on-chain owner."""
        return self.record.owner


class Resolver:
    """Resolves DIDs over a chain and any metadata server that the chain names."""

    def __init__(self, chain: Chain, metadata: MetadataClient) -> None:
        self._chain = chain
        self._metadata = metadata
        self._proved: dict[tuple[str, str], Ddo] = {}

    async def record(self, did: str) -> DidRecord:
        """Return the registry's record. Raises ``InvalidDid``, ``AssetNotFound``."""
        record = await self._chain.did_record(str(Did.parse(did)))
        if record is None:
            raise InsituError("AssetNotFound", f"{did} is not registered on chain", did=did)
        return record

    async def resolve(self, did: str, checksum: str | None = None) -> Resolved:
        """Return the present version, or the one with this on-chain checksum.

        Raises ``InvalidDid``, ``AssetNotFound``, ``ChecksumMismatch``, ``InvalidDocument``, ``PeerUnavailable``.
        """
        record = await self.record(did)
        wanted = (checksum or record.checksum).lower().removeprefix("0x")
        ddo = self._proved.get((did, wanted))
        if ddo is None:
            ddo = read_ddo(await self._metadata.read(record.url.replace("{did}", did), wanted))
            if ddo.id != did:
                raise InsituError("ChecksumMismatch", f"the url of {did} gives the document of another DID", did=did)
            verify_checksum(ddo, wanted)
            self._keep(did, wanted, ddo)
        return Resolved(did, record, ddo, wanted)

    def _keep(self, did: str, checksum: str, ddo: Ddo) -> None:
        """A version never changes; the oldest go first, so that a client that runs for months stays small."""
        self._proved[did, checksum] = ddo
        if len(self._proved) > KEPT:
            del self._proved[next(iter(self._proved))]
