"""Finding assets: what an address of the search page asks for, and what it shows. Every state has its own address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlencode

from pydantic import ValidationError

from insitu.api.metadata_v1 import AssetFacets, AssetStatus, Facet, SearchFilters, SearchPage, SearchRequest
from insitu.at_once import both
from insitu.domain.asset import ALGORITHM, DATASET, WORKFLOW
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import NotFound
from insitu.domain.ids import Address
from insitu.domain.offered_rules import (
    ALGORITHMS,
    ANY_ALGORITHM,
    ANY_FILE,
    LOG,
    NO_ALGORITHM,
    NO_FILE,
    NO_LOG,
    PUBLISHERS,
)
from insitu.domain.service import COMPUTE
from insitu.marketplace.cards import Card, card_of
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.descriptions import account_of, did_of
from insitu.marketplace.gateways import KnownGateways
from insitu.marketplace.hostile import shown
from insitu.marketplace.words.parts import counted
from insitu.marketplace.words.states import PAUSED, State, state_of
from insitu.ports.catalog import MAX_COUNTED
from insitu.ports.chain import TokenInfo

PAGE = 20
ACCOUNTS_PAGE = 100
MOST_TEXT = 400
LAST_PAGE = 500

KINDS: Mapping[str, str] = {DATASET: "data set", ALGORITHM: "algorithm", WORKFLOW: "workflow"}
ORDERS: Mapping[str, tuple[str, bool]] = {
    "relevance": ("relevance", True),
    "newest": ("date", True),
    "oldest": ("date", False),
    "cheapest": ("price", False),
    "dearest": ("price", True),
}
"""Order of a page → the catalogue's order, and whether it descends."""
FILTERS = {
    "owner": "Owner",
    "state": "State",
    "may_run": "May run",
    "may_leave": "May leave",
    "price": "Price",
    "category": "Category",
    "tag": "Tag",
    "license": "License",
    "author": "Author",
}
PRICES = {"free": "Free", "priced": "Has a price"}
RUNS = {
    ANY_ALGORITHM: "Any algorithm, also your own",
    PUBLISHERS: "Algorithms of trusted publishers",
    ALGORITHMS: "Named algorithms only",
    NO_ALGORITHM: "Nothing yet",
}
LEAVES = {ANY_FILE: "Any kind of file", NO_FILE: "No file", LOG: "Log text", NO_LOG: "No log text"}
STATES = {"listed": "Listed", "unlisted": "Unlisted", "retired": "Retired", "pending": "Pending"}
LABELS: Mapping[str, Mapping[str, str]] = {"price": PRICES, "may_run": RUNS, "may_leave": LEAVES, "state": STATES}
"""Filter → its values in words; any other value says what it is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page of the search asks for. Anything that an address has beside it means nothing."""

    text: str = ""
    kind: str = DATASET
    owner: str = ""
    state: str = ""
    may_run: str = ""
    may_leave: str = ""
    price: str = ""
    tag: str = ""
    category: str = ""
    license: str = ""
    author: str = ""
    sort: str = "relevance"
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wanted":
        """Read the parameters of an address; what cannot be is left out."""
        return cls(
            text=query.get("text", "")[:MOST_TEXT].strip(),
            kind=_one_of(KINDS, query.get("kind"), DATASET),
            owner=account_of(query.get("owner")) or "",
            state=_one_of(STATES, query.get("state"), ""),
            may_run=_one_of(RUNS, query.get("may_run"), ""),
            price=_one_of(PRICES, query.get("price"), ""),
            **{name: query.get(name, "")[:200] for name in ("may_leave", "tag", "category", "license", "author")},
            sort=_one_of(ORDERS, query.get("sort"), "relevance"),
            page=page_number(query.get("page")),
        )

    def with_(self, **changes: object) -> str:
        """Return the address of this page with changes; the first page, unless that is one of them."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        return "/search" + (f"?{urlencode(found, errors='replace')}" if (found := changed.parameters()) else "")

    def parameters(self) -> dict[str, str]:
        """Return what differs from an empty search."""
        usual = Wanted()
        names = ("text", "kind", *FILTERS, "sort", "page")
        return {name: str(value) for name in names if (value := getattr(self, name)) != getattr(usual, name)}

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    def request(self) -> SearchRequest | None:
        """Return the question to the catalogue, or None if it is none, such as text with a lone surrogate."""
        order, descending = ORDERS[self.sort]
        asked = {name: value for name, value in self.filters.items() if name != "price"}
        prices = {"free": {"price_max": 0}, "priced": {"price_min": 1}}.get(self.price, {})
        # A data set is what computing is offered on: a result has no such service, and nothing else may have one.
        only = {"service": COMPUTE} if self.kind == DATASET else {"type": self.kind}
        page = {"sort": order, "descending": descending, "page": self.page, "offset": PAGE}
        try:
            return SearchRequest.model_validate({"text": self.text, **asked, **prices, **only, **page})
        except ValidationError:
            return None


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter: how many assets have it, and where choosing it leads, or dropping it if it is chosen."""

    label: str
    count: str
    href: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the search.

    Attributes
    ----------
    count
        How many there are, in words.
    suggestions
        If there are none: what to try, as (address, words).
    exact
        The asset that the text names by its DID, if no search finds it.
    """

    wanted: Wanted
    cards: tuple[Card, ...]
    total: int
    pages: int
    count: str
    facets: tuple[tuple[str, tuple[Choice, ...]], ...]
    kinds: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    suggestions: tuple[tuple[str, str], ...] = ()
    exact: Card | None = None


def found_of(
    wanted: Wanted,
    page: SearchPage,
    facets: AssetFacets,
    token: TokenInfo | None,
    exact: Card | None = None,
    states: Mapping[str, State] = MappingProxyType({}),
) -> Found:
    """Return what a page of the search shows of the catalogue's answers; ``states`` are those to show, by DID."""
    return Found(
        wanted=wanted,
        cards=_cards(page.results, token, states),
        total=page.total_results,
        pages=min(page.total_pages, LAST_PAGE),
        count=_count(wanted, page.total_results),
        facets=_facets(wanted, facets),
        kinds=tuple(Choice(f"{KINDS[kind]}s", "", wanted.with_(kind=kind), kind == wanted.kind) for kind in KINDS),
        orders=_orders(wanted),
        suggestions=_suggestions(wanted) if not page.total_results else (),
        exact=exact,
    )


@dataclass(frozen=True, slots=True)
class Offered:
    """A page of what an account offers."""

    cards: tuple[Card, ...]
    page: int
    pages: int

    @property
    def count(self) -> str:
        """How many there are, in words."""
        return f"Offers {counted(len(self.cards), 'asset')}" + (" on this page" if self.pages > 1 else "")


class Search:
    """Answers the search page with two questions to the catalogue, asked at once."""

    def __init__(self, catalogue: Catalogue, gateways: KnownGateways) -> None:
        self._catalogue = catalogue
        self._gateways = gateways

    async def find(self, wanted: Wanted, token: TokenInfo | None) -> Found:
        """Return a page of the search."""
        page, facets = await self._ask(wanted)
        exact = await self._named(wanted.text, token) if not page.results and wanted.page == 1 else None
        return found_of(wanted, page, facets, token, exact, await self._states(wanted, page))

    async def of_account(self, account: Address, token: TokenInfo | None, page: int = 1) -> Offered:
        """Return what an account offers to everybody; what it has not listed stays between it and whom it tells."""
        found = await self._catalogue.search(SearchRequest(owner=account, sort="date", page=page, offset=ACCOUNTS_PAGE))
        listed = (document for document in found.results if document.get("id") not in found.unlisted)
        cards = _cards(listed, token, dict.fromkeys(await self._gateways.paused(), PAUSED))
        return Offered(cards, page, min(found.total_pages, LAST_PAGE))

    async def newest(self, token: TokenInfo | None, limit: int = 6) -> tuple[tuple[Card, ...], int]:
        """Return the newest data sets, and how many there are."""
        request = SearchRequest(service=COMPUTE, sort="date", offset=limit)
        found = await self._catalogue.search(request)
        paused = dict.fromkeys(await self._gateways.paused(), PAUSED)
        return _cards(found.results, token, paused), found.total_results

    async def _ask(self, wanted: Wanted) -> tuple[SearchPage, AssetFacets]:
        request = wanted.request()
        if request is None:
            return SearchPage(results=(), page=1, total_pages=0, total_results=0), AssetFacets()
        filters = SearchFilters.model_validate(request.model_dump(include=set(SearchFilters.model_fields)))
        return await both(self._catalogue.search(request), self._catalogue.facets(filters))

    async def _states(self, wanted: Wanted, page: SearchPage) -> Mapping[str, State]:
        """Return where each asset of a page stands that is not simply listed, as strangers find them."""
        paused = await self._gateways.paused()
        if not page.results or (wanted.state in {"", "listed"} and not wanted.owner):
            return dict.fromkeys(paused, PAUSED)
        found = await self._catalogue.summaries(
            [did for document in page.results if (did := did_of(document.get("id")))]
        )
        return {
            status.did: state_of(status, KINDS[wanted.kind], is_paused=status.did in paused)
            for status in found.summaries
        }

    async def _named(self, text: str, token: TokenInfo | None) -> Card | None:
        """Return the asset whose DID a person typed, although no search finds it: it is pending, hidden or retired."""
        did = did_of(text)
        if did is None:
            return None
        try:
            status: AssetStatus = await self._catalogue.status(did)
            document = await self._catalogue.document(did, status.checksum)
        except NotFound:
            return None
        return card_of(document, token, state_of(status, "data set"))


def page_number(text: str | None) -> int:
    """Return the number of a page, from 1; the first one if the text is none."""
    number = int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(number, 1), LAST_PAGE)


def _one_of(known: Mapping[str, object], value: str | None, usual: str) -> str:
    return value if value is not None and value in known else usual


def _cards(
    documents: Iterable[JsonObject], token: TokenInfo | None, states: Mapping[str, State] = MappingProxyType({})
) -> tuple[Card, ...]:
    cards = (card_of(document, token, states.get(str(document.get("id")))) for document in documents)
    return tuple(card for card in cards if card is not None)


def _orders(wanted: Wanted) -> tuple[Choice, ...]:
    """Return the orders to choose from; without words, relevance is the newest first."""
    names = [name for name in ORDERS if wanted.text or name != "relevance"]
    chosen = wanted.sort if wanted.sort in names else "newest"
    return tuple(Choice(name, "", wanted.with_(sort=name), name == chosen) for name in names)


def _count(wanted: Wanted, total: int) -> str:
    noun = KINDS[wanted.kind]
    chosen = [_label(name, value) for name, value in wanted.filters.items()]
    chosen = [text.lower() if name in LABELS else text for name, text in zip(wanted.filters, chosen, strict=True)]
    words = f" for “{shown(wanted.text, 80)}”" if wanted.text else ""
    number = counted(total, noun) if total else f"No {noun}s"
    return number + words + "".join(f", {text}" for text in chosen)


def _facets(wanted: Wanted, facets: AssetFacets) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    found = []
    for name, title in FILTERS.items():
        facet: Facet = getattr(facets, name, Facet())
        chosen = getattr(wanted, name)
        choices = [_choice(wanted, name, value.value, value.count, facets) for value in facet.values if value.value]
        if chosen and not any(choice.chosen for choice in choices):
            choices.insert(0, Choice(_label(name, chosen), "", wanted.with_(**{name: ""}), chosen=True))
        if len(choices) > (name == "state" and not chosen):  # that everything is listed needs no words
            found.append((title, tuple(choices)))
    return tuple(found)


def _choice(wanted: Wanted, name: str, value: str, number: int, facets: AssetFacets) -> Choice:
    usual = "listed" if name == "state" and not wanted.owner else ""
    chosen = (getattr(wanted, name) or usual).casefold() == value.casefold()
    href = wanted.with_(**{name: "" if chosen or value == usual else value})
    is_more = number > MAX_COUNTED if name == "state" else facets.more
    return Choice(_label(name, value), f"{min(number, MAX_COUNTED):,}{'+' if is_more else ''}", href, chosen)


def _label(name: str, value: str) -> str:
    if name in {"author", "owner"} and account_of(value):
        return f"{value[:6]}…{value[-4:]}"
    return LABELS.get(name, {}).get(value) or shown(value, 60)


def _suggestions(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    """Return what to try where nothing was found."""
    tried = [
        (wanted.with_(**{name: ""}), f"Leave out “{FILTERS[name]}: {_label(name, value)}”")
        for name, value in wanted.filters.items()
    ]
    words = wanted.text.split()
    if len(words) > 1:
        tried.append((wanted.with_(text=" ".join(words[:-1])), f"Leave out “{shown(words[-1], 60)}”"))
    tried += [(wanted.with_(kind=kind), f"Look among {noun}s") for kind, noun in KINDS.items() if kind != wanted.kind]
    return (*tried, ("/search", "All data sets"))
