"""What an execution leaves on its provider's machine: nothing, once it has been cleaned up."""

from pathlib import Path

import anyio

CLEANING_SECONDS = 20


def left_of(home: Path, execution_id: str) -> list[str]:
    """Name the volumes, mounts, control groups and processes of an execution that are still there."""
    runs = [str(path) for path in (home / "runs").glob(f"*{execution_id}*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if execution_id in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/insitu/*{execution_id}*")]
    return runs + mounts + groups + [f"process {pid}" for pid in contained(execution_id)]


def contained(execution_id: str) -> list[int]:
    """The ids of the processes in the control groups of an execution: its containers' own."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            groups = (entry / "cgroup").read_text()
        except OSError:
            continue  # it ended while we looked
        if execution_id in groups:
            found.append(int(entry.name))
    return found


async def gone(home: Path, execution_id: str) -> None:
    """Return once nothing is left; cleaning up follows the end at once, but the consumer does not wait for it."""
    with anyio.fail_after(CLEANING_SECONDS):
        # Nothing announces that folders and mounts are gone, so it has to look again and again.
        while left_of(home, execution_id):  # noqa: ASYNC110
            await anyio.sleep(0.05)
