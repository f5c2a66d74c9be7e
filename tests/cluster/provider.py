"""A provider on a cluster: a real operator and engine, real pods, and a gateway that they reach over HTTP."""

import contextlib
import hashlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
import uvicorn
from typing_extensions import override

from insitu.adapters.clock import SystemClock
from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes import KubernetesRuntime, Placement, PodImage
from insitu.api.app import build_app
from insitu.domain.execution import Execution
from insitu.domain.ids import AgreementId
from insitu.domain.plan import (
    Claim,
    ExecutionPlan,
    Fetch,
    ImageReference,
    InputFile,
    Limits,
    StageInput,
    StagePlan,
    Transformation,
)
from insitu.gateway.routes import ticket_router
from insitu.ports.peers import Capacity, LogKey
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder
from tests.doubles.plans import RULES, plan_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import RunningOperator, running_operator

LIMITS = Limits(
    server_id="small",
    cpu_millis=300,
    memory_bytes=96 << 20,
    disk_bytes=16 << 20,
    pids=64,
    log_bytes=1 << 20,
    max_execution_seconds=120,
)
ROOMY = Capacity(cpu_millis=1500, memory_bytes=4 << 30, disk_bytes=4 << 30)

Operator = RunningOperator[KubernetesRuntime]


class SlowGateway(RecordingGateway):
    """A gateway that takes its time where a test wants to look around: ``held`` names methods."""

    def __init__(self, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
        super().__init__(folder, files)
        self.held: set[str] = set()
        self.reached: dict[str, anyio.Event] = {}
        self._released = anyio.Event()

    def hold(self, method: str) -> anyio.Event:
        """Let calls of a method wait; return the event that one does."""
        self.held.add(method)
        return self.reached.setdefault(method, anyio.Event())

    def release(self) -> None:
        """Let everybody go on."""
        self.held.clear()
        self._released.set()
        self._released = anyio.Event()

    async def wait(self, method: str) -> None:
        if method in self.held:
            self.reached[method].set()
            await self._released.wait()

    @override
    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        await self.wait("fetch")
        async for chunk in super().fetch(ticket, reference):
            yield chunk

    @override
    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        await self.wait("put_output")
        await super().put_output(ticket, sha256, chunks)


@dataclass
class Provider:
    """One namespace of a cluster, its data, and the gateway."""

    root: Path
    access: ClusterAccess
    images: Images
    namespace: str
    gateway: SlowGateway
    gateway_url: str
    agreement: AgreementId = field(default_factory=lambda: AgreementId(secrets.token_hex(32)))
    pending: int = 60
    runtime_class: str | None = None
    storage_class: str | None = None
    """Another one than that of the tests."""
    registries: tuple[str, ...] | None = None
    proof_seconds: int = 3600
    records: bool = False
    """Whether executions are custom resources."""

    def placement(self) -> Placement:
        """How steps are placed."""
        pods = self.images.pods
        return Placement(
            pods=PodImage(f"{self.access.registry}/{pods.name}@{pods.digest}"),
            gateway_url=self.gateway_url,
            registry=self.access.registry,
            registries=self.registries,
            storage_class=self.storage_class or self.access.storage_class,
            runtime_class=self.runtime_class,
            pending=self.pending,
            proof_seconds=self.proof_seconds,
            owned=self.records,
        )

    @asynccontextmanager
    async def operator(
        self, *, capacity: Capacity = ROOMY, resync: timedelta = timedelta(seconds=30)
    ) -> AsyncIterator[Operator]:
        """Start the operator; the end of the block leaves behind what runs, as a killed process does."""
        async with Cluster(self.access.kubeconfig, self.namespace) as cluster:
            runtime = KubernetesRuntime(cluster, self.placement())
            started = running_operator(
                self.root / "operator",
                self.gateway,
                lambda _tasks, _clock: runtime,
                capacity=capacity,
                resync=resync,
                executions=KubernetesExecutions(cluster) if self.records else None,
            )
            async with started as operator:
                try:
                    yield operator
                finally:
                    await runtime.aclose()

    async def run(self, plan: ExecutionPlan) -> Execution:
        async with self.operator() as operator:
            execution = await operator.service.register(registration_of(plan))
            return await operator.until(execution.execution_id)

    def in_place(self, position: int, files: Mapping[str, str]) -> StageInput:
        """A data set that lies on a volume of the cluster."""
        folder = self.root / "data" / str(position)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        claim = claim_of_folder(self.access, self.namespace, self.root / "data")
        sources = (
            InputFile(index=at, name=name, source=Claim(claim=claim, path=f"{position}/{name}"))
            for at, name in enumerate(files)
        )
        return self._data_set(position, *sources)

    def fetched(self, position: int, name: str, content: str) -> StageInput:
        """A data set of one file that configure fetches."""
        reference = f"data-{position}"
        self.gateway.files[reference] = content.encode()
        return self._data_set(position, InputFile(index=0, name=name, source=Fetch(reference=reference)))

    def _data_set(self, position: int, *files: InputFile) -> StageInput:
        return StageInput(index=position * 10, position=position, did="did:nv:" + f"{position:064x}", files=files)

    def stage(self, index: int, source: str, *inputs: StageInput) -> StagePlan:
        """A stage that runs the source on the inputs."""
        reference, content = f"code-{index}-{hashlib.sha256(source.encode()).hexdigest()[:8]}", source.encode()
        self.gateway.files[reference] = content
        sha256 = hashlib.sha256(content).hexdigest()
        file = InputFile(index=0, name="main.py", source=Fetch(reference=reference), sha256=sha256, size=len(content))
        arguments = [f"--input{each.position}=/mnt/volume{each.position}" for each in inputs]
        python = self.images.python
        return StagePlan(
            index=index,
            image=ImageReference(image=python.name, tag=python.tag, digest=python.digest),
            argv=("python", "-I", "-S", "-B", "main.py", *arguments, "--output=/mnt/output", "--logs=/mnt/logs"),
            inputs=inputs,
            transformation=Transformation(did="did:nv:" + f"a{index:063x}", files=(file,)),
        )

    def plan(
        self, *stages: StagePlan, agreement: AgreementId | None = None, number: int = 0, **limits: int
    ) -> ExecutionPlan:
        """The plan of an execution of these stages."""
        return plan_of(
            *stages,
            agreement=agreement or self.agreement,
            number=number,
            limits=LIMITS.model_copy(update=limits),
            output=RULES.model_copy(update={"max_bytes": 8 << 20}),
            now=SystemClock().now(),
        )

    def result(self, execution: Execution) -> dict[str, str]:
        """The published files by path."""
        assert execution.published is not None, execution.reason
        manifest = json.loads(self.gateway.blob(str(execution.published["manifest"])))
        return {file["path"]: self.gateway.blob(file["sha256"]).decode() for file in manifest}


@asynccontextmanager
async def provider_on(access: ClusterAccess, images: Images, namespace: str, root: Path) -> AsyncIterator[Provider]:
    """A provider whose gateway answers until the block ends."""
    gateway = SlowGateway(root / "gateway")
    app = build_app("gateway of a test", "0", [ticket_router(gateway)], max_body_bytes=64 << 20)
    listening = socket.create_server((access.host, 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment] # pytest has its own
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listening])
        url = f"http://{access.host}:{listening.getsockname()[1]}"
        try:
            yield Provider(root, access, images, namespace, gateway, url, runtime_class=access.runtime_class)
        finally:
            gateway.release()
            server.should_exit = True


async def log_of(operator: Operator, execution: Execution, *, stage: int = 0, attempt: int = 1) -> str:
    """The whole log of an attempt, once it has ended."""
    key = LogKey(stage=stage, attempt=attempt)
    chunks = operator.service.logs(execution.agreement_id, execution.execution_id, key, follow=True)
    return b"".join([chunk.data async for chunk in chunks]).decode()


async def says(operator: Operator, execution: Execution, text: bytes, *, stage: int = 0, attempt: int = 1) -> None:
    """Return once the algorithm has printed a text: it arrives through the live log."""
    key, seen = LogKey(stage=stage, attempt=attempt), b""
    async for chunk in operator.service.logs(execution.agreement_id, execution.execution_id, key, follow=True):
        seen += chunk.data
        if text in seen:
            return
    raise AssertionError(f"the log ended without {text!r}: {seen!r}")
