"""How an execution ends in the store, in the caller's transaction."""

from insitu.adapters.agreements.compute import DAY
from insitu.adapters.agreements.rows import document
from insitu.adapters.sql import Connection, milliseconds
from insitu.ports.agreement_records import Frozen, StoredExecution


def note_end(db: Connection, execution_id: str, frozen: Frozen) -> None:
    """Store the outcome, until when its compute counts, and the blobs that its result needs."""
    db.execute(
        "UPDATE executions SET frozen = ?, expires_at = ?, free_seconds = ?, free_until = ? WHERE execution_id = ?",
        (
            document(frozen),
            milliseconds(frozen.expires_at),
            frozen.free_seconds,
            milliseconds(frozen.outcome.at + DAY),
            execution_id,
        ),
    )
    files = frozen.result.files if frozen.result is not None else ()
    blobs = [(file.sha256, execution_id) for file in files]
    db.executemany("INSERT INTO result_blobs VALUES (?, ?) ON CONFLICT DO NOTHING", blobs)


def take_back(db: Connection, execution: StoredExecution, receipt_hash: str | None) -> bool:
    """Delete an outcome and the items that follow from it, unless part of it is on chain or on its way there."""
    frozen, execution_id = execution.frozen, execution.execution_id
    if frozen is None or frozen.receipt_hash != receipt_hash:
        return False
    if execution.registration is not None or execution.settlement_transaction is not None:
        return False
    sent = "SELECT 1 FROM items WHERE execution_id = ? AND transaction_hash IS NOT NULL"
    if db.execute(sent, (execution_id,)).fetchone() is not None:
        return False
    db.execute("DELETE FROM items WHERE execution_id = ?", (execution_id,))
    db.execute("DELETE FROM result_blobs WHERE execution_id = ?", (execution_id,))
    db.execute("UPDATE executions SET charge = NULL, settlement = NULL WHERE execution_id = ?", (execution_id,))
    return True
