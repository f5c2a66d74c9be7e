"""Follows the chain. Events only say where to look; what counts is the state that the chain returns (C6)."""

import logging
from dataclasses import dataclass

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId, workflow_execution_id
from insitu.domain.ledger import (
    AgreementCreated,
    ComputeFulfilled,
    ComputeTimedOut,
    DidProviderAdded,
    DidProviderRemoved,
    EscrowAborted,
    EscrowFulfilled,
    LockFulfilled,
    PaymentReleased,
)
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.wakeups import FOLLOWED, GRANTS, OUTBOX, events_of
from insitu.ports.agreement_changes import AddEvent, Change, MoveCursor, NoteSettled, Remember, RollBack, Touch
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.chain import Block, Logged
from insitu.ports.clock import Clock

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds before the chain is followed again after an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFollower:
    """Reads blocks from the stored cursor on and notes what happened to this provider's agreements.

    The cursor and the changes are stored in one transaction, so a block is never half read, even after a crash.
    """

    ports: GatewayPorts

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                cursors = await self.ports.agreements.cursors()
                async for block in self.ports.chain.follow(cursors, self.ports.configuration.confirmations):
                    await self.take(block)
            except InsituError as error:
                logger.warning("following the chain was interrupted: %s", error)
            await anyio.sleep(PAUSE)

    async def take(self, block: Block) -> None:
        """Store one step of the chain."""
        changes: list[Change] = []
        if block.rolled_back_to is not None:
            logger.warning("the chain was reorganised down to block %d", block.rolled_back_to.number)
            changes.append(RollBack(block.rolled_back_to))
        touched: list[StoredExecution] = []
        for logged in block.events:
            changes += await self._meaning(logged, block.cursor.number, touched)
        await self.ports.agreements.apply([*changes, MoveCursor(block.cursor)])
        self.ports.wakeups.ring(FOLLOWED)
        self.ports.wakeups.ring(OUTBOX)
        if changes:
            self.ports.wakeups.ring(GRANTS)
        for execution in touched:
            self.ports.wakeups.ring(events_of(execution.execution_id))

    async def _meaning(self, logged: Logged, block: int, touched: list[StoredExecution]) -> list[Change]:
        event = logged.event
        if isinstance(event, AgreementCreated):
            if event.terms.provider.lower() != self.ports.provider.lower():
                return []
            return [Remember(event.agreement_id, event.terms), Touch(event.agreement_id, block)]
        if isinstance(event, LockFulfilled | ComputeFulfilled | ComputeTimedOut | EscrowFulfilled):
            return [Touch(event.agreement_id, block)]
        if isinstance(event, PaymentReleased):
            return [Touch(event.agreement_id, block), *await self._note_settlement(event, logged.transaction, touched)]
        if isinstance(event, EscrowAborted):
            return [Touch(event.agreement_id, block), *await self._note_refund(event, logged.transaction, touched)]
        if (
            isinstance(event, DidProviderAdded | DidProviderRemoved)
            and event.provider.lower() == self.ports.provider.lower()
        ):
            await self._obey(event)
        return []

    async def _obey(self, event: DidProviderAdded | DidProviderRemoved) -> None:
        """Pause a data set from which its owner took this provider, or end its pause (ADR 0127)."""
        agreements, added = self.ports.agreements, isinstance(event, DidProviderAdded)
        # Anyone registers assets that name this provider, so the node is asked only where it matters.
        if not (event.did in await agreements.paused() if added else await agreements.reads(event.did)):
            return
        if await self.ports.chain.is_provider(event.did, self.ports.provider) is added:
            await agreements.pause(event.did, None if added else False)

    async def _note_settlement(
        self, event: PaymentReleased, transaction: str, touched: list[StoredExecution]
    ) -> list[Change]:
        """Note a settlement, no matter who sent it (E10)."""
        execution = await self.ports.agreements.execution(workflow_execution_id(event.agreement_id, event.index))
        if execution is None or execution.frozen is None:
            return []
        if execution.frozen.receipt_hash != event.receipt_hash:
            logger.error(
                "%s was settled with a receipt that is not ours: %s", execution.execution_id, event.receipt_hash
            )
        touched.append(execution)
        return settlement_changes(execution, transaction, self.ports.clock)

    async def _note_refund(
        self, event: EscrowAborted, transaction: str, touched: list[StoredExecution]
    ) -> list[Change]:
        executions = await self._executions(event.agreement_id)
        touched += executions
        data = {"transaction": transaction, "amount": str(event.refunded)}
        now = self.ports.clock.now()
        return [AddEvent(execution.execution_id, "refunded", now, data, once="refunded") for execution in executions]

    async def _executions(self, agreement_id: AgreementId) -> tuple[StoredExecution, ...]:
        if await self.ports.agreements.agreement(agreement_id) is None:
            return ()
        return await self.ports.agreements.executions(agreement_id=agreement_id)


def settlement_changes(execution: StoredExecution, transaction: str, clock: Clock) -> list[Change]:
    """Return the changes after a receipt is committed: the note, the event, and the end if listeners wait for it."""
    now, charge = clock.now(), str(execution.charge or 0)
    receipt = execution.frozen.receipt_hash if execution.frozen is not None else ""
    data = {"transaction": transaction, "charge": charge, "receiptHash": receipt}
    return [
        NoteSettled(execution.execution_id, transaction),
        AddEvent(execution.execution_id, "settled", now, data, once="settled"),
        *([end_event(execution, clock)] if execution.charge else []),
    ]


def end_event(execution: StoredExecution, clock: Clock) -> AddEvent:
    """Return the last event of an execution."""
    return AddEvent(execution.execution_id, "end", clock.now(), {}, once="end")
