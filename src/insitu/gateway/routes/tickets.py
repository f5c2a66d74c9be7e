"""GatewayPeer over HTTP, for an operator or pods in other processes, which show an execution's ticket."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from insitu.api.app import StrictRoute
from insitu.api.gateway_v1 import TICKET_FILES, TICKET_FINISH, TICKET_OUTPUTS, TICKET_PROGRESS, Progress
from insitu.api.parameters import BYTES, TicketHeader
from insitu.domain.errors import InsituError
from insitu.domain.execution import Transition
from insitu.gateway.files.file_server import begun
from insitu.ports.peers import ExecutionReport, GatewayPeer

Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


def ticket_router(peer: GatewayPeer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(route_class=StrictRoute, tags=["tickets"])

    @routes.post(TICKET_PROGRESS, status_code=204)
    async def report_progress(body: Progress, authorization: TicketHeader = None) -> Response:
        await peer.progress(_ticket(authorization), body.workflow_execution_id, body.transitions)
        return Response(status_code=204)

    @routes.get(TICKET_FILES + "/{reference}", response_class=StreamingResponse, responses={200: BYTES})
    async def fetch_input(reference: str, authorization: TicketHeader = None) -> Response:
        chunks = await begun(peer.fetch(_ticket(authorization), reference))
        return StreamingResponse(chunks, media_type="application/octet-stream")

    @routes.put(
        TICKET_OUTPUTS + "/{sha256}", status_code=204, openapi_extra={"requestBody": BYTES | {"required": True}}
    )
    async def put_output(request: Request, sha256: Sha256, authorization: TicketHeader = None) -> Response:
        await peer.put_output(_ticket(authorization), sha256, request.stream())
        return Response(status_code=204)

    @routes.post(TICKET_FINISH)
    async def finish_execution(report: ExecutionReport, authorization: TicketHeader = None) -> Transition:
        return await peer.finish(_ticket(authorization), report)

    return routes


def _ticket(authorization: str | None) -> str:
    scheme, _, ticket = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not ticket:
        raise InsituError("InvalidToken", "send Authorization: Bearer with the execution's ticket")
    return ticket
