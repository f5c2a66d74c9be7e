"""Promises to send purchases, within limits: read, compared and stored in one transaction."""

from collections.abc import Sequence
from datetime import timedelta

from insitu.adapters.agreements.changes import apply_changes
from insitu.adapters.agreements.rows import GWEI
from insitu.adapters.sql import Connection, milliseconds
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import Relay, Relayed, RelayLimits, Standing

__all__ = ["promise", "relayed"]

_PERIOD = round(timedelta(days=1).total_seconds() * 1000)
_UNSENT = (Standing.CREATED, Standing.DECLINED, Standing.LOST)


def relayed(db: Connection, consumer: Address, since: int) -> Relayed:
    """Return what was promised since then, a time in milliseconds."""
    rows = db.execute(
        "SELECT count(*) FILTER (WHERE consumer = ?), coalesce(sum(cost), 0) FROM relays WHERE at >= ?",
        (consumer.lower(), since),
    )
    purchases, cost = rows.fetchone()
    return Relayed(purchases, int(cost) * GWEI)


def promise(db: Connection, relay: Relay, limits: RelayLimits, changes: Sequence[Change]) -> bool:
    """Store a promise and what follows from it, unless the purchase is on its way or done."""
    found = db.execute("SELECT standing FROM agreements WHERE agreement_id = ?", (relay.agreement_id,)).fetchone()
    if found is not None and found["standing"] not in _UNSENT:
        return False
    at = milliseconds(relay.at)
    _require_only(db, relay)
    _require(relayed(db, relay.consumer, at - _PERIOD), relay, limits)
    db.execute("DELETE FROM relays WHERE at < ?", (at - _PERIOD,))
    db.execute(
        "INSERT INTO relays (agreement_id, consumer, seed, cost, at) VALUES (?, ?, ?, ?, ?)",
        (relay.agreement_id, relay.consumer.lower(), relay.seed, -(-relay.cost // GWEI), at),
    )
    apply_changes(db, changes)
    return True


def _require_only(db: Connection, relay: Relay) -> None:
    """Refuse a second purchase of whoever has not seen that the first one is on its way."""
    rows = db.execute(
        "SELECT relays.agreement_id, standing FROM relays JOIN agreements"
        " ON agreements.agreement_id = relays.agreement_id WHERE relays.consumer = ? AND seed = ?",
        (relay.consumer.lower(), relay.seed),
    )
    for row in rows.fetchall():
        if row["standing"] not in _UNSENT:
            other = row["agreement_id"]
            detail = f"a purchase of {relay.consumer} with this seed is agreement {other}"
            raise InsituError("AgreementExists", detail, agreement=other)


def _require(earlier: Relayed, relay: Relay, limits: RelayLimits) -> None:
    if earlier.purchases >= limits.purchases:
        detail = f"{limits.purchases} purchases of {relay.consumer} are sent in 24 hours"
        raise InsituError("RelayLimitReached", detail, limit=limits.purchases)
    if earlier.cost + relay.cost > limits.cost:
        detail = f"purchases of 24 hours may cost {limits.cost} wei; this one costs {relay.cost}, others {earlier.cost}"
        raise InsituError("RelayExhausted", detail)
