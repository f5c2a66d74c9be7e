"""Transactions of the provider's one key: stored before they are sent, sent until they are confirmed (design §8)."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import ExecutionId
from insitu.domain.ledger import Call
from insitu.gateway.outbox.effects import Effects
from insitu.gateway.wakeups import Wakeups, events_of
from insitu.ports.agreement_changes import Attach, Change, Confirm, Detach, MarkMined, MarkUnmined, Spend
from insitu.ports.agreement_records import OutboxItem, StoredTransaction
from insitu.ports.agreements import Agreements
from insitu.ports.chain import Chain, Mined, SignedTransaction
from insitu.ports.clock import Clock
from insitu.ports.keys import Signer

__all__ = ["Transactions"]

logger = logging.getLogger(__name__)

SEND_AGAIN = timedelta(seconds=15)
RETRY = timedelta(seconds=1)


class Transactions:
    """Sends in the order of nonces and watches until a transaction is deep enough.

    One worker uses it, so nonces are given out one after the other.
    """

    def __init__(
        self,
        confirmations: int,
        chain: Chain,
        signer: Signer,
        agreements: Agreements,
        effects: Effects,
        clock: Clock,
        wakeups: Wakeups,
    ) -> None:
        self._confirmations = confirmations
        self._chain = chain
        self._signer = signer
        self._agreements = agreements
        self._effects = effects
        self._clock = clock
        self._wakeups = wakeups
        self._sent: dict[str, datetime] = {}
        """When this process last sent what is not mined yet."""

    async def send(self, call: Call, items: Sequence[OutboxItem]) -> None:
        """Sign, store, and send.

        Raises the contract's refusal, before anything is stored; ``InsufficientFunds`` and ``ChainUnavailable``, also
        for what is stored by then and sent again until the chain takes it.
        """
        nonce = await self._chain.next_nonce(self._signer.address)
        for earlier in await self._agreements.in_flight():
            if earlier.block is None:
                nonce = max(nonce, earlier.nonce + 1)
        signed = await self._chain.sign(call, self._signer, nonce)
        keys = tuple(item.key for item in items)
        stored = StoredTransaction(signed.hash, signed.raw, signed.nonce, self._clock.now(), keys)
        await self._agreements.apply([Attach(stored)])
        await self._broadcast(stored)

    async def watch(self) -> bool:
        """Look at each transaction that is not confirmed; tell whether one of them is in no block yet."""
        unmined: list[StoredTransaction] = []
        for transaction in await self._agreements.in_flight():
            mined = await self._chain.outcome(transaction.hash)
            if mined is None:
                unmined.append(transaction)
            else:
                await self._mined(transaction, mined)
        if unmined:
            await self._push(unmined)
        return bool(unmined)

    async def _mined(self, transaction: StoredTransaction, mined: Mined) -> None:
        self._sent.pop(transaction.hash, None)
        if not mined.ok:
            reason = Reason(code="TransactionFailed", message=mined.error or "the contract refused it")
            logger.warning("transaction %s failed: %s", transaction.hash, reason.message)
            again = Detach(transaction.hash, self._clock.now() + RETRY, reason)
            await self._agreements.apply([*_spent(mined), again])
            return
        changes: list[Change] = []
        executions: list[ExecutionId] = []
        if transaction.block is None:
            changes.append(MarkMined(transaction.hash, mined.block))
            for key in transaction.items:
                item = await self._agreements.item(key)
                if item is not None:
                    changes += await self._effects.done(item, transaction.hash)
                    executions += [item.execution_id] if item.execution_id is not None else []
        changes += _spent(mined)
        if mined.confirmations >= self._confirmations:
            changes += [Confirm(transaction.hash)]
        await self._agreements.apply(changes)
        for execution_id in executions:
            self._wakeups.ring(events_of(execution_id))

    async def _push(self, unmined: Sequence[StoredTransaction]) -> None:
        """Send again what the chain may have forgotten; give up what it can never take."""
        expected = await self._chain.next_nonce(self._signer.address)
        lost = [one for one in unmined if one.block is not None]
        await self._agreements.apply([MarkUnmined(one.hash) for one in lost])
        if unmined[0].nonce > expected:
            # A transaction before these is gone for good, so their nonces are never reached.
            for one in unmined:
                await self._forget(one, "an earlier transaction of the key is lost")
            return
        for one in unmined:
            sent = self._sent.get(one.hash)
            if one in lost or sent is None or self._clock.now() >= sent + SEND_AGAIN:
                await self._broadcast_again(one)

    async def _broadcast_again(self, transaction: StoredTransaction) -> None:
        try:
            await self._broadcast(transaction)
        except InsituError as error:
            logger.warning("transaction %s is not sent yet: %s", transaction.hash, error)

    async def _broadcast(self, transaction: StoredTransaction) -> None:
        self._sent[transaction.hash] = self._clock.now()
        try:
            await self._chain.broadcast(SignedTransaction(transaction.hash, transaction.raw, transaction.nonce))
        except InsituError as error:
            if error.definition.retry:
                self._sent.pop(transaction.hash, None)
                if error.code != "InsufficientFunds":
                    raise
                # The consumer reads it, too, whose account is another.
                detail = f"the provider's account {self._signer.address} cannot pay for the gas of this transaction"
                raise InsituError(error.code, detail) from error
            if await self._chain.outcome(transaction.hash) is None:
                await self._forget(transaction, error.detail)

    async def _forget(self, transaction: StoredTransaction, why: str) -> None:
        self._sent.pop(transaction.hash, None)
        logger.warning("transaction %s is replaced: %s", transaction.hash, why)
        reason = Reason(code="TransactionFailed", message=why)
        await self._agreements.apply([Detach(transaction.hash, self._clock.now(), reason)])


def _spent(mined: Mined) -> list[Change]:
    return [] if mined.cost is None else [Spend(mined.hash, mined.cost, mined.ok)]
