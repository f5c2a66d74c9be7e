"""Deleting everything in a data folder that is ours, and nothing else."""

from pathlib import Path

from anyio import to_thread

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings
from insitu.stack.locking import EVERYTHING, IGNORE, folder_lock


async def clean_folder(settings: Settings, *more: str) -> None:
    """Delete what a provider wrote into its data folder, and entries named ``more``; other files stay.

    Raises ``AlreadyRunning`` while a process uses the folder, ``StorageFailed`` if something is mounted in it.
    """
    if not settings.home.exists():
        return
    folder = settings.folder
    folders = (folder.chain, folder.images, folder.runs, folder.keys, folder.blobs, folder.logs, folder.instance)
    databases = (folder.metadata_db, folder.gateway_db, folder.operator_db)
    names = [*(path.name for path in folders), *(f"{path.name}*" for path in databases), *more]
    async with folder_lock(folder.lock):
        await to_thread.run_sync(_delete, settings.home, names)


def _delete(home: Path, names: list[str]) -> None:
    from insitu.adapters.runtime.oci.linux import mounts_below
    from insitu.adapters.runtime.oci.trees import delete_tree

    if mounts_below(home):
        detail = f"volumes of an execution are mounted below {home}: start its provider again, which unmounts them"
        raise InsituError("StorageFailed", detail)
    for pattern in names:
        for path in home.glob(pattern):
            delete_tree(path)
    (home / "lock").unlink()
    if (home / IGNORE).is_file() and (home / IGNORE).read_text() == EVERYTHING:
        (home / IGNORE).unlink()
    if not any(home.iterdir()):
        home.rmdir()
