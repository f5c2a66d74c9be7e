"""A client of the gateway for those who hold an execution's ticket: the operator and its pods (design §6)."""

from collections.abc import AsyncIterator, Mapping, Sequence

from insitu.api.gateway_v1 import TICKET_FILES, TICKET_FINISH, TICKET_OUTPUTS, TICKET_PROGRESS, Progress
from insitu.domain.execution import Transition
from insitu.domain.ids import ExecutionId
from insitu.ports.peers import ExecutionReport
from insitu.sdk.http import Http

__all__ = ["TicketClient"]

STORING_SECONDS = 300.0
"""How long a gateway may be silent once it has a file: it passes a large one on to its object store."""


class TicketClient:
    """Calls one gateway with tickets.

    Parameters
    ----------
    url
        Address of the gateway, without the path of the API.
    """

    def __init__(self, http: Http, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        """Tell transitions; known ones are ignored, so telling is repeated."""
        body = Progress(workflow_execution_id=execution_id, transitions=tuple(transitions)).model_dump(mode="json")
        address = self._url + TICKET_PROGRESS
        await self._http.call("POST", address, json=body, headers=_bearer(ticket), idempotent=True)

    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        """Stream a file that the plan names by a ``Fetch`` reference."""
        address = f"{self._url}{TICKET_FILES}/{reference}"
        async with self._http.stream("GET", address, headers=_bearer(ticket)) as response:
            async for chunk in response.aiter_bytes():
                yield chunk

    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        """Hand over the bytes of an output file or of the manifest; again is harmless."""
        address = f"{self._url}{TICKET_OUTPUTS}/{sha256}"
        more = {"Content-Type": "application/octet-stream"}
        headers = {**_bearer(ticket), **more}
        async with self._http.stream("PUT", address, content=chunks, headers=headers, quiet=STORING_SECONDS):
            pass

    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        """Freeze the outcome and return the frozen one; the first report wins, so it is repeated."""
        body = report.model_dump(mode="json")
        address = self._url + TICKET_FINISH
        return await self._http.model(Transition, "POST", address, json=body, headers=_bearer(ticket), idempotent=True)


def _bearer(ticket: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {ticket}"}
