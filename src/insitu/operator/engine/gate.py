"""A runtime that is not touched before it has recovered; deadlines go on meanwhile."""

from collections.abc import AsyncIterator, Mapping

import anyio
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepStatus
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ImageReference
from insitu.ports.runtime import Enforcement, LogChunk, Runtime, Step

__all__ = ["GatedRuntime"]


class GatedRuntime(Runtime):
    """Passes everything on once ``recover`` has returned; until then it does not answer."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.recovered = anyio.Event()

    @override
    async def recover(self) -> None:
        await self._runtime.recover()
        self.recovered.set()

    @override
    async def require_image(self, image: ImageReference) -> None:
        await self._runtime.require_image(image)

    @override
    async def ensure(self, step: Step) -> None:
        await self._open().ensure(step)

    @override
    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        return await self._open().observe(execution_id)

    @override
    async def running(self) -> frozenset[ExecutionId]:
        return await self._open().running()

    @override
    def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        return self._open().logs(execution_id, key, offset)

    @override
    async def kill(self, execution_id: ExecutionId) -> None:
        await self._open().kill(execution_id)

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        await self._open().remove(execution_id)

    @override
    async def changed(self) -> frozenset[ExecutionId] | None:
        await self.recovered.wait()
        return await self._runtime.changed()

    @override
    async def probe(self) -> Enforcement:
        await self.recovered.wait()
        return await self._runtime.probe()

    @override
    async def proof(self) -> Enforcement | None:
        return await self._runtime.proof()

    def _open(self) -> Runtime:
        if not self.recovered.is_set():
            raise InsituError("InfrastructureFailed", "the runtime has not recovered since the start")
        return self._runtime
