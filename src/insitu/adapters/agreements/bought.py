"""The statements that list agreements, and what was used of each."""

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
        "agreement_id IN (SELECT agreement_id FROM agreement_inputs WHERE did = ?)": wanted.reading,
        "number < (SELECT number FROM agreements WHERE agreement_id = ?)": wanted.before,
        _LIVE if wanted.live else f"NOT ({_LIVE})": wanted.now if wanted.live is not None else None,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(given)}" if given else ""
    # Only the conditions above are joined here, no values.
    found = f"SELECT * FROM agreements {where} ORDER BY number DESC LIMIT ?"  # noqa: S608
    agreements = [agreement_of(row) for row in db.execute(found, (*given.values(), wanted.limit)).fetchall()]
    ids = [known.agreement_id for known in agreements]
    # An outcome may name thousands of files, so the database looks at it. A description in it may have the same member.
    executions = (
        "SELECT agreement_id, frozen LIKE ? AND frozen NOT LIKE ? AS silent, charge, settlement_transaction"  # noqa: S608
        f" FROM executions WHERE agreement_id IN ({placeholders(ids)})"
    )
    rows = db.execute(executions, (*(f'%"delivered":{value},%' for value in ("false", "true")), *ids)).fetchall()
    return tuple(
        (known, _used([row for row in rows if row["agreement_id"] == known.agreement_id])) for known in agreements
    )


def _used(executions: Sequence[Row]) -> Used:
    decided = [row for row in executions if row["charge"] is not None]
    return Used(
        started=len(executions),
        silent=sum(bool(row["silent"]) for row in executions),
        charged=sum(int(row["charge"]) for row in decided),
        settled=sum(int(row["charge"]) for row in decided if row["settlement_transaction"] is not None),
    )
