"""The first process of a container: starts the command, reaps every orphan, and ends as the command ends.

An algorithm as process 1 would have to reap the orphans of its children, or run out of processes; and signals that it
sends to itself would not end it. The program is ours, has 240 bytes and needs nothing from the image. Its source is in
``init/<machine>.S``, and beside it the whole file in hexadecimal digits, as ``as`` and ``objcopy -O binary`` make it.

It is called with the path of a program and the command (its ``argv``). It exits with the command's code, or 128 plus
the signal that ended it; with 127 if the program does not exist, and 126 if it cannot be started.
"""

import stat
import uuid
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from insitu.adapters.runtime.inside import ALGORITHM
from insitu.adapters.runtime.oci import linux

INIT = "/mnt/.init"
"""Its path in a container."""


def place_init(folder: Path, machine: str) -> Path:
    """Write the program for a machine (``uname -m``) into a folder once, readable for every user; return its path."""
    text = files("insitu.adapters.runtime.oci").joinpath("init", f"{machine}.hex").read_text("ascii")
    path = folder / f"init-{machine}"
    content = bytes.fromhex(text)
    if not path.exists() or path.read_bytes() != content:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{path.name}.{uuid.uuid4().hex}.draft"  # executions start at the same time
        draft.write_bytes(content)
        draft.chmod(0o555)
        draft.rename(path)
    return path


def init_command(
    command: Sequence[str], environment: Mapping[str, str], rootfs: Path, algorithm: Path
) -> tuple[str, ...]:
    """Return what the container runs: the first process, the path of the program, and the command.

    A name without a slash is looked up as a shell would. A program that is neither in the image nor among the files of
    the algorithm, where the command starts, is left to the OCI runtime, which reports it.
    """
    name = command[0]
    folders = [folder for folder in environment.get("PATH", "").split(":") if folder.startswith("/")]
    places = [name] if "/" in name else [f"{folder.rstrip('/')}/{name}" for folder in folders]
    found = next((place for place in places if _is_program(place, rootfs, algorithm)), None)
    return tuple(command) if found is None else (INIT, found, *command)


def _is_program(path: str, rootfs: Path, algorithm: Path) -> bool:
    inside = path.removeprefix(f"{ALGORITHM}/")
    mode = linux.mode_in_root(rootfs if inside.startswith("/") else algorithm, inside)
    return stat.S_ISREG(mode) and bool(mode & 0o111)
