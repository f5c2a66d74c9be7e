"""The METADATA-API's decisions: who may publish what, when it is listed, what a search means (P2, P3)."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

import anyio
from pydantic import JsonValue

from insitu import __version__
from insitu.api import metadata_v1 as wire
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import LONGEST, catalogue_digest, catalogues_domain
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.integrity import creator_of, onchain_checksum, signed_proof, without_curation
from insitu.domain.ledger import DidRecord
from insitu.domain.signatures import account_signature, recover_address
from insitu.domain.signed_request import SignedRequest
from insitu.domain.validation import validate_ddo
from insitu.domain.versions import require_allowed_change, require_number
from insitu.metadata.confirmations import Confirmations
from insitu.metadata.pools import PendingLimits, Pools
from insitu.metadata.summaries import summary_of
from insitu.ports.catalog import AssetRecord, Catalog, Catalogued, DocumentVersion, Query, RegisteredVersion, Summary
from insitu.ports.chain import Block, Chain
from insitu.ports.clock import Clock
from insitu.sdk.long_work import LongWork

logger = logging.getLogger("insitu.metadata")

MAX_WORDS = 16
AGAIN = 1.0
"""Seconds to wait before following goes on from the last cursor, after the chain or the store failed."""
SWEEP = timedelta(minutes=1)
EMPTY_BLOCKS = 32
"""Store a cursor after this many empty blocks, so that a restart reads no more than these again."""

_WORD = re.compile(r"\w+")
_CHECKSUM = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


class MetadataService:
    """The catalogue of one marketplace. Implements :class:`insitu.ports.peers.MetadataPeer`.

    Parameters
    ----------
    public_url
        Address of the server, without a trailing slash. URLs that are registered on chain begin with it.
    confirmations
        Blocks to wait before an event counts.
    pending_lifetime
        Seconds after which a document that never appeared on chain is dropped.
    page_size
        Largest number of results on one page.
    limits
        How many documents may wait for the chain, and whose.
    curators
        Accounts that may hide and feature assets.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        chain: Chain,
        clock: Clock,
        public_url: str,
        confirmations: int,
        pending_lifetime: int,
        page_size: int,
        limits: PendingLimits = PendingLimits(),  # noqa: B008 - frozen
        curators: Sequence[Address] = (),
    ) -> None:
        self._catalog = catalog
        self._chain = chain
        self._clock = clock
        self._catalogue = public_url
        self._curators = tuple(curators)
        self._may_curate = frozenset(map(str.lower, curators))
        self._url = public_url + wire.DDO + "/{did}"
        self._confirmations = confirmations
        self._seen = Confirmations(chain, confirmations)
        self._lifetime = timedelta(seconds=pending_lifetime)
        self._page_size = page_size
        self.pools = Pools(catalog, chain, limits, pending_lifetime)
        self._read_to: int | None = None
        self._changed = anyio.Event()
        self._work = LongWork()

    async def run(self) -> None:
        """Follow the chain and drop documents that never appear on it. Never returns; cancel it."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow)
            tasks.start_soon(self._sweep)
            tasks.start_soon(self._renew)

    async def publish(self, document: Mapping[str, JsonValue]) -> str:
        """Publish a document of the gateway, for instance a result, and return the URL that resolves it."""
        await self.accept(document, without_compute=True)
        return self._url

    async def read(self, url: str, checksum: str | None = None) -> JsonObject:
        """Read the document at a URL of this catalogue. Raises ``AssetNotFound`` for any other URL."""
        start, end = self._url.split("{did}")
        did = url.removeprefix(start).removesuffix(end)
        if not url.startswith(start) or url != start + did + end:
            raise InsituError("AssetNotFound", f"{url[:200]} is not an address of this catalogue")
        return (await self.document(did, checksum)).document

    async def is_retired(self, did: str) -> bool:
        """Return whether the owner took an asset off the lists; False for an unknown asset."""
        record = await self._catalog.record(str(Did.parse(did)))
        return record is not None and record.state == "retired"

    async def accept(
        self, document: object, *, key: str | None = None, without_compute: bool = False, network: str = ""
    ) -> wire.AssetStatus:
        """Accept a document (P2), pending until its registration is seen. Repeating it is harmless.

        A registered document needs no signature, because the chain proves it. Before that it is signed by the creator,
        or, as a new version, by the on-chain owner.

        If the creator's ``key`` already belongs to another asset, that asset's status is returned. A key counts only
        with a document that is new here and on chain. ``network`` is where the document comes from. Raises
        ``InvalidDocument`` and related codes, ``ChecksumMismatch``, ``VersionNotAllowed``, ``SignatureMismatch``,
        ``NotOwner``, ``DeadlinePassed``, ``PendingShareUsed``, ``PendingPoolFull``.
        """
        if key is not None and _KEY.fullmatch(key) is None:
            raise InsituError("InvalidRequest", "an Idempotency-Key has 1 to 128 letters, digits, '-' or '_'")
        checked = await self._work.run(_check, document, without_compute)
        did, record = checked.version.did, await self._chain.did_record(checked.version.did)
        if record is not None or await self._catalog.document(did, checked.version.checksum) is not None:
            # Anyone has a copy of such a document, and could tie it to a key that they guessed.
            key = None
        return await self._put(checked, record, key, network)

    async def update(
        self, did: str, document: object, *, without_compute: bool = False, network: str = ""
    ) -> wire.AssetStatus:
        """Accept a version of a registered DID, as :meth:`accept` does. Raises ``AssetNotFound`` for any other DID."""
        checked = await self._work.run(_check, document, without_compute)
        if str(Did.parse(did)) != checked.version.did:
            raise InsituError("InvalidDocument", "the document's DID is not the one in the address", pointer="/id")
        return await self._put(checked, await self._record(did), None, network)

    async def retire(self, did: str, request: wire.RetireRequest) -> wire.AssetStatus:
        """Take an asset off the lists; its documents stay readable. Raises ``NotOwner``, ``SignatureMismatch``."""
        await self._require_asked(did, request, "retire")
        record = await self._catalog.retire(did, self._clock.now())
        return wire.status_of(record or _unknown(did))

    async def set_listed(self, did: str, request: wire.ListingRequest) -> wire.AssetStatus:
        """Let strangers find an asset or not, as its owner asks; either way it can be used.

        Raises ``NotOwner``, ``SignatureMismatch``, ``AssetNotFound``, and ``DeadlinePassed`` if one with a later
        deadline was carried out.
        """
        await self._require_asked(did, request, request.action)
        did, listed = str(Did.parse(did)), request.action == "list"
        record = await self._catalog.set_listed(did, listed, request.deadline, self._clock.now())
        return wire.status_of(record or _unknown(did))

    async def curate(self, did: str, request: wire.CurationRequest) -> wire.AssetStatus:
        """Hide or feature an asset for a public reason, or no longer, as a curator asks; either way it can be used.

        Raises ``NotCurator``, ``InvalidRequest`` without a reason, ``FeaturedFull``, and as :meth:`set_listed`.
        """
        self._require_ours(request)
        begins = request.action in {"hide", "feature"}
        if begins != bool(request.reason.strip()):
            raise InsituError("InvalidRequest", "give a reason to hide or feature an asset, and none to end that")
        digest = self._action_digest("CurationRequest", did, request, action=request.action, reason=request.reason)
        signature = account_signature(request.signature)
        named = request.account.lower() in self._may_curate
        if not named or not await self._chain.signed_by(request.account, digest, signature):
            raise InsituError("NotCurator", f"{request.account} is no curator here, or did not sign this")
        logger.info("%s: %s %s: %s", request.account, request.action, did, request.reason)
        record = await self._catalog.curate(
            str(Did.parse(did)),
            "hidden" if request.action.endswith("hide") else "featured",
            request.reason if begins else None,
            read_address(request.account),
            request.deadline,
            self._clock.now(),
        )
        return wire.status_of(record or _unknown(did))

    async def curated(self, request: wire.CuratedRequest) -> wire.CuratedPage:
        """Return what curators hide or feature now, for everybody: who decided, when and why."""
        skip = (request.page - 1) * request.offset
        found, total = await self._catalog.curated(request.what, skip, request.offset)
        return wire.CuratedPage(
            curators=self._curators,
            results=tuple(wire.CuratedAsset.model_validate(asset, from_attributes=True) for asset in found),
            page=request.page,
            total_pages=-(-total // request.offset),
            total_results=total,
        )

    async def status(self, did: str, checksum: str | None = None, wait: float = 0) -> wire.AssetStatus:
        """Return where an asset stands; with ``wait``, wait up to so many seconds until it (this version) is listed.

        Raises ``AssetNotFound``.
        """
        did, wanted = str(Did.parse(did)), _digits(checksum)
        with anyio.move_on_after(min(wait, wire.MAX_WAIT)):
            while True:
                changed = self._changed
                record = await self._catalog.record(did)
                if record is not None and record.state != "pending" and wanted in (None, record.checksum):
                    return wire.status_of(record)
                if wait <= 0:
                    break
                await changed.wait()
        found = wire.status_of(await self._catalog.record(did) or _unknown(did))
        return await self._seen.of(found, self._read_to)

    async def published(self, creator: Address, key: str, deadline: int, signature: bytes) -> AssetRecord | None:
        """Return what a creator published under an Idempotency-Key; see :class:`PublicationRequest`.

        Raises ``SignatureMismatch`` unless a gateway signed the question for this catalogue, or ``PeerUnavailable`` if
        that may be the gateway that the settings name.
        """
        digest = self._digest("PublicationQuestion", {"creator": creator, "key": key}, deadline)
        if not self.pools.welcomes(recover_address(digest, signature)):
            if self.pools.awaits_gateway:
                raise InsituError("PeerUnavailable", "this catalogue has just started and has not met its gateway")
            raise InsituError("SignatureMismatch", "only gateways that this catalogue knows ask for publications")
        return await self._catalog.published(creator, key)

    async def publication(self, request: wire.PublicationRequest) -> wire.AssetStatus:
        """Return which asset a creator published under a key, as :meth:`published`. Raises ``AssetNotFound``."""
        self._require_ours(request)
        signature = bytes.fromhex(request.signature[2:])
        found = await self.published(request.creator, request.key, request.deadline, signature)
        if found is None:
            raise InsituError("AssetNotFound", "the creator has published nothing under this key")
        return wire.status_of(found)

    async def document(self, did: str, checksum: str | None = None) -> Catalogued:
        """Return the listed document, or any version by its checksum, even a pending one. Raises ``AssetNotFound``."""
        did = str(Did.parse(did))
        found = await self._catalog.document(did, _digits(checksum))
        if found is None:
            raise InsituError("AssetNotFound", f"this version of {did} is not here", did=did)
        return found

    async def versions(self, did: str) -> wire.AssetVersions:
        """Return the versions of an asset that the chain named, newest first."""
        found = await self._catalog.versions(str(Did.parse(did)))
        return wire.AssetVersions(
            versions=tuple(wire.AssetVersion.model_validate(version, from_attributes=True) for version in found)
        )

    async def search(self, request: wire.SearchRequest) -> wire.SearchPage:
        """Find listed assets, and the unlisted ones of an owner that is asked for."""
        limit = min(request.offset, self._page_size)
        query = _query(request, skip=(request.page - 1) * limit, limit=limit)
        if query is None:
            return wire.SearchPage(results=(), page=request.page, total_pages=0, total_results=0)
        hits = await self._catalog.search(query)
        pages = -(-hits.total // limit)
        return wire.SearchPage(
            results=hits.documents,
            page=request.page,
            total_pages=pages,
            total_results=hits.total,
            unlisted=hits.unlisted,
        )

    async def facets(self, request: wire.SearchFilters) -> wire.AssetFacets:
        """Count what the assets have that :meth:`search` finds."""
        query = _query(request)
        if query is None:
            return wire.AssetFacets()
        found = await self._catalog.facets(query)
        facets = dict[str, wire.Facet]()
        for kind, facet in found.kinds.items():
            values = tuple(wire.FacetValue(value=value, count=count) for value, count in facet.values)
            facets[kind] = wire.Facet(values=values, more_values=facet.more)
        return wire.AssetFacets(total_results=found.total, more=found.more, **facets)

    async def summaries(self, dids: Sequence[str]) -> wire.AssetSummaries:
        """Return what a list shows of these assets, whoever may find them."""
        distinct = tuple(dict.fromkeys(dids))
        found = tuple(map(wire.summary_of_asset, await self._catalog.summaries(distinct)))
        known = {summary.did for summary in found}
        return wire.AssetSummaries(summaries=found, unknown=tuple(did for did in distinct if did not in known))

    async def ids(self, after: str = "", limit: int = 1000, owner: str | None = None) -> wire.AssetIds:
        """List the DIDs that come after ``after``; with an owner theirs in every state. Raises ``InvalidId``."""
        found = await self._catalog.dids(after, limit, None if owner is None else read_address(owner))
        return wire.AssetIds(ids=found, after=found[-1] if len(found) == limit else None)

    async def health(self) -> wire.MetadataHealth:
        """Return how far the chain was read. Fails if the store does."""
        cursors = await self._catalog.cursors()
        pending, oldest = await self._catalog.waiting()
        return wire.MetadataHealth(
            version=__version__,
            chain_id=self._chain.agreements.chain_id,
            registry=self._chain.contract("DIDRegistry"),
            url=self._url,
            block=self._read_to if self._read_to is not None else cursors[0].number if cursors else None,
            pending=pending,
            oldest_pending=oldest,
            pending_lifetime=round(self._lifetime.total_seconds()),
        )

    def _require_ours(self, request: wire.CatalogueRequest) -> None:
        if request.catalogue != self._catalogue:
            detail = f"it is signed for the catalogue at {request.catalogue}, and this one is at {self._catalogue}"
            raise InsituError("SignatureMismatch", detail, pointer="/catalogue")

    async def _require_asked(self, did: str, request: wire.CatalogueRequest, action: str) -> None:
        self._require_ours(request)
        digest = self._action_digest("ListingRequest", did, request, action=action)
        await self._require_owner(await self._record(did), digest, account_signature(request.signature))

    def _action_digest(self, kind: str, did: str, request: wire.CatalogueRequest, **members: str) -> bytes:
        return self._digest(kind, {"did": "0x" + bytes(Did.parse(did)).hex(), **members}, request.deadline)

    def _digest(self, kind: str, members: Mapping[str, object], deadline: int) -> bytes:
        """Return what is signed for this catalogue. Raises ``SignatureMismatch`` for a deadline of another time."""
        if not 0 <= deadline - self._clock.now().timestamp() <= LONGEST:
            detail = f"the deadline has passed, or is more than {LONGEST // 60} minutes away: sign it again"
            raise InsituError("SignatureMismatch", detail, pointer="/deadline")
        domain = catalogues_domain(self._chain.agreements.chain_id, self._chain.contract("DIDRegistry"))
        return catalogue_digest(kind, {**members, "catalogue": self._catalogue, "deadline": deadline}, domain)

    async def _put(
        self, checked: "_Checked", record: DidRecord | None, key: str | None, network: str
    ) -> wire.AssetStatus:
        account = await self._require_version(checked, record)
        place = await self.pools.place(account, network)
        status = await self._catalog.put(checked.version, self._clock.now(), key=key, place=place)
        self._wake()
        return wire.status_of(status)

    async def _require_version(self, checked: "_Checked", record: DidRecord | None) -> Address:
        """Refuse a document that is no version of its DID, and return the account that registered or proposes it."""
        version, creator = checked.version, checked.version.creator
        known = await self._registered(version, record)
        if known is None:
            # A request is hashed, which takes a while, so in a thread, and once.
            digest, signature, request = await self._work.run(signed_proof, checked.ddo)
            await self._require_sendable(request)
            if record is not None:
                known = RegisteredVersion(record.version + 1, await self._require_owner(record, digest, signature))
            elif await self._chain.signed_by(creator, digest, signature):
                known = RegisteredVersion(1, creator)
            else:
                raise InsituError("SignatureMismatch", f"it is not signed by the creator {creator}", pointer="/proof")
        require_number(checked.ddo, known.number)
        before = await self._catalog.before(version.did, known.number)
        if before is not None:
            await self._work.run(_require_successor, before.document, checked.ddo, self._chain.agreements.contract)
        return creator if known.number == 1 else known.owner

    async def _require_sendable(self, request: SignedRequest | None) -> None:
        """Refuse the signed request of a document if the registry of this catalogue no longer takes it."""
        if request is None:
            return
        ours = (self._chain.agreements.chain_id, self._chain.contract("DIDRegistry").lower())
        if (request.chain_id, request.registry.lower()) != ours:
            detail = f"proof.request is for registry {request.registry} on chain {request.chain_id}"
            raise InsituError("SignatureMismatch", detail, pointer="/proof/request")
        if await self._chain.time() > request.request.deadline:
            detail = f"proof.request could be sent until {request.request.deadline}"
            raise InsituError("DeadlinePassed", detail, pointer="/proof/request")

    async def _registered(self, version: DocumentVersion, record: DidRecord | None) -> RegisteredVersion | None:
        """Return what the chain says about a version: the registry for the current one, the ledger for earlier ones."""
        if record is None:
            return None
        if record.checksum == version.checksum:
            return RegisteredVersion(record.version, record.registrant)
        return await self._catalog.registered(version.did, version.checksum)

    async def _record(self, did: str) -> DidRecord:
        return await self._chain.did_record(str(Did.parse(did))) or _unknown(did)

    async def _require_owner(self, record: DidRecord, digest: bytes, signature: bytes) -> Address:
        if not await self._chain.signed_by(record.owner, digest, signature):
            raise InsituError("NotOwner", f"it is not signed by the owner, {record.owner}", owner=record.owner)
        return record.owner

    async def _follow(self) -> None:
        while True:
            try:
                await self._follow_on()
            except InsituError as error:
                logger.warning("the catalogue cannot follow the chain: %s", error)
            await anyio.sleep(AGAIN)

    async def _follow_on(self) -> None:
        cursors = await self._catalog.cursors()
        stored = cursors[0].number if cursors else None
        async for block in self._chain.follow(cursors, self._confirmations):
            self._read_to = block.cursor.number
            if stored is not None and _is_empty(block) and block.cursor.number < stored + EMPTY_BLOCKS:
                continue
            stored = block.cursor.number
            if await self._catalog.apply([block], self._clock.now()):
                self._wake()

    async def _sweep(self) -> None:
        while True:
            now = self._clock.now()
            try:
                await self._catalog.drop_pending(now - self._lifetime)
            except InsituError as error:
                logger.warning("cannot drop documents that have waited too long: %s", error)
            await self._clock.sleep_until(now + SWEEP)

    async def _renew(self) -> None:
        """Summarise again what an earlier release stored, so that searches find it by what they ask for now."""
        while True:
            try:
                if not await self._catalog.renew(_summarised):
                    return
            except InsituError as error:
                logger.warning("cannot summarise earlier documents again: %s", error)
                await anyio.sleep(AGAIN)

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


@dataclass(frozen=True, slots=True)
class _Checked:
    """A document that fits its own checksums. Nobody need have signed it."""

    version: DocumentVersion
    ddo: Ddo


def _check(document: object, without_compute: bool) -> _Checked:
    """Check form, meaning and hashes of a document. Runs in a thread, because a long document takes seconds."""
    ddo = read_ddo(document)
    validate_ddo(ddo, without_compute=without_compute, new=True)
    version = DocumentVersion(
        str(ddo.did), onchain_checksum(ddo), creator_of(ddo), without_curation(ddo.to_json()), summary_of(ddo)
    )
    return _Checked(version, ddo)


def _summarised(document: JsonObject) -> Summary | None:
    try:
        return summary_of(read_ddo(document))
    except InsituError:
        return None


def _require_successor(before: JsonObject, after: Ddo, template: Address) -> None:
    require_allowed_change(read_ddo(before), after, (template,))


def _query(request: wire.SearchFilters, skip: int = 0, limit: int = 20) -> Query | None:
    """Return what to search for, or None if the text has no words, which finds nothing."""
    words = tuple(_WORD.findall(request.text)[:MAX_WORDS])
    if request.text.strip() and not words:
        return None
    owner = read_address(request.owner) if request.owner is not None else None
    same = request.model_dump(by_alias=False, exclude={"text", "owner", "page", "offset"})
    return Query(words=words, owner=owner, skip=skip, limit=limit, **same)


def _is_empty(block: Block) -> bool:
    return not block.events and block.rolled_back_to is None


def _unknown(did: str) -> NoReturn:
    raise InsituError("AssetNotFound", f"{did} is not known here", did=did)


def _digits(checksum: str | None) -> str | None:
    if checksum is None:
        return None
    match = _CHECKSUM.fullmatch(checksum)
    if match is None:
        raise InsituError("InvalidId", "a checksum has 64 hexadecimal digits")
    return match[1].lower()
