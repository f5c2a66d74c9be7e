"""The runtime port on one machine: Compute Pods in sealed containers, the other two as functions in this process."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import JsonValue

from insitu.adapters.runtime.oci.cgroups import Cgroups
from insitu.adapters.runtime.oci.console import follow
from insitu.adapters.runtime.oci.containers import Containers
from insitu.adapters.runtime.oci.folders import Folders, ended_now
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.adapters.runtime.oci.launch import (
    LOGS,
    OUTPUT,
    SANDBOX_GID,
    Launch,
    Machine,
    launch,
    sandbox_uid,
    volume_folder,
)
from insitu.adapters.runtime.oci.probe import Probe, cgroups_of, probe_machine, sweep_probes
from insitu.adapters.runtime.oci.process import Monitor
from insitu.adapters.runtime.oci.readable import check_readable
from insitu.adapters.runtime.oci.staging import input_places
from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepKind, StepStatus
from insitu.domain.ids import ExecutionId, annotations
from insitu.domain.plan import ImageReference
from insitu.ports.pods import ConfigurePod, OutputVolume, PublishPod, Workspace
from insitu.ports.runtime import Enforcement, LogChunk, Step

logger = logging.getLogger(__name__)
_RESTARTED = "the provider's process was restarted while the step ran"


class OciRuntime:
    """Runs the steps of executions below one folder (`insitu.ports.runtime.Runtime`).

    What is kept in memory only saves time: the result of the probe, the tasks of pods, the bells of monitors. All of
    it can be lost at any moment, and :meth:`recover` puts things right.

    Parameters
    ----------
    runs
        Folder of the runs, made for this user alone if it does not exist; one folder per execution, with its mounts.
    images
        Where the images of the plans are.
    configure, publish
        The two pods that run as functions.
    allow_unlimited
        Accept a machine that cannot limit memory (rootless without control groups); the receipt says so.
    runtimes
        Names or paths of OCI runtimes, the preferred one first.
    """

    def __init__(
        self,
        *,
        runs: Path,
        images: ImageStore,
        configure: ConfigurePod,
        publish: PublishPod,
        allow_unlimited: bool = False,
        runtimes: tuple[str, ...] = ("crun", "runc"),
    ) -> None:
        self._runs = runs.absolute()
        self._runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._configure = configure
        self._publish = publish
        self._allow_unlimited = allow_unlimited
        self._runtimes = runtimes
        self._folders = Folders(self._runs)
        self._cgroups: Cgroups | None = cgroups_of(self._runs)
        self._images = images
        self._containers = Containers(self._folders, self._cgroups)
        self._probed: Probe | None = None
        self._probing = anyio.Lock()
        self._changed = asyncio.Event()
        self._pods: dict[tuple[ExecutionId, StepKey], asyncio.Task[None]] = {}
        self._bells: set[int] = set()

    async def require_image(self, image: ImageReference) -> None:
        """Raise ``ImageUnavailable`` if the image is not on this machine. See `Runtime.require_image`."""
        try:
            await self._images.find(image.digest)
        except InsituError as error:
            raise InsituError("ImageUnavailable", error.detail) from error

    async def ensure(self, step: Step) -> None:
        """Start the step unless it runs or has ended. See `Runtime.ensure`."""
        if step.key.kind is StepKind.COMPUTE:
            await self._ensure_container(step)
        else:
            await self._ensure_pod(step)

    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        """Return the steps of the execution. See `Runtime.observe`."""
        return await to_thread.run_sync(partial(self._containers.observe, execution_id))

    async def running(self) -> frozenset[ExecutionId]:
        """Return the executions that have anything here. See `Runtime.running`."""
        return await to_thread.run_sync(self._containers.running)

    def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        """Follow the captured output of a compute step. See `Runtime.logs`."""

        def has_ended() -> bool:
            status = self._folders.status(execution_id, key)
            return status is None or status.state == "ended"

        return follow(self._folders.run(execution_id, key.stage, key.attempt).log, has_ended, offset)

    async def kill(self, execution_id: ExecutionId) -> None:
        """End every running step of the execution. See `Runtime.kill`."""
        for (owner, key), task in list(self._pods.items()):
            if owner == execution_id:
                task.cancel()
                await asyncio.wait([task])
                self._folders.end(execution_id, key, ended_now("Interrupted", "the step was stopped"))
        await to_thread.run_sync(partial(self._containers.kill, execution_id, "stopped", "the container was stopped"))
        self._changed.set()

    async def remove(self, execution_id: ExecutionId) -> None:
        """Delete everything of the execution. See `Runtime.remove`."""
        await self.kill(execution_id)
        try:
            await to_thread.run_sync(partial(self._containers.remove, execution_id))
        except OSError as error:
            raise InsituError("StorageFailed", f"an execution could not be cleaned up: {error}") from error

    async def changed(self) -> None:
        """Return when any step's status may have changed. See `Runtime.changed`."""
        await self._changed.wait()
        self._changed.clear()

    async def recover(self) -> None:
        """End what the last process left running. See `Runtime.recover`."""
        await to_thread.run_sync(partial(sweep_probes, self._runs, self._cgroups))
        for execution_id in await self.running():
            for key in self._folders.steps(execution_id):
                if key.kind is not StepKind.COMPUTE and (execution_id, key) not in self._pods:
                    self._folders.end(execution_id, key, ended_now("Interrupted", _RESTARTED))
            await to_thread.run_sync(partial(self._containers.recover, execution_id, _RESTARTED))
        self._changed.set()

    async def probe(self) -> Enforcement:
        """Prove the seal with a real run and return what is enforced. See `Runtime.probe`."""
        async with self._probing:
            self._probed = await to_thread.run_sync(probe_machine, self._runs, self._cgroups, self._runtimes)
            return self._judge(self._probed)

    async def proof(self) -> Enforcement | None:
        """Return what the last probe of this process found. See `Runtime.proof`."""
        return None if self._probed is None else self._judge(self._probed)

    def _judge(self, found: Probe) -> Enforcement:
        refusals = found.refusals
        if not refusals and found.limits.get("memory") == "none" and not self._allow_unlimited:
            ways = "run as root, or where systemd delegates control groups, or set operator.allow_unlimited"
            refusals = (f"memory cannot be limited here: {ways} for algorithms that you trust",)
        return Enforcement(runtime=found.runtime, limits=found.limits, refusals=refusals)

    async def aclose(self) -> None:
        """Release tasks and descriptors. What runs goes on, and the next :meth:`recover` finds it."""
        tasks = list(self._pods.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for bell in self._bells:
            asyncio.get_running_loop().remove_reader(bell)
            os.close(bell)
        self._bells.clear()

    # ------------------------------------------------------------------------------------------------------ containers

    async def _ensure_container(self, step: Step) -> None:
        execution_id, key = step.plan.workflow_execution_id, step.key
        machine, refusals = await self._machine()
        if machine is None:
            message = "; ".join(refusals)
            refuse = partial(self._containers.refuse, execution_id, key, "InfrastructureFailed", message)
            await to_thread.run_sync(refuse)
            self._changed.set()
            return
        monitor = await to_thread.run_sync(partial(self._start, machine, step))
        if monitor is not None:
            self._listen(monitor)
        self._changed.set()

    def _start(self, machine: Machine, step: Step) -> Monitor | None:
        """Launch the step unless it is running or has ended; if it cannot start, it ends with a reason."""
        execution_id, key = step.plan.workflow_execution_id, step.key
        files = self._folders.files(execution_id, key.stage, key.attempt)
        try:
            order = Launch(
                folder=self._folders.run(execution_id, key.stage, key.attempt),
                uid=sandbox_uid(execution_id),
                stage=step.plan.stage(key.stage),
                limits=step.plan.limits,
                deadline=step.deadline,
                fetched=files / "fetched",
                algorithm=files / "algorithm",
                outputs={s: v.output for s, v in self._volumes(step, machine.rootless).items()},
                annotations=annotations(step.plan.service_agreement_id, execution_id),
            )
            return launch(machine, self._images, order)
        except InsituError as error:
            self._containers.refuse(execution_id, key, error.code, error.detail)
            return None

    def _listen(self, monitor: Monitor) -> None:
        """Report a change when the monitor rings, and reap the monitor when it has ended."""
        loop = asyncio.get_running_loop()

        def rung() -> None:
            self._changed.set()
            if os.read(monitor.bell, 64):
                return
            loop.remove_reader(monitor.bell)
            self._bells.discard(monitor.bell)
            os.close(monitor.bell)
            with suppress(ChildProcessError):  # it closed the bell as its last act
                os.waitpid(monitor.pid, 0)

        loop.add_reader(monitor.bell, rung)
        self._bells.add(monitor.bell)

    def _volumes(self, step: Step, rootless: bool) -> dict[int, OutputVolume]:
        """Return the volumes of the stages that ended well before this step.

        Raises ``InfrastructureFailed`` if one is gone: a missing folder must not pass for an empty output.
        """
        found = {}
        for stage, attempt in step.attempts.items():
            run = self._folders.run(step.plan.workflow_execution_id, stage, attempt)
            output, logs = (volume_folder(run, target, rootless=rootless) for target in (OUTPUT, LOGS))
            if not output.is_dir():
                raise InsituError("InfrastructureFailed", f"the output of stage {stage} is no longer mounted")
            found[stage] = OutputVolume(stage, output, logs, run.log)
        return found

    # ------------------------------------------------------------------------------------------------------------ pods

    async def _ensure_pod(self, step: Step) -> None:
        execution_id, key = step.plan.workflow_execution_id, step.key
        if (execution_id, key) in self._pods or not self._folders.begin(execution_id, key):
            return
        task = asyncio.create_task(self._run_pod(step), name=f"{key} of {execution_id}")
        self._pods[execution_id, key] = task

        def done(_: object) -> None:
            del self._pods[execution_id, key]
            self._changed.set()

        task.add_done_callback(done)

    async def _run_pod(self, step: Step) -> None:
        execution_id, key = step.plan.workflow_execution_id, step.key
        started = self._folders.begun_at(execution_id, key)
        left = (step.deadline - datetime.now(UTC)).total_seconds()
        try:
            with anyio.fail_after(max(left, 0.0)):
                result = await self._call_pod(step)
        except InsituError as error:
            status = ended_now(error.code, error.detail, started)
        except TimeoutError:
            status = ended_now("InfrastructureFailed", f"{key.kind} did not end before its deadline", started)
        except Exception as error:
            # A defect of a pod ends its step, and is logged in full.
            logger.exception("%s of %s failed", key, execution_id)
            status = ended_now("InfrastructureFailed", f"{key.kind} failed: {type(error).__name__}", started)
        else:
            status = StepStatus(state="ended", started_at=started, ended_at=datetime.now(UTC), result=result)
        self._folders.end(execution_id, key, status)

    async def _call_pod(self, step: Step) -> dict[str, JsonValue]:
        key = step.key
        files = self._folders.files(step.plan.workflow_execution_id, key.stage, key.attempt)
        fetched, algorithm = files / "fetched", files / "algorithm"
        rootless = os.geteuid() != 0
        workspace = Workspace(fetched, algorithm, self._volumes(step, rootless))
        if key.kind is StepKind.PUBLISH:
            return await self._publish(step, workspace)
        await to_thread.run_sync(partial(_make_workspace, step, fetched, algorithm))
        result = await self._configure(step, workspace)
        await to_thread.run_sync(partial(self._prove_readable, step, workspace, rootless))
        return result

    def _prove_readable(self, step: Step, workspace: Workspace, rootless: bool) -> None:
        for folder in (workspace.fetched, workspace.algorithm):
            _open_to_all(folder)
        identity = None if rootless else (sandbox_uid(step.plan.workflow_execution_id), SANDBOX_GID)
        outputs = {stage: volume.output for stage, volume in workspace.outputs.items()}
        for place in input_places(step.plan.stage(step.key.stage), workspace.fetched, outputs):
            if place.root is not None:
                check_readable(place.root, place.path, identity)

    # ----------------------------------------------------------------------------------------------------------- probe

    async def _machine(self) -> tuple[Machine | None, tuple[str, ...]]:
        # After a refusal probe again: what was missing may have been installed.
        proved = await self.proof() or await self.probe()
        proved = await self.probe() if proved.refusals else proved
        found = self._probed
        if proved.refusals or found is None or found.binary is None:
            return None, proved.refusals
        return Machine(
            binary=found.binary,
            cgroups=self._cgroups if found.grouped else None,
            enforced=found.limits,
            templates=self._runs / ".templates",
            rootless=found.rootless,
        ), ()


def _make_workspace(step: Step, fetched: Path, algorithm: Path) -> None:
    for folder in (algorithm, fetched):
        folder.mkdir(parents=True, exist_ok=True)
    for item in step.plan.stage(step.key.stage).inputs:
        (fetched / str(item.position)).mkdir(parents=True, exist_ok=True)


def _open_to_all(folder: Path) -> None:
    """Let another user in the sandbox read what configure wrote, whatever the umask of this process."""
    for above, folders, files in os.walk(folder):
        for name in folders:
            (Path(above) / name).chmod(0o755)
        for name in files:
            path = Path(above) / name
            path.chmod(path.stat().st_mode & 0o777 | 0o444)
    folder.chmod(0o755)
