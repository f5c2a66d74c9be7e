"""Promises of the provider's gas, within limits: read, compared and stored in one transaction.

A row of ``relays`` is a purchase that is sent for its consumer, a request to the registry that is sent for its owner,
or an execution that costs its consumer nothing. The reserved amount counts until the real cost is known.
"""

from collections.abc import Sequence
from datetime import timedelta

from insitu.adapters.agreements.changes import apply_changes
from insitu.adapters.agreements.rows import GWEI, TERMS, moment
from insitu.adapters.sql import Connection, insert, milliseconds
from insitu.domain.agreement import Terms
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.agreement_changes import Change, Enqueue
from insitu.ports.agreement_records import FreeExecution, GasLeft, RegistryRelay, Relay, Relayed, RelayLimits, Standing

_PERIOD = round(timedelta(days=1).total_seconds() * 1000)
_UNSENT = (Standing.CREATED, Standing.DECLINED, Standing.LOST)
_COIN = 10**18


def relayed(db: Connection, consumer: Address, since: int) -> Relayed:
    """Return the promises since a time in milliseconds."""
    rows = db.execute(
        "SELECT count(*) FILTER (WHERE consumer = ? AND request = 0),"
        " coalesce(sum(cost) FILTER (WHERE stranger = 1), 0) FROM relays WHERE at >= ? AND execution_id IS NULL",
        (consumer.lower(), since),
    )
    purchases, cost = rows.fetchone()
    return Relayed(purchases, int(cost) * GWEI)


def promise(db: Connection, relay: Relay, limits: RelayLimits, changes: Sequence[Change]) -> bool:
    """Store a promise and its changes, unless the purchase is on its way or done."""
    found = db.execute("SELECT standing FROM agreements WHERE agreement_id = ?", (relay.agreement_id,)).fetchone()
    if found is not None and found["standing"] not in _UNSENT:
        return False
    at = milliseconds(relay.at)
    _require_only(db, relay)
    stranger = not has_paid(db, relay.consumer, relay.cost, limits.coin_price)
    earlier = relayed(db, relay.consumer, at - _PERIOD)
    if earlier.purchases >= limits.purchases:
        detail = f"at most {limits.purchases} purchases of {relay.consumer} are sent in 24 hours"
        raise InsituError("RelayLimitReached", detail, limit=limits.purchases)
    if stranger:
        _require_budget(earlier, relay.cost, limits)
    _add(db, relay.agreement_id, relay.consumer, relay.cost, at, stranger=stranger, seed=relay.seed)
    apply_changes(db, changes)
    return True


def promise_request(db: Connection, relay: RegistryRelay, limits: RelayLimits, at: int) -> bool:
    """Store the promise to send a signed request, and its item, unless it is on its way or done."""
    found = db.execute("SELECT state FROM items WHERE key = ?", (relay.item.key,)).fetchone()
    if found is not None and found["state"] != "given up":
        return False
    stranger = not has_paid(db, relay.account, relay.cost, limits.coin_price)
    if stranger:
        _require_budget(relayed(db, relay.account, at - _PERIOD), relay.cost, limits)
    most = limits.updates if stranger and not _has_open_agreement(db, relay.account, at) else limits.revisions
    for did in relay.updated:
        query = "SELECT count(*) FROM relayed_updates WHERE did = ? AND at >= ?"
        if db.execute(query, (did, at - _PERIOD)).fetchone()[0] >= most:
            detail = f"at most {most} updates of {did} are sent in 24 hours"
            raise InsituError("RelayLimitReached", detail, limit=most)
        db.execute("INSERT INTO relayed_updates (did, at) VALUES (?, ?)", (did, at))
    _add(db, relay.item.agreement_id, relay.account, relay.cost, at, stranger=stranger, request=1)
    apply_changes(db, [Enqueue(relay.item, again=True)])
    return True


def gas_left(db: Connection, budget: int, cost: int, at: int, *, free: bool) -> GasLeft:
    """Return what strangers have left of a budget in wei, as ``Agreements.gas_left`` does."""
    since = at - _PERIOD
    left = budget - (_free_gas(db, since) if free else relayed(db, Address(""), since).cost)
    if left >= cost or cost > budget:
        return GasLeft(left)
    # Going back from the newest: the one with which too little is left must be a day old first.
    counted = f"FROM relays WHERE at >= ? AND stranger = 1 AND execution_id IS {'NOT NULL' if free else 'NULL'}"
    newest = f"SELECT at, sum(cost) OVER (ORDER BY at DESC) AS taken {counted}"
    reaching = f"SELECT max(at) FROM ({newest}) AS newest WHERE taken > ?"  # noqa: S608 - our constants
    last = db.execute(reaching, (since, (budget - cost) // GWEI)).fetchone()[0]
    return GasLeft(left, moment(int(last) + _PERIOD))


def _free_gas(db: Connection, since: int) -> int:
    """Return the wei that strangers' executions without a charge have taken since then."""
    taken = "SELECT coalesce(sum(cost), 0) FROM relays WHERE at >= ? AND stranger = 1 AND execution_id IS NOT NULL"
    return int(db.execute(taken, (since,)).fetchone()[0]) * GWEI


def require_free_gas(db: Connection, free: FreeExecution, consumer: Address, at: int) -> bool:
    """Return whether a consumer is a stranger. Raises ``FreeGasExhausted`` if strangers have used up their budget."""
    if has_paid(db, consumer, free.cost, free.coin_price):
        return False
    used = _free_gas(db, at - _PERIOD)
    if free.budget is not None and used + free.cost > free.budget:
        detail = f"executions without a charge may use {free.budget} wei in 24 hours, and have used {used}"
        raise InsituError("FreeGasExhausted", detail)
    return True


def reserve(db: Connection, free: FreeExecution, agreement_id: str, execution_id: str, at: int) -> None:
    """Reserve gas once for an execution without a charge or ``close:<agreement>``. Raises ``FreeGasExhausted``."""
    if db.execute("SELECT 1 FROM relays WHERE execution_id = ?", (execution_id,)).fetchone() is not None:
        return
    row = db.execute(
        "SELECT consumer FROM executions WHERE execution_id = ? UNION"
        " SELECT consumer FROM agreements WHERE agreement_id = ?",
        (execution_id, agreement_id),
    ).fetchone()
    stranger = require_free_gas(db, free, Address(row["consumer"]), at)
    _add(db, agreement_id, row["consumer"], free.cost, at, stranger=stranger, execution_id=execution_id)


def has_paid(db: Connection, consumer: Address, cost: int, coin_price: int) -> bool:
    """Return whether an account's charges paid for all gas that was ever used for it, including this cost."""
    rows = db.execute(
        "SELECT charge, terms FROM executions JOIN agreements ON agreements.agreement_id = executions.agreement_id"
        " WHERE executions.consumer = ? AND charge != '0' AND settlement_transaction IS NOT NULL",
        (consumer.lower(),),
    ).fetchall()
    paid = ((TERMS.validate_json(row["terms"]), int(row["charge"])) for row in rows)
    got = sum(share(terms, terms.provider, charge) for terms, charge in paid)
    if not got or not coin_price:
        return False
    sent = db.execute("SELECT coalesce(sum(cost), 0) FROM relays WHERE consumer = ?", (consumer.lower(),)).fetchone()[0]
    return got * _COIN // coin_price >= int(sent) * GWEI + cost


def _has_open_agreement(db: Connection, account: Address, at: int) -> bool:
    query = (
        "SELECT 1 FROM agreements WHERE consumer = ? AND standing = ? AND closing = 0 AND start + timeout > ? LIMIT 1"
    )
    return db.execute(query, (account.lower(), Standing.GRANTED, at // 1000)).fetchone() is not None


def share(terms: Terms, account: Address, charge: int) -> int:
    """Return what an account gets of a charge."""
    parts = zip(terms.receivers, terms.amounts, strict=True)
    own = sum(amount for receiver, amount in parts if receiver.lower() == account.lower())
    return own * charge // terms.total if terms.total else 0


def _add(
    db: Connection, agreement_id: str, consumer: str, cost: int, at: int, *, stranger: bool, **more: object
) -> None:
    relay = {"agreement_id": agreement_id, "consumer": consumer.lower(), "cost": -(-cost // GWEI), "at": at}
    insert(db, "relays", {**relay, "stranger": int(stranger), **more})


def _require_only(db: Connection, relay: Relay) -> None:
    """Refuse a second purchase by a consumer that has not seen that the first one is on its way."""
    rows = db.execute(
        "SELECT relays.agreement_id, standing FROM relays JOIN agreements"
        " ON agreements.agreement_id = relays.agreement_id"
        " WHERE relays.consumer = ? AND seed = ? AND execution_id IS NULL",
        (relay.consumer.lower(), relay.seed),
    )
    for row in rows.fetchall():
        if row["standing"] not in _UNSENT:
            other = row["agreement_id"]
            detail = f"{relay.consumer} already has agreement {other} with this seed"
            raise InsituError("AgreementExists", detail, agreement=other)


def _require_budget(earlier: Relayed, cost: int, limits: RelayLimits) -> None:
    if earlier.cost + cost > limits.cost:
        detail = (
            f"what is sent for accounts that have not paid for the gas of earlier sendings may cost {limits.cost} wei"
            f" in 24 hours; this costs {cost}, others {earlier.cost}"
        )
        raise InsituError("RelayExhausted", detail)
