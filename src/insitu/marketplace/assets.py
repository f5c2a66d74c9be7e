"""The page of one asset: what the catalogue says about it, read with a fixed number of questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from anyio.to_thread import run_sync

from insitu.api.metadata_v1 import AssetStatus, AssetVersion
from insitu.domain.asset import ALGORITHM, DATASET
from insitu.domain.asset_price import price_of
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.integrity import onchain_checksum
from insitu.domain.money import parse_amount
from insitu.domain.readable import contents_line, size
from insitu.domain.version_changes import describe_changes
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.descriptions import RESULT, Description, did_of, type_of
from insitu.marketplace.gateways import KnownGateways
from insitu.marketplace.hostile import shown
from insitu.marketplace.provenance import Graph, agreement_of, execution_of, graph_of, related_dids
from insitu.marketplace.snippets import Snippet, snippets_for
from insitu.marketplace.words.costs import Costs, costs_of
from insitu.marketplace.words.parts import Named, Sentence, Strong, amount
from insitu.marketplace.words.rules import Rules, machine, rules_of
from insitu.marketplace.words.states import PAUSED, State, state_of
from insitu.ports.chain import TokenInfo

MOST_NAMES = 100
MOST_CHANGES = 30
MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class OfferView:
    """A compute service in sentences."""

    index: int | None
    gateway: str | None
    rules: Rules
    costs: Costs


@dataclass(frozen=True, slots=True)
class ImageView:
    """An image that may run, and what its gateway says is in it."""

    name: str
    digest: str
    contents: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file, as far as it is public."""

    name: str
    type: str
    size: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What the current version says instead of the one that is shown: new sentences, and each member that differs."""

    sentences: tuple[Sentence, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetView:
    """Everything that the page of an asset shows.

    Attributes
    ----------
    described
        The version that is shown.
    current
        Whether the chain names this version now.
    fits
        Whether the document has the checksum by which it was asked for.
    version
        Its number; None if the chain does not name it.
    changes
        If it is not the current one: what is different in that.
    names
        DID → name, of the assets that the document mentions.
    """

    described: Description
    status: AssetStatus
    checksum: str
    state: State
    current: bool
    fits: bool
    version: int | None
    versions: tuple[AssetVersion, ...]
    changes: Changes
    offers: tuple[OfferView, ...]
    unreadable: int
    graph: Graph | None
    snippets: tuple[Snippet, ...]
    images: tuple[ImageView, ...]
    names: Mapping[str, str]

    @property
    def servers(self) -> tuple[str, ...]:
        """Its servers in words."""
        offered = [server for offer in self.described.offers if offer.service for server in offer.service.servers]
        return tuple(f"{shown(server.server_id or 'server', 40)}: {shown(machine(server))}" for server in offered[:10])

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What else the document says: label and value."""
        described = self.described
        published = f"{described.published:%-d %b %Y}" if described.published is not None else ""
        size = ", ".join(part for part in (described.contents, described.size) if part)
        algorithm = described.ddo.main.get("algorithm")
        code = algorithm if isinstance(algorithm, dict) else {}
        anybody = "Anybody may use it" if not price_of(described.ddo) else "Only its owner may use it"
        found = [
            ("Use", anybody if described.type == ALGORITHM else ""),
            ("Data" if described.type in {DATASET, RESULT} else "Files", size),
            ("Language", shown(code.get("language"), 60)),
            ("Starts with", shown(code.get("entrypoint"), 120)),
            ("Published", published),
            ("Tags", ", ".join(described.tags)),
        ]
        return tuple((label, value) for label, value in found if value)

    @property
    def files(self) -> tuple[FileView, ...]:
        """Its first files."""
        files = self.described.files[:MOST_FILES]
        return tuple(
            FileView(
                shown(file.name, 80) or str(position if file.index is None else file.index),
                type_of(file),
                "" if file.size is None else size(file.size),
            )
            for position, file in enumerate(files)
        )

    @property
    def more_files(self) -> int:
        """How many files are not shown."""
        return max(len(self.described.files) - MOST_FILES, 0)

    @property
    def execution(self) -> tuple[str, str] | None:
        """The agreement and the execution that a result comes from."""
        made = self.described.ddo.main.get("compute")
        if not isinstance(made, dict):
            return None
        agreement, execution = agreement_of(made), execution_of(made)
        return (agreement, execution) if agreement and execution else None

    @property
    def buyable(self) -> bool:
        """Whether a purchase can begin on this page."""
        is_sold = self.status.state not in {"pending", "retired"} and self.state is not PAUSED
        return bool(self.offers) and self.current and is_sold


def view_of(
    ddo: Ddo,
    status: AssetStatus,
    versions: tuple[AssetVersion, ...],
    token: TokenInfo | None,
    *,
    checksum: str,
    fits: bool,
    names: Mapping[str, str],
    changes: Changes = Changes(),
    images: tuple[ImageView, ...] = (),
    is_paused: bool = False,
) -> AssetView:
    """Return what the page of an asset shows of the catalogue's answers."""
    described = Description(ddo)
    offers = tuple(
        OfferView(offer.index, offer.gateway, rules_of(offer.service), costs_of(offer.service, token))
        for offer in described.offers
        if offer.service is not None
    )
    return AssetView(
        described=described,
        status=status,
        checksum=checksum,
        state=state_of(status, described.kind.lower(), described.successor, is_paused=is_paused),
        current=checksum == status.checksum,
        fits=fits,
        version=next((version.number for version in versions if version.checksum == checksum), None),
        versions=versions,
        changes=changes,
        offers=offers,
        unreadable=len(described.offers) - len(offers),
        graph=graph_of(ddo, names),
        snippets=_snippets(described, sold=checksum == status.checksum and status.state != "retired"),
        images=images,
        names=names,
    )


class AssetReader:
    """Reads what the page of an asset shows."""

    def __init__(self, catalogue: Catalogue, gateways: KnownGateways) -> None:
        self._catalogue = catalogue
        self._gateways = gateways

    async def read(self, did: str, token: TokenInfo | None, checksum: str | None = None) -> AssetView:
        """Return an asset, or one of its versions. Raises ``AssetNotFound``, ``InvalidDid``, ``InvalidId``."""
        status = await self._catalogue.status(did)
        wanted = checksum.lower().removeprefix("0x") if checksum is not None else status.checksum
        ddo = read_ddo(await self._catalogue.document(did, wanted))
        described = Description(ddo)
        versions = (await self._catalogue.versions(did)).versions
        names = await names_in(self._catalogue, described)
        return view_of(
            ddo,
            status,
            versions,
            token,
            checksum=wanted,
            fits=await run_sync(_fits, ddo, wanted),
            names=names,
            changes=Changes() if wanted == status.checksum else await self._changes(status, ddo, token),
            images=await self._images_of(described),
            is_paused=str(ddo.did) in await self._gateways.paused(),
        )

    async def _images_of(self, described: Description) -> tuple[ImageView, ...]:
        views: dict[str, ImageView] = {}
        for offer in described.offers:
            contents = await self._gateways.contents(offer.gateway)
            for image in offer.service.containers if offer.service is not None else ():
                found = contents.get(image.digest or "")
                name = shown(f"{image.image}:{image.tag}" if image.tag else image.image, 120)
                views[name] = ImageView(name, image.digest or "", shown(contents_line(found), 1000) if found else "")
        return tuple(views.values())[:10]

    async def _changes(self, status: AssetStatus, shown_version: Ddo, token: TokenInfo | None) -> Changes:
        try:
            newest = read_ddo(await self._catalogue.document(status.did, status.checksum))
        except InsituError:
            return Changes()

        def price(text: str) -> str:
            try:
                return amount(parse_amount(text), token)
            except InsituError:
                return text

        lines = tuple(shown(line) for line in describe_changes(shown_version, newest, price)[:MOST_CHANGES])
        before = set(_said(shown_version, token))
        return Changes(tuple(sentence for sentence in _said(newest, token) if sentence not in before), lines)


async def names_in(catalogue: Catalogue, described: Description) -> Mapping[str, str]:
    """Return the names of what a document mentions, with one question."""
    mentioned = [*related_dids(described.ddo), described.successor or ""]
    for offer in described.offers:
        if offer.service is not None:
            sentences = rules_of(offer.service).inside
            mentioned += [part.did for sentence in sentences for part in sentence if isinstance(part, Named)]
    known = [did for text in dict.fromkeys(mentioned) if (did := did_of(text))][:MOST_NAMES]
    if not known:
        return {}
    found = await catalogue.summaries(known)
    return {summary.did: name for summary in found.summaries if (name := shown(summary.name, 80))}


def _said(ddo: Ddo, token: TokenInfo | None) -> Iterator[Sentence]:
    """Yield what a document says about rules and price, in sentences."""
    if (service := Description(ddo).offer) is not None:
        rules, costs = rules_of(service), costs_of(service, token)
        yield (Strong(f"{costs.price}" + (f" + {costs.server}" if costs.server else "")), " for each agreement.")
        yield from (*rules.inside, *rules.leaving)


def _fits(ddo: Ddo, checksum: str) -> bool:
    try:
        return onchain_checksum(ddo).removeprefix("0x") == checksum
    except InsituError:
        return False


def _snippets(described: Description, *, sold: bool) -> tuple[Snippet, ...]:
    made = described.ddo.main.get("compute")
    execution = execution_of(made) if isinstance(made, dict) else None
    gateway = next((offer.gateway for offer in described.offers if offer.gateway), None)
    kind = described.type if sold or described.type != DATASET else ""
    return snippets_for(kind, described.did, gateway, execution)
