"""Translate a query to SQL. A caller's text is only ever a parameter."""

from dataclasses import dataclass

from insitu.adapters.catalog.fulltext import FullText
from insitu.adapters.catalog.listing import LISTED, UNLISTED, comparable, price_text
from insitu.ports.catalog import Query


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
    source = "asset"
    # These find few assets. The service is not among them: nearly every data set has the one that is asked for.
    few = (query.tag, query.category, query.author, query.owner)
    column = fulltext.visibility if any(value is not None for value in few) else "asset.visibility"
    conditions = [f"{column} = {LISTED}" if query.owner is None else f"{column} >= {UNLISTED}"]
    parameters = dict[str, object]()
    if query.words:
        source = fulltext.source
        conditions.append(fulltext.condition)
        parameters["match"] = fulltext.expression(query.words)
    first = not query.words and query.owner is None and query.author is None
    asked = (("tag", query.tag), ("category", query.category), ("service", query.service))
    facets = [(kind, comparable(value)) for kind, value in asked if value is not None]
    for kind, value in facets:
        condition, parameters[kind] = fulltext.facet(kind, value, first=first and kind != "service")
        conditions.append(condition)
        first = False
    for column, text in (("type", query.type), ("author", query.author), ("license", query.license)):
        if text is not None:
            conditions.append(f"asset.{column} = :{column}")
            parameters[column] = comparable(text)
    if query.owner is not None:
        conditions.append("asset.owner = :owner")
        parameters["owner"] = query.owner
    for comparison, name, amount in ((">=", "price_min", query.price_min), ("<=", "price_max", query.price_max)):
        if amount is not None:
            conditions.append(f"asset.price {comparison} :{name}")
            parameters[name] = price_text(amount)
    # Only constants of this package are joined here; everything from the caller is a parameter.
    found = f"{source} WHERE {' AND '.join(conditions)}"
    counted = f"SELECT count(*) FROM {found}"  # noqa: S608 - see above
    if len(facets) == 1 and len(conditions) == 2:
        # The number of assets with one frequent facet can be read from an index alone.
        counted = "SELECT count(*) FROM facet WHERE kind = :kind AND value = :value AND listed = 1"
        ((parameters["kind"], parameters["value"]),) = facets
    return Select(
        found,
        counted,
        f"SELECT asset.id, asset.did, asset.visibility FROM {found}"  # noqa: S608 - see above
        f" ORDER BY {_order(query, fulltext)} LIMIT :limit OFFSET :skip",
        {**parameters, "limit": query.limit, "skip": query.skip},
    )


def _order(query: Query, fulltext: FullText) -> str:
    direction = "DESC" if query.descending else "ASC"
    if query.sort == "price":
        return f"asset.price {direction}, asset.did"
    if query.sort == "relevance" and query.words:
        return f"{fulltext.rank} {direction}, asset.registered_at DESC, asset.did"
    return f"asset.registered_at {direction}, asset.did"
