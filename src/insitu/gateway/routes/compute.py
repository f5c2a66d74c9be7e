"""Executions: status, events, logs, receipt, result, list, stop."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from insitu.api.app import StrictRoute
from insitu.api.gateway_v1 import BASE, EventView, ExecutionList, ExecutionView, LogView, ReceiptView, ResultView, Role
from insitu.api.parameters import AccessTokenHeader, AgreementPath, ExecutionPath
from insitu.domain.errors import InsituError
from insitu.domain.receipt_opening import Opening
from insitu.gateway.executions.execution_finder import ExecutionFilter, Seen
from insitu.gateway.executions.presenter import opening_view, receipt_view, result_view
from insitu.gateway.executions.streamer import END, LogPiece, LogPosition
from insitu.gateway.routes.event_stream import EventSource, EventStream, OutgoingEvent
from insitu.gateway.service import GatewayService

COMPUTE = BASE + "/compute"
IDS = "/{agreement}/{execution}"

CONSUMER: tuple[Role, ...] = ("consumer",)
OPENERS: tuple[Role, ...] = ("owner", "provider")

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)]
Accept = Annotated[str, Header(max_length=1000, include_in_schema=False)]


def compute_router(service: GatewayService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(route_class=StrictRoute)
    _add_answers(routes, service)
    _add_streams(routes, service)
    return routes


def _seen(service: GatewayService, roles: Sequence[Role] = ("consumer", "owner", "provider")) -> Any:
    """Return the dependency that finds the execution in an address for a caller who has one of these roles."""

    async def see(agreement: AgreementPath, execution: ExecutionPath, authorization: AccessTokenHeader = None) -> Seen:
        caller = await service.authenticator.read(authorization, "compute")
        return await service.execution_finder.see(caller, agreement, execution, roles)

    return Depends(see)


def _add_answers(routes: APIRouter, service: GatewayService) -> None:
    SeenByAnyone = Annotated[Seen, _seen(service)]  # noqa: N806  a type

    @routes.get(COMPUTE + "/executions")
    async def list_executions(
        authorization: AccessTokenHeader = None,
        agreement: Annotated[str | None, Query(alias="serviceAgreementId", max_length=100)] = None,
        live: Annotated[bool | None, Query(description="those that are going on, or those that have ended")] = None,
        role: Annotated[
            Literal["consumer", "owner"] | None, Query(description="what the caller started, or what reads their data")
        ] = None,
        reading: Annotated[str | None, Query(description="DID of a data set", max_length=100)] = None,
        before: Annotated[str | None, Query(description="``before`` of the page before this", max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> ExecutionList:
        caller = await service.authenticator.read(authorization, "compute")
        wanted = ExecutionFilter(agreement=agreement, live=live, role=role, reading=reading, before=before, limit=limit)
        return await service.presenter.executions(await service.execution_finder.list(caller, wanted), limit)

    @routes.get(COMPUTE + "/status" + IDS)
    async def show_execution(seen: SeenByAnyone) -> ExecutionView:
        return await service.presenter.execution(seen)

    @routes.get(COMPUTE + "/receipt" + IDS)
    async def show_receipt(seen: SeenByAnyone) -> ReceiptView:
        return receipt_view(seen.execution)

    @routes.get(COMPUTE + "/opening" + IDS)
    async def show_opening(seen: Annotated[Seen, _seen(service, OPENERS)]) -> Opening:
        return opening_view(seen)

    @routes.get(COMPUTE + "/result" + IDS)
    async def show_result(seen: Annotated[Seen, _seen(service, CONSUMER)]) -> ResultView:
        return result_view(seen.execution, service.ports.clock.now())

    @routes.delete(COMPUTE + IDS)
    async def stop_execution(
        agreement: AgreementPath, execution: ExecutionPath, authorization: AccessTokenHeader = None
    ) -> ExecutionView:
        caller = await service.authenticator.read(authorization, "compute")
        return await service.presenter.execution(await service.stopper.stop(caller, agreement, execution))


def _add_streams(routes: APIRouter, service: GatewayService) -> None:
    SeenByAnyone = Annotated[Seen, _seen(service)]  # noqa: N806  a type

    @routes.get(
        COMPUTE + "/events" + IDS, status_code=200, response_class=EventStream, responses={200: {"model": EventView}}
    )
    async def stream_events(
        seen: SeenByAnyone,
        last: LastEventId = None,
        after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> Response:
        position = _sequence(last) if last else after or 0
        if await service.streamer.has_ended(seen, position):
            return Response(status_code=204)
        source = EventSource(_events(service.streamer.events(seen, position)))
        return EventStream(source, clock=service.ports.clock, until=seen.caller.expires)

    @routes.get(
        COMPUTE + "/events",
        status_code=200,
        response_class=EventStream,
        responses={200: {"model": EventView}},
    )
    async def stream_all_events(
        authorization: AccessTokenHeader = None,
        last: LastEventId = None,
        after: Annotated[int | None, Query(ge=0, le=2**53, description="number of an event")] = None,
    ) -> Response:
        """Events of every execution that the caller may see, also of those that begin later.

        They begin with the next one, or after a number; 0 is the beginning. The first event is ``begin``, whose id is
        where they begin; all others are called ``execution``, because one that is called ``end`` would end the stream.
        """
        caller = await service.authenticator.read(authorization, "compute")
        await service.streamer.require_room(caller)
        position = _sequence(last) if last else after
        if position is None:
            position, _ = await service.ports.agreements.all_events(None)
        source = EventSource(_all_events(service.streamer.all_events(caller, position), position))
        return EventStream(source, clock=service.ports.clock, until=caller.expires)

    @routes.get(
        COMPUTE + "/logs" + IDS,
        status_code=200,
        response_class=EventStream,
        responses={200: {"model": LogView, "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def stream_logs(
        seen: SeenByAnyone,
        last: LastEventId = None,
        accept: Accept = "",
        follow: bool = True,
        stage: Annotated[int | None, Query(ge=0)] = None,
    ) -> Response:
        if last == END:
            return Response(status_code=204)
        streamed = "text/event-stream" in accept
        pieces = await service.streamer.logs(seen, LogPosition.read(last), follow=follow and streamed, stage=stage)
        if not streamed:
            return StreamingResponse(_text(pieces), media_type="text/plain; charset=utf-8")
        end = OutgoingEvent(END, "{}", END if follow else None)
        return EventStream(EventSource(_logs(pieces)), clock=service.ports.clock, until=seen.caller.expires, end=end)

    @routes.get(
        COMPUTE + "/stream" + IDS, status_code=200, response_class=EventStream, responses={200: {"model": EventView}}
    )
    async def stream_execution(
        seen: SeenByAnyone,
        last: LastEventId = None,
    ) -> Response:
        """Events of an execution and, as events ``log``, what its stages print. The last event is ``end``."""
        if last == END:
            return Response(status_code=204)
        sequence, _, printed = (last or "").partition("/")
        after, position = _sequence(sequence or "0"), LogPosition.read(printed)
        return EventStream(
            EventSource(_events(service.streamer.events(seen, after), without_end=True), sequence),
            EventSource(_logs(service.streamer.shown_logs(seen, position)), printed),
            clock=service.ports.clock,
            until=seen.caller.expires,
            end=OutgoingEvent(END, "{}", END),
        )


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InsituError("InvalidRequest", "Last-Event-ID is the sequence of an event")
    return int(text)


async def _events(
    source: AsyncIterator[EventView], *, without_end: bool = False
) -> AsyncGenerator[OutgoingEvent, None]:
    async for event in source:
        if event.type == END and without_end:
            continue
        yield OutgoingEvent(event.type, event.model_dump_json(), str(event.sequence))


async def _all_events(source: AsyncGenerator[EventView, None], position: int) -> AsyncGenerator[OutgoingEvent, None]:
    yield OutgoingEvent("begin", "{}", str(position))
    async with aclosing(source):
        async for event in source:
            yield OutgoingEvent("execution", event.model_dump_json(), str(event.number))


async def _logs(source: AsyncIterator[LogPiece]) -> AsyncGenerator[OutgoingEvent, None]:
    async for piece in source:
        yield OutgoingEvent("log", piece.view.model_dump_json(), str(piece.after))


async def _text(source: AsyncIterator[LogPiece]) -> AsyncIterator[str]:
    """Yield plain text for a terminal, without control sequences that an algorithm may have written."""
    async for piece in source:
        yield "".join(_printable(character) for character in piece.view.text)


def _printable(character: str) -> str:
    return character if character in "\n\t" or character.isprintable() else ascii(character)[1:-1]
