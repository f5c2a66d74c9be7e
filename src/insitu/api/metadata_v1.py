"""The METADATA-API: addresses, requests and answers (P2)."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from insitu.domain.ids import Address
from insitu.domain.wire import Account, AccountSignature, Amount, Time, WireModel, WireRequest
from insitu.ports.catalog import AssetRecord

BASE = "/api/v1/metadata"
ASSETS = BASE + "/assets"
DDO = ASSETS + "/ddo"
QUERY = DDO + "/query"
PUBLICATIONS = ASSETS + "/publications"
"""What a creator published under an Idempotency-Key. Only a gateway may ask, for a creator who signed in there."""
HEALTH = BASE + "/health"

MAX_WAIT = 30
"""The most seconds that ``GET ddo/{did}/status?wait=`` waits for the version to be listed."""

AssetState = Literal["pending", "listed", "unlisted", "hidden", "retired"]
Sort = Literal["relevance", "date", "price"]


class AssetStatus(WireModel):
    """The state of an asset: *pending* until the catalogue sees its DID and checksum on chain.

    Searches of strangers find what is *listed*. What is *unlisted*, or *hidden* by a curator of the catalogue for a
    public ``reason``, resolves and can be used by its DID. What is *retired* can no longer be bought.

    ``pending`` is the checksum of its newest version that waits for the chain.
    """

    did: str
    state: AssetState
    checksum: str
    owner: Address | None = None
    version: int = 0
    updated_at: Time
    pending: str | None = None
    reason: str = ""


def status_of(record: AssetRecord) -> AssetStatus:
    """Return the state of a stored asset."""
    return AssetStatus(
        did=record.did,
        state=record.state,
        checksum=record.checksum,
        owner=record.owner,
        version=record.version,
        updated_at=record.updated_at,
        pending=record.pending,
        reason=record.reason,
    )


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
    """Hide an asset from everybody's searches for a public ``reason``, whatever its owner asks, or no longer.

    ``account``, which the settings of the catalogue name, signs a ``CurationRequest``.
    """

    account: Account
    action: Literal["hide", "unhide"]
    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")


class SearchRequest(WireRequest):
    """``POST assets/ddo/query`` or, as parameters, ``GET`` of the same address.

    ``text`` is searched in name, description, tags, author and DID; without it, everything matches. With ``owner`` the
    unlisted assets of that account are found as well.
    """

    text: str = Field(default="", max_length=400)
    type: str | None = None
    service: str | None = None
    tag: str | None = None
    category: str | None = None
    author: str | None = None
    owner: Address | None = None
    license: str | None = None
    price_min: Amount | None = None
    price_max: Amount | None = None
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


class AssetIds(WireModel):
    """Answer of ``GET assets``: listed DIDs in ascending order; ``after`` asks for those after the last one."""

    ids: tuple[str, ...]
    after: str | None = None


class MetadataHealth(WireModel):
    """Answer of ``GET health``: the last block that this catalogue has read; None before the first."""

    software: str = "insitu metadata"
    version: str
    chain_id: int
    registry: Address
    url: str
    """Where a DID of this catalogue resolves, with ``{did}``."""
    block: int | None = None
