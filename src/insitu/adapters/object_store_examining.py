"""Try everything that a bucket must be able to do, with one small object."""

import secrets

from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError


async def examine(objects: Objects) -> None:
    """Write, read, list, create once and delete, below ``doctor/``.

    Raises ``ObjectStoreRefused`` with the step that fails, ``ObjectStoreUnavailable``.
    """
    key, content = f"doctor/{secrets.token_hex(8)}", b"insitu"
    step = "write"
    try:
        if not await objects.create(key, content):
            raise InsituError("ObjectStoreRefused", "the store says that a new object already exists")
        step = "read"
        if await objects.read(key, 1, len(content)) != content[1:]:
            raise InsituError("ObjectStoreRefused", "the store returned the wrong bytes")
        step = "list"
        if [stored.size async for stored in objects.list("doctor") if stored.name == key] != [len(content)]:
            raise InsituError("ObjectStoreRefused", "the object that was written is not listed")
        step = "create once"
        # Operators rely on this when the leader changes and two of them write the same log.
        if await objects.create(key, b"again"):
            detail = "the store ignores If-None-Match, so two operators could overwrite each other; use a newer store"
            raise InsituError("ObjectStoreRefused", detail)
        step = "delete"
        await objects.delete([key])
    except InsituError as error:
        raise InsituError(error.code, f"{step}: {error.detail}") from None
