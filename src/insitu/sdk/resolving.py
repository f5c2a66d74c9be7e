"""From a DID to its document: registry → URL with ``{did}`` → GET → checksum (P3, E2). Needs no metadata URL."""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from insitu.domain.agreement import Terms
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import creator_of, verify_checksum
from insitu.domain.ledger import DidRecord, DidRegistered
from insitu.domain.versions import require_allowed_change, require_number
from insitu.ports.chain import Chain, require_record
from insitu.sdk.long_work import LongWork

logger = logging.getLogger(__name__)

KEPT = 512
"""The number of documents that are kept."""


class DocumentReader(Protocol):
    """Reads the document at a URL: a client of a METADATA-API, or the catalogue of this process."""

    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        """Read the version with this on-chain ``checksum``. Raises ``AssetNotFound``, ``PeerUnavailable``."""
        ...


class DocumentCopies(Protocol):
    """Keeps documents that must stay readable, whoever withholds them."""

    async def copy(self, did: str, checksum: str) -> tuple[dict[str, JsonValue], int] | None:
        """Return the kept version with this on-chain checksum and the block that registered it, both unproved."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedAsset:
    """One version of an asset, proved to be registered and to be what the chain names.

    Attributes
    ----------
    record
        What the registry has now; the version may be an earlier one.
    checksum
        The version's on-chain checksum, 64 digits.
    creator
        The account that the DID derives from.
    registrant
        The account that answers for this version: the creator for version 1, otherwise the owner in its event.
    version, block
        Its number, from 1, and the block that registered it.
    """

    did: str
    record: DidRecord
    ddo: Ddo
    checksum: str
    creator: Address
    registrant: Address
    version: int
    block: int

    @property
    def owner(self) -> Address:
        """The on-chain owner."""
        return self.record.owner

    @property
    def is_current(self) -> bool:
        """Whether this is the registry's current version."""
        return self.checksum == self.record.checksum


class Resolver:
    """Reads documents by DID, proves that they are what the chain names, and keeps them, as versions never change."""

    def __init__(self, chain: Chain, metadata: DocumentReader, copies: DocumentCopies | None = None) -> None:
        self._chain = chain
        self._metadata = metadata
        self._copies = copies
        self._work = LongWork()
        self._proved: OrderedDict[tuple[str, str], tuple[Ddo, Address]] = OrderedDict()
        self._allowed: set[tuple[str, str]] = set()

    async def endpoint(self, terms: Terms) -> str:
        """Return where a bought service is called now; its owner may have changed that since the purchase."""
        present = await self.resolve(str(Did.from_hex(terms.did)))
        return present.ddo.compute_service(terms.service_index).service_endpoint or ""

    async def record(self, did: str) -> DidRecord:
        """Return the registry's record. Raises ``InvalidDID``, ``AssetNotFound``, ``ChainUnavailable``."""
        return await require_record(self._chain, did)

    async def resolve(self, did: str, checksum: str | None = None, block: int | None = None) -> ResolvedAsset:
        """Return the asset in its current version, or in the registered one with this on-chain checksum.

        ``block`` says where that version was registered, so that the chain is asked only once. If it is unknown or was
        reorganised, the registrations are read from the newest back. If several have the checksum, the newest counts.

        Raises ``InvalidDid``, ``AssetNotFound``, ``ChecksumMismatch``, ``VersionNotAllowed``, ``InvalidDocument``,
        ``PeerUnavailable``, ``ChainUnavailable``.
        """
        record = await require_record(self._chain, did)
        wanted = (checksum or record.checksum).lower().removeprefix("0x")
        if wanted == record.checksum:
            return await self.read(record, record.registered)
        if block is None and (copy := await self._copy(did, wanted)) is not None:
            block = copy[1]
        event = await self._chain.registration(did, wanted, block) if block is not None else None
        return await self.read(record, event or await self._find(record, wanted))

    async def read(self, record: DidRecord, event: DidRegistered) -> ResolvedAsset:
        """Read the version that an event of the chain registered. Raises like :meth:`resolve`."""
        key = (event.did, event.checksum)
        if key not in self._proved:
            self._proved[key] = await self._read_copy(*key) or await self._read_published(event)
        self._proved.move_to_end(key)
        ddo, creator = self._proved[key]
        if len(self._proved) > KEPT:
            self._proved.popitem(last=False)
        require_number(ddo, event.version)
        registrant = creator if event.version == 1 else event.owner
        return ResolvedAsset(event.did, record, ddo, event.checksum, creator, registrant, event.version, event.block)

    async def require_allowed(self, asset: ResolvedAsset) -> None:
        """Refuse a version that changes more of the version before than a version may.

        Raises ``VersionNotAllowed``, and like :meth:`resolve` if the version before cannot be read.
        """
        if asset.version == 1 or (asset.did, asset.checksum) in self._allowed:
            return
        async for event in self._chain.registrations(asset.did):
            if event.version == asset.version - 1:
                before = await self.read(asset.record, event)
                require_allowed_change(before.ddo, asset.ddo, (self._chain.agreements.contract,))
                self._allowed.add((asset.did, asset.checksum))
                return
        detail = f"version {asset.version - 1} of {asset.did} is not among the newest"
        raise InsituError("AssetNotFound", detail, did=asset.did)

    async def _copy(self, did: str, checksum: str) -> tuple[dict[str, JsonValue], int] | None:
        return await self._copies.copy(did, checksum) if self._copies is not None else None

    async def _read_copy(self, did: str, checksum: str) -> tuple[Ddo, Address] | None:
        if (copy := await self._copy(did, checksum)) is None:
            return None
        try:
            return await self._work.run(_prove, copy[0], did, checksum)
        except InsituError as error:
            logger.warning("the copy of version %s of %s is not what was kept: %s", checksum, did, error)
            return None

    async def _read_published(self, event: DidRegistered) -> tuple[Ddo, Address]:
        document = await self._metadata.read(event.url.replace("{did}", event.did), event.checksum)
        # For a long document this takes a second, during which others need answers.
        return await self._work.run(_prove, document, event.did, event.checksum)

    async def _find(self, record: DidRecord, wanted: str) -> DidRegistered:
        async for event in self._chain.registrations(record.did):
            if event.checksum == wanted:
                return event
        detail = f"{record.did} has no version {wanted}; {record.checksum} is registered"
        raise InsituError("ChecksumMismatch", detail, did=record.did)


def _prove(document: dict[str, JsonValue], did: str, checksum: str) -> tuple[Ddo, Address]:
    ddo = read_ddo(document)
    if ddo.id != did:
        raise InsituError("ChecksumMismatch", f"the URL of {did} returns the document of another DID", did=did)
    verify_checksum(ddo, checksum)
    return ddo, creator_of(ddo)
