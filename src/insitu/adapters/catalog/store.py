"""The catalogue in an SQL database, with the full-text index of its engine."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from typing_extensions import override

from insitu.adapters.catalog.facets import count_facets
from insitu.adapters.catalog.fulltext import FullText
from insitu.adapters.catalog.listing import (
    LISTED,
    RETIRED_UNLISTED,
    SUMMARY,
    SUMMARY_FORM,
    UNLISTED,
    ensure_asset,
    recompute,
)
from insitu.adapters.catalog.query import select_of, states_of
from insitu.adapters.catalog.room import has_registered, require_room
from insitu.adapters.sql import Connection, Database, Row, insert, placeholders
from insitu.domain.canonical import JsonObject
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.ledger import DidRegistered, DidTransferred
from insitu.ports.catalog import (
    ANYWHERE,
    MAX_FEATURED,
    AssetRecord,
    AssetState,
    Catalog,
    Catalogued,
    CataloguedVersion,
    CuratedAsset,
    Curation,
    DocumentVersion,
    Facets,
    Hits,
    Query,
    RegisteredVersion,
    SummarisedAsset,
    Summary,
    WaitingPlace,
)
from insitu.ports.chain import Block, Cursor

GATEWAYS_LONGER = 7 * 24 * 3600 * 1000
"""Milliseconds for which a gateway's pending documents are kept longer than others."""
DUE = "on_chain = 0 AND pending_since < CASE WHEN pool = 'gateways' THEN :earlier ELSE :moment END"
KEPT_CURSORS = 256
"""A deeper reorganisation starts again from the deployment, and every event is stored again."""


class SqlCatalog(Catalog):
    """The catalogue in a database that has its migrations."""

    def __init__(self, database: Database, fulltext: FullText) -> None:
        self._database = database
        self._fulltext = fulltext

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    @override
    async def put(
        self, version: DocumentVersion, now: datetime, *, key: str | None = None, place: WaitingPlace = ANYWHERE
    ) -> AssetRecord:
        document = json.dumps(version.document, ensure_ascii=False)
        size = len(document.encode())

        def keep(connection: Connection) -> AssetRecord:
            earlier = _published(connection, version.creator, key)
            if earlier is not None and earlier.did != version.did:
                return earlier
            moment = _milliseconds(now)
            require_room(connection, version, place, size, moment)
            asset = ensure_asset(connection, version.did, version.checksum, moment)
            known = {"asset": asset, "checksum": version.checksum, "creator": version.creator}
            waiting = {"pending_since": moment, "pool": place.pool, "holder": place.holder, "size": size}
            summary = SUMMARY.dump_json(version.summary).decode()
            insert(
                connection,
                "version",
                {**known, **waiting, "document": document, "summary": summary, "form": SUMMARY_FORM, "on_chain": 0},
                "ON CONFLICT (asset, checksum) DO UPDATE SET pending_since = excluded.pending_since",
            )
            if key is not None:
                newer = "UPDATE SET asset = excluded.asset, checksum = excluded.checksum"
                insert(connection, "publication", known | {"key": key}, f"ON CONFLICT (creator, key) DO {newer}")
            recompute(connection, [version.did], moment, self._fulltext)
            return _record(connection, BY_DID, version.did) or _raise_lost(version.did)

        return await self._database.write(keep)

    @override
    async def has_registered(self, account: Address) -> bool:
        return await self._database.read(lambda connection: has_registered(connection, account))

    @override
    async def record(self, did: str) -> AssetRecord | None:
        return await self._database.read(lambda connection: _record(connection, BY_DID, did))

    @override
    async def published(self, creator: Address, key: str) -> AssetRecord | None:
        return await self._database.read(lambda connection: _published(connection, creator, key))

    @override
    async def document(self, did: str, checksum: str | None = None) -> Catalogued | None:
        rows = await self._all(
            "SELECT version.checksum, document, on_chain FROM version JOIN asset ON asset.id = version.asset"
            " WHERE did = ? AND version.checksum ="
            " coalesce(?, CASE WHEN state != 'pending' THEN asset.checksum END)",
            did,
            checksum,
        )
        return next((Catalogued(row[0], json.loads(row[1]), bool(row[2])) for row in rows), None)

    @override
    async def registered(self, did: str, checksum: str) -> RegisteredVersion | None:
        query = "SELECT version, owner FROM ledger WHERE did = ? AND checksum = ? ORDER BY version DESC LIMIT 1"
        return next((RegisteredVersion(*row) for row in await self._all(query, did, checksum)), None)

    @override
    async def versions(self, did: str, limit: int = 100) -> tuple[CataloguedVersion, ...]:
        rows = await self._all(
            "SELECT ledger.version, ledger.checksum, ledger.owner, ledger.time, version.checksum IS NOT NULL"
            " FROM ledger"
            " LEFT JOIN asset ON asset.did = ledger.did"
            " LEFT JOIN version ON version.asset = asset.id AND version.checksum = ledger.checksum"
            " WHERE ledger.did = ? AND ledger.version IS NOT NULL ORDER BY ledger.version DESC LIMIT ?",
            did,
            limit,
        )
        return tuple(
            CataloguedVersion(row[0], row[1], row[2], datetime.fromtimestamp(row[3], UTC), bool(row[4])) for row in rows
        )

    @override
    async def before(self, did: str, number: int) -> Catalogued | None:
        rows = await self._all(
            "SELECT version.checksum, document FROM ledger JOIN asset ON asset.did = ledger.did"
            " JOIN version ON version.asset = asset.id AND version.checksum = ledger.checksum"
            " WHERE ledger.did = ? AND ledger.version < ? ORDER BY ledger.version DESC LIMIT 1",
            did,
            number,
        )
        return next((Catalogued(row[0], json.loads(row[1]), on_chain=True) for row in rows), None)

    @override
    async def retire(self, did: str, now: datetime) -> AssetRecord | None:
        def retire(connection: Connection) -> AssetRecord | None:
            connection.execute("UPDATE asset SET retired_version = version WHERE did = ? AND version > 0", (did,))
            recompute(connection, [did], _milliseconds(now), self._fulltext)
            return _record(connection, BY_DID, did)

        return await self._database.write(retire)

    @override
    async def set_listed(self, did: str, listed: bool, deadline: int, now: datetime) -> AssetRecord | None:
        return await self._decide(did, {"wish": int(listed)}, deadline, now)

    @override
    async def curate(
        self, did: str, what: Curation, reason: str | None, curator: Address, deadline: int, now: datetime
    ) -> AssetRecord | None:
        decided = {what: reason, f"{what}_by": curator, f"{what}_at": _milliseconds(now)}
        return await self._decide(did, decided, deadline, now)

    @override
    async def curated(self, what: Curation, skip: int = 0, limit: int = 20) -> tuple[tuple[CuratedAsset, ...], int]:
        def find(connection: Connection) -> tuple[tuple[CuratedAsset, ...], int]:
            total: int = connection.execute(f"SELECT count(*) FROM asset WHERE {what} IS NOT NULL").fetchone()[0]  # noqa: S608
            rows = connection.execute(
                f"SELECT * FROM asset WHERE {what} IS NOT NULL ORDER BY {what}_at DESC, did LIMIT ? OFFSET ?",  # noqa: S608
                (limit, skip),
            ).fetchall()
            shown = [row["id"] for row in rows if what == "featured" and row["visibility"] == LISTED]
            documents = dict(zip(shown, _documents(connection, shown), strict=True))
            return tuple(_curated(row, what, documents.get(row["id"])) for row in rows), total

        return await self._database.read(find)

    @override
    async def search(self, query: Query) -> Hits:
        select = select_of(query, self._fulltext)

        def find(connection: Connection) -> Hits:
            total: int = connection.execute(select.count, select.parameters).fetchone()[0]
            page = connection.execute(select.page, select.parameters).fetchall()
            unlisted = tuple(row["did"] for row in page if row["visibility"] in (UNLISTED, RETIRED_UNLISTED))
            return Hits(_documents(connection, [row["id"] for row in page]), total, unlisted)

        return await self._database.read(find)

    @override
    async def facets(self, query: Query) -> Facets:
        select = select_of(query, self._fulltext)
        states = {state: select_of(one, self._fulltext) for state, one in states_of(query).items()}
        return await self._database.read(lambda connection: count_facets(connection, select, states))

    @override
    async def renew(self, summarise: Callable[[JsonObject], Summary | None], limit: int = 50) -> int:
        def renew(connection: Connection) -> int:
            rows = connection.execute(
                "SELECT did, asset.id, updated_at, version.checksum, document, summary FROM version"  # noqa: S608
                f" JOIN asset ON asset.id = version.asset WHERE form < {SUMMARY_FORM} LIMIT ?",
                (limit,),
            ).fetchall()
            for row in rows:
                summary = summarise(json.loads(row["document"]))
                text = row["summary"] if summary is None else SUMMARY.dump_json(summary).decode()
                connection.execute(
                    "UPDATE version SET summary = ?, form = ? WHERE asset = ? AND checksum = ?",
                    (text, SUMMARY_FORM, row["id"], row["checksum"]),
                )
                recompute(connection, [row["did"]], row["updated_at"], self._fulltext, again=True)
            return len(rows)

        return await self._database.write(renew)

    @override
    async def summaries(self, dids: Sequence[str]) -> tuple[SummarisedAsset, ...]:
        rows = await self._all(f"{SUMMARISED} WHERE did IN ({placeholders(dids)})", *dids)
        found = {row["did"]: _summarised(row) for row in rows}
        return tuple(found[did] for did in dids if did in found)

    @override
    async def dids(self, after: str = "", limit: int = 1000, owner: Address | None = None) -> tuple[str, ...]:
        wanted, values = "visibility = ?", list[object]([LISTED])
        if owner is not None:
            created = "SELECT asset FROM version WHERE on_chain = 0 AND creator = ?"
            wanted, values = f"(owner = ? OR owner IS NULL AND id IN ({created}))", [owner, owner]
        query = f"SELECT did FROM asset WHERE {wanted} AND did > ? ORDER BY did LIMIT ?"  # noqa: S608 - our constants
        return tuple(row[0] for row in await self._all(query, *values, after, limit))

    @override
    async def cursors(self) -> tuple[Cursor, ...]:
        rows = await self._all("SELECT number, hash FROM cursor ORDER BY number DESC")
        return tuple(Cursor(row[0], row[1]) for row in rows)

    @override
    async def apply(self, blocks: Sequence[Block], now: datetime) -> frozenset[str]:
        def store(connection: Connection) -> frozenset[str]:
            touched: set[str] = set()
            for block in blocks:
                if block.rolled_back_to is not None:
                    touched |= _roll_back(connection, block.rolled_back_to.number)
                touched |= _store_block(connection, block)
            recompute(connection, sorted(touched), _milliseconds(now), self._fulltext)
            connection.execute(
                "DELETE FROM cursor WHERE number <= (SELECT max(number) FROM cursor) - ?", (KEPT_CURSORS,)
            )
            return frozenset(touched)

        return await self._database.write(store)

    @override
    async def waiting(self) -> tuple[int, datetime | None]:
        (row,) = await self._all("SELECT count(*), min(pending_since) FROM version WHERE on_chain = 0")
        return row[0], _moment(row[1])

    @override
    async def drop_pending(self, before: datetime) -> int:
        def drop(connection: Connection) -> int:
            moment = _milliseconds(before)
            due = {"moment": moment, "earlier": moment - GATEWAYS_LONGER}
            rows = connection.execute(
                f"SELECT DISTINCT did FROM asset JOIN version ON asset.id = version.asset WHERE {DUE}",  # noqa: S608
                due,
            ).fetchall()
            dropped = connection.execute(f"DELETE FROM version WHERE {DUE}", due).rowcount  # noqa: S608
            recompute(connection, [row[0] for row in rows], moment, self._fulltext)
            return dropped

        return await self._database.write(drop)

    async def _decide(
        self, did: str, decided: Mapping[str, object], deadline: int, now: datetime
    ) -> AssetRecord | None:
        """Store a decision, unless one with a later deadline is stored: an earlier request may come again.

        ``decided`` has columns and their values; the first column says what the decision is about.
        """
        what = next(iter(decided))
        columns = " = ?, ".join((*decided, f"{what}_deadline"))

        def decide(connection: Connection) -> AssetRecord | None:
            if decided.get("featured") is not None:
                _require_room_for_featured(connection, did)
            changed = connection.execute(
                f"UPDATE asset SET {columns} = ? WHERE did = ? AND {what}_deadline <= ?",  # noqa: S608 - our constants
                (*decided.values(), deadline, did, deadline),
            ).rowcount
            recompute(connection, [did], _milliseconds(now), self._fulltext)
            record = _record(connection, BY_DID, did)
            if record is not None and not changed:
                raise InsituError("DeadlinePassed", "a request that was signed later has been carried out already")
            return record

        return await self._database.write(decide)

    async def _all(self, query: str, *parameters: object) -> list[Row]:
        return await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())


# With the version that waits for the chain, so that a list asks once and not for each asset.
RECORDED = """
asset.*, (SELECT waiting.checksum FROM version AS waiting WHERE waiting.asset = asset.id AND waiting.on_chain = 0
ORDER BY waiting.pending_since DESC, waiting.checksum LIMIT 1) AS waiting
"""
BY_DID = f"SELECT {RECORDED} FROM asset WHERE did = ?"  # noqa: S608 - our constants
# The key stands for the document that was published under it, and for no later version, which may be anything else.
BY_KEY = f"""
SELECT {RECORDED} FROM publication JOIN asset ON asset.id = publication.asset AND asset.checksum = publication.checksum
WHERE publication.creator = ? AND publication.key = ?
"""  # noqa: S608 - our constants
SUMMARISED = f"""
SELECT {RECORDED}, summary FROM asset JOIN version ON version.asset = asset.id AND version.checksum = asset.checksum
"""  # noqa: S608 - our constants


def _published(connection: Connection, creator: Address, key: str | None) -> AssetRecord | None:
    return _record(connection, BY_KEY, creator, key)


def _record(connection: Connection, statement: str, *parameters: object) -> AssetRecord | None:
    row = connection.execute(statement, parameters).fetchone()
    return _recorded(row) if row is not None else None


def _summarised(row: Row) -> SummarisedAsset:
    first = row["registered_at"]
    created = datetime.fromtimestamp(first, UTC) if first is not None else None
    return SummarisedAsset(_recorded(row), SUMMARY.validate_json(row["summary"]), created)


def _state(row: Row) -> AssetState:
    state: AssetState = row["state"]
    if state == "listed" and row["visibility"] != LISTED:
        return "unlisted" if row["hidden"] is None else "hidden"
    return state


def _recorded(row: Row) -> AssetRecord:
    updated = datetime.fromtimestamp(row["updated_at"] / 1000, UTC)
    facts = (row["did"], _state(row), row["checksum"], row["owner"], row["version"], updated)
    return AssetRecord(*facts, row["waiting"], row["hidden"] or "", row["featured"] or "")


def _curated(row: Row, what: Curation, document: JsonObject | None) -> CuratedAsset:
    at = _moment(row[f"{what}_at"])
    return CuratedAsset(row["did"], _state(row), row[what], row[f"{what}_by"], at, document)


def _require_room_for_featured(connection: Connection, did: str) -> None:
    others = "SELECT count(*) FROM asset WHERE featured IS NOT NULL AND did != ?"
    if connection.execute(others, (did,)).fetchone()[0] >= MAX_FEATURED:
        raise InsituError("FeaturedFull", f"{MAX_FEATURED} assets are featured already", limit=MAX_FEATURED)


def _documents(connection: Connection, assets: Sequence[int]) -> tuple[JsonObject, ...]:
    """Read the documents of a page in their current versions; only here, because documents are large."""
    if not assets:
        return ()
    rows = connection.execute(
        "SELECT asset.id, document FROM version"  # noqa: S608 - only question marks
        " JOIN asset ON asset.id = version.asset AND asset.checksum = version.checksum"
        f" WHERE asset.id IN ({placeholders(assets)})",
        tuple(assets),
    ).fetchall()
    documents = {row[0]: row[1] for row in rows}
    return tuple(json.loads(documents[asset]) for asset in assets)


def _raise_lost(did: str) -> NoReturn:
    raise InsituError("StorageFailed", f"the catalogue lost {did} while it was stored")


def _store_block(connection: Connection, block: Block) -> set[str]:
    """Store a block's cursor and its events about DIDs; return the DIDs."""
    cursor = block.cursor
    read = {"number": cursor.number, "hash": cursor.hash}
    insert(connection, "cursor", read, "ON CONFLICT (number) DO UPDATE SET hash = excluded.hash")
    touched = set[str]()
    for logged in block.events:
        event = logged.event
        if isinstance(event, DidRegistered):
            checksum, version = event.checksum.lower().removeprefix("0x"), event.version
        elif isinstance(event, DidTransferred):
            checksum, version = None, None
        else:
            continue
        did = str(Did.parse(event.did))
        connection.execute(
            "INSERT INTO ledger (block, position, did, owner, checksum, version, time) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (block, position) DO UPDATE SET did = excluded.did, owner = excluded.owner,"
            " checksum = excluded.checksum, version = excluded.version, time = excluded.time",
            (cursor.number, logged.log_index, did, read_address(event.owner), checksum, version, block.timestamp),
        )
        touched.add(did)
    return touched


def _roll_back(connection: Connection, number: int) -> set[str]:
    """Delete everything above a block; return the DIDs that it was about."""
    rows = connection.execute("SELECT DISTINCT did FROM ledger WHERE block > ?", (number,)).fetchall()
    connection.execute("DELETE FROM ledger WHERE block > ?", (number,))
    connection.execute("DELETE FROM cursor WHERE number > ?", (number,))
    return {row[0] for row in rows}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds is not None else None
