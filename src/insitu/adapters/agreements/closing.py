"""Agreements that are closed early, and data sets on which nothing runs for now."""

from collections.abc import Sequence
from datetime import datetime

from insitu.adapters.agreements.changes import apply_changes
from insitu.adapters.agreements.gas import reserve
from insitu.adapters.agreements.starts import require_ended
from insitu.adapters.sql import Connection, milliseconds
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import FreeExecution

RETURNABLE = (
    "SELECT * FROM agreements WHERE agreement_id IN (SELECT agreement_id FROM agreement_inputs WHERE did = ?)"
    " AND standing = 'granted' AND free = 0 AND start + timeout > ?"
    " AND NOT EXISTS (SELECT 1 FROM items WHERE items.key = 'close:' || agreements.agreement_id)"
    " AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.agreement_id = agreements.agreement_id"
    " AND (charge IS NULL OR charge != '0' OR settlement_transaction IS NULL)) ORDER BY start DESC LIMIT ?"
)
"""Agreements on a data set that have not expired, newest first, without a charge and without a return on its way."""


def close(
    db: Connection,
    agreement_id: str,
    number: int,
    changes: Sequence[Change],
    free: tuple[FreeExecution, datetime] | None,
) -> None:
    """Mark an agreement as closing, unless the end of an execution can still change what it costs."""
    require_ended(db, agreement_id, number)
    if free is not None:
        reserve(db, free[0], agreement_id, f"close:{agreement_id}", milliseconds(free[1]))
    db.execute("UPDATE agreements SET closing = 1 WHERE agreement_id = ?", (agreement_id,))
    apply_changes(db, changes)


def pause(db: Connection, did: str, stopping: bool | None) -> None:
    """Note a pause, or end it. One that stops what runs keeps doing so when it is noted again."""
    if stopping is None:
        db.execute("DELETE FROM pauses WHERE did = ?", (did,))
        return
    db.execute(
        "INSERT INTO pauses (did, stopping) VALUES (?, ?)"
        " ON CONFLICT (did) DO UPDATE SET stopping = excluded.stopping WHERE excluded.stopping = 1",
        (did, int(stopping)),
    )
