"""The statements that list executions and their events."""

from collections.abc import Sequence

from insitu.adapters.agreements.rows import event_of
from insitu.adapters.sql import Connection, placeholders
from insitu.ports.agreement_records import EventRecord
from insitu.ports.agreements import ExecutionsWanted

EVENTS_AT_ONCE = 1000
_NEWEST_FIRST = ("created_at", "number", "execution_id")


def query_of_executions(wanted: ExecutionsWanted) -> tuple[str, list[object]]:
    """Return the statement, whose last question mark is the limit, and its other arguments."""
    columns = ", ".join(_NEWEST_FIRST)
    compared = {
        "agreement_id = ?": wanted.get("agreement_id"),
        "execution_id IN (SELECT execution_id FROM execution_inputs WHERE did = ?)": wanted.get("reading"),
        f"({columns}) < (SELECT {columns} FROM executions WHERE execution_id = ?)": wanted.get("before"),  # noqa: S608
    }
    given = {condition: value for condition, value in compared.items() if value is not None}
    conditions, arguments = list(given), list[object](given.values())
    if wanted.get("charging"):
        conditions.append("frozen IS NOT NULL AND (charge IS NULL OR charge != '0')")
    if (live := wanted.get("live")) is not None:
        conditions.append("frozen IS NULL" if live else "frozen IS NOT NULL")
    if seen := _seen_by(wanted.get("consumer"), wanted.get("input_dids"), arguments):
        conditions.append(seen)
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    order = ", ".join(f"{column} DESC" for column in _NEWEST_FIRST)
    # Only the conditions above are joined here, no values.
    return f"SELECT * FROM executions{where} ORDER BY {order} LIMIT ?", arguments  # noqa: S608


def find_events(
    db: Connection, after: int | None, until: int | None, consumer: str | None, input_dids: Sequence[str] | None
) -> tuple[int, tuple[EventRecord, ...]]:
    """Carry out :meth:`insitu.ports.agreements.Agreements.all_events`."""
    newest: int = db.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0]
    if after is None:
        return newest, ()
    reached = min(newest if until is None else min(until, newest), after + EVENTS_AT_ONCE)
    arguments: list[object] = [after, reached]
    seen = _seen_by(consumer, input_dids, arguments) or "true"
    found = (
        "SELECT events.* FROM events JOIN executions USING (execution_id)"  # noqa: S608 - only conditions are joined
        f" WHERE events.number > ? AND events.number <= ? AND {seen} ORDER BY events.number"
    )
    return reached, tuple(event_of(row) for row in db.execute(found, arguments).fetchall())


def _seen_by(consumer: str | None, input_dids: Sequence[str] | None, arguments: list[object]) -> str:
    """Return the condition for executions of a consumer, or that read one of the data sets; empty for all of them."""
    either: list[str] = []
    if consumer is not None:
        either.append("consumer = ?")
        arguments.append(consumer.lower())
    if input_dids is not None:
        read = f"SELECT execution_id FROM execution_inputs WHERE did IN ({placeholders(input_dids)})"  # noqa: S608
        either.append(f"execution_id IN ({read})")
        arguments += input_dids
    return f"({' OR '.join(either)})" if either else ""
