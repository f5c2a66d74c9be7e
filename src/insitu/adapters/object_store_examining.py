"""What a bucket must be able to do, tried with one small object."""

import secrets

from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError

__all__ = ["examine"]


async def examine(objects: Objects) -> None:
    """Write, read, list, create once and delete, below ``doctor/``.

    Raises ``ObjectStoreRefused`` with the step that does not work, ``ObjectStoreUnavailable``.
    """
    key, content = f"doctor/{secrets.token_hex(8)}", b"insitu"
    step = "write"
    try:
        if not await objects.create(key, content):
            raise InsituError("ObjectStoreRefused", "a new object is said to be there already")
        step = "read"
        if await objects.read(key, 1, len(content)) != content[1:]:
            raise InsituError("ObjectStoreRefused", "other bytes come back than were asked for")
        step = "list"
        if [one.size async for one in objects.list("doctor") if one.name == key] != [len(content)]:
            raise InsituError("ObjectStoreRefused", "an object that was written is not listed")
        step = "create once"
        # Two operators that write one log rely on it while the leader changes.
        if await objects.create(key, b"again"):
            detail = "If-None-Match is not obeyed: two operators could write over each other; take a newer store"
            raise InsituError("ObjectStoreRefused", detail)
        step = "delete"
        await objects.delete([key])
    except InsituError as error:
        raise InsituError(error.code, f"{step}: {error.detail}") from None
