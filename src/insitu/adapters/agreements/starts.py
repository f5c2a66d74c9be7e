"""How an execution starts in the store: its number, the limits, and its rows, in the caller's transaction."""

from datetime import datetime

from insitu.adapters.agreements.rows import document
from insitu.adapters.sql import Connection, insert, milliseconds
from insitu.domain.errors import InsituError
from insitu.domain.plan import ExecutionPlan
from insitu.ports.agreement_records import Dossier


def require_ended(db: Connection, agreement_id: str, number: int) -> None:
    """Refuse to close an agreement while the end of an execution can still change what it costs."""
    open_ended = db.execute(
        "SELECT execution_id FROM executions WHERE agreement_id = ? AND (number >= ? OR frozen IS NULL"
        " OR (charge IS NOT NULL AND settlement_transaction IS NULL))",
        (agreement_id, number),
    ).fetchone()
    if open_ended is not None:
        detail = f"execution {open_ended['execution_id']} of this agreement has not ended, or is not settled yet"
        raise InsituError("ExecutionInProgress", detail, workflowExecutionId=open_ended["execution_id"])


def next_number(db: Connection, agreement_id: str, limit: int) -> int:
    """Return the number of the next execution. Raises ``AgreementClosing``, and like ``Agreements.start``."""
    closing = "SELECT 1 FROM agreements WHERE agreement_id = ? AND closing = 1"
    if db.execute(closing, (agreement_id,)).fetchone() is not None:
        raise InsituError("AgreementClosing", f"nothing starts under agreement {agreement_id} any more")
    live = db.execute(
        "SELECT execution_id FROM executions WHERE agreement_id = ? AND frozen IS NULL", (agreement_id,)
    ).fetchone()
    if live is not None:
        detail = f"execution {live['execution_id']} of this agreement is running"
        raise InsituError("ExecutionInProgress", detail, workflowExecutionId=live["execution_id"])
    query = "SELECT coalesce(max(number), -1) + 1 FROM executions WHERE agreement_id = ?"
    number: int = db.execute(query, (agreement_id,)).fetchone()[0]
    if number >= limit:
        raise InsituError("ExecutionLimitReached", f"the agreement allows {limit} executions", limit=limit)
    return number


def add_execution(db: Connection, plan: ExecutionPlan, dossier: Dossier, at: datetime) -> None:
    """Store an execution and which data sets it reads. Raises ``AssetRetired`` if one was paused meanwhile."""
    execution = {
        "execution_id": plan.workflow_execution_id,
        "agreement_id": plan.service_agreement_id,
        "number": plan.number,
        "consumer": plan.consumer.lower(),
        "plan": document(plan),
        "dossier": document(dossier),
        "created_at": milliseconds(at),
    }
    insert(db, "executions", execution)
    dids = dict.fromkeys(source.did for stage in plan.stages for source in stage.inputs if source.did is not None)
    for did in dids:
        if db.execute("SELECT 1 FROM pauses WHERE did = ?", (did,)).fetchone() is not None:
            raise InsituError("AssetRetired", f"the owner of {did} has paused it", did=did)
    db.executemany("INSERT INTO execution_inputs VALUES (?, ?)", [(did, plan.workflow_execution_id) for did in dids])
