"""How much of this machine all executions together may use."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from insitu.settings.sections import OperatorSettings

SHARE = 0.8
"""The part of a machine that executions get by default; the rest is for the services and the system."""


@dataclass(frozen=True, slots=True)
class MachineShare:
    """The part of a machine that executions may use.

    Parameters
    ----------
    cpu
        Cores; may be a fraction.
    memory
        Bytes.
    disk
        Bytes of outputs and logs.
    """

    cpu: float
    memory: int
    disk: int


def machine_share(operator: OperatorSettings, home: Path) -> MachineShare:
    """Return the share that is set, by default 80 % of this machine.

    ``home`` need not exist yet; the file system that will hold it is measured.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    disk = shutil.disk_usage(_existing(home)).free
    return MachineShare(
        cpu=operator.cpu or round(len(os.sched_getaffinity(0)) * SHARE, 2),
        memory=operator.memory or int(memory * SHARE),
        disk=operator.disk or int(disk * SHARE),
    )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
