"""The operator service in another process, for the gateway."""

from collections.abc import AsyncIterator, Sequence

import anyio
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Stopper
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogState
from insitu.domain.plan import ImageReference
from insitu.ports.peers import Capacity, LogKey, OperatorPeer, Registration
from insitu.ports.runtime import Enforcement, LogChunk
from insitu.sdk.http import Http
from insitu.sdk.operator import OperatorClient

__all__ = ["HttpOperator"]

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0)
"""Seconds between two connections that bring nothing, before a followed log counts as lost."""


class HttpOperator(OperatorPeer):
    """An operator service over HTTP; ``url`` is its address without the path of the API."""

    def __init__(self, http: Http, url: str, service_key: str) -> None:
        self._client = OperatorClient(http, url, service_key)

    @override
    async def require_images(self, images: Sequence[ImageReference]) -> None:
        await self._client.require_images(images)

    @override
    async def register(self, registration: Registration) -> Execution:
        return await self._client.register(registration)

    @override
    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Execution:
        return (await self._client.status(agreement_id, execution_id)).execution

    @override
    async def position(self, agreement_id: AgreementId, execution_id: ExecutionId) -> int:
        return (await self._client.status(agreement_id, execution_id)).position

    @override
    async def logs(
        self,
        agreement_id: AgreementId,
        execution_id: ExecutionId,
        key: LogKey,
        offset: int = 0,
        *,
        follow: bool = False,
        counted: bool = True,
    ) -> AsyncIterator[LogChunk]:
        fruitless = 0
        while True:
            try:
                chunks = self._client.logs(agreement_id, execution_id, key, offset, follow=follow, counted=counted)
                async for chunk in chunks:
                    offset, fruitless = chunk.end, 0
                    yield chunk
            except InsituError as error:
                if error.code != "PeerUnavailable" or fruitless == len(PAUSES):
                    raise
            else:
                return
            await anyio.sleep(PAUSES[fruitless])
            fruitless += 1

    @override
    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        return await self._client.log_state(agreement_id, execution_id)

    @override
    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        return await self._client.log_keys(agreement_id, execution_id)

    @override
    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        return await self._client.stop(agreement_id, execution_id, by)

    @override
    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        return await self._client.list(agreement_id)

    @override
    async def capacity(self) -> Capacity:
        return await self._client.capacity()

    @override
    async def proof(self) -> Enforcement:
        return await self._client.proof()
