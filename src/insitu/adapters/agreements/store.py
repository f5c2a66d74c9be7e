"""The gateway's store in an SQL database."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Unpack

from pydantic import JsonValue
from typing_extensions import override

from insitu.adapters.agreements import sessions, uploads
from insitu.adapters.agreements.bought import count_open, find_earned, find_purchases
from insitu.adapters.agreements.changes import apply_changes
from insitu.adapters.agreements.closing import RETURNABLE, close, pause
from insitu.adapters.agreements.compute import compute_left, reserve_compute
from insitu.adapters.agreements.ends import note_end, take_back
from insitu.adapters.agreements.gas import gas_left, promise, promise_request, relayed, require_free_gas, reserve
from insitu.adapters.agreements.lists import find_events, query_of_executions
from insitu.adapters.agreements.rows import (
    agreement_of,
    event_of,
    execution_of,
    item_of,
    json_object,
    moment,
    transaction_of,
    upload_of,
)
from insitu.adapters.agreements.starts import add_execution, next_number
from insitu.adapters.sql import Connection, Database, Row, insert, milliseconds, placeholders
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import (
    Dossier,
    EventRecord,
    FreeExecution,
    Frozen,
    GasLeft,
    Idempotency,
    KnownAgreement,
    OutboxItem,
    RegistryRelay,
    Relay,
    Relayed,
    RelayLimits,
    StoredExecution,
    StoredTransaction,
    Upload,
    UploadLimits,
    WalletSession,
)
from insitu.ports.agreements import Agreements, ExecutionsWanted
from insitu.ports.bought_agreements import BoughtFilter, Earned, Used
from insitu.ports.chain import Cursor
from insitu.ports.free_compute import ComputeCaps, ComputeLeft

SQLITE = "insitu.adapters.agreements.sqlite"
POSTGRESQL = "insitu.adapters.agreements.postgresql"
"""The migrations of each engine: ``SqlAgreements(Database(path, SQLITE))``."""

_READY = (
    "state = 'waiting' AND transaction_hash IS NULL AND (after IS NULL OR EXISTS"
    " (SELECT 1 FROM items AS earlier WHERE earlier.key = items.after AND earlier.state = 'done'))"
)
_GIVEN_UP = (
    "state = 'given up' AND kind != 'derived' AND execution_id IN"
    " (SELECT execution_id FROM executions WHERE settlement_transaction IS NULL)"
)
"""Items of executions that nobody else has settled since."""

_AT_ONCE = 500
"""Values in the list of one statement."""


class SqlAgreements(Agreements):
    """:class:`insitu.ports.agreements.Agreements` in a database with its migrations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def apply(self, changes: Iterable[Change]) -> None:
        wanted = tuple(changes)
        if wanted:
            await self._database.write(lambda db: apply_changes(db, wanted))

    @override
    async def cursors(self) -> tuple[Cursor, ...]:
        rows = await self._all("SELECT number, hash FROM cursors ORDER BY number DESC")
        return tuple(Cursor(row["number"], row["hash"]) for row in rows)

    @override
    async def agreement(self, agreement_id: AgreementId) -> KnownAgreement | None:
        rows = await self._all("SELECT * FROM agreements WHERE agreement_id = ?", agreement_id)
        return agreement_of(rows[0]) if rows else None

    @override
    async def copy(self, did: str, checksum: str) -> tuple[dict[str, JsonValue], int] | None:
        rows = await self._all("SELECT * FROM copies WHERE did = ? AND checksum = ?", did, checksum)
        return (json_object(rows[0]["document"]), rows[0]["block"]) if rows else None

    @override
    async def remove_copies(self, before: datetime) -> None:
        statement = "DELETE FROM copies WHERE needed_until < ?"
        await self._database.write(lambda db: db.execute(statement, (milliseconds(before),)))

    @override
    async def needing_attention(self, now: datetime, limit: int = 100) -> tuple[KnownAgreement, ...]:
        rows = await self._all(
            "SELECT * FROM agreements WHERE attention > attended UNION"
            " SELECT * FROM agreements WHERE again_at IS NOT NULL AND again_at <= ? LIMIT ?",
            milliseconds(now),
            limit,
        )
        return tuple(agreement_of(row) for row in rows)

    @override
    async def next_attention(self) -> datetime | None:
        return await self._moment("SELECT min(again_at) FROM agreements WHERE again_at IS NOT NULL")

    @override
    async def free_grants(self, consumer: Address, since: datetime) -> int:
        rows = await self._all(
            "SELECT count(*) FROM agreements WHERE free = 1 AND consumer = ? AND granted_at >= ?",
            consumer.lower(),
            milliseconds(since),
        )
        count: int = rows[0][0]
        return count

    @override
    async def relayed(self, consumer: Address, since: datetime) -> Relayed:
        return await self._database.read(lambda db: relayed(db, consumer, milliseconds(since)))

    @override
    async def require_free_gas(self, free: FreeExecution, consumer: Address, now: datetime) -> None:
        await self._database.read(lambda db: require_free_gas(db, free, consumer, milliseconds(now)))

    @override
    async def gas_left(self, *, free: bool, budget: int, cost: int, now: datetime) -> GasLeft:
        return await self._database.read(lambda db: gas_left(db, budget, cost, milliseconds(now), free=free))

    @override
    async def compute_left(
        self, caps: ComputeCaps, consumer: Address, agreement_id: AgreementId | None, now: datetime
    ) -> ComputeLeft | None:
        return await self._database.read(lambda db: compute_left(db, caps, consumer, agreement_id, now))

    @override
    async def promise(self, relay: Relay, limits: RelayLimits, changes: Iterable[Change]) -> bool:
        wanted = tuple(changes)
        return await self._database.write(lambda db: promise(db, relay, limits, wanted))

    @override
    async def promise_request(self, relay: RegistryRelay, limits: RelayLimits, now: datetime) -> bool:
        return await self._database.write(lambda db: promise_request(db, relay, limits, milliseconds(now)))

    @override
    async def unsettled(self, ended_before: int, limit: int = 100) -> tuple[KnownAgreement, ...]:
        rows = await self._all(
            "SELECT * FROM agreements WHERE standing = 'granted' AND start > 0 AND start + timeout <= ?"
            " AND agreement_id IN (SELECT agreement_id FROM executions WHERE frozen IS NOT NULL AND charge IS NULL)"
            " LIMIT ?",
            ended_before,
            limit,
        )
        return tuple(agreement_of(row) for row in rows)

    @override
    async def start(
        self,
        agreement_id: AgreementId,
        at: datetime,
        limit: int,
        draft: Callable[[int], tuple[ExecutionPlan, Dossier]],
        idempotency: Idempotency | None = None,
        free: FreeExecution | None = None,
        caps: ComputeCaps | None = None,
    ) -> tuple[StoredExecution, bool]:
        def transaction(db: Connection) -> tuple[StoredExecution, bool]:
            if idempotency is not None and (known := _find_repeated(db, idempotency)) is not None:
                return known, False
            number = next_number(db, agreement_id, limit)
            plan, dossier = draft(number)
            add_execution(db, plan, dossier, at)
            if free is not None:
                reserve(db, free, agreement_id, plan.workflow_execution_id, milliseconds(at))
            if caps is not None:
                reserve_compute(db, caps, plan, at)
            if idempotency is not None:
                asked = {"caller": idempotency.caller.lower(), "key": idempotency.key}
                answered = {"fingerprint": idempotency.fingerprint, "execution_id": plan.workflow_execution_id}
                insert(db, "idempotency", asked | answered)
            return _require(db, plan.workflow_execution_id), True

        return await self._database.write(transaction)

    @override
    async def close(
        self,
        agreement_id: AgreementId,
        number: int,
        changes: Iterable[Change],
        free: tuple[FreeExecution, datetime] | None,
    ) -> None:
        wanted = tuple(changes)

        await self._database.write(lambda db: close(db, agreement_id, number, wanted, free))

    @override
    async def pause(self, did: str, stopping: bool | None) -> None:
        await self._database.write(lambda db: pause(db, did, stopping))

    @override
    async def paused(self) -> Mapping[str, bool]:
        return {row["did"]: bool(row["stopping"]) for row in await self._all("SELECT * FROM pauses")}

    @override
    async def returnable(self, did: str, now: int, limit: int = 20) -> tuple[KnownAgreement, ...]:
        rows = await self._all(RETURNABLE, did, now, limit)
        return tuple(agreement_of(row) for row in rows)

    @override
    async def purchases(self, wanted: BoughtFilter) -> tuple[tuple[KnownAgreement, Used], ...]:
        return await self._database.read(lambda db: find_purchases(db, wanted))

    @override
    async def earned(self, account: Address, since: datetime, now: datetime) -> Earned:
        return await self._database.read(lambda db: find_earned(db, account, since, now))

    @override
    async def open_on(self, dids: Sequence[str], now: datetime) -> Mapping[str, int]:
        return await self._database.read(lambda db: count_open(db, dids, now))

    @override
    async def repeated(self, idempotency: Idempotency) -> StoredExecution | None:
        return await self._database.read(lambda db: _find_repeated(db, idempotency))

    @override
    async def execution(self, execution_id: ExecutionId) -> StoredExecution | None:
        return await self._database.read(lambda db: _find(db, execution_id))

    @override
    async def executions(self, *, limit: int = 1000, **wanted: Unpack[ExecutionsWanted]) -> tuple[StoredExecution, ...]:
        query, arguments = query_of_executions(wanted)
        return await self._database.read(lambda db: _executions(db, query, (*arguments, limit)))

    @override
    async def live(self) -> tuple[StoredExecution, ...]:
        query = "SELECT * FROM executions WHERE frozen IS NULL ORDER BY created_at"
        return await self._database.read(lambda db: _executions(db, query, ()))

    @override
    async def input_dids(self) -> tuple[str, ...]:
        # From one to the next in the index: a stream asks often, and each data set was read by many executions.
        following = "(SELECT min(did) FROM execution_inputs WHERE did > found.did)"
        query = (
            "WITH RECURSIVE found(did) AS (SELECT min(did) FROM execution_inputs"  # noqa: S608 - our constant
            f" UNION ALL SELECT {following} FROM found WHERE did IS NOT NULL)"
            " SELECT did FROM found WHERE did IS NOT NULL ORDER BY did"
        )
        return tuple(row["did"] for row in await self._all(query))

    @override
    async def freeze(
        self, execution_id: ExecutionId, frozen: Frozen, changes: Iterable[Change], *, instead_of: str | None = None
    ) -> tuple[StoredExecution, bool]:
        wanted = tuple(changes)

        def transaction(db: Connection) -> tuple[StoredExecution, bool]:
            found = _require(db, execution_id)
            if not found.live and not take_back(db, found, instead_of):
                return found, False
            note_end(db, execution_id, frozen)
            apply_changes(db, wanted)
            return _require(db, execution_id), True

        return await self._database.write(transaction)

    @override
    async def events(self, execution_id: ExecutionId, after: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        rows = await self._all(
            "SELECT * FROM events WHERE execution_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            execution_id,
            after,
            limit,
        )
        return tuple(event_of(row) for row in rows)

    @override
    async def all_events(
        self,
        after: int | None,
        consumer: Address | None = None,
        input_dids: Sequence[str] | None = None,
        until: int | None = None,
    ) -> tuple[int, tuple[EventRecord, ...]]:
        return await self._database.read(lambda db: find_events(db, after, until, consumer, input_dids))

    @override
    async def due(self, now: datetime, limit: int = 100) -> tuple[OutboxItem, ...]:
        query = f"SELECT * FROM items WHERE {_READY} AND not_before <= ? ORDER BY position LIMIT ?"  # noqa: S608
        return tuple(item_of(row) for row in await self._all(query, milliseconds(now), limit))

    @override
    async def batchable(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        query = f"SELECT * FROM items WHERE {_READY} AND batch = 1 AND attempts = 0 ORDER BY position LIMIT ?"  # noqa: S608
        return tuple(item_of(row) for row in await self._all(query, limit))

    @override
    async def next_due(self) -> datetime | None:
        return await self._moment(f"SELECT min(not_before) FROM items WHERE {_READY}")  # noqa: S608

    @override
    async def item(self, key: str) -> OutboxItem | None:
        rows = await self._all("SELECT * FROM items WHERE key = ?", key)
        return item_of(rows[0]) if rows else None

    @override
    async def given_up(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        query = f"SELECT * FROM items WHERE {_GIVEN_UP} ORDER BY position DESC LIMIT ?"  # noqa: S608
        return tuple(item_of(row) for row in await self._all(query, limit))

    @override
    async def in_flight(self) -> tuple[StoredTransaction, ...]:
        def query(db: Connection) -> tuple[StoredTransaction, ...]:
            rows = db.execute("SELECT * FROM transactions WHERE confirmed = 0 ORDER BY nonce, signed_at").fetchall()
            carried = db.execute(
                "SELECT items.key, transaction_hash FROM items JOIN transactions ON hash = transaction_hash"
                " WHERE confirmed = 0 ORDER BY position"
            ).fetchall()
            items = _group(carried, "transaction_hash")
            return tuple(transaction_of(row, items.get(row["hash"], [])) for row in rows)

        return await self._database.read(query)

    @override
    async def use_assertion(self, issuer: Address, jti: str, expires: datetime, now: datetime) -> None:
        await self._database.write(lambda db: sessions.use_assertion(db, issuer, jti, expires, now))

    @override
    async def open_session(self, session: WalletSession, now: datetime) -> None:
        await self._database.write(lambda db: sessions.open_session(db, session, now))

    @override
    async def session(self, session_id: str, now: datetime) -> WalletSession | None:
        return await self._database.read(lambda db: sessions.find(db, session_id, now))

    @override
    async def renew_session(self, renewed: WalletSession, spent: str) -> bool:
        return await self._database.write(lambda db: sessions.renew(db, renewed, spent))

    @override
    async def end_session(self, session_id: str) -> None:
        await self._database.write(lambda db: db.execute("DELETE FROM sessions WHERE session_id = ?", (session_id,)))

    @override
    async def upload(self, upload_id: str) -> Upload | None:
        rows = await self._all("SELECT * FROM uploads WHERE upload_id = ? AND sha256 != ''", upload_id)
        return upload_of(rows[0]) if rows else None

    @override
    async def reserve_upload(self, upload: Upload, least: int, limits: UploadLimits) -> int:
        return await self._database.write(lambda db: uploads.reserve(db, upload, least, limits))

    @override
    async def unnamed_uploads(self, before: datetime, limit: int = 100) -> tuple[tuple[Upload, tuple[str, ...]], ...]:
        return await self._database.read(lambda db: uploads.unnamed(db, milliseconds(before), limit))

    @override
    async def reads(self, did: str) -> bool:
        tables = "SELECT 1 FROM agreement_inputs WHERE did = ? UNION ALL SELECT 1 FROM execution_inputs WHERE did = ?"
        return bool(await self._all(f"{tables} LIMIT 1", did, did))

    @override
    async def uses(self, did: str) -> bool:
        return await self._database.read(lambda db: uploads.uses(db, did))

    @override
    async def remove_uploads(self, upload_ids: Sequence[str], before: datetime) -> tuple[str, ...]:
        ids = tuple(upload_ids)
        return await self._database.write(lambda db: uploads.remove(db, ids, milliseconds(before)))

    @override
    async def expired_results(self, now: datetime, limit: int = 100) -> tuple[StoredExecution, ...]:
        query = "SELECT * FROM executions WHERE removed = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?"
        return await self._database.read(lambda db: _executions(db, query, (milliseconds(now), limit)))

    @override
    async def results_removed(self, execution_id: ExecutionId) -> tuple[str, ...]:
        def transaction(db: Connection) -> tuple[str, ...]:
            db.execute("UPDATE executions SET removed = 1 WHERE execution_id = ?", (execution_id,))
            rows = db.execute(
                "SELECT sha256 FROM result_blobs AS mine WHERE execution_id = ? AND NOT EXISTS (SELECT 1 FROM"
                " result_blobs AS other WHERE other.sha256 = mine.sha256 AND other.execution_id != mine.execution_id)"
                " AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.sha256 = mine.sha256) ORDER BY sha256",
                (execution_id,),
            ).fetchall()
            db.execute("DELETE FROM result_blobs WHERE execution_id = ?", (execution_id,))
            return tuple(row["sha256"] for row in rows)

        return await self._database.write(transaction)

    @override
    async def needless_blobs(self, digests: Sequence[str]) -> tuple[str, ...]:
        return await self._database.read(lambda db: uploads.needless(db, digests))

    @override
    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        await self._database.work_alone(work)

    async def _all(self, query: str, *arguments: object) -> list[Row]:
        return await self._database.read(lambda db: db.execute(query, arguments).fetchall())

    async def _moment(self, query: str) -> datetime | None:
        value = (await self._all(query))[0][0]
        return moment(value) if value is not None else None


def _executions(db: Connection, query: str, arguments: Sequence[object]) -> tuple[StoredExecution, ...]:
    rows = db.execute(query, arguments).fetchall()
    histories: dict[str, list[Row]] = {}
    given_up: dict[str, Reason | None] = {}
    for start in range(0, len(rows), _AT_ONCE):
        ids = [row["execution_id"] for row in rows[start : start + _AT_ONCE]]
        transitions = db.execute(
            "SELECT execution_id, transition FROM transitions"  # noqa: S608 - only question marks
            f" WHERE execution_id IN ({placeholders(ids)}) ORDER BY execution_id, sequence",
            ids,
        )
        histories |= _group(transitions.fetchall(), "execution_id")
        items = db.execute(
            f"SELECT * FROM items WHERE {_GIVEN_UP} AND execution_id IN ({placeholders(ids)}) ORDER BY position DESC",  # noqa: S608
            ids,
        )
        given_up |= {row["execution_id"]: item_of(row).reason for row in items.fetchall()}
    return tuple(
        execution_of(row, histories.get(row["execution_id"], []), given_up.get(row["execution_id"])) for row in rows
    )


def _group(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _find(db: Connection, execution_id: str) -> StoredExecution | None:
    found = _executions(db, "SELECT * FROM executions WHERE execution_id = ?", (execution_id,))
    return found[0] if found else None


def _require(db: Connection, execution_id: str) -> StoredExecution:
    found = _find(db, execution_id)
    if found is None:
        raise InsituError("ExecutionUnknown", f"there is no execution {execution_id}")
    return found


def _find_repeated(db: Connection, request: Idempotency) -> StoredExecution | None:
    row = db.execute(
        "SELECT fingerprint, execution_id FROM idempotency WHERE caller = ? AND key = ?",
        (request.caller.lower(), request.key),
    ).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != request.fingerprint:
        raise InsituError("IdempotencyConflict", "the Idempotency-Key was used for another request")
    return _require(db, row["execution_id"])
