"""Algorithms: the asset, and how it is called inside the container.

The algorithm is mounted read-only at ``/mnt/transformations/1``, its working directory. It is called with one argument
per input volume in ascending ``input.index``, then the output and logs volumes, then the stage's configuration.
"""

import re
import shlex
from collections.abc import Collection, Mapping

from insitu.domain.canonical import canonical_json
from insitu.domain.compute_service import Container
from insitu.domain.document import Document
from insitu.domain.errors import InsituError
from insitu.domain.service import File

OUTPUT_PATH = "/mnt/output"
LOGS_PATH = "/mnt/logs"
ENTRYPOINT_SCRIPT = "compute-entrypoint.sh"

ENVIRONMENT: Mapping[str, str] = {
    "NEVERMINED_INPUTS_PATH": "/mnt/inputs",
    "NEVERMINED_OUTPUTS_PATH": OUTPUT_PATH,
    "NEVERMINED_TRANSFORMATIONS_PATH": "/mnt/transformations",
}
"""What algorithms written for the earlier compute stack read instead of arguments."""

MAX_ENTRYPOINT = 4096
MAX_CONFIGURATION = 256
MAX_VALUE_BYTES = 8192

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_RESERVED = re.compile(r"input[0-9]*|output|logs", re.ASCII | re.IGNORECASE)

Scalar = str | int | float | bool


class Requirements(Document):
    """What an algorithm needs. The stage's container decides; this one must be absent or equal to it."""

    container: Container | None = None


class AlgorithmDescription(Document):
    """``main.algorithm``: how the algorithm is written and started."""

    language: str | None = None
    format: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    requirements: Requirements = Requirements()


class AlgorithmAsset(Document):
    """``main`` of an algorithm. Every file has a SHA-256 that is verified before each run."""

    name: str | None = None
    type: str | None = None
    files: tuple[File, ...] = ()
    algorithm: AlgorithmDescription = AlgorithmDescription()


def input_path(position: int) -> str:
    """Return the path of an input's volume. Positions count from 1 in ascending ``input.index``."""
    return f"/mnt/volume{position}"


def arguments(input_count: int, configuration: Mapping[str, Scalar]) -> tuple[str, ...]:
    """Return the arguments: ``--input1=/mnt/volume1 … --output=/mnt/output --logs=/mnt/logs``, then ``--name=value``.

    The configuration is sorted by name. Raises ``InvalidDocument`` for an invalid or reserved configuration name.
    """
    inputs = tuple(f"--input{position}={input_path(position)}" for position in range(1, input_count + 1))
    for name, value in configuration.items():
        problem = configuration_problem(name, value)
        if problem:
            raise InsituError("InvalidDocument", problem)
    # Sorted by name, because a document's canonical form does not keep the order of its members.
    passed = tuple(f"--{name}={scalar_text(value)}" for name, value in sorted(configuration.items()))
    return (*inputs, f"--output={OUTPUT_PATH}", f"--logs={LOGS_PATH}", *passed)


def command(entrypoint: str | None, file_names: Collection[str]) -> tuple[str, ...]:
    """Return the command to start in the working directory: ``compute-entrypoint.sh`` if present, or the entrypoint.

    ``entrypoint`` is ``main.algorithm.entrypoint``. It is split into words without a shell: no expansion, no
    redirection, no second command. Raises ``InvalidDocument`` if there is neither, or quotes are not closed.
    """
    if ENTRYPOINT_SCRIPT in file_names:
        return ("sh", ENTRYPOINT_SCRIPT)
    words = split_entrypoint(entrypoint or "")
    if not words:
        raise InsituError("InvalidDocument", f"the algorithm has neither {ENTRYPOINT_SCRIPT} nor an entrypoint")
    return words


def split_entrypoint(entrypoint: str) -> tuple[str, ...]:
    """Split an entrypoint into words. Quotes group words; nothing else is special. Raises ``InvalidDocument``."""
    if "\0" in entrypoint or len(entrypoint) > MAX_ENTRYPOINT:
        raise InsituError("InvalidDocument", f"the entrypoint is longer than {MAX_ENTRYPOINT} or has a NUL character")
    try:
        return tuple(shlex.split(entrypoint))
    except ValueError as error:
        raise InsituError("InvalidDocument", f"the entrypoint cannot be split: {error}") from None


def argv(
    entrypoint: str | None,
    file_names: Collection[str],
    input_count: int,
    configuration: Mapping[str, Scalar],
) -> tuple[str, ...]:
    """Return the whole argument vector of a stage: :func:`command` and :func:`arguments`."""
    return (*command(entrypoint, file_names), *arguments(input_count, configuration))


def configuration_problem(name: str, value: object) -> str | None:
    """Return what is wrong with a member of a stage's configuration, or None if it can be passed."""
    if not _NAME.fullmatch(name):
        return f"{name[:80]!a} is not a configuration name: use a letter, then letters, digits, '.', '_' or '-'"
    if _RESERVED.fullmatch(name):
        return f"the configuration name {name} is reserved"
    if not isinstance(value, str | int | float):
        return f"the configuration of {name} is not a text, number or boolean"
    try:
        text = scalar_text(value)
    except InsituError as error:
        return f"the configuration of {name}: {error.detail}"
    if "\0" in text or len(text.encode()) > MAX_VALUE_BYTES:
        return f"the configuration of {name} is longer than {MAX_VALUE_BYTES} bytes or has a NUL character"
    return None


def scalar_text(value: Scalar) -> str:
    """Return a configuration value as an argument: text as it is, numbers and booleans as JSON writes them.

    Raises ``InvalidDocument`` for a number that JSON cannot write exactly, or text that is not Unicode.
    """
    canonical = canonical_json(value).decode()
    return value if isinstance(value, str) else canonical


def container_fits(stage: Container, algorithm: Container | None) -> bool:
    """Return whether a stage's container is the one its algorithm needs, if the algorithm names one."""
    if algorithm is None:
        return True
    wanted = ((algorithm.image, stage.image), (algorithm.tag, stage.tag), (algorithm.digest, stage.digest))
    return all(needed is None or needed == given for needed, given in wanted)
