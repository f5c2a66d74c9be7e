"""The statements for each change of the port, run inside the caller's transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from insitu.adapters.agreements.rows import GWEI, document, json_text
from insitu.adapters.sql import Connection, insert, milliseconds
from insitu.domain.errors import InsituError
from insitu.domain.wire import WireModel
from insitu.ports import agreement_changes as kinds
from insitu.ports.agreement_records import Standing

_GRANTED = (Standing.RELAYING, Standing.GRANTING, Standing.GRANTED)
_KEPT_CURSORS = 256
_MOST_LISTS = 100
"""Lists that may name one upload; unregistered lists cost nothing, so more could fill the table."""
_KEPT_TRANSACTIONS = 1024
"""Blocks; a confirmed transaction below them is not needed even if the chain rolls back."""


def apply_changes(db: Connection, changes: Iterable[kinds.Change]) -> None:
    """Carry out changes in order."""
    for change in changes:
        if statement := _PLAIN.get(type(change)):
            db.execute(statement, {member.name: _column(getattr(change, member.name)) for member in fields(change)})
        else:
            _STATEMENTS[type(change)](db, change)


def _column(value: object) -> object:
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, Mapping):
        return json_text(value)
    return document(value) if isinstance(value, WireModel) else value


def _move_cursor(db: Connection, change: kinds.MoveCursor) -> None:
    number = change.cursor.number
    cursor = {"number": number, "hash": change.cursor.hash}
    insert(db, "cursors", cursor, "ON CONFLICT (number) DO UPDATE SET hash = excluded.hash")
    db.execute(
        "DELETE FROM cursors WHERE number < (SELECT min(number) FROM"
        " (SELECT number FROM cursors ORDER BY number DESC LIMIT ?) AS newest)",
        (_KEPT_CURSORS,),
    )
    db.execute("DELETE FROM transactions WHERE confirmed = 1 AND block_number < ?", (number - _KEPT_TRANSACTIONS,))


def _roll_back(db: Connection, change: kinds.RollBack) -> None:
    number = change.to.number
    db.execute("DELETE FROM cursors WHERE number > ?", (number,))
    db.execute("UPDATE agreements SET attention = attention + 1 WHERE touched_block > ?", (number,))
    db.execute(
        "UPDATE transactions SET confirmed = 0, block_number = NULL, block_hash = NULL WHERE block_number > ?",
        (number,),
    )


def _remember(db: Connection, change: kinds.Remember) -> None:
    terms = change.terms
    db.execute(
        "INSERT INTO agreements (agreement_id, consumer, free, timeout, terms, standing, number) VALUES"
        " (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM agreements)) ON CONFLICT DO NOTHING",
        (
            change.agreement_id,
            terms.consumer.lower(),
            int(terms.total == 0),
            terms.timeout,
            document(terms),
            Standing.CREATED.value,
        ),
    )
    receivers = sorted({receiver.lower() for receiver in terms.receivers})
    paid = [(receiver, change.agreement_id) for receiver in receivers]
    db.executemany("INSERT INTO agreement_receivers VALUES (?, ?) ON CONFLICT DO NOTHING", paid)


def _judge(db: Connection, change: kinds.Judge) -> None:
    granted = milliseconds(change.at) if change.standing in _GRANTED else None
    db.execute(
        "UPDATE agreements SET standing = ?, reason = ?, versions = coalesce(?, versions),"
        " max_executions = coalesce(?, max_executions), start = coalesce(?, start),"
        " granted_at = coalesce(granted_at, ?) WHERE agreement_id = ?",
        (
            change.standing.value,
            document(change.reason),
            json_text(change.versions) if change.versions is not None else None,
            change.max_executions,
            change.start,
            granted,
            change.agreement_id,
        ),
    )
    inputs = [(did, change.agreement_id) for did in change.versions or {}]
    db.executemany("INSERT INTO agreement_inputs VALUES (?, ?) ON CONFLICT DO NOTHING", inputs)


def _add_transition(db: Connection, change: kinds.AddTransition) -> None:
    text = change.transition.model_dump_json()
    added = db.execute(
        "INSERT INTO transitions VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (change.execution_id, change.transition.sequence, text),
    )
    if added.rowcount:
        _number_event(db, change.execution_id, "phase", milliseconds(change.transition.at), text, None)


def _add_event(db: Connection, change: kinds.AddEvent) -> None:
    once = change.once or None
    known = "SELECT 1 FROM events WHERE execution_id = ? AND once = ?"
    if once is not None and db.execute(known, (change.execution_id, once)).fetchone() is not None:
        return
    _number_event(db, change.execution_id, change.type, milliseconds(change.at), json_text(change.data), once)


def _number_event(db: Connection, execution_id: str, kind: str, at: int, data: str, once: str | None) -> None:
    last = "SELECT coalesce(max(sequence), 0) FROM events WHERE execution_id = ?"
    sequence = db.execute(last, (execution_id,)).fetchone()[0] + 1
    # A stream may read at any moment: both databases let transactions that read this number commit one after the other.
    number = "(SELECT coalesce(max(number), 0) + 1 FROM events)"
    values = (execution_id, sequence, kind, at, data, once)
    db.execute(f"INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, {number})", values)  # noqa: S608


def _decide_charge(db: Connection, change: kinds.DecideCharge) -> None:
    db.execute(
        "UPDATE executions SET charge = ?, settlement = ? WHERE execution_id = ? AND charge IS NULL",
        (str(change.charge), document(change.settlement), change.execution_id),
    )


def _enqueue(db: Connection, change: kinds.Enqueue) -> None:
    item = change.item
    stored = {
        "key": item.key,
        "kind": item.kind.value,
        "agreement_id": item.agreement_id,
        "execution_id": item.execution_id,
        "payload": json_text(item.payload),
        "after": item.after,
        "batch": int(item.batch),
        "not_before": milliseconds(item.not_before),
    }
    insert(db, "items", stored, "ON CONFLICT DO NOTHING")
    if change.again:
        db.execute(
            "UPDATE items SET state = 'waiting', transaction_hash = NULL, payload = ?, not_before = ?"
            " WHERE key = ? AND state != 'waiting'",
            (json_text(item.payload), milliseconds(item.not_before), item.key),
        )


def _attach(db: Connection, change: kinds.Attach) -> None:
    sent = change.transaction
    signed = {"hash": sent.hash, "raw": sent.raw, "nonce": sent.nonce, "signed_at": milliseconds(sent.signed_at)}
    insert(db, "transactions", signed, "ON CONFLICT DO NOTHING")
    db.executemany("UPDATE items SET transaction_hash = ? WHERE key = ?", [(sent.hash, key) for key in sent.items])
    db.execute(
        "UPDATE relays SET signed = 1 WHERE execution_id IS NULL AND agreement_id IN"
        " (SELECT agreement_id FROM items WHERE kind IN ('relay', 'request') AND transaction_hash = ?)",
        (sent.hash,),
    )


def _mark_mined(db: Connection, change: kinds.MarkMined) -> None:
    db.execute(
        "UPDATE transactions SET block_number = ?, block_hash = ? WHERE hash = ?",
        (change.block.number, change.block.hash, change.hash),
    )


def _spend(db: Connection, change: kinds.Spend) -> None:
    counted = db.execute("UPDATE transactions SET counted = 1 WHERE hash = ? AND counted = 0", (change.hash,))
    carried = (
        "SELECT kind, agreement_id, CASE WHEN kind = 'close' THEN key ELSE execution_id END AS execution_id"
        " FROM items WHERE transaction_hash = ?"
    )
    items = db.execute(carried, (change.hash,)).fetchall() if counted.rowcount else []
    for item in items:
        part = -(-change.cost // (len(items) * GWEI))
        if item["kind"] in ("relay", "request"):
            # A failed transaction was paid for as well, and what it carried is not sent again without a new promise.
            db.execute(
                "UPDATE relays SET paid = paid + :part, cost = paid + :part WHERE position ="
                " (SELECT max(position) FROM relays WHERE agreement_id = :agreement AND execution_id IS NULL)",
                {"part": part, "agreement": item["agreement_id"]},
            )
        elif item["execution_id"] is not None:
            db.execute(
                "UPDATE relays SET paid = paid + :part, cost = CASE WHEN cost > paid + :part AND EXISTS (SELECT 1 FROM"
                " items WHERE items.execution_id = :execution AND state = 'waiting') THEN cost ELSE paid + :part END"
                " WHERE execution_id = :execution",
                {"part": part, "execution": item["execution_id"]},
            )


def _detach(db: Connection, change: kinds.Detach) -> None:
    # An item whose transaction the chain dropped has to be done again.
    db.execute(
        "UPDATE items SET state = 'waiting', transaction_hash = NULL, not_before = ?, reason = ?,"
        " attempts = attempts + 1 WHERE transaction_hash = ? AND state != 'given up'",
        (milliseconds(change.until), document(change.reason), change.hash),
    )
    db.execute("DELETE FROM transactions WHERE hash = ?", (change.hash,))


def _add_upload(db: Connection, change: kinds.AddUpload) -> None:
    upload = change.upload
    db.execute(
        "INSERT INTO uploads (upload_id, owner, sha256, size, at, holder) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (upload_id) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size",
        (upload.upload_id, upload.owner, upload.sha256, upload.size, milliseconds(upload.at), upload.owner.lower()),
    )


def _name_uploads(db: Connection, change: kinds.NameUploads) -> None:
    for upload_id in change.upload_ids:
        db.execute(
            "INSERT INTO upload_names (upload_id, did, at) SELECT upload_id, ?, ? FROM uploads"
            " WHERE upload_id = ? AND lower(owner) = ? ON CONFLICT (upload_id, did) DO UPDATE SET at = excluded.at",
            (change.did, milliseconds(change.at), upload_id, change.owner.lower()),
        )
        lists = db.execute("SELECT count(*) FROM upload_names WHERE upload_id = ?", (upload_id,)).fetchone()[0]
        if change.needed:
            own = "UPDATE uploads SET stranger = 0, holder = lower(owner) WHERE upload_id = ?"
            db.execute(own, (upload_id,))
        if lists > _MOST_LISTS:
            raise InsituError("InvalidRequest", f"{_MOST_LISTS} lists name {upload_id}: upload the file again")


_PLAIN: Mapping[type[kinds.Change], str] = {
    kinds.Touch: "UPDATE agreements SET attention = attention + 1,"
    " touched_block = CASE WHEN touched_block < :block THEN :block ELSE touched_block END"
    " WHERE agreement_id = :agreement_id",
    kinds.Attend: "UPDATE agreements SET attended = CASE WHEN attended < :attention THEN :attention ELSE attended END,"
    " again_at = :again WHERE agreement_id = :agreement_id",
    kinds.MarkLost: "UPDATE agreements SET lost_since = :since WHERE agreement_id = :agreement_id",
    kinds.KeepCopy: "INSERT INTO copies VALUES (:did, :checksum, :block, :document, :needed_until)"
    " ON CONFLICT (did, checksum) DO UPDATE SET block = excluded.block,"
    " document = excluded.document, needed_until ="
    " CASE WHEN copies.needed_until < excluded.needed_until THEN excluded.needed_until ELSE copies.needed_until END",
    kinds.Acknowledge: "UPDATE executions SET acknowledged = 1 WHERE execution_id = :execution_id",
    kinds.NoteRegistered: "UPDATE executions SET registration = :transaction WHERE execution_id = :execution_id",
    kinds.NoteSettled: "UPDATE executions SET settlement_transaction = :transaction WHERE execution_id = :execution_id",
    kinds.Postpone: "UPDATE items SET not_before = :until, reason = :reason, attempts = attempts + 1"
    " WHERE key = :key AND state = 'waiting'",
    kinds.Complete: "UPDATE items SET state = 'done', reason = NULL WHERE key = :key",
    kinds.GiveUp: "WITH RECURSIVE waiting(key) AS (SELECT key FROM items WHERE key = :key OR after = :key"
    " UNION SELECT items.key FROM items JOIN waiting ON items.after = waiting.key)"
    " UPDATE items SET state = 'given up', reason = :reason, transaction_hash = NULL"
    " WHERE state = 'waiting' AND key IN (SELECT key FROM waiting)",
    kinds.MarkUnmined: "UPDATE transactions SET block_number = NULL, block_hash = NULL, confirmed = 0"
    " WHERE hash = :hash",
    kinds.Confirm: "UPDATE transactions SET confirmed = 1 WHERE hash = :hash",
    kinds.Release: "DELETE FROM relays WHERE agreement_id = :agreement_id AND signed = 0 AND execution_id IS NULL",
}
"""The changes that are one statement each, with their members as its parameters."""

_STATEMENTS: Mapping[type[kinds.Change], Callable[[Connection, Any], None]] = {
    kinds.MoveCursor: _move_cursor,
    kinds.RollBack: _roll_back,
    kinds.Remember: _remember,
    kinds.Judge: _judge,
    kinds.AddTransition: _add_transition,
    kinds.AddEvent: _add_event,
    kinds.DecideCharge: _decide_charge,
    kinds.Enqueue: _enqueue,
    kinds.Attach: _attach,
    kinds.MarkMined: _mark_mined,
    kinds.Spend: _spend,
    kinds.Detach: _detach,
    kinds.AddUpload: _add_upload,
    kinds.NameUploads: _name_uploads,
}
