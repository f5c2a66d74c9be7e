"""The METADATA-API: addresses, requests and answers (P2)."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from insitu.domain.ids import Address
from insitu.domain.wire import Account, AccountSignature, Amount, Price, Time, WireModel, WireRequest
from insitu.ports.catalog import AssetRecord, Curation, SummarisedAsset

BASE = "/api/v1/metadata"
ASSETS = BASE + "/assets"
DDO = ASSETS + "/ddo"
QUERY = DDO + "/query"
FACETS = ASSETS + "/facets"
SUMMARIES = ASSETS + "/summaries"
CURATED = ASSETS + "/curated"
PUBLICATIONS = ASSETS + "/publications"
"""What a creator published under an Idempotency-Key. Only a gateway may ask, for a creator who signed in there."""
HEALTH = BASE + "/health"

MAX_WAIT = 30
"""The most seconds that ``GET ddo/{did}/status?wait=`` waits for the version to be listed."""

AssetState = Literal["pending", "listed", "unlisted", "hidden", "retired"]
FoundState = Literal["listed", "unlisted", "retired", "pending"]
Sort = Literal["relevance", "date", "price"]
CurationAction = Literal["hide", "unhide", "feature", "unfeature"]


class AssetStatus(WireModel):
    """The state of an asset: *pending* until the catalogue sees its DID and checksum on chain.

    Searches of strangers find what is *listed*. What is *unlisted*, or *hidden* by a curator of the catalogue for a
    public ``reason``, resolves and can be used by its DID. What is *retired* can no longer be bought.

    ``featured`` is the public reason for which a curator features it, if one does.

    ``pending`` is the checksum of its newest version that waits for the chain. Of what is pending and on chain already,
    ``confirmed`` is how many of the ``confirmations`` that the catalogue waits for it has.
    """

    did: str
    state: AssetState
    checksum: str
    owner: Address | None = None
    version: int = 0
    updated_at: Time
    pending: str | None = None
    reason: str = ""
    confirmed: int | None = None
    confirmations: int | None = None
    featured: str = ""


def status_of(record: AssetRecord) -> AssetStatus:
    """Return the state of a stored asset."""
    return AssetStatus.model_validate(record, from_attributes=True)


class AssetVersion(WireModel):
    """A version that the chain named; ``document?checksum=`` has it if it is ``here``."""

    number: int
    checksum: str
    owner: Address
    """From this version on."""
    registered_at: Time
    here: bool


class AssetVersions(WireModel):
    """Answer of ``GET ddo/{did}/versions``: the newest 100, newest first; none for a DID that the chain never named."""

    versions: tuple[AssetVersion, ...] = ()


class CatalogueRequest(WireRequest):
    """What was signed for one catalogue; see ``CATALOGUE_TYPES``.

    Attributes
    ----------
    catalogue
        Its address, without the path of the API and without a slash at the end.
    deadline
        Seconds since 1970, at most 10 minutes ahead.
    """

    catalogue: Annotated[str, Field(max_length=2048)]
    deadline: Annotated[int, Field(ge=0, lt=2**64)]
    signature: AccountSignature


class PublicationRequest(CatalogueRequest):
    """``POST publications``: a gateway asks what a creator published under a key.

    An account that the catalogue knows as that of a gateway signs a ``PublicationQuestion``. So guessing a key tells
    nobody anything.
    """

    creator: Account
    key: str = Field(max_length=128)


class RetireRequest(CatalogueRequest):
    """Stop listing an asset; its versions stay readable.

    The on-chain owner signs a ``ListingRequest`` with the action ``retire``.
    """


class ListingRequest(CatalogueRequest):
    """Let strangers find an asset, or not; it can be used either way.

    The on-chain owner signs a ``ListingRequest``. It is refused if one with a later deadline was carried out.
    """

    action: Literal["list", "unlist"]


class CurationRequest(CatalogueRequest):
    """Hide an asset from everybody's searches, or feature it, for a public ``reason`` and whatever its owner asks.

    ``unhide`` and ``unfeature`` end that, without a reason. At most 6 assets are featured at the same time.

    ``account``, which the settings of the catalogue name, signs a ``CurationRequest``.
    """

    account: Account
    action: CurationAction
    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")


class CuratedRequest(WireRequest):
    """``GET assets/curated``: what curators hide now, or what they feature."""

    what: Curation
    page: int = Field(default=1, ge=1, le=10_000)
    offset: int = Field(default=20, ge=1, le=100)
    """Results per page, as in a search."""


class CuratedAsset(WireModel):
    """What a curator decided, why and when; null as long as only an earlier release knew it.

    ``document`` is that of a featured asset which strangers find. That of a hidden one is not repeated here.
    """

    did: str
    state: AssetState
    reason: str
    curator: Address | None = None
    at: Time | None = None
    document: dict[str, JsonValue] | None = None


class CuratedPage(WireModel):
    """The latest decision first; ``curators`` are the accounts that may decide here."""

    curators: tuple[Address, ...]
    results: tuple[CuratedAsset, ...]
    page: int
    total_pages: int
    total_results: int


class SearchFilters(WireRequest):
    """What is searched for: ``POST assets/facets`` or, as parameters, ``GET`` of the same address.

    ``text`` is searched in name, description, tags, author and DID; without it, everything matches. With ``owner`` the
    unlisted assets of that account are found as well.

    ``mayRun`` is what the owner's rules let run: ``any`` algorithm, those of trusted ``publishers``, ``algorithms``
    that are named, or ``nothing``. ``mayLeave`` is a type of files such as ``.csv``, ``any file``, ``no file``, ``log``
    or ``no log``. ``state`` finds what is ``retired`` as well as what is ``listed``; what is ``unlisted`` or
    ``pending`` only together with ``owner``, of ``pending`` documents their creator.
    """

    text: str = Field(default="", max_length=400)
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
    price_min: Amount | None = None
    price_max: Amount | None = None


class SearchRequest(SearchFilters):
    """``POST assets/ddo/query`` or, as parameters, ``GET`` of the same address: the filters, the order and the page."""

    sort: Sort = "relevance"
    descending: bool = True
    page: int = Field(default=1, ge=1, le=10_000)
    offset: int = Field(default=20, ge=1, le=100)
    """Results per page; the name is that of the published API."""


class SearchPage(WireModel):
    """One page of DDOs; ``unlisted`` has the DIDs of those that only a search for their owner finds."""

    results: tuple[dict[str, JsonValue], ...]
    unlisted: tuple[str, ...] = ()
    page: int
    total_pages: int
    total_results: int


class FacetValue(WireModel):
    """A value, as a document spells it, and how many of the counted assets have it. Searches compare without case."""

    value: str
    count: int


class Facet(WireModel):
    """The most frequent values, at most 20; ``moreValues`` says that there are others."""

    values: tuple[FacetValue, ...] = ()
    more_values: bool = False


class AssetFacets(WireModel):
    """What the assets have that a search with the same filters finds.

    ``totalResults`` is how many they are, up to 1,000. If ``more`` is true there are older ones that were not counted,
    so each count is the least that it can be: show it with a plus ("1,000+"). ``price`` has the values ``free``
    (``priceMax=0``) and ``priced`` (``priceMin=1``); every other facet is called as its filter.
    ``state`` has how many each state has, whichever of them the filters name; 1,001 stands for more than 1,000.
    """

    total_results: int = 0
    more: bool = False
    type: Facet = Facet()
    service: Facet = Facet()
    tag: Facet = Facet()
    category: Facet = Facet()
    may_run: Facet = Facet()
    may_leave: Facet = Facet()
    author: Facet = Facet()
    license: Facet = Facet()
    price: Facet = Facet()
    state: Facet = Facet()


class SummariesRequest(WireRequest):
    """``POST assets/summaries`` or, as parameters, ``GET`` of the same address: 1 to 100 DIDs."""

    dids: tuple[Annotated[str, Field(pattern=r"^did:nv:[0-9a-f]{64}$")], ...] = Field(min_length=1, max_length=100)


class AssetSummary(AssetStatus):
    """What a list shows of an asset: its state, and what its current document says, even if it is pending or hidden.

    ``price`` is that of its cheapest compute service, else its own. ``createdAt`` is the time of the first block that
    names it; ``updatedAt`` is when the catalogue last changed what it says here.
    """

    name: str
    type: str
    author: str
    license: str
    price: Price
    tags: tuple[str, ...]
    created_at: Time | None = None


def summary_of_asset(asset: SummarisedAsset) -> AssetSummary:
    """Return what a list shows of a stored asset."""
    # Of the summary this takes what has the same name.
    return AssetSummary(**dict(status_of(asset.record)), **asdict(asset.summary), created_at=asset.created_at)


class AssetSummaries(WireModel):
    """The assets that are here, each once and in the order in which they were asked for; DIDs that are not known."""

    summaries: tuple[AssetSummary, ...]
    unknown: tuple[str, ...] = ()


class AssetIds(WireModel):
    """Answer of ``GET assets``: listed DIDs in ascending order; ``after`` asks for those after the last one.

    With ``owner`` it has all that an account owns, also what is pending, hidden or retired. Owners are public on chain.
    """

    ids: tuple[str, ...]
    after: str | None = None


class MetadataHealth(WireModel):
    """Answer of ``GET health``: the last block that this catalogue has read, None before the first.

    ``pending`` is how many documents wait for the chain, the oldest since ``oldestPending``. One that does not appear
    on chain within ``pendingLifetime`` seconds is dropped; those of gateways are kept a week longer.
    """

    software: str = "insitu metadata"
    version: str
    chain_id: int
    registry: Address
    url: str
    """Where a DID of this catalogue resolves, with ``{did}``."""
    block: int | None = None
    pending: int = 0
    oldest_pending: Time | None = None
    pending_lifetime: int = 0
