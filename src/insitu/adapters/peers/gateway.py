"""The gateway in another process, for the operator and its pods."""

from collections.abc import AsyncIterator, Sequence

from typing_extensions import override

from insitu.domain.execution import Transition
from insitu.domain.ids import ExecutionId
from insitu.ports.peers import ExecutionReport, GatewayPeer
from insitu.sdk.http import Http
from insitu.sdk.tickets import TicketClient

__all__ = ["HttpGateway"]


class HttpGateway(GatewayPeer):
    """A gateway over HTTP; ``url`` is its address without the path of the API."""

    def __init__(self, http: Http, url: str) -> None:
        self._client = TicketClient(http, url)

    @override
    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        await self._client.progress(ticket, execution_id, transitions)

    @override
    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        async for chunk in self._client.fetch(ticket, reference):
            yield chunk

    @override
    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        await self._client.put_output(ticket, sha256, chunks)

    @override
    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        return await self._client.finish(ticket, report)
