"""The statements that list agreements and what was used of each, and that add up what they paid."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from insitu.adapters.agreements.gas import share
from insitu.adapters.agreements.rows import TERMS, agreement_of
from insitu.adapters.sql import Connection, Row, milliseconds, placeholders
from insitu.domain.ids import Address
from insitu.ports.agreement_records import KnownAgreement
from insitu.ports.bought_agreements import BoughtFilter, Earned, Used

_LIVE = (
    "standing IN ('created', 'relaying', 'granting', 'granted') AND closing = 0 AND (start = 0 OR start + timeout > ?)"
)
"""Something may still start under it."""

_PAID = "charge != '0' AND settlement_transaction IS NOT NULL"
_RAN = "SELECT 1 FROM executions WHERE executions.agreement_id = agreements.agreement_id"
_EARNED = "FROM agreement_receivers JOIN agreements USING (agreement_id)"


def find_earned(db: Connection, account: Address, since: datetime, now: datetime) -> Earned:
    """Carry out :meth:`insitu.ports.agreements.Agreements.earned`."""
    paid = db.execute(
        f"SELECT terms, charge {_EARNED} JOIN executions USING (agreement_id) JOIN events USING (execution_id)"
        f" WHERE account = ? AND {_PAID} AND events.type = 'settled' AND events.at >= ?",
        (account.lower(), milliseconds(since)),
    ).fetchall()
    received = [share(TERMS.validate_json(row["terms"]), account, int(row["charge"])) for row in paid]
    # What is being closed pays only what was decided before.
    locked = db.execute(
        f"SELECT terms, start {_EARNED} WHERE account = ? AND standing = 'granted' AND free = 0"
        f" AND NOT EXISTS ({_RAN} AND {_PAID}) AND (closing = 0 OR EXISTS ({_RAN} AND charge != '0'))",
        (account.lower(),),
    ).fetchall()
    found = ((TERMS.validate_json(row["terms"]), row["start"]) for row in locked)
    waiting = [
        share(terms, account, terms.total) for terms, start in found if start + terms.settle_timeout > now.timestamp()
    ]
    return Earned(sum(received), len(received), sum(waiting), len(waiting))


def count_open(db: Connection, dids: Sequence[str], now: datetime) -> Mapping[str, int]:
    """Carry out :meth:`insitu.ports.agreements.Agreements.open_on`."""
    rows = db.execute(
        "SELECT did, count(*) AS many FROM agreement_inputs JOIN agreements USING (agreement_id)"  # noqa: S608
        f" WHERE did IN ({placeholders(dids)}) AND {_LIVE} GROUP BY did",
        (*dids, int(now.timestamp())),
    ).fetchall()
    return dict.fromkeys(dids, 0) | {row["did"]: row["many"] for row in rows}


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
