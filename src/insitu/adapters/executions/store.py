"""Executions in an SQL database."""

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from insitu.adapters.sql import Connection, Database, Row, milliseconds
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogRelease
from insitu.ports.executions import Decide, Executions

SQLITE = "insitu.adapters.executions.sqlite"
POSTGRESQL = "insitu.adapters.executions.postgresql"
"""The migrations of each engine: ``SqlExecutions(Database(path, SQLITE))``."""


class SqlExecutions(Executions):
    """A table of records; a unique index ensures that an agreement has at most one live execution."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def create(self, execution: Execution, ticket: str) -> Execution:
        def transaction(connection: Connection) -> Execution:
            found = _find(connection, execution.execution_id)
            if found is not None:
                return found
            if connection.execute(_INSERT, {**_columns(execution), "ticket": ticket}).rowcount:
                return execution
            raise _in_progress(connection, execution.agreement_id)

        return await self._database.write(transaction)

    @override
    async def get(self, execution_id: ExecutionId) -> Execution | None:
        return await self._database.read(lambda connection: _find(connection, execution_id))

    @override
    async def ticket(self, execution_id: ExecutionId) -> str:
        rows = await self._all("SELECT ticket FROM executions WHERE execution_id = ?", execution_id)
        return str(rows[0]["ticket"]) if rows else ""

    @override
    async def replace(self, execution: Execution) -> bool:
        columns = _columns(execution)
        return await self._database.write(lambda connection: connection.execute(_UPDATE, columns).rowcount == 1)

    @override
    async def release(self, execution_id: ExecutionId, decide: Decide) -> LogRelease:
        def decide_release(connection: Connection) -> tuple[LogRelease, LogRelease]:
            row = connection.execute(_RELEASED, (execution_id,)).fetchone()
            if row is None:
                raise InsituError("ExecutionUnknown", f"there is no execution {execution_id}")
            before = LogRelease.model_validate_json(row["released"])
            return before, decide(Execution.model_validate_json(row["record"]), before)

        def transaction(connection: Connection) -> LogRelease:
            _, after = decide_release(connection)
            connection.execute(_RELEASE, (after.model_dump_json(by_alias=True), execution_id))
            return after

        before, after = await self._database.read(decide_release)
        # Most reads repeat an earlier one and change nothing, so they should not make a writer wait.
        return after if after == before else await self._database.write(transaction)

    @override
    async def unsettled(self) -> tuple[Execution, ...]:
        return await self._select("WHERE settled = 0 ORDER BY number")

    @override
    async def ended_before(self, moment: datetime) -> tuple[ExecutionId, ...]:
        rows = await self._all(_ENDED_BEFORE, milliseconds(moment))
        return tuple(ExecutionId(row["execution_id"]) for row in rows)

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        settled = "DELETE FROM executions WHERE execution_id = ? AND settled = 1"
        await self._database.write(lambda connection: connection.execute(settled, (execution_id,)))

    @override
    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        if agreement_id is None:
            return await self._select("ORDER BY number DESC")
        return await self._select("WHERE agreement_id = ? ORDER BY number DESC", agreement_id)

    async def _select(self, clause: str, *parameters: str) -> tuple[Execution, ...]:
        # Only constants of this module become part of the statement.
        return _read(await self._all(f"SELECT record FROM executions {clause}", *parameters))  # noqa: S608

    async def _all(self, query: str, *parameters: object) -> Sequence[Row]:
        return await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())


_INSERT = """
INSERT INTO executions (execution_id, agreement_id, version, live, settled, ended_at, record, ticket)
VALUES (:execution_id, :agreement_id, :version, :live, :settled, :ended_at, :record, :ticket)
ON CONFLICT DO NOTHING
"""
_UPDATE = """
UPDATE executions
SET version = :version, live = :live, settled = :settled, ended_at = :ended_at, record = :record,
    ticket = CASE WHEN :settled = 1 THEN '' ELSE ticket END
WHERE execution_id = :execution_id AND version = :version - 1
"""
_RELEASED = "SELECT record, released FROM executions WHERE execution_id = ?"
_RELEASE = "UPDATE executions SET released = ? WHERE execution_id = ?"
_ENDED_BEFORE = """
SELECT execution_id FROM executions WHERE settled = 1 AND ended_at < ? ORDER BY ended_at, number LIMIT 1000
"""


def _columns(execution: Execution) -> dict[str, str | int]:
    return {
        "execution_id": execution.execution_id,
        "agreement_id": execution.agreement_id,
        "version": execution.version,
        "live": int(not execution.ended),
        "settled": int(execution.ended and execution.cleaned),
        "ended_at": milliseconds(execution.since) if execution.ended else 0,
        "record": execution.model_dump_json(by_alias=True),
    }


def _find(connection: Connection, execution_id: ExecutionId) -> Execution | None:
    rows = connection.execute("SELECT record FROM executions WHERE execution_id = ?", (execution_id,)).fetchall()
    return next(iter(_read(rows)), None)


def _read(rows: Sequence[Row]) -> tuple[Execution, ...]:
    return tuple(Execution.model_validate_json(row["record"]) for row in rows)


def _in_progress(connection: Connection, agreement_id: AgreementId) -> InsituError:
    row = connection.execute(
        "SELECT execution_id FROM executions WHERE agreement_id = ? AND live = 1", (agreement_id,)
    ).fetchone()
    running = str(row["execution_id"])
    return InsituError("ExecutionInProgress", f"{running} of this agreement has not ended", executionId=running)
