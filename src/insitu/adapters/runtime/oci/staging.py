"""From a stage's plan to what its sandbox sees: which folder of the host is at which path inside.

``/mnt/transformations/1`` is the algorithm and the working directory, ``/mnt/volume1…`` the inputs, ``/mnt/inputs/1…``
the inputs again, ``/mnt/output`` and ``/mnt/logs`` are for writing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from insitu.adapters.runtime.inside import VARIABLES
from insitu.adapters.runtime.oci.bundle import Bind
from insitu.domain.errors import InsituError
from insitu.domain.granted_resources import resource_variables
from insitu.domain.plan import Claim, Limits, Mount, StageInput, StagePlan

_DEFAULTS = {
    **VARIABLES,
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


@dataclass(frozen=True, slots=True)
class InputPlace:
    """One bind of an input: a source beneath ``root`` (None: a folder of ours), and its path inside the volume."""

    position: int
    name: str
    path: str
    root: str | None


def input_places(stage: StagePlan, fetched: Path, outputs: Mapping[int, Path]) -> Iterator[InputPlace]:
    """Yield where every input of a stage comes from. ``outputs``: the output folders of earlier stages.

    Raises ``ConfigurationFailed`` for a plan that this machine cannot carry out.
    """
    for item in stage.inputs:
        if item.previous_stage is not None:
            if item.previous_stage not in outputs:
                raise InsituError("ConfigurationFailed", f"the output of stage {item.previous_stage} is not here")
            yield InputPlace(item.position, "", str(outputs[item.previous_stage]), None)
        else:
            yield from _files(item, fetched / str(item.position))


def input_binds(places: Iterator[InputPlace], stage_one: Callable[[InputPlace], str]) -> Iterator[Bind]:
    """Turn places into binds, each volume at both of its paths. ``stage_one`` returns the source to bind."""
    for place in places:
        source = stage_one(place)
        suffix = f"/{place.name}" if place.name else ""
        yield Bind(source, f"/mnt/volume{place.position}{suffix}")
        yield Bind(source, f"/mnt/inputs/{place.position}{suffix}")


def sandbox_environment(image: Mapping[str, str], stage: StagePlan, limits: Limits) -> dict[str, str]:
    """Return the algorithm's variables: ours, overridden by the image's (except HOME), overridden by the plan's."""
    own = {name: value for name, value in image.items() if name not in ("HOME", "TMPDIR", "USER")}
    return {**_DEFAULTS, **resource_variables(limits), **own, **stage.environment}


def name_files(uid: int, gid: int) -> dict[str, str]:
    """Return path → content of the files that give the algorithm's user and host a name.

    Without them a JVM has no ``user.name`` and Hadoop does not start, and a host does not find its own address.
    """
    sandbox = f"sandbox:x:{uid}:{gid}:sandbox:/tmp:/bin/sh\n"  # first, for it may be user 0
    return {
        "/etc/passwd": f"{sandbox}root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
        "/etc/group": f"sandbox:x:{gid}:\nroot:x:0:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
    }


def _files(item: StageInput, fetched: Path) -> Iterator[InputPlace]:
    if not any(isinstance(file.source, Mount | Claim) for file in item.files):
        yield InputPlace(item.position, "", str(fetched), None)
        return
    for file in item.files:
        if isinstance(file.source, Claim):
            raise InsituError(
                "ConfigurationFailed", "an input is on a volume of a cluster, and this is a single machine"
            )
        name = file.component(alone=len(item.files) == 1)
        if isinstance(file.source, Mount):
            yield InputPlace(item.position, name, file.source.path, file.source.root)
        else:
            yield InputPlace(item.position, name, str(fetched / name), None)
