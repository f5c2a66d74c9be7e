"""Convert rows of the gateway's database to the records of the port, and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue, TypeAdapter

from insitu.adapters.sql import Row
from insitu.domain.agreement import SignedSettlement, Terms, TermsV1
from insitu.domain.execution import Reason, Transition
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.domain.wire import WireModel
from insitu.ports.agreement_records import (
    Dossier,
    EventRecord,
    Frozen,
    ItemKind,
    KnownAgreement,
    OutboxItem,
    Standing,
    StoredExecution,
    StoredTransaction,
    Upload,
)
from insitu.ports.chain import Cursor

GWEI = 10**9
"""Costs are stored in gwei: then an integer column holds billions of coins, and the database can add them up."""

TERMS: TypeAdapter[Terms] = TypeAdapter(TermsV1 | Terms)
"""Also terms of earlier contracts, which no chain of today knows: their executions and receipts can still be shown."""


def moment(value: int) -> datetime:
    """Return the time in a column."""
    return datetime.fromtimestamp(value / 1000, UTC)


def document(model: WireModel | None) -> str | None:
    """Return a model as the JSON of a column."""
    return model.model_dump_json() if model is not None else None


def json_text(value: Mapping[str, JsonValue] | Mapping[str, str]) -> str:
    """Return a mapping as the JSON of a column."""
    return json.dumps(dict(value), separators=(",", ":"))


def json_object(text: str) -> dict[str, JsonValue]:
    """Return the object in the JSON of a column; an empty one if it is not JSON or not an object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def agreement_of(row: Row) -> KnownAgreement:
    """Return a row of ``agreements`` as a record."""
    return KnownAgreement(
        agreement_id=AgreementId(row["agreement_id"]),
        terms=TERMS.validate_json(row["terms"]),
        standing=Standing(row["standing"]),
        reason=Reason.model_validate_json(row["reason"]) if row["reason"] else None,
        versions=json.loads(row["versions"]),
        max_executions=row["max_executions"],
        start=row["start"],
        attention=row["attention"],
        lost_since=moment(row["lost_since"]) if row["lost_since"] is not None else None,
        closing=bool(row["closing"]),
    )


def execution_of(row: Row, transitions: list[Row], given_up: Reason | None) -> StoredExecution:
    """Return a row of ``executions`` with its ``transitions``, and why its remaining work was given up."""
    return StoredExecution(
        plan=ExecutionPlan.model_validate_json(row["plan"]),
        dossier=Dossier.model_validate_json(row["dossier"]),
        created_at=moment(row["created_at"]),
        acknowledged=bool(row["acknowledged"]),
        history=tuple(Transition.model_validate_json(transition["transition"]) for transition in transitions),
        frozen=Frozen.model_validate_json(row["frozen"]) if row["frozen"] else None,
        charge=int(row["charge"]) if row["charge"] is not None else None,
        settlement=SignedSettlement.model_validate_json(row["settlement"]) if row["settlement"] else None,
        registration=row["registration"],
        settlement_transaction=row["settlement_transaction"],
        given_up=given_up,
    )


def event_of(row: Row) -> EventRecord:
    """Return a row of ``events`` as a record."""
    happened = row["type"], moment(row["at"]), json.loads(row["data"])
    return EventRecord(row["sequence"], *happened, ExecutionId(row["execution_id"]), row["number"])


def item_of(row: Row) -> OutboxItem:
    """Return a row of ``items`` as a record."""
    return OutboxItem(
        key=row["key"],
        kind=ItemKind(row["kind"]),
        agreement_id=AgreementId(row["agreement_id"]),
        not_before=moment(row["not_before"]),
        execution_id=ExecutionId(row["execution_id"]) if row["execution_id"] else None,
        payload=json.loads(row["payload"]),
        after=row["after"],
        batch=bool(row["batch"]),
        attempts=row["attempts"],
        transaction=row["transaction_hash"],
        reason=Reason.model_validate_json(row["reason"]) if row["reason"] else None,
        state=row["state"],
    )


def transaction_of(row: Row, items: list[Row]) -> StoredTransaction:
    """Return a row of ``transactions`` with the keys of its items."""
    block = Cursor(row["block_number"], row["block_hash"]) if row["block_number"] is not None else None
    return StoredTransaction(
        hash=row["hash"],
        raw=bytes(row["raw"]),
        nonce=row["nonce"],
        signed_at=moment(row["signed_at"]),
        items=tuple(item["key"] for item in items),
        block=block,
    )


def upload_of(row: Row) -> Upload:
    """Return a row of ``uploads`` as a record."""
    return Upload(row["upload_id"], Address(row["owner"]), row["sha256"], row["size"], moment(row["at"]))
