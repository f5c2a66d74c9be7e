"""Writing what a server sends into a folder: complete or not at all, never outside of the folder."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.file_names import safe_path

__all__ = ["save"]


async def save(chunks: AsyncIterator[bytes], folder: Path, name: str, *, sha256: str | None = None) -> Path:
    """Write a file below ``folder`` under a name that a server chose, and return its path.

    Raises ``InvalidDocument`` for a name that is not safe, ``ChecksumMismatch`` where the bytes are others than
    promised; then nothing is left.
    """
    path = folder.joinpath(*safe_path(name).split("/"))
    await anyio.Path(path.parent).mkdir(parents=True, exist_ok=True)
    if not (await anyio.Path(path.parent).resolve()).is_relative_to(await anyio.Path(folder).resolve()):
        raise InsituError("InvalidDocument", f"{name!a} leads out of the folder through a link")
    partial = path.with_name(f".{uuid.uuid4().hex}.part")
    digest = hashlib.sha256()
    try:
        async with await anyio.open_file(partial, "xb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                await file.write(chunk)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise InsituError("ChecksumMismatch", f"{name} arrived with other bytes than published", file=name)
        await anyio.Path(partial).replace(path)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.Path(partial).unlink(missing_ok=True)
    return path
