"""Transactions of the provider's one key: stored before they are sent, and sent until they are confirmed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import ExecutionId
from insitu.domain.ledger import Call
from insitu.gateway.outbox.item_interpreter import ItemInterpreter
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.wakeups import GRANTS, RELAYS, events_of
from insitu.ports.agreement_changes import Attach, Change, Confirm, Detach, MarkMined, MarkUnmined, Spend
from insitu.ports.agreement_records import ItemKind, OutboxItem, StoredTransaction
from insitu.ports.chain import Mined, SignedTransaction

logger = logging.getLogger(__name__)

SEND_AGAIN = timedelta(seconds=15)
RETRY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSender:
    """Sends transactions in the order of nonces and watches each until it is deep enough.

    Only one worker uses it, so nonces are assigned one after the other.

    ``_sent`` is when this process last sent each transaction that is not mined yet.
    """

    ports: GatewayPorts
    item_interpreter: ItemInterpreter
    _sent: dict[str, datetime] = field(init=False, default_factory=dict)

    async def send(self, call: Call, items: Sequence[OutboxItem]) -> None:
        """Sign, store and send a call.

        Raises the contract's refusal before anything is stored. Raises ``InsufficientFunds`` and ``ChainUnavailable``
        also for a stored transaction, which is sent again until the chain takes it.
        """
        nonce = await self.ports.chain.next_nonce(self.ports.provider)
        for earlier in await self.ports.agreements.in_flight():
            if earlier.block is None:
                nonce = max(nonce, earlier.nonce + 1)
        signed = await self.ports.chain.sign(call, self.ports.signer, nonce)
        keys = tuple(item.key for item in items)
        stored = StoredTransaction(signed.hash, signed.raw, signed.nonce, self.ports.clock.now(), keys)
        await self.ports.agreements.apply([Attach(stored)])
        await self._broadcast(stored)

    async def watch(self) -> bool:
        """Look at each transaction that is not confirmed. Return whether one of them is not in a block yet."""
        unmined: list[StoredTransaction] = []
        for transaction in await self.ports.agreements.in_flight():
            mined = await self.ports.chain.outcome(transaction.hash)
            if mined is None:
                unmined.append(transaction)
            else:
                await self._note_mined(transaction, mined)
        if unmined:
            await self._push(unmined)
        return bool(unmined)

    async def _note_mined(self, transaction: StoredTransaction, mined: Mined) -> None:
        self._sent.pop(transaction.hash, None)
        changes: list[Change]
        if not mined.ok:
            reason = Reason(code="TransactionFailed", message=mined.error or "the contract refused it")
            logger.warning("transaction %s failed: %s", transaction.hash, reason.message)
            changes = [*_spending(mined), Detach(transaction.hash, self.ports.clock.now() + RETRY, reason)]
            await self.ports.agreements.apply([*changes, *await self._give_up_relayed(transaction, reason)])
            self.ports.wakeups.ring(RELAYS)
            self.ports.wakeups.ring(GRANTS)
            return
        changes = []
        executions: list[ExecutionId] = []
        if transaction.block is None:
            changes.append(MarkMined(transaction.hash, mined.block))
            for key in transaction.items:
                item = await self.ports.agreements.item(key)
                if item is not None:
                    changes += await self.item_interpreter.done(item, transaction.hash)
                    executions += [item.execution_id] if item.execution_id is not None else []
        changes += _spending(mined)
        if mined.confirmations >= self.ports.configuration.confirmations:
            changes += [Confirm(transaction.hash)]
        await self.ports.agreements.apply(changes)
        for execution_id in executions:
            self.ports.wakeups.ring(events_of(execution_id))

    async def _give_up_relayed(self, transaction: StoredTransaction, reason: Reason) -> list[Change]:
        """Return the changes that give up what was sent for others.

        Their accounts may decide whether it fails, so each try needs a new promise within the limits.
        """
        changes: list[Change] = []
        for key in transaction.items:
            item = await self.ports.agreements.item(key)
            if item is not None and item.kind in (ItemKind.RELAY, ItemKind.REQUEST):
                changes += await self.item_interpreter.given_up(item, reason)
        return changes

    async def _push(self, unmined: Sequence[StoredTransaction]) -> None:
        """Send again what the chain may have forgotten, and give up what it can never take."""
        expected = await self.ports.chain.next_nonce(self.ports.provider)
        lost = [transaction for transaction in unmined if transaction.block is not None]
        await self.ports.agreements.apply([MarkUnmined(transaction.hash) for transaction in lost])
        if unmined[0].nonce > expected:
            # An earlier transaction is lost for good, so the chain never reaches these nonces.
            for transaction in unmined:
                await self._forget(transaction, "an earlier transaction of the key is lost")
            return
        for transaction in unmined:
            sent = self._sent.get(transaction.hash)
            if transaction in lost or sent is None or self.ports.clock.now() >= sent + SEND_AGAIN:
                await self._broadcast_again(transaction)

    async def _broadcast_again(self, transaction: StoredTransaction) -> None:
        try:
            await self._broadcast(transaction)
        except InsituError as error:
            logger.warning("transaction %s is not sent yet: %s", transaction.hash, error)

    async def _broadcast(self, transaction: StoredTransaction) -> None:
        self._sent[transaction.hash] = self.ports.clock.now()
        try:
            await self.ports.chain.broadcast(SignedTransaction(transaction.hash, transaction.raw, transaction.nonce))
        except InsituError as error:
            if error.definition.retry:
                self._sent.pop(transaction.hash, None)
                if error.code != "InsufficientFunds":
                    raise
                # The consumer may read this, so say whose account it is.
                detail = f"the provider's account {self.ports.provider} cannot pay for the gas of this transaction"
                raise InsituError(error.code, detail) from error
            if await self.ports.chain.outcome(transaction.hash) is None:
                await self._forget(transaction, error.detail)

    async def _forget(self, transaction: StoredTransaction, why: str) -> None:
        self._sent.pop(transaction.hash, None)
        logger.warning("transaction %s is replaced: %s", transaction.hash, why)
        reason = Reason(code="TransactionFailed", message=why)
        await self.ports.agreements.apply([Detach(transaction.hash, self.ports.clock.now(), reason)])


def _spending(mined: Mined) -> list[Change]:
    return [] if mined.cost is None else [Spend(mined.hash, mined.cost)]
