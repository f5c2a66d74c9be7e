"""The states of the search page."""

from collections.abc import Mapping

from insitu.api.metadata_v1 import AssetFacets, Facet, FacetValue, SearchPage
from insitu.domain.canonical import JsonObject
from insitu.marketplace.cards import card_of
from insitu.marketplace.samples import OPEN, OWNER, STRICT, TOKEN, document, status, workflow
from insitu.marketplace.search import Found, Wanted, found_of
from insitu.marketplace.words.states import state_of

_MANY = tuple(document(policy=policy, number=number) for number, policy in enumerate([STRICT, OPEN] * 3))
_TAGS = Facet(values=(FacetValue(value="new-york", count=6), FacetValue(value="2013", count=4)))
_RUNS = Facet(values=(FacetValue(value="any", count=3), FacetValue(value="algorithms", count=3)))
_LEAVES = Facet(values=(FacetValue(value=".csv", count=6), FacetValue(value="no log", count=3)))
_STATES = Facet(values=(FacetValue(value="listed", count=1001), FacetValue(value="retired", count=2)))
_PRICES = Facet(values=(FacetValue(value="priced", count=5), FacetValue(value="free", count=1)))


def _found(documents: tuple[JsonObject, ...], total: int | None = None, **wanted: str) -> Found:
    number = len(documents) if total is None else total
    page = SearchPage(results=documents, page=1, total_pages=-(-number // 20), total_results=number)
    counted = AssetFacets(total_results=min(number, 1000), more=number > 1000, tag=_TAGS, price=_PRICES)
    counted = counted.model_copy(update={"may_run": _RUNS, "may_leave": _LEAVES, "state": _STATES})
    state = wanted.get("state", "listed")
    states = {} if state == "listed" else {str(found["id"]): state_of(status(state), "data set") for found in documents}
    return found_of(Wanted.read(wanted), page, counted if documents else AssetFacets(), TOKEN, states=states)


def _named(state: str) -> Found:
    card = card_of(document(policy=STRICT), TOKEN, state_of(status(state), "data set"))
    return found_of(
        Wanted(text="did:nv:…"),
        SearchPage(results=(), page=1, total_pages=0, total_results=0),
        AssetFacets(),
        TOKEN,
        card,
    )


STATES: Mapping[str, Mapping[str, object]] = {
    "everything": {"found": _found(_MANY)},
    "narrowed": {"found": _found(_MANY[:2], text="departures", tag="new-york", price="priced", sort="newest")},
    "by its rules": {"found": _found(_MANY[:2], may_run="algorithms", may_leave=".csv")},
    "retired": {"found": _found(_MANY[:2], state="retired")},
    "pending, of an owner": {"found": _found(_MANY[:1], state="pending", owner=OWNER)},
    "many pages": {"found": _found(_MANY, 100_000, page="3")},
    "workflows": {"found": _found((workflow(),), kind="workflow")},
    "nothing": {"found": _found((), text="ward stays 2031", price="free", tag="hospital")},
    "behind the last page": {"found": _found((), 8, page="9")},
    "retired, by its DID": {"found": _named("retired")},
    "pending, by its DID": {"found": _named("pending")},
}
