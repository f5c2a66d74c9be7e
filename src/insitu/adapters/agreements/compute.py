"""Seconds of compute that pay the provider nothing, within caps: read, compared and stored in one transaction.

An execution counts with its time limit until it has ended, so that several cannot begin at once with what is left for
one, and for a day with the seconds that it took. Once an agreement owes a price that pays, nothing under it counts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from insitu.adapters.agreements.gas import has_paid
from insitu.adapters.agreements.rows import moment
from insitu.adapters.sql import Connection, milliseconds
from insitu.domain.ids import Address
from insitu.domain.plan import ExecutionPlan
from insitu.ports.free_compute import ComputeCaps, ComputeLeft

DAY = timedelta(days=1)
_NOT_ENDED = 2**53

_OWES = (
    "EXISTS (SELECT 1 FROM executions AS owing WHERE owing.agreement_id = {} AND owing.frozen IS NOT NULL"
    " AND (owing.charge IS NULL OR owing.charge != '0'))"
)
_COUNTED = f"free_seconds > 0 AND free_until > :now AND NOT (pays = 1 AND {_OWES.format('executions.agreement_id')})"

Whose = Literal["agreement", "consumer", "strangers"]
_WHOSE: Mapping[Whose, str] = {
    "agreement": "agreement_id = :agreement",
    "consumer": "consumer = :consumer",
    "strangers": "stranger = 1 AND pays = :pays",
}


def compute_left(
    db: Connection, caps: ComputeCaps, consumer: Address, agreement_id: str | None, now: datetime
) -> ComputeLeft | None:
    """Return the cap of which least is left, as ``Agreements.compute_left`` does."""
    values = _values(caps, consumer, agreement_id, now)
    if _is_owed(db, caps, values):
        return None
    return _least_left(db, caps, values, stranger=_is_stranger(db, caps, consumer))


def reserve_compute(db: Connection, caps: ComputeCaps, plan: ExecutionPlan, at: datetime) -> None:
    """Count an execution that begins with its time limit. Raises ``FreeComputeExhausted`` if nothing is left."""
    values = _values(caps, plan.consumer, plan.service_agreement_id, at)
    stranger = _is_stranger(db, caps, plan.consumer)
    left = None if _is_owed(db, caps, values) else _least_left(db, caps, values, stranger=stranger)
    if left is not None:
        left.require(at)
    db.execute(
        "UPDATE executions SET free_seconds = ?, free_until = ?, stranger = ?, pays = ? WHERE execution_id = ?",
        (
            plan.limits.max_execution_seconds,
            _NOT_ENDED,
            int(stranger),
            int(caps.pays),
            plan.workflow_execution_id,
        ),
    )


def _values(caps: ComputeCaps, consumer: Address, agreement_id: str | None, now: datetime) -> Mapping[str, object]:
    return {
        "agreement": agreement_id or "",
        "consumer": consumer.lower(),
        "pays": int(caps.pays),
        "now": milliseconds(now),
    }


def _is_owed(db: Connection, caps: ComputeCaps, values: Mapping[str, object]) -> bool:
    """Return whether the agreement owes a price that pays, so that nothing under it counts."""
    return caps.pays and bool(db.execute(f"SELECT {_OWES.format(':agreement')}", values).fetchone()[0])


def _least_left(
    db: Connection, caps: ComputeCaps, values: Mapping[str, object], *, stranger: bool
) -> ComputeLeft | None:
    limits: Mapping[Whose, int | None] = {
        "agreement": caps.agreement if values["agreement"] else None,
        "consumer": caps.consumer,
        "strangers": caps.strangers if stranger else None,
    }
    found = [_left(db, of, limit, values) for of, limit in limits.items() if limit is not None]
    return min(found, key=lambda cap: cap.left, default=None)


def _is_stranger(db: Connection, caps: ComputeCaps, consumer: Address) -> bool:
    return not has_paid(db, consumer, caps.stake, caps.coin_price)


def _left(db: Connection, of: Whose, limit: int, values: Mapping[str, object]) -> ComputeLeft:
    counted = f"FROM executions WHERE {_WHOSE[of]} AND {_COUNTED}"
    taken = int(db.execute(f"SELECT coalesce(sum(free_seconds), 0) {counted}", values).fetchone()[0])
    if taken < limit:
        return ComputeLeft(of, limit, limit - taken)
    # Going back from the newest: as soon as the one that reaches the cap counts no more, something is left.
    newest = f"SELECT free_until, sum(free_seconds) OVER (ORDER BY free_until DESC) AS taken {counted}"
    reaching = f"SELECT max(free_until) FROM ({newest}) AS newest WHERE taken >= :limit"  # noqa: S608
    until = db.execute(reaching, {**values, "limit": limit}).fetchone()[0]
    return ComputeLeft(of, limit, 0, moment(until) if until < _NOT_ENDED else None)
