"""The outbox: everything that must happen outside, in order and once in effect, until it is done (C7, E9, E10)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.gateway.agreements.request_checker import RequestChecker
from insitu.gateway.outbox.item_interpreter import ItemInterpreter, result_of, signed_request_of
from insitu.gateway.outbox.refusal_judge import RefusalJudge
from insitu.gateway.outbox.transaction_sender import TransactionSender
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.finisher import Finisher
from insitu.gateway.wakeups import GRANTS, OUTBOX, RELAYS, events_of
from insitu.ports.agreement_changes import Complete, Postpone
from insitu.ports.agreement_records import ItemKind, OutboxItem
from insitu.waiting import Backoff, Pauses

logger = logging.getLogger(__name__)

LARGEST_BATCH = 20
LEAST_TRIES = 6
"""Tries, for about half a minute, that every result gets, because its outcome may have come late."""
IDLE = 15.0
WATCHING = Backoff(0.005, 1.0)
"""Between two looks at a transaction that is not mined."""
RETRYING = Backoff(0.5, 60.0)
"""Between two tries of one item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """The one worker that sends transactions with the provider's key, and publishes results."""

    ports: GatewayPorts
    item_interpreter: ItemInterpreter
    finisher: Finisher
    transaction_sender: TransactionSender
    refusal_judge: RefusalJudge
    request_checker: RequestChecker

    async def run(self) -> None:
        """Work until cancelled. Interrupted work continues from what is stored."""
        pauses = Pauses(WATCHING)
        while True:
            seen = self.ports.wakeups.count(OUTBOX)
            try:
                worked, waits = await self.turn()
            except InsituError as error:
                logger.warning("the outbox waits: %s", error)
                await anyio.sleep(WATCHING.longest)
                continue
            if worked or not waits:
                pauses.restart()
            if worked:
                continue
            if waits:
                await anyio.sleep(pauses.next())
            else:
                until = await self.ports.agreements.next_due()
                await self.ports.wakeups.wait(OUTBOX, seen, seconds=IDLE, until=until)

    async def turn(self) -> tuple[bool, bool]:
        """Do what is due. Return whether anything was, and whether a transaction is not mined yet."""
        waits = await self.transaction_sender.watch()
        due = await self.ports.agreements.due(self.ports.clock.now())
        for item in due:
            if not item.batch:
                await self._carry_out(item)
        shared = {item.key: item for item in due if item.batch}
        if shared:
            # The first item that is due takes along those that are due soon.
            shared |= {item.key: item for item in await self.ports.agreements.batchable(LARGEST_BATCH)}
        for position in range(0, len(shared), LARGEST_BATCH):
            await self._settle_together(list(shared.values())[position : position + LARGEST_BATCH])
        return bool(due), waits

    async def _carry_out(self, item: OutboxItem) -> None:
        try:
            if item.kind is ItemKind.PUBLISH or (item.kind is ItemKind.REGISTER and item.attempts):
                # Publish again before a late registration, as the catalogue drops what waits too long for the chain.
                await self.ports.metadata.publish(result_of(await self.item_interpreter.execution(item)).document)
            if item.kind is ItemKind.PUBLISH:
                await self.ports.agreements.apply([Complete(item.key)])
            else:
                await self.transaction_sender.send(await self.item_interpreter.call(item), [item])
        except InsituError as error:
            await self._handle_refusal(item, error)
        except Exception as error:
            # One item that cannot be handled must not delay the others.
            logger.exception("%s cannot be carried out", item.key)
            await self._postpone(item, Reason(code="InternalError", message=type(error).__name__))
        if item.kind in (ItemKind.RELAY, ItemKind.REQUEST):
            self.ports.wakeups.ring(RELAYS)

    async def _settle_together(self, items: Sequence[OutboxItem]) -> None:
        """Settle several executions in one transaction. One that is refused must not delay the others."""
        if len(items) == 1:
            await self._carry_out(items[0])
            return
        try:
            await self.transaction_sender.send(await self.item_interpreter.batch(list(items)), items)
        except InsituError as error:
            for item in items:
                # If all of them have to wait, each is postponed for that reason.
                await (self._handle_refusal(item, error) if error.definition.retry else self._carry_out(item))

    async def _handle_refusal(self, item: OutboxItem, error: InsituError) -> None:
        """Find out whether the effect is there already, will never come, or has to wait."""
        reason = Reason(code=error.code, message=error.detail)
        if _may_pass(item, error):
            await self._postpone(item, reason)
            return
        if item.kind is ItemKind.SETTLE and error.code == "ExecutionAlreadySettled":
            # Someone settled it, or we did before a crash. The agreement follower notes the transaction.
            await self.ports.agreements.apply([Complete(item.key)])
        elif await self._is_there(item):
            await self.ports.agreements.apply(await self.item_interpreter.done(item, ""))
        elif not await self.refusal_judge.is_final(item, error):
            await self._postpone(item, reason)
        else:
            log = logger.info if item.kind is ItemKind.DERIVED else logger.error
            log("%s is given up: %s", item.key, error)
            await self._give_up(item, reason)
        if item.execution_id is not None:
            self.ports.wakeups.ring(events_of(item.execution_id))
        if item.kind is ItemKind.RELAY:
            self.ports.wakeups.ring(GRANTS)

    async def _postpone(self, item: OutboxItem, reason: Reason) -> None:
        now, delay = self.ports.clock.now(), timedelta(seconds=RETRYING.pause(item.attempts))
        if item.kind is ItemKind.PUBLISH and item.attempts >= LEAST_TRIES:
            deadline = self.finisher.publish_by(await self.item_interpreter.execution(item))
            if now >= deadline:
                await self._give_up(item, reason)
                return
            delay = min(delay, deadline - now)
        logger.warning("%s waits %.1f s: %s: %s", item.key, delay.total_seconds(), reason.code, reason.message)
        await self.ports.agreements.apply([Postpone(item.key, now + delay, reason)])

    async def _give_up(self, item: OutboxItem, reason: Reason) -> None:
        """End an execution as failed if its result can never be published; otherwise only give up the effect."""
        if item.kind in (ItemKind.PUBLISH, ItemKind.REGISTER):
            execution = await self.item_interpreter.execution(item)
            if await self.finisher.unpublish(execution, reason):
                self.ports.wakeups.ring(events_of(execution.execution_id))
                return
        await self.ports.agreements.apply(await self.item_interpreter.given_up(item, reason))

    async def _is_there(self, item: OutboxItem) -> bool:
        """Ask the chain whether the item is done already, by a transaction of ours that a crash made us forget."""
        if item.kind is ItemKind.REGISTER:
            result = result_of(await self.item_interpreter.execution(item))
            record = await self.ports.chain.did_record(result.did)
            return record is not None and record.checksum == result.checksum
        if item.kind in (ItemKind.GRANT, ItemKind.RELAY, ItemKind.REFUSE, ItemKind.CLOSE):
            state = await self.ports.chain.agreement(item.agreement_id)
            return {ItemKind.REFUSE: state.refunded, ItemKind.CLOSE: state.closed}.get(item.kind, state.granted)
        if item.kind is ItemKind.REQUEST:
            return await self.request_checker.is_done(signed_request_of(item))
        return False


def _may_pass(item: OutboxItem, error: InsituError) -> bool:
    """Return whether the same step can succeed later. A consumer without tokens must not make the others wait."""
    if item.kind is ItemKind.RELAY and error.code == "InsufficientFunds":
        return False
    return error.definition.retry
