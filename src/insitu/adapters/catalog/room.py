"""Limit what may wait for the chain, in all and per holder, counted in the transaction that adds to it."""

from insitu.adapters.sql import Connection
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.catalog import DocumentVersion, WaitingPlace

WAITING = """
SELECT count(*) AS documents, coalesce(sum(size), 0) AS bytes, min(pending_since) AS since,
count(*) FILTER (WHERE holder = :holder) AS own_documents,
coalesce(sum(size) FILTER (WHERE holder = :holder), 0) AS own_bytes,
min(pending_since) FILTER (WHERE holder = :holder) AS own_since
FROM version WHERE on_chain = 0 AND pool = :pool
"""
REGISTERED = """
SELECT 1 FROM version JOIN asset ON asset.id = version.asset
JOIN ledger ON ledger.did = asset.did AND ledger.checksum = version.checksum AND ledger.owner = version.creator
WHERE version.creator = ? AND version.on_chain = 1 LIMIT 1
"""


def has_registered(connection: Connection, account: Address) -> bool:
    """Return whether the account registered an asset here that it created itself."""
    return connection.execute(REGISTERED, (account,)).fetchone() is not None


def require_room(connection: Connection, version: DocumentVersion, place: WaitingPlace, size: int, now: int) -> None:
    """Refuse a new version of ``size`` bytes if its place is full; ``now`` is in milliseconds.

    Raises ``PendingShareUsed``, ``PendingPoolFull``.
    """
    known = connection.execute(
        "SELECT 1 FROM version JOIN asset ON asset.id = version.asset WHERE did = ? AND version.checksum = ?",
        (version.did, version.checksum),
    ).fetchone()
    if known is not None:
        return
    found = connection.execute(WAITING, {"holder": place.holder, "pool": place.pool}).fetchone()
    if _exceeds(found["own_documents"] + 1, place.share) or _exceeds(found["own_bytes"] + size, place.share_bytes):
        detail = f"{found['own_documents']} documents ({found['own_bytes']} bytes) of {place.holder} wait for the chain"
        raise InsituError("PendingShareUsed", detail, retryAfter=_seconds(found["own_since"], place, now))
    if _exceeds(found["documents"] + 1, place.pool_share) or _exceeds(found["bytes"] + size, place.pool_bytes):
        detail = f"{found['documents']} documents ({found['bytes']} bytes) of {place.pool} wait for the chain"
        raise InsituError("PendingPoolFull", detail, retryAfter=_seconds(found["since"], place, now))


def _exceeds(wanted: int, limit: int | None) -> bool:
    return limit is not None and wanted > limit


def _seconds(since: int | None, place: WaitingPlace, now: int) -> int:
    """Return in how many seconds the oldest waiting document is dropped unless it gets registered."""
    left = (since if since is not None else now) / 1000 + place.lifetime - now / 1000
    return min(max(round(left), 1), max(place.lifetime, 1))
