"""The Publishing Pod: collects the output under the owners' rules and hands it to the gateway (E6, design §6)."""

import hashlib
import itertools
import logging
import mimetypes
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync
from pydantic import JsonValue

from insitu.domain.canonical import canonical_json, sha256_hex
from insitu.domain.errors import InsituError
from insitu.domain.file_names import delivered_bytes, first_collision, path_problem
from insitu.domain.file_types import AllowedTypes
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.plan import ExecutionPlan, OutputRules
from insitu.domain.workflow import output_prefix
from insitu.pods.collector import CollectedFile, CollectionLimits, Rejection, collect, read_collected
from insitu.pods.patience import PATIENCE, Patience
from insitu.ports.peers import GatewayPeer
from insitu.ports.pods import OutputVolume, Workspace
from insitu.ports.runtime import Step

__all__ = ["Publish"]

logger = logging.getLogger("insitu.pods")

AT_ONCE = 4
"""Files that are handed over at the same time."""

_NAME_BYTES = 200
"""What a reason shows of a name, at most."""

CONSOLE = "console.log"
_LOG_TYPES = frozenset({".log", ".txt"})
"""What a log may be called, whatever the owners' types are."""

_TYPES = mimetypes.MimeTypes()
"""The built-in table only: the same file has the same type on every machine."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A file that leaves: where it lies, and what the result calls it."""

    folder: Path
    file: CollectedFile
    path: str
    stage: int
    kind: str

    @property
    def entry(self) -> dict[str, JsonValue]:
        """The file in the manifest."""
        return {
            "path": self.path,
            "stage": self.stage,
            "kind": self.kind,
            "size": self.file.size,
            "sha256": self.file.sha256,
            "contentType": _TYPES.guess_type(self.path)[0] or "application/octet-stream",
        }


class Publish:
    """Hands over the result of an execution. Implements :class:`insitu.ports.pods.PublishPod`.

    Nothing is handed over before everything is judged; handing over again is harmless. ``patience``: seconds for which
    a file is offered again to a gateway, or to its store, that does not take it now: what was computed is not given up.
    """

    def __init__(self, gateway: GatewayPeer, *, patience: float = PATIENCE) -> None:
        self._gateway = gateway
        self._patience = patience

    async def __call__(self, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
        """Collect, judge, hand over; return ``{"manifest", "files", "bytes", "outputRoot", "leftOut"}``.

        The manifest is the canonical JSON of the list of files, sorted by path: path, stage, kind (``output`` or
        ``log``), size, sha256, contentType. ``outputRoot`` is the Merkle root over them. ``leftOut`` counts the files
        and folders that stayed behind because their names begin with a point.

        Raises
        ------
        InsituError
            ``OutputRejected`` with the rule; ``PublishingFailed``.
        """
        # It only reads, so a stop does not wait for the digests of a large output.
        leaving, left_out = await run_sync(_judge, step.plan, workspace, abandon_on_cancel=True)
        manifest = canonical_json([each.entry for each in leaving])
        try:
            await self._hand_over(step.ticket, leaving)
            await self._put(step.ticket, sha256_hex(manifest), partial(_once, manifest))
        except InsituError as error:
            raise InsituError("PublishingFailed", f"the gateway does not take the output: {error}") from error
        except OSError as error:
            raise InsituError("PublishingFailed", f"the output cannot be read: {error.strerror}") from error
        return {
            "manifest": sha256_hex(manifest),
            "files": len(leaving),
            "bytes": sum(each.file.size for each in leaving),
            "outputRoot": output_root(FileDigest(each.path, each.file.sha256, each.file.size) for each in leaving),
            "leftOut": left_out,
        }

    async def _hand_over(self, ticket: str, leaving: Iterable[_Leaving]) -> None:
        """Hand over each content once, a few at a time. Raises the first failure."""
        distinct = iter({each.file.sha256: each for each in leaving}.values())
        failures: list[Exception] = []

        async def work(tasks: TaskGroup) -> None:
            try:
                for each in distinct:
                    await self._put(ticket, each.file.sha256, partial(_read_again, each))
            except (InsituError, OSError) as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(work, tasks)
        if failures:
            raise failures[0]

    async def _put(self, ticket: str, sha256: str, content: Callable[[], AsyncIterator[bytes]]) -> None:
        """Hand over one content, again and again while the error says that this may help."""
        patience = Patience(self._patience)
        while True:
            try:
                await self._gateway.put_output(ticket, sha256, content())
            except InsituError as error:
                if not error.definition.retry or patience.is_over:
                    raise
                logger.warning("the gateway does not take a file now: %s", error)
            else:
                return
            await patience.pause()


def _judge(plan: ExecutionPlan, workspace: Workspace) -> tuple[tuple[_Leaving, ...], int]:
    """Collect what leaves, sorted by path, and count what is left out. Blocking. Raises ``OutputRejected``."""
    judge = _Judge(plan.output)
    for stage in plan.published_stages:
        volume = _volume(workspace, stage)
        prefix = output_prefix(stage, plan.published_stages)
        judge.take(volume.output, stage, "output", prefix, plan.output.types)
    if plan.output.logs == "live":
        types = None if plan.output.types is None else tuple({*plan.output.types, *_LOG_TYPES})
        for stage in (each.index for each in plan.stages):
            volume = _volume(workspace, stage)
            prefix = "logs/" + (f"stage-{stage}/" if len(plan.stages) > 1 else "")
            judge.take(volume.logs, stage, "log", prefix, types)
            if volume.console is not None:
                judge.take_console(volume.console, stage, prefix)
    return judge.sorted(), judge.left_out


def _volume(workspace: Workspace, stage: int) -> OutputVolume:
    if stage not in workspace.outputs:
        raise InsituError("PublishingFailed", f"the output of stage {stage} is gone")
    return workspace.outputs[stage]


class _Judge:
    """Collects volume after volume within what the rules still allow."""

    def __init__(self, rules: OutputRules) -> None:
        self._rules = rules
        self._leaving: list[_Leaving] = []
        self.left_out = 0
        self._files = 0
        self._bytes = 0

    def take(self, folder: Path, stage: int, kind: str, prefix: str, types: tuple[str, ...] | None) -> None:
        """Take a folder of an algorithm, wholly or not at all."""
        limits = CollectionLimits(self._rules.max_bytes - self._bytes, self._rules.max_files - self._files)
        try:
            collection = collect(folder, limits, None if types is None else AllowedTypes(types))
        except OSError as error:  # its text would name the file
            message = f"the {kind} of stage {stage} cannot be read: {error.strerror}"
            raise InsituError("PublishingFailed", message) from error
        if collection.rejections:
            raise self._rejected(collection.rejections)
        for file in collection.files:
            self._add(_Leaving(folder, file, prefix + file.path, stage, kind))
        self.left_out += collection.left_out
        self._files += len(collection.files)

    def take_console(self, console: Path, stage: int, prefix: str) -> None:
        """Take what the container wrote to its console. It counts as bytes, and as no file of the algorithm."""
        file = _console(console)
        if file is None:
            return
        taken = {each.path for each in self._leaving}
        names = itertools.chain([CONSOLE], (f"console-{number}.log" for number in itertools.count(1)))
        name = next(name for name in names if prefix + name not in taken)
        self._add(_Leaving(console.parent, file, prefix + name, stage, "log"))

    def sorted(self) -> tuple[_Leaving, ...]:
        """Return what leaves, sorted by path."""
        collision = first_collision(each.path for each in self._leaving)
        if collision is not None:
            raise self._refusal("NameCollision", collision[0], f"and {self._named(collision[1])} are one file")
        return tuple(sorted(self._leaving, key=lambda each: each.path))

    def _add(self, leaving: _Leaving) -> None:
        problem = path_problem(leaving.path)
        if problem is not None:
            raise self._refusal("BadName", leaving.path, problem)
        self._bytes += delivered_bytes(leaving.path, leaving.file.size)
        if self._bytes > self._rules.max_bytes:
            raise InsituError(
                "OutputRejected", f"TooManyBytes: more than {self._rules.max_bytes} bytes in all, paths included"
            )
        self._leaving.append(leaving)

    def _rejected(self, rejections: tuple[Rejection, ...]) -> InsituError:
        first = rejections[0]
        more = f" (and {len(rejections) - 1} more)" if len(rejections) > 1 else ""
        return self._refusal(first.rule, first.path, first.message + more)

    def _refusal(self, rule: str, path: str, problem: str) -> InsituError:
        return InsituError("OutputRejected", f"{rule}: {self._named(path)} {problem}", rule=rule)

    def _named(self, path: str) -> str:
        """A name is written by the algorithm: it leaves with a reason only where text of the algorithm may leave."""
        return ascii(path)[1:-1][: self._rules.log_budget(_NAME_BYTES)] or "a file"


def _console(console: Path) -> CollectedFile | None:
    """Describe the console's file, which is ours; None where nothing was written."""
    try:
        with console.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            found = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InsituError("PublishingFailed", f"the console cannot be read: {error.strerror}") from error
    identity = (found.st_dev, found.st_ino, found.st_mtime_ns)
    return CollectedFile(console.name, found.st_size, digest, identity) if found.st_size else None


async def _stream(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await run_sync(next, chunks, None)) is not None:
        yield chunk


def _read_again(leaving: _Leaving) -> AsyncIterator[bytes]:
    return _stream(read_collected(leaving.folder, leaving.file))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
