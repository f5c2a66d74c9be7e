"""The addresses of the OPERATOR SERVICE (E3, E4): for the configured gateway only, and never on the public port."""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from insitu.api import operator_v1 as wire
from insitu.api.app import StrictRoute
from insitu.api.parameters import BYTES, AgreementPath, ExecutionPath, ServiceKeyHeader
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.domain.ids import AgreementId, ExecutionId, read_agreement_id, read_execution_id
from insitu.ports.peers import Capacity, LogKey, OperatorPeer, Registration
from insitu.ports.runtime import LogChunk

ONE = wire.WORKFLOWS + "/{serviceAgreementId}/{workflowExecutionId}"

Count = Annotated[int, Query(ge=0, le=2**53)]


def _pair(
    agreement: Annotated[AgreementPath, Path(alias="serviceAgreementId")],
    execution: Annotated[ExecutionPath, Path(alias="workflowExecutionId")],
) -> tuple[AgreementId, ExecutionId]:
    return read_agreement_id(agreement), read_execution_id(execution)


Pair = Annotated[tuple[AgreementId, ExecutionId], Depends(_pair)]


def router(service: OperatorPeer, service_key: str) -> APIRouter:
    """Return the routes of a service; every request carries the service key as a bearer token.

    Raises ``ValueError`` for a key that anyone could guess.
    """
    if len(service_key) < 16:
        raise ValueError("a service key has at least 16 characters")

    def require_key(authorization: ServiceKeyHeader = None) -> None:
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), service_key.encode()):
            raise InsituError("ServiceKeyRequired")

    routes = APIRouter(route_class=StrictRoute, tags=["operator"], dependencies=[Depends(require_key)])
    _add_workflows(routes, service)
    _add_logs(routes, service)
    return routes


def _add_workflows(routes: APIRouter, service: OperatorPeer) -> None:
    async def answer(execution: Execution) -> wire.ExecutionAnswer:
        position = await service.position(execution.agreement_id, execution.execution_id)
        return wire.ExecutionAnswer(execution=execution, position=position)

    @routes.post(wire.WORKFLOWS, status_code=201)
    async def register_workflow(registration: Registration) -> wire.ExecutionAnswer:
        return await answer(await service.register(registration))

    @routes.get(wire.WORKFLOWS)
    async def list_workflows(
        agreement: Annotated[str | None, Query(alias="serviceAgreementId", max_length=80)] = None,
    ) -> wire.ExecutionsAnswer:
        wanted = None if agreement is None else read_agreement_id(agreement)
        return wire.ExecutionsAnswer(executions=await service.list(wanted))

    @routes.get(ONE)
    async def show_workflow(pair: Pair) -> wire.ExecutionAnswer:
        return await answer(await service.status(*pair))

    @routes.delete(ONE, status_code=202)
    async def stop_workflow(pair: Pair, body: wire.StopBody) -> wire.ExecutionAnswer:
        return await answer(await service.stop(*pair, body.by))

    @routes.post(wire.IMAGES, status_code=204)
    async def require_images(body: wire.ImagesBody) -> None:
        await service.require_images(body.images)

    @routes.get(wire.CAPACITY)
    async def show_capacity() -> Capacity:
        return await service.capacity()

    @routes.get(wire.PROOF)
    async def show_proof() -> wire.ProofAnswer:
        found = await service.proof()
        return wire.ProofAnswer(runtime=found.runtime, limits=dict(found.limits))


def _add_logs(routes: APIRouter, service: OperatorPeer) -> None:
    @routes.get(ONE + "/logs")
    async def list_logs(pair: Pair) -> wire.LogKeysAnswer:
        return wire.LogKeysAnswer(keys=await service.log_keys(*pair))

    @routes.get(ONE + "/logs-state")
    async def show_log_state(pair: Pair) -> wire.LogStateAnswer:
        return wire.LogStateAnswer(state=await service.log_state(*pair))

    @routes.get(ONE + "/logs/{stage}/{attempt}", response_class=StreamingResponse, responses={200: BYTES})
    async def read_log(
        pair: Pair, stage: int, attempt: int, offset: Count = 0, follow: bool = False, counted: bool = True
    ) -> Response:
        # An unknown execution gets an error answer, not a broken stream.
        await service.status(*pair)
        chunks = service.logs(*pair, LogKey(stage=stage, attempt=attempt), offset, follow=follow, counted=counted)
        headers = {wire.LOG_OFFSET_HEADER: str(offset)}
        return StreamingResponse(_bytes(chunks), media_type="application/octet-stream", headers=headers)


async def _bytes(chunks: AsyncIterator[LogChunk]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk.data
