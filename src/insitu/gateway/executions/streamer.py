"""Live streams of an execution's events and its algorithm's output. Both can be resumed."""

import codecs
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from typing_extensions import override

from insitu.api.gateway_v1 import EventView, LogView
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.gateway.executions.execution_finder import ExecutionFinder, Seen
from insitu.gateway.executions.presenter import event_view
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.gateway.wakeups import EVENTS, events_of
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.peers import LogKey, OperatorPeer

LOOK_AGAIN = 15.0
"""Seconds after which a stream looks again without a wake-up, because another process may have written."""
MOST_OF_ACCOUNT = 16
"""Streams of all executions that one account may have open: each of them looks whenever anything happens."""
MOST_OF_STRANGERS = 64
"""The same for all accounts together that have nothing here yet. Accounts are free, and each stream is a connection."""
END = "end"

_SPENT = "the owner's rules let out no more log text of this execution; the rest is not shown\n"
_REJECTED = "the output was rejected, so no log text of this execution is shown any more\n"


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The position of a reader in the logs: ``<stage>:<attempt>:<offset>``, the id of a log event."""

    stage: int = -1
    attempt: int = 0
    offset: int = 0

    @classmethod
    def read(cls, text: str | None) -> "LogPosition":
        """Read the id of an event. Raises ``InvalidRequest``."""
        if not text:
            return cls()
        parts = text.split(":")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
            raise InsituError("InvalidRequest", "the id of a log event is stage:attempt:offset")
        return cls(*(int(part) for part in parts))

    @override
    def __str__(self) -> str:
        return f"{self.stage}:{self.attempt}:{self.offset}"

    def offset_in(self, key: LogKey) -> int | None:
        """Return the offset to read a log from, or None if it has been read already."""
        present, wanted = (self.stage, self.attempt), (key.stage, key.attempt)
        if wanted < present:
            return None
        return self.offset if wanted == present else 0


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of a log, and the position after it."""

    view: LogView
    after: LogPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamer:
    """Streams one execution to one caller, or the events of all that the caller may see."""

    ports: GatewayPorts
    operator: OperatorPeer
    execution_finder: ExecutionFinder
    _open: list[str] = field(init=False, default_factory=list)
    _strange: list[str] = field(init=False, default_factory=list)

    async def events(self, seen: Seen, after: int) -> AsyncIterator[EventView]:
        """Yield the events after a sequence, up to ``end``."""
        execution_id = seen.execution.execution_id
        topic = events_of(execution_id)
        while True:
            count = self.ports.wakeups.count(topic)
            for event in await self.ports.agreements.events(execution_id, after):
                after = event.sequence
                yield event_view(event, seen)
                if event.type == END:
                    return
            await self.ports.wakeups.wait(topic, count, seconds=LOOK_AGAIN)

    async def require_room(self, caller: Caller) -> list[str]:
        """Refuse one stream of all executions too many; return the list of open ones that it belongs to.

        Raises ``RequestFrequencyExceeded``.
        """
        room = self._open if await self.execution_finder.has_something(caller) else self._strange
        if room.count(caller.address) >= MOST_OF_ACCOUNT:
            detail = f"{caller.address} has {MOST_OF_ACCOUNT} streams of all its executions open"
            raise InsituError("RequestFrequencyExceeded", detail, retryAfter=LOOK_AGAIN)
        if room is self._strange and len(room) >= MOST_OF_STRANGERS:
            detail = f"accounts that have bought nothing here have {MOST_OF_STRANGERS} streams open"
            raise InsituError("RequestFrequencyExceeded", detail, retryAfter=LOOK_AGAIN)
        return room

    async def all_events(self, caller: Caller, after: int) -> AsyncGenerator[EventView, None]:
        """Yield the events after a number of every execution that a caller may see. It never ends by itself."""
        room = await self.require_room(caller)
        room.append(caller.address)
        try:
            while True:
                count = self.ports.wakeups.count(EVENTS)
                reached, happened = await self.execution_finder.events(caller, after)
                for seen, event in happened:
                    yield event_view(event, seen)
                if reached == after:
                    await self.ports.wakeups.wait(EVENTS, count, seconds=LOOK_AGAIN)
                after = reached
        finally:
            room.remove(caller.address)

    async def has_ended(self, seen: Seen, after: int) -> bool:
        """Return whether there is nothing to stream after a sequence, because the last event has been read."""
        if await self.ports.agreements.events(seen.execution.execution_id, after, limit=1):
            return False
        known = await self.ports.agreements.events(seen.execution.execution_id)
        return bool(known) and known[-1].type == END

    async def logs(
        self, seen: Seen, position: LogPosition, *, follow: bool, stage: int | None = None
    ) -> AsyncIterator[LogPiece]:
        """Return the captured output from a position on: what exists now, or everything until the execution ends.

        With ``stage``, only the output of that stage. A consumer's stream also ends when the owners' rules let out no
        more.

        Raises ``LogsHidden`` if the policy does not show logs, ``LogExpired`` if they are no longer kept.
        """
        if not any(seen.sees(planned.index) for planned in seen.execution.plan.stages):
            raise InsituError("LogsHidden")
        if not seen.execution.live:
            await self._keys(seen)  # refuse before the response starts
        return self._logs(seen, position, follow=follow, stage=stage)

    async def shown_logs(self, seen: Seen, position: LogPosition) -> AsyncIterator[LogPiece]:
        """Yield what :meth:`logs` does until the execution ends, and nothing where there is no log to show."""
        try:
            pieces = await self.logs(seen, position, follow=True)
        except InsituError as error:
            if error.code not in {"LogsHidden", "LogExpired"}:
                raise
            return
        async for piece in pieces:
            yield piece

    async def _logs(
        self, seen: Seen, position: LogPosition, *, follow: bool, stage: int | None
    ) -> AsyncIterator[LogPiece]:
        topic = events_of(seen.execution.execution_id)
        while True:
            count = self.ports.wakeups.count(topic)
            execution = await self.ports.agreements.execution(seen.execution.execution_id)
            live = execution is not None and execution.live
            keys = await self._keys(seen)
            for key in keys:
                offset = position.offset_in(key)
                if offset is None or stage not in (None, key.stage) or not seen.sees(key.stage):
                    continue
                async for piece in self._log(seen, key, offset, follow=follow and live):
                    position = piece.after
                    yield piece
            if keys and (notice := await self._notice(seen, position)) is not None:
                yield notice
                return
            if not live or not follow:
                return
            await self.ports.wakeups.wait(topic, count, seconds=LOOK_AGAIN)

    async def _notice(self, seen: Seen, position: LogPosition) -> LogPiece | None:
        """Return the last piece of a consumer's stream if the owners' rules end it, otherwise None."""
        if seen.role != "consumer":
            return None
        state = await self.operator.log_state(seen.execution.agreement_id, seen.execution.execution_id)
        if state == "open":
            return None
        why = _SPENT if state == "spent" else _REJECTED
        view = LogView(
            stage=max(position.stage, 0), attempt=position.attempt, offset=position.offset, text=why, notice=True
        )
        return LogPiece(view, position)

    async def _log(self, seen: Seen, key: LogKey, offset: int, *, follow: bool) -> AsyncIterator[LogPiece]:
        """Decode one log. A character whose bytes are incomplete waits for the rest."""
        ids = seen.execution.agreement_id, seen.execution.execution_id
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        begin = end = offset
        counted = seen.role == "consumer"
        async for chunk in self.operator.logs(*ids, key, offset, follow=follow, counted=counted):
            text = decoder.decode(chunk.data)
            end = chunk.end - len(decoder.getstate()[0])
            if text:
                yield _piece(key, begin, end, text)
                begin = end
        rest = decoder.decode(b"", final=True)
        if rest and follow:
            yield _piece(key, begin, end + len(rest.encode()), rest)

    async def _keys(self, seen: Seen) -> tuple[LogKey, ...]:
        try:
            return await self.operator.log_keys(seen.execution.agreement_id, seen.execution.execution_id)
        except InsituError as error:
            if error.code != "ExecutionUnknown":
                raise
            if _has_run(seen.execution):
                raise InsituError("LogExpired", "this provider has deleted the logs of the execution") from error
            return ()


def _has_run(execution: StoredExecution) -> bool:
    """Return whether an ended execution reached its algorithm, so that there were logs."""
    return execution.frozen is not None and any(transition.phase is Phase.EXECUTING for transition in execution.history)


def _piece(key: LogKey, begin: int, end: int, text: str) -> LogPiece:
    view = LogView(stage=key.stage, attempt=key.attempt, offset=begin, text=text)
    return LogPiece(view, LogPosition(key.stage, key.attempt, end))
