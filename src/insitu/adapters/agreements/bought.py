"""The statements that list agreements, and what was used of each."""

import json
from collections.abc import Sequence

from insitu.adapters.agreements.rows import agreement_of
from insitu.adapters.sql import Connection, Row, placeholders
from insitu.ports.agreement_records import KnownAgreement
from insitu.ports.bought_agreements import BoughtFilter, Used

_LIVE = (
    "standing IN ('created', 'relaying', 'granting', 'granted') AND closing = 0 AND (start = 0 OR start + timeout > ?)"
)
"""Something may still start under it."""


def find_purchases(db: Connection, wanted: BoughtFilter) -> tuple[tuple[KnownAgreement, Used], ...]:
    """Carry out :meth:`insitu.ports.agreements.Agreements.purchases`."""
    conditions: dict[str, object] = {
        "consumer = ?": wanted.consumer.lower() if wanted.consumer is not None else None,
        "versions LIKE ?": f'%"{wanted.reading}"%' if wanted.reading is not None else None,
        "number < (SELECT number FROM agreements WHERE agreement_id = ?)": wanted.before,
        _LIVE if wanted.live else f"NOT ({_LIVE})": wanted.now if wanted.live is not None else None,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(given)}" if given else ""
    # Only the conditions above are joined here, no values.
    found = f"SELECT * FROM agreements {where} ORDER BY number DESC LIMIT ?"  # noqa: S608
    agreements = [agreement_of(row) for row in db.execute(found, (*given.values(), wanted.limit)).fetchall()]
    ids = [known.agreement_id for known in agreements]
    executions = (
        "SELECT agreement_id, frozen, charge, settlement_transaction FROM executions"  # noqa: S608 - only question marks
        f" WHERE agreement_id IN ({placeholders(ids)})"
    )
    rows = db.execute(executions, ids).fetchall()
    return tuple(
        (known, _used([row for row in rows if row["agreement_id"] == known.agreement_id])) for known in agreements
    )


def _used(executions: Sequence[Row]) -> Used:
    outcomes = [json.loads(row["frozen"]) for row in executions if row["frozen"]]
    decided = [row for row in executions if row["charge"] is not None]
    return Used(
        started=len(executions),
        silent=sum(not outcome.get("delivered", True) for outcome in outcomes),
        charged=sum(int(row["charge"]) for row in decided),
        settled=sum(int(row["charge"]) for row in decided if row["settlement_transaction"] is not None),
    )
