"""Where results and logs are kept: in folders or in buckets, as the settings say."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.settings.sections import Settings

if TYPE_CHECKING:
    from insitu.adapters.object_store import Access
    from insitu.ports.blobs import Blobs
    from insitu.ports.logs import Logs


def access(settings: Settings) -> "Access":
    """Return how to reach buckets."""
    from insitu.adapters.object_store import Access

    return Access(**dict(settings.object_store))


def open_blobs(settings: Settings) -> "Blobs":
    """Open results and uploads. Raises ``SettingsInvalid``, ``ExtraMissing``."""
    place = settings.gateway.blobs
    if isinstance(place, str):
        from insitu.adapters.blobs.objects import ObjectBlobs
        from insitu.adapters.object_store import Objects

        objects = Objects.at(place, access(settings), "the object store of results")
        return ObjectBlobs(objects, settings.folder.blobs)
    from insitu.adapters.blobs.folder import FolderBlobs

    return FolderBlobs(place or settings.folder.blobs)


async def open_logs(settings: Settings, stack: AsyncExitStack) -> "Logs":
    """Open the logs; closing the stack writes what is still waiting. Raises like :func:`open_blobs`."""
    place, cap = settings.operator.logs, settings.operator.log_bytes
    if isinstance(place, str):
        from insitu.adapters.logs.objects import ObjectLogs
        from insitu.adapters.object_store import Objects

        objects = Objects.at(place, access(settings), "the object store of logs")
        return await stack.enter_async_context(ObjectLogs(objects, cap=cap))
    from insitu.adapters.logs.files import FileLogs

    # A log elsewhere may be written by another process without notice here, so its reader looks more often.
    return FileLogs(place or settings.folder.logs, cap=cap, recheck=5.0 if place is None else 0.5)


def remote_places(settings: Settings) -> dict[str, str]:
    """Return the URLs of what is kept in buckets, by the name of the setting."""
    places: dict[str, Path | str | None] = {
        "gateway.blobs": settings.gateway.blobs,
        "operator.logs": settings.operator.logs,
    }
    return {name: place for name, place in places.items() if isinstance(place, str)}


async def describe_bucket(settings: Settings, url: str) -> str:
    """Try everything that the adapters need in a bucket, with an object that is deleted again, and describe it.

    Raises ``ObjectStoreRefused``, ``ObjectStoreUnavailable``, ``SettingsInvalid``, ``ExtraMissing``.
    """
    from dataclasses import replace

    from insitu.adapters.object_store import Objects
    from insitu.adapters.object_store_examining import examine

    await examine(Objects.at(url, replace(access(settings), patience=5.0), url))
    return f"{url}: writes, reads, lists, creates once and deletes"
