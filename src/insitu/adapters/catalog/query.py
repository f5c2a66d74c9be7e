"""Translate a query to SQL. A caller's text is only ever a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from insitu.adapters.catalog.fulltext import FullText
from insitu.adapters.catalog.listing import LISTED, PENDING, RETIRED, RETIRED_UNLISTED, UNLISTED, comparable, price_text
from insitu.domain.service import COMPUTE
from insitu.ports.catalog import FoundState, Query

_NEVER = "IS NULL"
_STRANGERS: Mapping[FoundState | None, str] = {
    None: f"= {LISTED}",
    "listed": f"= {LISTED}",
    "unlisted": _NEVER,
    "retired": f"= {RETIRED}",
    "pending": _NEVER,
}
"""State of a query → the visibility of what it finds. With an owner: below."""
_OWNERS: Mapping[FoundState | None, str] = {
    None: f">= {UNLISTED}",
    "listed": f"= {LISTED}",
    "unlisted": f"= {UNLISTED}",
    "retired": f"IN ({RETIRED}, {RETIRED_UNLISTED})",
    "pending": f"= {PENDING}",
}
_RARE = frozenset(("tag", "category"))
"""Facets whose values few assets have, so that a search may begin with them."""
_PAST: frozenset[FoundState | None] = frozenset(("retired", "pending"))
_OWNED = {
    True: "EXISTS (SELECT 1 FROM version WHERE version.asset = asset.id AND version.creator = :owner)",
    False: "asset.owner = :owner",
}
"""Whether it is pending → what it has of its owner: the chain does not know it yet, but its creator signed it."""


@dataclass(frozen=True, slots=True)
class Select:
    """Two statements and their parameters.

    ``count`` returns the number of assets found, ``page`` the rows of those on the page, in order. ``found`` is what
    stands after FROM to find them all.
    """

    found: str
    count: str
    page: str
    parameters: dict[str, object]


def select_of(query: Query, fulltext: FullText) -> Select:
    """Translate a query."""
    source, words = "asset", fulltext.past if query.state in _PAST else fulltext
    # These find few assets. The service is not among them: nearly every data set has the one that is asked for.
    few = (query.tag, query.category, query.author, query.owner)
    column = fulltext.visibility if any(value is not None for value in few) else "asset.visibility"
    conditions = [f"{column} {(_STRANGERS if query.owner is None else _OWNERS)[query.state]}"]
    parameters = dict[str, object]()
    if query.words:
        source = words.source
        conditions.append(words.condition)
        parameters["match"] = words.expression(query.words)
    first = not query.words and query.owner is None and query.author is None
    # Only who offers to compute has rules, so that they say it too.
    service = None if query.service == COMPUTE and (query.may_run or query.may_leave) else query.service
    rules = (("may_run", query.may_run), ("may_leave", query.may_leave))
    asked = (("tag", query.tag), ("category", query.category), ("service", service), *rules)
    facets = [(kind, comparable(value)) for kind, value in asked if value is not None]
    for kind, value in facets:
        condition, parameters[kind] = fulltext.facet(kind, value, first=first and kind in _RARE)
        conditions.append(condition)
        first = False
    for column, text in (("type", query.type), ("author", query.author), ("license", query.license)):
        if text is not None:
            conditions.append(f"asset.{column} = :{column}")
            parameters[column] = comparable(text)
    if query.owner is not None:
        conditions.append(_OWNED[query.state == "pending"])
        parameters["owner"] = query.owner
    for comparison, name, amount in ((">=", "price_min", query.price_min), ("<=", "price_max", query.price_max)):
        if amount is not None:
            conditions.append(f"asset.price {comparison} :{name}")
            parameters[name] = price_text(amount)
    # Only constants of this package are joined here; everything from the caller is a parameter.
    found = f"{source} WHERE {' AND '.join(conditions)}"
    counted = f"SELECT count(*) FROM {found}"  # noqa: S608 - see above
    if len(facets) == 1 and len(conditions) == 2 and query.state in {None, "listed"}:
        # The number of assets with one frequent facet can be read from an index alone.
        counted = "SELECT count(*) FROM facet WHERE kind = :kind AND value = :value AND listed = 1"
        ((parameters["kind"], parameters["value"]),) = facets
    return Select(
        found,
        counted,
        f"SELECT asset.id, asset.did, asset.visibility FROM {found}"  # noqa: S608 - see above
        f" ORDER BY {_order(query, words)} LIMIT :limit OFFSET :skip",
        {**parameters, "limit": query.limit, "skip": query.skip},
    )


def states_of(query: Query) -> Mapping[FoundState, Query]:
    """Return the states that a query may name, each with the query that does."""
    states: tuple[FoundState, ...] = ("listed", "retired")
    if query.owner is not None:
        states = ("listed", "unlisted", "retired", "pending")
    return {state: replace(query, state=state) for state in states}


def _order(query: Query, fulltext: FullText) -> str:
    direction = "DESC" if query.descending else "ASC"
    if query.sort == "price":
        return f"asset.price {direction}, asset.did"
    if query.sort == "relevance" and query.words:
        return f"{fulltext.rank} {direction}, asset.registered_at DESC, asset.did"
    return f"asset.registered_at {direction}, asset.did"
