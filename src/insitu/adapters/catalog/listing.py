"""Derive an asset's row from its stored versions and from the chain, inside the caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from insitu.adapters.catalog.fulltext import Fields, FullText
from insitu.adapters.sql import Connection, Row, insert
from insitu.ports.catalog import Summary

LISTED, UNLISTED, HIDDEN, RETIRED, RETIRED_UNLISTED, PENDING = 2, 1, 0, -1, -2, -3
"""Who finds an asset: everybody; those who ask for its owner; nobody. Below that: who asks for its state."""
SUMMARY_FORM = 2
"""Of the summaries that this release writes; 1 has not what may run and what may leave."""
PRICE_DIGITS = 78
"""The digits of the largest amount that a query can name, 2^256 - 1."""

_FACTS = ("state", "checksum", "owner", "version", "registered_at", "visibility")
SUMMARY = TypeAdapter(Summary)
"""Converts a summary to and from the JSON of its column."""


@dataclass(frozen=True, slots=True)
class _Register:
    """A DID as the chain has it: its last events, and every checksum that it ever had."""

    owner: str | None = None
    checksum: str | None = None
    version: int = 0
    registered_at: int | None = None
    named: frozenset[str] = frozenset()


def price_text(price: int) -> str:
    """Return an amount as text that sorts like the number."""
    return str(price).zfill(PRICE_DIGITS)


def comparable(text: str) -> str:
    """Return text in the form for comparisons: case-folded, without the one character that PostgreSQL cannot store."""
    return text.casefold().replace("\0", "\ufffd")


def ensure_asset(connection: Connection, did: str, checksum: str, now: int) -> int:
    """Return the id of the DID's row; a new row is pending."""
    pending = {"did": did, "state": "pending", "checksum": checksum, "version": 0, "updated_at": now}
    insert(connection, "asset", pending, "ON CONFLICT (did) DO NOTHING")
    row: int = connection.execute("SELECT id FROM asset WHERE did = ?", (did,)).fetchone()[0]
    return row


def recompute(
    connection: Connection, dids: Iterable[str], now: int, fulltext: FullText, *, again: bool = False
) -> None:
    """Update the rows of these DIDs, their versions and the search index to match the ledger.

    With ``again`` the index is written even if nothing else has changed.
    """
    for did in dids:
        asset = connection.execute("SELECT * FROM asset WHERE did = ?", (did,)).fetchone()
        if asset is not None:
            _recompute(connection, asset, _register(connection, did), now, fulltext, again=again)


def _recompute(
    connection: Connection, asset: Row, register: _Register, now: int, fulltext: FullText, *, again: bool
) -> None:
    _mark_versions(connection, asset["id"], register.named, now)
    shown = _version(connection, asset["id"], register.checksum)
    if shown is None:
        state = "pending"
        shown = _newest(connection, asset["id"])
    else:
        retired = asset["retired_version"] is not None and asset["retired_version"] >= register.version
        state = "retired" if retired else "listed"
    if shown is None:
        unlist(connection, asset["id"], fulltext)
        connection.execute("DELETE FROM asset WHERE id = ?", (asset["id"],))
        return
    summary = SUMMARY.validate_json(shown["summary"])
    visibility = _visibility(asset, state, summary)
    facts = (state, shown["checksum"], register.owner, register.version, register.registered_at, visibility)
    if facts != tuple(asset[name] for name in _FACTS):
        connection.execute(
            f"UPDATE asset SET {' = ?, '.join(_FACTS)} = ?, updated_at = ? WHERE id = ?",  # noqa: S608 - our constants
            (*facts, now, asset["id"]),
        )
    elif not again:
        return
    _store_filters(connection, asset["id"], summary)
    unlist(connection, asset["id"], fulltext)
    if visibility != HIDDEN:
        words = fulltext if visibility > HIDDEN else fulltext.past
        enlist(connection, asset["id"], fields_of(asset["did"], summary), words, listed=visibility == LISTED)


def _visibility(asset: Row, state: str, summary: Summary) -> int:
    if asset["hidden"] is not None:
        return HIDDEN
    if state == "pending":
        return PENDING
    found = LISTED if (summary.listed if asset["wish"] is None else asset["wish"]) else UNLISTED
    return found if state == "listed" else {LISTED: RETIRED, UNLISTED: RETIRED_UNLISTED}[found]


def _register(connection: Connection, did: str) -> _Register:
    rows = connection.execute("SELECT * FROM ledger WHERE did = ? ORDER BY block, position", (did,)).fetchall()
    if not rows:
        return _Register()
    registrations = [row for row in rows if row["checksum"] is not None]
    last = registrations[-1] if registrations else None
    return _Register(
        owner=rows[-1]["owner"],
        checksum=last["checksum"] if last else None,
        version=last["version"] if last else 0,
        registered_at=rows[0]["time"],
        named=frozenset(row["checksum"] for row in registrations),
    )


def _mark_versions(connection: Connection, asset: int, named: frozenset[str], now: int) -> None:
    rows = connection.execute("SELECT checksum, on_chain FROM version WHERE asset = ?", (asset,)).fetchall()
    for row in rows:
        on_chain = row["checksum"] in named
        if on_chain != bool(row["on_chain"]):
            connection.execute(
                "UPDATE version SET on_chain = ?, pending_since = ? WHERE asset = ? AND checksum = ?",
                (int(on_chain), now, asset, row["checksum"]),
            )


def _version(connection: Connection, asset: int, checksum: str | None) -> Row | None:
    found: Row | None = connection.execute(
        "SELECT checksum, summary FROM version WHERE asset = ? AND checksum = ?", (asset, checksum)
    ).fetchone()
    return found


def _newest(connection: Connection, asset: int) -> Row | None:
    found: Row | None = connection.execute(
        "SELECT checksum, summary FROM version WHERE asset = ? ORDER BY on_chain, pending_since DESC, checksum LIMIT 1",
        (asset,),
    ).fetchone()
    return found


def _store_filters(connection: Connection, asset: int, summary: Summary) -> None:
    """Store the columns for filtering and sorting."""
    filtered = (comparable(summary.type), comparable(summary.author), comparable(summary.license))
    connection.execute(
        "UPDATE asset SET type = ?, author = ?, license = ?, price = ? WHERE id = ?",
        (*filtered, price_text(summary.price), asset),
    )


def fields_of(did: str, summary: Summary) -> Fields:
    """Return the texts and facets by which an asset is found."""
    return Fields(
        name=summary.name,
        tags=" ".join((*summary.tags, *summary.categories)),
        author=summary.author,
        description=summary.description,
        did=did,
        facets={kind: frozenset(map(comparable, values)) for kind, values in listed_facets(summary).items()},
    )


def listed_facets(summary: Summary) -> Mapping[str, tuple[str, ...]]:
    """Return the facets of which an asset has several values, as its document spells them."""
    named = {"service": summary.services, "tag": summary.tags, "category": summary.categories}
    return {**named, "may_run": summary.may_run, "may_leave": summary.may_leave}


def enlist(connection: Connection, asset: int, fields: Fields, fulltext: FullText, *, listed: bool) -> None:
    """Add an asset to the search index."""
    fulltext.put(connection, asset, fields)
    connection.executemany(
        "INSERT INTO facet (kind, value, asset, listed) VALUES (?, ?, ?, ?)",
        [(kind, value, asset, int(listed)) for kind, values in fields.facets.items() for value in values],
    )


def unlist(connection: Connection, asset: int, fulltext: FullText) -> None:
    """Remove an asset from the search index."""
    for words in {fulltext, fulltext.past}:
        words.remove(connection, asset)
    connection.execute("DELETE FROM facet WHERE asset = ?", (asset,))
