"""A client of one OPERATOR SERVICE (E3, E4); only the configured gateway has its key."""

from collections.abc import AsyncIterator, Sequence

from insitu.api.operator_v1 import (
    CAPACITY,
    IMAGES,
    LOG_OFFSET_HEADER,
    PROOF,
    WORKFLOWS,
    ExecutionAnswer,
    ExecutionsAnswer,
    ImagesBody,
    LogKeysAnswer,
    LogStateAnswer,
    ProofAnswer,
    StopBody,
)
from insitu.domain.execution import Execution, Stopper
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogState
from insitu.domain.plan import ImageReference
from insitu.ports.peers import Capacity, LogKey, Registration
from insitu.ports.runtime import Enforcement, LogChunk
from insitu.sdk.http import Http

__all__ = ["OperatorClient"]


class OperatorClient:
    """Calls one operator service.

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

    async def register(self, registration: Registration) -> Execution:
        """E3: start an execution; the same one again returns its record."""
        body = registration.model_dump(mode="json")
        address = self._url + WORKFLOWS
        answer = await self._http.model(
            ExecutionAnswer, "POST", address, json=body, headers=self._headers, idempotent=True
        )
        return answer.execution

    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> ExecutionAnswer:
        """Return the record and its place in the queue."""
        address = self._one(agreement_id, execution_id)
        return await self._http.model(ExecutionAnswer, "GET", address, headers=self._headers)

    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        """List executions, newest first."""
        params = {"serviceAgreementId": agreement_id}
        answer = await self._http.model(
            ExecutionsAnswer, "GET", self._url + WORKFLOWS, params=params, headers=self._headers
        )
        return answer.executions

    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        """Ask for the end."""
        body = StopBody(by=by).model_dump(mode="json")
        address = self._one(agreement_id, execution_id)
        answer = await self._http.model(ExecutionAnswer, "DELETE", address, json=body, headers=self._headers)
        return answer.execution

    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        """List the logs of an execution, in order of stage and attempt."""
        address = self._one(agreement_id, execution_id) + "/logs"
        return (await self._http.model(LogKeysAnswer, "GET", address, headers=self._headers)).keys

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
        """Stream a log from ``offset``. A connection that breaks raises ``PeerUnavailable``; go on behind what came."""
        address = f"{self._one(agreement_id, execution_id)}/logs/{key.stage}/{key.attempt}"
        params = {"offset": offset, "follow": "true" if follow else "false", "counted": "true" if counted else "false"}
        async with self._http.stream("GET", address, params=params, headers=self._headers, quiet=follow) as response:
            begin = int(response.headers.get(LOG_OFFSET_HEADER, offset))
            async for data in response.aiter_bytes():
                yield LogChunk(offset=begin, data=data)
                begin += len(data)

    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        """Tell whether the consumer may see more of the logs."""
        address = self._one(agreement_id, execution_id) + "/logs-state"
        return (await self._http.model(LogStateAnswer, "GET", address, headers=self._headers)).state

    async def require_images(self, images: Sequence[ImageReference]) -> None:
        """Raise ``ImageUnavailable`` where one of the images is known to be missing."""
        body = ImagesBody(images=tuple(images)).model_dump(mode="json")
        await self._http.call("POST", self._url + IMAGES, json=body, headers=self._headers, idempotent=True)

    async def capacity(self) -> Capacity:
        """Return what the operator offers in all."""
        return await self._http.model(Capacity, "GET", self._url + CAPACITY, headers=self._headers)

    async def proof(self) -> Enforcement:
        """Return what the runtime proved. Raises ``RuntimeUnavailable``, ``IsolationNotEnforced``."""
        answer = await self._http.model(ProofAnswer, "GET", self._url + PROOF, headers=self._headers)
        return Enforcement(answer.runtime, answer.limits)

    def _one(self, agreement_id: AgreementId, execution_id: ExecutionId) -> str:
        return f"{self._url}{WORKFLOWS}/{agreement_id}/{execution_id}"
