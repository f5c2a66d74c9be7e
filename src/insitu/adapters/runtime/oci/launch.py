"""Starting a compute step: stage the inputs, make the volumes, write the bundle, give the monitor its order."""

import hashlib
import json
import os
import platform
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from insitu.adapters.runtime.inside import ALGORITHM
from insitu.adapters.runtime.oci import linux
from insitu.adapters.runtime.oci.bundle import Bind, Sandbox, Tmpfs, config_json
from insitu.adapters.runtime.oci.cgroups import Cgroups, GroupLimits
from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from insitu.adapters.runtime.oci.init import INIT, init_command, place_init
from insitu.adapters.runtime.oci.process import (
    Monitor,
    RunFolder,
    discard,
    launch_monitor,
    locked,
    send_order,
    write_whole,
)
from insitu.adapters.runtime.oci.staging import (
    InputPlace,
    input_binds,
    input_places,
    name_files,
    sandbox_environment,
)
from insitu.adapters.runtime.oci.volumes import check_input, create_volume, stage_input, used_bytes, volume_bytes
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import Limits, StagePlan

SANDBOX_GID = 1_900_000_000
"""Group of every algorithm in root mode, so that an owner can let them all read an input; user numbers follow it."""

_USERS = 200_000_000
"""Number of users: they and the group are above every range that distributions, systemd or NSS hand out."""

OUTPUT, LOGS = "/mnt/output", "/mnt/logs"
_TMPFS_FILES = 65536


def sandbox_uid(execution_id: ExecutionId) -> int:
    """Return the user of an execution in root mode. What the kernel counts per user (keys, watches) is its own."""
    return SANDBOX_GID + 1 + int.from_bytes(hashlib.sha256(execution_id.encode()).digest()[:8]) % _USERS


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine offers: the chosen OCI runtime, its control groups, the folder of file system templates."""

    binary: str
    cgroups: Cgroups | None
    enforced: Mapping[str, str]
    templates: Path
    rootless: bool


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything that a launch needs to know about its step.

    ``outputs``: output folders of earlier stages. ``uid``: the algorithm's user in root mode. ``annotations``: whose
    container it is, with both ids in full (E5).
    """

    folder: RunFolder
    uid: int
    stage: StagePlan
    limits: Limits
    deadline: datetime
    fetched: Path
    algorithm: Path
    outputs: Mapping[int, Path]
    annotations: Mapping[str, str]


def launch(machine: Machine, images: ImageStore, order: Launch) -> Monitor | None:
    """Start the run unless it is running or has ended; return its monitor if it was started just now.

    Blocking. Raises ``InsituError`` if the run cannot be started; then nothing runs.
    """
    folder = order.folder
    if folder.exit.exists():
        return None
    with locked(folder) as lock:
        if lock is None or folder.exit.exists():
            return None
        if folder.run.exists():
            raise InsituError("Interrupted", "an earlier start of this attempt was interrupted")
        with _held_image(images, order.stage.image.digest) as (image, rootfs, image_lock):
            monitor = launch_monitor(lock, image_lock)
            try:
                send_order(monitor, *_prepare(machine, order, image, rootfs))
            except (InsituError, OSError) as error:
                discard(monitor)
                if isinstance(error, InsituError):
                    raise
                raise InsituError("InfrastructureFailed", f"the container could not be prepared: {error}") from error
        return monitor


def volume_folder(folder: RunFolder, target: str, *, rootless: bool) -> Path:
    """Return where the host finds what the algorithm wrote to ``/mnt/output`` or ``/mnt/logs``."""
    name = target.rpartition("/")[2]
    return folder.path / "saved" / name if rootless else folder.path / name / "data"


@contextmanager
def _held_image(images: ImageStore, digest: str) -> Iterator[tuple[StoredImage, Path, int]]:
    try:
        image = images.find_now(digest)
        rootfs, lock = images.hold(image.digest)
    except InsituError as error:
        raise InsituError("ImageUnavailable", error.detail) from error
    try:
        yield image, rootfs, lock
    finally:
        os.close(lock)


def _prepare(machine: Machine, order: Launch, image: StoredImage, rootfs: Path) -> tuple[list[str], dict[str, object]]:
    folder, limits = order.folder, order.limits
    processes = limits.pids + 1  # the first one is ours
    environment = sandbox_environment(image.environment, order.stage, limits)
    group = None
    if machine.cgroups is not None:
        machine.cgroups.create(folder.name, GroupLimits(limits.memory_bytes, limits.cpu_millis, processes))
        group = machine.cgroups.path_for_runtime(folder.name)
    folder.bundle.mkdir(exist_ok=True)
    written, baseline = _writable(machine, order)
    sandbox = Sandbox(
        rootfs=str(rootfs),
        argv=init_command(order.stage.argv, environment, rootfs, order.algorithm),
        cwd=ALGORITHM,
        environment=environment,
        binds=(*_programs(machine, order), *_names(machine, order, rootfs), *_inputs(machine, order), *written),
        tmpfs=_memory_volumes(limits) if machine.rootless else (),
        machine=platform.machine(),
        uid=order.uid,
        gid=SANDBOX_GID,
        cgroups_path=group,
        rootless=(os.geteuid(), os.getegid()) if machine.rootless else None,
        processes=processes if machine.enforced.get("pids") == "rlimit" else None,
        file_bytes=volume_bytes(limits.disk_bytes),
    )
    config = {**config_json(sandbox), "annotations": dict(order.annotations)}
    (folder.bundle / "config.json").write_text(json.dumps(config), "utf-8")
    write_whole(folder.run, {"baseline": baseline, "enforced": dict(machine.enforced), "binary": machine.binary})
    return _command(machine, folder), _order(machine, order, group is not None)


def _programs(machine: Machine, order: Launch) -> Iterator[Bind]:
    yield Bind(str(place_init(machine.templates, platform.machine())), INIT, executable=True)
    yield Bind(str(order.algorithm), ALGORITHM, executable=True)


def _names(machine: Machine, order: Launch, rootfs: Path) -> Iterator[Bind]:
    folder = order.folder.path / "names"
    folder.mkdir(exist_ok=True)
    for target, content in name_files(*((0, 0) if machine.rootless else (order.uid, SANDBOX_GID))).items():
        # Where an image has none, the runtime would make the mount's place in the image, which is shared.
        if stat.S_ISREG(linux.mode_in_root(rootfs, target)):
            source = folder / target.rpartition("/")[2]
            source.write_text(content, "utf-8")
            source.chmod(0o444)
            yield Bind(str(source), target)


def _inputs(machine: Machine, order: Launch) -> Iterator[Bind]:
    serial = iter(range(1, 1_000_000))

    def stage_one(place: InputPlace) -> str:
        if place.root is None:
            return place.path
        if machine.rootless:  # without root nothing can be mounted here, so the checked path must suffice
            os.close(check_input(place.root, place.path)[0])
            return place.path
        stage = order.folder.path / "in" / str(next(serial))
        stage_input(place.root, place.path, stage)
        return str(stage)

    return input_binds(input_places(order.stage, order.fetched, order.outputs), stage_one)


def _writable(machine: Machine, order: Launch) -> tuple[list[Bind], dict[str, int]]:
    if machine.rootless:
        return [], {}
    binds, baseline = [], {}
    for target, size in ((OUTPUT, order.limits.disk_bytes), (LOGS, order.limits.log_bytes)):
        name = target.rpartition("/")[2]
        data = create_volume(machine.templates, order.folder.path, name, size, order.uid, SANDBOX_GID)
        binds.append(Bind(str(data), target, read_only=False))
        baseline[target] = used_bytes(data)
    return binds, baseline


def _memory_volumes(limits: Limits) -> tuple[Tmpfs, ...]:
    sizes = ((OUTPUT, limits.disk_bytes), (LOGS, limits.log_bytes))
    return tuple(Tmpfs(target, size, _TMPFS_FILES) for target, size in sizes)


def _command(machine: Machine, folder: RunFolder) -> list[str]:
    # Rootless volumes are in the container's own mounts: if it is created first, they can be opened before it runs.
    verb = ["create"] if machine.rootless else ["run", "--detach"]
    return [
        *_runtime(machine, folder),
        *verb,
        "--bundle",
        str(folder.bundle),
        "--pid-file",
        str(folder.pid),
        folder.name,
    ]


def _runtime(machine: Machine, folder: RunFolder) -> list[str]:
    return [machine.binary, "--root", str(folder.state), "--log", str(folder.runtime_log)]


def _order(machine: Machine, order: Launch, grouped: bool) -> dict[str, object]:
    folder, cgroups = order.folder, machine.cgroups if grouped else None
    start, hold, salvage, volumes = [], [], [], {}
    if machine.rootless:
        start, hold = [*_runtime(machine, folder), "start", folder.name], [OUTPUT, LOGS]
        salvage = _salvage_command(folder, order.limits)
    else:
        volumes = {target: str(volume_folder(folder, target, rootless=False)) for target in (OUTPUT, LOGS)}
    return {
        "log": str(folder.log),
        "log_cap": order.limits.log_bytes,
        "pid_file": str(folder.pid),
        "exit": str(folder.exit),
        "deadline": order.deadline.timestamp(),
        "counters": cgroups.counter_files(folder.name) if cgroups else {},
        "cgroups": cgroups.folders(folder.name) if cgroups else [],
        "volumes": volumes,
        "start": start,
        "hold": hold,
        "salvage": salvage,
    }


def _salvage_command(folder: RunFolder, limits: Limits) -> list[str]:
    saved = [str(volume_folder(folder, target, rootless=True)) for target in (OUTPUT, LOGS)]
    return [
        sys.executable,
        "-m",
        "insitu.adapters.runtime.oci.salvage",
        str(limits.disk_bytes + limits.log_bytes),
        *saved,
    ]
