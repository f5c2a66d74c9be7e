"""A query as SQL. Text of a caller is only ever a parameter, and inside the full-text query a quoted phrase."""

from dataclasses import dataclass

from insitu.adapters.catalog.listing import price_text
from insitu.ports.catalog import Query

__all__ = ["Select", "match_expression", "select_of"]

SHORTEST_BEGINNING = 3
"""Letters; the beginnings of fewer letters are those of half of all words, which is slow and helps nobody."""

RANK = "bm25(search, 10.0, 2.0, 6.0, 3.0, 1.0)"
"""Name, description, tags, author, DID: a word in the name counts most."""


@dataclass(frozen=True, slots=True)
class Select:
    """Two statements with the same parameters; those of a page's limit and offset follow them.

    ``count`` tells how many assets there are, ``page`` gives their rows' ids in order.
    """

    count: str
    page: str
    parameters: tuple[object, ...]


def match_expression(words: tuple[str, ...]) -> str:
    """An FTS5 expression: every word must begin a word of the document, a short one must be one."""
    quoted = ('"' + word.replace('"', '""').replace("\0", " ") + '"' for word in words)
    return " AND ".join(f"{text} *" if len(text) >= SHORTEST_BEGINNING + 2 else text for text in quoted)


def select_of(query: Query) -> Select:
    """Translate a query."""
    source = "asset"
    conditions, parameters = ["asset.state = 'listed'"], list[object]()
    if query.words:
        # CROSS JOIN fixes the order: the index is asked once and not for each asset.
        source = "search CROSS JOIN asset ON asset.id = search.rowid"
        conditions.append("search MATCH ?")
        parameters.append(match_expression(query.words))
    for kind, value in (("service", query.service), ("tag", query.tag), ("category", query.category)):
        if value is not None:
            conditions.append("asset.id IN (SELECT asset FROM facet WHERE kind = ? AND value = ?)")
            parameters += [kind, value.casefold()]
    for column, text in (("type", query.type), ("author", query.author), ("license", query.license)):
        if text is not None:
            conditions.append(f"asset.{column} = ?")
            parameters.append(text.casefold())
    if query.owner is not None:
        conditions.append("asset.owner = ?")
        parameters.append(query.owner)
    for comparison, amount in ((">=", query.price_min), ("<=", query.price_max)):
        if amount is not None:
            conditions.append(f"asset.price {comparison} ?")
            parameters.append(price_text(amount))
    # Only constants of this module are put together here; what the caller gave are parameters.
    found = f"{source} WHERE {' AND '.join(conditions)}"
    return Select(
        f"SELECT count(*) FROM {found}",  # noqa: S608 - as said
        f"SELECT asset.id FROM {found} ORDER BY {_order(query)} LIMIT ? OFFSET ?",  # noqa: S608 - as said
        tuple(parameters),
    )


def _order(query: Query) -> str:
    direction = "DESC" if query.descending else "ASC"
    if query.sort == "price":
        return f"asset.price {direction}, asset.did"
    if query.sort == "relevance" and query.words:
        # The smallest rank is the best.
        return f"{RANK} {'ASC' if query.descending else 'DESC'}, asset.registered_at DESC, asset.did"
    return f"asset.registered_at {direction}, asset.did"
