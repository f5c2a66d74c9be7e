"""The operator service in another process (E3, E4), for the gateway, which shares its key."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TypeVar

import anyio
from typing_extensions import override

from insitu.api import operator_v1 as wire
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Stopper
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogState
from insitu.domain.plan import ImageReference
from insitu.domain.wire import WireModel
from insitu.ports.peers import Capacity, LogKey, OperatorPeer, Registration
from insitu.ports.runtime import Enforcement, LogChunk
from insitu.sdk.http import Http
from insitu.waiting import Backoff

Answer = TypeVar("Answer", bound=WireModel)

RETRY, RETRIES = Backoff(0.2, 5.0, factor=2.5, jitter=0.2), 7
"""Between two connections that bring nothing, and how many more there are before a followed log counts as lost."""


class HttpOperator(OperatorPeer):
    """An operator service over HTTP.

    Parameters
    ----------
    url
        Address of the server, without the path of the API.
    service_key
        The secret that the gateway and the operator share.
    """

    def __init__(self, http: Http, url: str, service_key: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {service_key}"}

    @override
    async def register(self, registration: Registration) -> Execution:
        options = {"json": registration, "headers": self._headers, "idempotent": True}
        return (await self._http.model(wire.ExecutionAnswer, "POST", self._url + wire.WORKFLOWS, **options)).execution

    @override
    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Execution:
        return (await self._get(wire.ExecutionAnswer, _path(agreement_id, execution_id))).execution

    @override
    async def position(self, agreement_id: AgreementId, execution_id: ExecutionId) -> int:
        return (await self._get(wire.ExecutionAnswer, _path(agreement_id, execution_id))).position

    @override
    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        return (await self._get(wire.ExecutionsAnswer, wire.WORKFLOWS, {"serviceAgreementId": agreement_id})).executions

    @override
    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        address, body = self._url + _path(agreement_id, execution_id), wire.StopBody(by=by)
        return (
            await self._http.model(wire.ExecutionAnswer, "DELETE", address, json=body, headers=self._headers)
        ).execution

    @override
    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        return (await self._get(wire.LogKeysAnswer, _path(agreement_id, execution_id) + "/logs")).keys

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
        address, fruitless = f"{self._url}{_path(agreement_id, execution_id)}/logs/{key.stage}/{key.attempt}", 0
        while True:
            try:
                async for chunk in self._stream_once(address, offset, follow=follow, counted=counted):
                    offset, fruitless = chunk.end, 0
                    yield chunk
            except InsituError as error:
                if error.code != "PeerUnavailable" or fruitless == RETRIES:
                    raise
            else:
                return
            await anyio.sleep(RETRY.pause(fruitless))
            fruitless += 1

    @override
    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        return (await self._get(wire.LogStateAnswer, _path(agreement_id, execution_id) + "/logs-state")).state

    @override
    async def require_images(self, images: Sequence[ImageReference]) -> None:
        body = wire.ImagesBody(images=tuple(images))
        await self._http.call("POST", self._url + wire.IMAGES, json=body, headers=self._headers, idempotent=True)

    @override
    async def capacity(self) -> Capacity:
        return await self._get(Capacity, wire.CAPACITY)

    @override
    async def proof(self) -> Enforcement:
        answer = await self._get(wire.ProofAnswer, wire.PROOF)
        return Enforcement(answer.runtime, answer.limits)

    async def _get(self, kind: type[Answer], path: str, params: Mapping[str, str | None] | None = None) -> Answer:
        return await self._http.model(kind, "GET", self._url + path, params=params, headers=self._headers)

    async def _stream_once(self, address: str, offset: int, *, follow: bool, counted: bool) -> AsyncIterator[LogChunk]:
        """Stream a log over one connection. Raises ``PeerUnavailable`` if it breaks."""
        params = {"offset": offset, "follow": follow, "counted": counted}
        async with self._http.stream("GET", address, params=params, headers=self._headers, quiet=follow) as response:
            begin = int(response.headers.get(wire.LOG_OFFSET_HEADER, offset))
            async for data in response.aiter_bytes():
                yield LogChunk(offset=begin, data=data)
                begin += len(data)


def _path(agreement_id: AgreementId, execution_id: ExecutionId) -> str:
    return f"{wire.WORKFLOWS}/{agreement_id}/{execution_id}"
