"""The catalogue's memory: published documents, what the chain says about their DIDs, and the search (P2, P3).

A document is *pending* until the chain names its checksum for its DID, *listed* or *unlisted* while it is the version
that the chain names now, and readable by its checksum forever after. Strangers find what is listed; what is unlisted is
found by its DID and by its owner. The chain's events are stored by block, so a reorganisation takes
back exactly what did not happen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import JsonValue

from insitu.domain.ids import Address
from insitu.ports.chain import Block, Cursor

AssetState = Literal["pending", "listed", "unlisted", "hidden", "retired"]
Sort = Literal["relevance", "date", "price"]
FoundState = Literal["listed", "unlisted", "retired", "pending"]
"""What a search may ask for; what a curator hides is in nobody's search."""
FacetKind = Literal["type", "service", "tag", "category", "may_run", "may_leave", "author", "license", "price", "state"]
"""What is counted: a parameter of :class:`Query`, or whether an asset is ``free`` or ``priced``."""
Curation = Literal["hidden", "featured"]
"""What a curator decides for a public reason: nobody's search finds it, or pages show it first."""
Pool = Literal["gateways", "creators", "strangers"]
"""Whose documents wait for the chain together. A full pool does not affect the others."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a search looks at, taken from a document. ``price`` is in base units of the token.

    ``listed`` is whether strangers find it as long as its owner has not said otherwise.
    """

    type: str
    name: str
    description: str
    author: str
    license: str
    price: int
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    may_run: tuple[str, ...] = ()
    may_leave: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version of a document; ``checksum`` is its on-chain checksum, 64 hexadecimal digits."""

    did: str
    checksum: str
    creator: Address
    document: dict[str, JsonValue]
    summary: Summary


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """Where a version waits for the chain, and how much may wait there; None means no limit.

    Attributes
    ----------
    holder
        Whose share of the pool it counts against: an account, or the network of a client.
    share, share_bytes
        How many documents of the holder may wait, and their bytes.
    pool_share, pool_bytes
        The same for everybody in the pool.
    lifetime
        Seconds after which a waiting document is dropped, which makes room.
    """

    pool: Pool = "strangers"
    holder: str = ""
    share: int | None = None
    share_bytes: int | None = None
    pool_share: int | None = None
    pool_bytes: int | None = None
    lifetime: int = 3600


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """Where an asset stands.

    Attributes
    ----------
    checksum
        Of the version that the chain names; of the newest pending one if the chain names none that is stored here.
    owner, version
        As the chain has them; None and 0 while the DID is not registered.
    pending
        Checksum of the newest version that waits for the chain, if one does.
    reason, featured
        Why a curator hid it, and why one features it; empty if nobody did.
    """

    did: str
    state: AssetState
    checksum: str
    owner: Address | None
    version: int
    updated_at: datetime
    pending: str | None = None
    reason: str = ""
    featured: str = ""


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A stored version. ``on_chain`` is true if the chain ever named it and no reorganisation took that back."""

    checksum: str
    document: dict[str, JsonValue]
    on_chain: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for. Every given part must match; text is compared without case.

    With ``owner`` the unlisted assets of that account are found as well.

    Attributes
    ----------
    may_run, may_leave
        As :mod:`insitu.domain.offered_rules` says them. Only what offers a compute service has any.
    state
        None for what can be found without it: what is listed, and with ``owner`` also what is not. ``retired`` has what
        was unlisted only with ``owner``. ``unlisted`` and ``pending`` find nothing without an ``owner``, which for
        ``pending`` is the account that created the document.
    words
        Each must begin a word of the name, description, tags, author or DID, or be such a word if it has fewer than
        three letters. Without words everything is found. A word is a run of letters and digits, compared without case
        and diacritics; one with other characters inside (``new-york``) must be found in one piece. An adapter may
        leave out the end of a very long description (some 10 000 different words).
    sort
        By relevance, a word in the name counts more than one in the description; apart from that each engine ranks in
        its own way. Without words, relevance means date.
    price_min, price_max
        Base units, both included.
    descending
        Best, newest, or dearest first.
    skip, limit
        The page.
    """

    words: tuple[str, ...] = ()
    type: str | None = None
    service: str | None = None
    tag: str | None = None
    category: str | None = None
    author: str | None = None
    owner: Address | None = None
    license: str | None = None
    may_run: str | None = None
    may_leave: str | None = None
    state: FoundState | None = None
    price_min: int | None = None
    price_max: int | None = None
    sort: Sort = "relevance"
    descending: bool = True
    skip: int = 0
    limit: int = 20


ANYWHERE = WaitingPlace()
"""A place without a limit."""


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of documents, how many there are in all, and the DIDs of those on it that strangers do not find."""

    documents: tuple[dict[str, JsonValue], ...]
    total: int
    unlisted: tuple[str, ...] = ()


MAX_COUNTED = 1000
"""How many of the assets found are counted for facets."""
MAX_VALUES = 20
"""How many values of a facet are returned."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values among the assets found, each with how many have it; whether there are more values."""

    values: tuple[tuple[str, int], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """What the assets found have, and how many they are. With ``more`` there are older ones, which were not counted."""

    total: int
    more: bool
    kinds: Mapping[FacetKind, Facet]


@dataclass(frozen=True, slots=True)
class SummarisedAsset:
    """Where an asset stands, what its current document says, and when the chain first named it."""

    record: AssetRecord
    summary: Summary
    created_at: datetime | None


MAX_FEATURED = 6
"""How many assets a catalogue features at the same time: what is first for everybody has to stay few."""


@dataclass(frozen=True, slots=True)
class CuratedAsset:
    """An asset about which a curator decided. ``curator`` and ``at`` are None if a catalogue of an earlier release
    stored it. The ``document`` is there only if the asset is featured and strangers find it.
    """

    did: str
    state: AssetState
    reason: str
    curator: Address | None
    at: datetime | None
    document: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version that the chain named: its number, from 1, and the owner of the DID from then on."""

    number: int
    owner: Address


@dataclass(frozen=True, slots=True)
class CataloguedVersion:
    """A version that the chain named, when, and whether its document is here."""

    number: int
    checksum: str
    owner: Address
    registered_at: datetime
    here: bool


class Catalog(Protocol):
    """The store of the METADATA-API. One contract suite (tests/ports/catalog) runs over every adapter."""

    async def put(
        self, version: DocumentVersion, now: datetime, *, key: str | None = None, place: WaitingPlace = ANYWHERE
    ) -> AssetRecord:
        """Store a version; it is listed at once if the chain names it already. Storing it again renews its lifetime.

        If ``key`` (an Idempotency-Key of the creator) already belongs to another DID, nothing is stored and that
        asset's record is returned. Raises ``PendingShareUsed`` and ``PendingPoolFull`` when its place has no room;
        ``retryAfter`` in the context says after how many seconds there will be room at the latest.
        """
        ...

    async def has_registered(self, account: Address) -> bool:
        """Return whether the account created and registered a listed asset itself, or an earlier version of one.

        A result does not count: its gateway created it and paid for the registration.
        """
        ...

    async def record(self, did: str) -> AssetRecord | None:
        """Return where the asset stands, or None when no version of it is here."""
        ...

    async def published(self, creator: Address, key: str) -> AssetRecord | None:
        """Return the asset that the creator published under this key, unless it has another current version by now."""
        ...

    async def document(self, did: str, checksum: str | None = None) -> Catalogued | None:
        """Return the version with this checksum, or by default the one that the chain names now, if it is here."""
        ...

    async def registered(self, did: str, checksum: str) -> RegisteredVersion | None:
        """Return the newest version that the chain named with this checksum, even if its document is not here."""
        ...

    async def versions(self, did: str, limit: int = 100) -> tuple[CataloguedVersion, ...]:
        """Return the versions that the chain named, newest first, even those whose documents are not here."""
        ...

    async def before(self, did: str, number: int) -> Catalogued | None:
        """Return the newest stored version that the chain named with a number below ``number``."""
        ...

    async def retire(self, did: str, now: datetime) -> AssetRecord | None:
        """Take the asset off the lists until the chain names a newer version."""
        ...

    async def set_listed(self, did: str, listed: bool, deadline: int, now: datetime) -> AssetRecord | None:
        """List the asset or not, as its owner asked with a deadline in seconds since 1970.

        Raises ``DeadlinePassed`` if an earlier call had a later deadline.
        """
        ...

    async def curate(
        self, did: str, what: Curation, reason: str | None, curator: Address, deadline: int, now: datetime
    ) -> AssetRecord | None:
        """Hide or feature the asset for a reason, whatever its owner asks; None ends that. Deadline as above.

        What is hidden is on no list, also if it is featured. Raises ``FeaturedFull`` if :data:`MAX_FEATURED` others are
        featured.
        """
        ...

    async def curated(self, what: Curation, skip: int = 0, limit: int = 20) -> tuple[tuple[CuratedAsset, ...], int]:
        """Return those that are hidden or featured now, the latest decision first, and how many there are in all."""
        ...

    async def search(self, query: Query) -> Hits:
        """Find assets, the listed ones unless the query names a state or an owner. Hidden ones are not found."""
        ...

    async def facets(self, query: Query) -> Facets:
        """Count what the assets have that :meth:`search` finds, whatever the page and the order.

        The newest :data:`MAX_COUNTED` of them are counted, and at most :data:`MAX_VALUES` values of each facet are
        returned, the most frequent first, in the spelling of a document that has it. ``state`` is counted as if the
        query named none: how many each state has that it could name, up to one more than :data:`MAX_COUNTED`.
        """
        ...

    async def renew(self, summarise: Callable[[dict[str, JsonValue]], Summary | None], limit: int = 50) -> int:
        """Summarise at most ``limit`` documents again that an earlier release summarised, and return how many were.

        None from ``summarise`` keeps the earlier summary.
        """
        ...

    async def summaries(self, dids: Sequence[str]) -> tuple[SummarisedAsset, ...]:
        """Return those of the assets that are here, whoever may find them, in the order of ``dids``."""
        ...

    async def dids(self, after: str = "", limit: int = 1000, owner: Address | None = None) -> tuple[str, ...]:
        """Return the listed DIDs that come after ``after``, in ascending order.

        With ``owner`` those that the account owns, and those that it created and no block names yet, in every state.
        """
        ...

    async def cursors(self) -> tuple[Cursor, ...]:
        """Return the blocks that were applied last, newest first."""
        ...

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return how many versions wait for the chain, and since when the one that waits longest does."""
        ...

    async def apply(self, blocks: Sequence[Block], now: datetime) -> frozenset[str]:
        """Store what blocks say about DIDs, and their cursors, in one transaction. Return the DIDs that changed.

        Applying the same block again changes nothing. A block with ``rolled_back_to`` first takes back what was
        stored above that cursor; versions that lose their place on chain are pending again from ``now`` on.
        """
        ...

    async def drop_pending(self, before: datetime) -> int:
        """Forget versions that have been pending since before a moment, and return how many.

        Gateways get a week longer, so that a result is not lost when its registration takes long.
        """
        ...
