"""Uploads in the store: reserve room before anything is received, and find uploads that no asset names."""

from collections.abc import Sequence

from insitu.adapters.agreements.rows import upload_of
from insitu.adapters.sql import Connection, milliseconds, placeholders
from insitu.domain.errors import InsituError
from insitu.ports.agreement_records import Upload, UploadLimits

# An upload of an earlier release has an empty DID, because its name is unknown.
UNNAMED = """
SELECT * FROM uploads WHERE at < :before AND NOT EXISTS (SELECT 1 FROM upload_names
WHERE upload_names.upload_id = uploads.upload_id AND (did = '' OR upload_names.at >= :before))
ORDER BY at LIMIT :limit
"""
TAKEN = """
SELECT coalesce(sum(size + :each), 0) AS total, coalesce(sum(size + :each) FILTER (WHERE stranger = 1), 0) AS strangers,
coalesce(sum(size + :each) FILTER (WHERE holder = :holder), 0) AS own FROM uploads
"""
ROW_BYTES = 4096
"""Bytes that each upload counts in addition to its size, so that nobody fills the disk with empty files."""
USES = """
SELECT 1 FROM agreements WHERE versions LIKE :pattern UNION ALL SELECT 1 FROM executions WHERE dossier LIKE :pattern
LIMIT 1
"""


def reserve(db: Connection, upload: Upload, least: int, limits: UploadLimits) -> int:
    """Reserve room for an upload; see :meth:`insitu.ports.agreements.Agreements.reserve_upload`."""
    taken = db.execute(TAKEN, {"each": ROW_BYTES, "holder": limits.holder}).fetchone()
    own = limits.share - int(taken["own"]) - ROW_BYTES
    if own < least:
        detail = f"uploads of {limits.holder} take {taken['own']} bytes of {limits.share}"
        raise InsituError("UploadShareUsed", detail, limit=limits.share)
    left = limits.total - int(taken["total"]) - ROW_BYTES
    if limits.stranger:
        left = min(left, limits.strangers - int(taken["strangers"]) - ROW_BYTES)
    if left < least:
        detail = f"uploads take {taken['total']} bytes of {limits.total}"
        if limits.stranger:
            detail += f", and those of strangers {taken['strangers']} of {limits.strangers}"
        raise InsituError("UploadsFull", detail)
    size = min(upload.size, own, left)
    db.execute(
        "INSERT INTO uploads (upload_id, owner, sha256, size, at, holder, stranger) VALUES (?, ?, '', ?, ?, ?, ?)",
        (upload.upload_id, upload.owner, size, milliseconds(upload.at), limits.holder, int(limits.stranger)),
    )
    return size


def unnamed(db: Connection, before: int, limit: int) -> tuple[tuple[Upload, tuple[str, ...]], ...]:
    """Return old uploads, each with the DIDs of the lists that name it."""
    found = [upload_of(row) for row in db.execute(UNNAMED, {"before": before, "limit": limit}).fetchall()]
    names = "SELECT did FROM upload_names WHERE upload_id = ? ORDER BY did"
    return tuple(
        (upload, tuple(row["did"] for row in db.execute(names, (upload.upload_id,)).fetchall())) for upload in found
    )


def uses(db: Connection, did: str) -> bool:
    """Return whether an agreement or an execution uses a version of the asset."""
    return db.execute(USES, {"pattern": f'%"{did}"%'}).fetchone() is not None


def remove(db: Connection, upload_ids: Sequence[str], before: int) -> tuple[str, ...]:
    """Delete uploads that no list sealed since then names; return the blobs that nothing needs any more."""
    blobs: list[str] = []
    for upload_id in upload_ids:
        named = "SELECT 1 FROM upload_names WHERE upload_id = ? AND at >= ?"
        row = db.execute("SELECT sha256 FROM uploads WHERE upload_id = ?", (upload_id,)).fetchone()
        if row is not None and db.execute(named, (upload_id, before)).fetchone() is None:
            db.execute("DELETE FROM upload_names WHERE upload_id = ?", (upload_id,))
            db.execute("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))
            blobs += [row["sha256"]] if row["sha256"] else []
    return needless(db, tuple(dict.fromkeys(blobs)))


def needless(db: Connection, digests: Sequence[str]) -> tuple[str, ...]:
    """Return the blobs that no stored result and no upload needs."""
    marks = placeholders(digests)
    query = (
        f"SELECT sha256 FROM result_blobs WHERE sha256 IN ({marks})"  # noqa: S608 - only question marks
        f" UNION SELECT sha256 FROM uploads WHERE sha256 IN ({marks})"
    )
    needed = {row["sha256"] for row in db.execute(query, (*digests, *digests)).fetchall()}
    return tuple(digest for digest in digests if digest not in needed)
