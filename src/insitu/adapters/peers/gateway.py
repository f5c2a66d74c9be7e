"""The gateway in another process, for the operator and its pods, which hold an execution's ticket."""

from collections.abc import AsyncIterator, Mapping, Sequence

from typing_extensions import override

from insitu.api.gateway_v1 import TICKET_FILES, TICKET_FINISH, TICKET_OUTPUTS, TICKET_PROGRESS, Progress
from insitu.domain.execution import Transition
from insitu.domain.ids import ExecutionId
from insitu.ports.peers import ExecutionReport, GatewayPeer
from insitu.sdk.http import Http

STORING_SECONDS = 300.0
"""Seconds that a gateway may be silent once it has a file: it may be sending a large one to its object store."""


class HttpGateway(GatewayPeer):
    """A gateway over HTTP; ``url`` is its address without the path of the API. Harmless calls are repeated."""

    def __init__(self, http: Http, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    @override
    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        body = Progress(workflow_execution_id=execution_id, transitions=tuple(transitions))
        address = self._url + TICKET_PROGRESS
        await self._http.call("POST", address, json=body, headers=_bearer(ticket), idempotent=True)

    @override
    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        address = f"{self._url}{TICKET_FILES}/{reference}"
        async with self._http.stream("GET", address, headers=_bearer(ticket)) as response:
            async for chunk in response.aiter_bytes():
                yield chunk

    @override
    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        address = f"{self._url}{TICKET_OUTPUTS}/{sha256}"
        more = {"Content-Type": "application/octet-stream"}
        headers = {**_bearer(ticket), **more}
        async with self._http.stream("PUT", address, content=chunks, headers=headers, quiet=STORING_SECONDS):
            pass

    @override
    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        options = {"json": report, "headers": _bearer(ticket), "idempotent": True}
        return await self._http.model(Transition, "POST", self._url + TICKET_FINISH, **options)


def _bearer(ticket: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {ticket}"}
