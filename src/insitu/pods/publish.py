"""The Publishing Pod: collects the output under the owners' rules and hands it to the gateway (E6)."""

import hashlib
import itertools
import logging
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
from insitu.domain.media_types import media_type
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.plan import ExecutionPlan, OutputRules
from insitu.domain.workflow import output_prefix
from insitu.pods.collector import CHUNK_BYTES, CollectedFile, CollectionLimits, Rejection, collect, read_collected
from insitu.pods.patience import PATIENCE, Patience
from insitu.ports.peers import GatewayPeer
from insitu.ports.pods import OutputVolume, Workspace
from insitu.ports.runtime import LogShare, Step

logger = logging.getLogger("insitu.pods")

AT_ONCE = 4
"""Files that are handed over at the same time."""

_NAME_BYTES = 200
"""The most bytes of a name that a reason shows."""

CONSOLE = "console.log"
_LOG_TYPES = frozenset({".log", ".txt"})
"""The suffixes that a log may always have, whatever types the owners allow."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A file that leaves: where it is, and what the result calls it."""

    folder: Path
    file: CollectedFile
    path: str
    stage: int
    kind: str
    cut: bool = False
    """Only the first ``file.size`` bytes leave."""

    @property
    def entry(self) -> dict[str, JsonValue]:
        """The file in the manifest."""
        return {
            "path": self.path,
            "stage": self.stage,
            "kind": self.kind,
            "size": self.file.size,
            "sha256": self.file.sha256,
            "contentType": media_type(self.path),
        }


class Publish:
    """Hands over the result of an execution. Implements :class:`insitu.ports.pods.PublishPod`.

    Nothing is handed over before everything is judged, and handing over again is harmless. ``patience``: seconds for
    which a file is offered again if the gateway, or its store, does not take it: what was computed is not given up.
    """

    def __init__(self, gateway: GatewayPeer, *, patience: float = PATIENCE) -> None:
        self._gateway = gateway
        self._patience = patience

    async def __call__(self, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
        """Collect, judge, hand over; return ``{"manifest", "files", "bytes", "outputRoot", "leftOut"}``.

        The manifest is the canonical JSON of the list of files, sorted by path: path, stage, kind (``output`` or
        ``log``), size, sha256, contentType. ``outputRoot`` is the Merkle root over them. ``leftOut`` counts the files
        and folders that stay behind: their names begin with a dot, or the log budget is used up.

        Raises ``OutputRejected`` with the rule; ``PublishingFailed``.
        """
        # This only reads, so a stop does not wait for the digests of a large output.
        leaving, left_out = await run_sync(_judge, step.plan, step.logs, workspace, abandon_on_cancel=True)
        manifest = canonical_json([leaves.entry for leaves in leaving])
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
            "bytes": sum(leaves.file.size for leaves in leaving),
            "outputRoot": output_root(
                FileDigest(leaves.path, leaves.file.sha256, leaves.file.size) for leaves in leaving
            ),
            "leftOut": left_out,
        }

    async def _hand_over(self, ticket: str, leaving: Iterable[_Leaving]) -> None:
        """Hand over each content once, a few at a time. Raises the first failure."""
        distinct = iter({leaves.file.sha256: leaves for leaves in leaving}.values())
        failures: list[Exception] = []

        async def work(tasks: TaskGroup) -> None:
            try:
                for leaves in distinct:
                    await self._put(ticket, leaves.file.sha256, partial(_read_again, leaves))
            except (InsituError, OSError) as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(work, tasks)
        if failures:
            raise failures[0]

    async def _put(self, ticket: str, sha256: str, content: Callable[[], AsyncIterator[bytes]]) -> None:
        """Hand over one content, and try again as long as the error says that this may help."""
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


def _judge(plan: ExecutionPlan, logs: LogShare, workspace: Workspace) -> tuple[tuple[_Leaving, ...], int]:
    """Collect what leaves, sorted by path, and count what is left out. Blocking. Raises ``OutputRejected``."""
    judge = _Judge(plan.output, logs)
    for stage in plan.published_stages:
        volume = _volume(workspace, stage)
        prefix = output_prefix(stage, plan.published_stages)
        judge.take_output(volume.output, stage, prefix)
    if plan.output.lets_logs_out:
        for stage in (planned.index for planned in plan.stages):
            volume = _volume(workspace, stage)
            prefix = "logs/" + (f"stage-{stage}/" if len(plan.stages) > 1 else "")
            judge.take_logs(volume.logs, stage, prefix)
            if volume.console is not None:
                judge.take_console(volume.console, stage, prefix)
    return judge.sorted(), judge.left_out


def _volume(workspace: Workspace, stage: int) -> OutputVolume:
    if stage not in workspace.outputs:
        raise InsituError("PublishingFailed", f"the output of stage {stage} is gone")
    return workspace.outputs[stage]


class _Judge:
    """Collects volume after volume within what the rules still allow: one budget for files, one for log text."""

    def __init__(self, rules: OutputRules, logs: LogShare) -> None:
        self._rules = rules
        self._logs = logs
        self._log_bytes = logs.files
        self._leaving: list[_Leaving] = []
        self.left_out = 0
        self._files = 0
        self._bytes = 0

    def take_output(self, folder: Path, stage: int, prefix: str) -> None:
        """Take the output of a stage, all of it or nothing."""
        left = self._rules.max_bytes - self._bytes
        limits = CollectionLimits(left, self._rules.max_files - self._files, prefix=prefix)
        self._bytes += self._take(folder, stage, "output", limits, self._rules.types)

    def take_logs(self, folder: Path, stage: int, prefix: str) -> None:
        """Take the files of a logs volume within the log budget; what does not fit is left out."""
        left = self._rules.max_files - self._files
        limits = CollectionLimits(self._log_bytes, left, prefix=prefix, leave_out=True)
        types = None if self._rules.types is None else tuple({*self._rules.types, *_LOG_TYPES})
        self._log_bytes -= self._take(folder, stage, "log", limits, types)

    def _take(
        self, folder: Path, stage: int, kind: str, limits: CollectionLimits, types: tuple[str, ...] | None
    ) -> int:
        """Take a folder of an algorithm, and return how many bytes leave with it."""
        try:
            collection = collect(folder, limits, None if types is None else AllowedTypes(types))
        except OSError as error:  # its text would name the file
            message = f"the {kind} of stage {stage} cannot be read: {error.strerror}"
            raise InsituError("PublishingFailed", message) from error
        if collection.rejections:
            raise self._rejection(collection.rejections)
        self.left_out += collection.left_out
        self._files += len(collection.files)
        for file in collection.files:
            self._add(_Leaving(folder, file, limits.prefix + file.path, stage, kind))
        return sum(delivered_bytes(limits.prefix + file.path, file.size) for file in collection.files)

    def take_console(self, console: Path, stage: int, prefix: str) -> None:
        """Take the released part of what the container wrote to its console. It is not a file of the algorithm."""
        file = _console(console, self._logs.consoles.get(stage, 0))
        if file is None:
            return
        taken = {leaves.path for leaves in self._leaving}
        names = itertools.chain([CONSOLE], (f"console-{number}.log" for number in itertools.count(1)))
        name = next(name for name in names if prefix + name not in taken)
        self._add(_Leaving(console.parent, file, prefix + name, stage, "log", cut=True))

    def sorted(self) -> tuple[_Leaving, ...]:
        """Return what leaves, sorted by path."""
        collision = first_collision(leaves.path for leaves in self._leaving)
        if collision is not None:
            raise self._refusal("NameCollision", collision[0], f"and {self._shown(collision[1])} are one file")
        return tuple(sorted(self._leaving, key=lambda leaves: leaves.path))

    def _add(self, leaving: _Leaving) -> None:
        problem = path_problem(leaving.path)
        if problem is not None:
            raise self._refusal("BadName", leaving.path, problem)
        self._leaving.append(leaving)

    def _rejection(self, rejections: tuple[Rejection, ...]) -> InsituError:
        first = rejections[0]
        more = f" (and {len(rejections) - 1} more)" if len(rejections) > 1 else ""
        return self._refusal(first.rule, first.path, first.message + more)

    def _refusal(self, rule: str, path: str, problem: str) -> InsituError:
        return InsituError("OutputRejected", f"{rule}: {self._shown(path)} {problem}", rule=rule)

    def _shown(self, path: str) -> str:
        """Return a name for a reason. The algorithm wrote it, so only as much leaves as the log budget allows."""
        return ascii(path)[1:-1][: self._rules.log_budget(min(_NAME_BYTES, self._logs.files))] or "a file"


def _console(console: Path, most: int) -> CollectedFile | None:
    """Describe the first bytes of the console's file, which is ours; None if there are none."""
    digest, size = hashlib.sha256(), 0
    try:
        with console.open("rb") as file:
            while chunk := file.read(min(CHUNK_BYTES, most - size)):
                size += len(chunk)
                digest.update(chunk)
            found = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InsituError("PublishingFailed", f"the console cannot be read: {error.strerror}") from error
    identity = (found.st_dev, found.st_ino, found.st_mtime_ns)
    return CollectedFile(console.name, size, digest.hexdigest(), identity) if size else None


async def _stream(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await run_sync(next, chunks, None)) is not None:
        yield chunk


def _read_again(leaving: _Leaving) -> AsyncIterator[bytes]:
    return _stream(read_collected(leaving.folder, leaving.file, cut=leaving.cut))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
