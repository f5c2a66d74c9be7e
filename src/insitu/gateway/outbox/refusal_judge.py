"""Whether a refused item can still succeed later: a refusal now need not be one forever."""

from dataclasses import dataclass

from insitu.domain.errors import Failure, InsituError, NotAllowed
from insitu.gateway.outbox.item_interpreter import ItemInterpreter, result_of
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import ItemKind, OutboxItem

ATTEMPTS = 20
"""Tries after which a refusal is accepted if its cause cannot be seen on chain."""
STATEMENT_ATTEMPTS = 8
"""The same for a statement of provenance: tries of some two minutes, in which the chain takes its result again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalJudge:
    """Looks at the chain, which may have forgotten something, and at our transactions that are not in a block yet."""

    ports: GatewayPorts
    item_interpreter: ItemInterpreter

    async def is_final(self, item: OutboxItem, error: InsituError) -> bool:
        """Return whether a refused item can never succeed."""
        if item.kind is ItemKind.DERIVED:
            # Nobody's money depends on a statement. After the result nothing of ours has to be on chain before it.
            refused = isinstance(error, NotAllowed) and await self._is_registered(item)
            return refused or item.attempts >= STATEMENT_ATTEMPTS
        if isinstance(error, Failure) or await self._is_under_way(item):
            return False
        if item.kind in (ItemKind.SETTLE, ItemKind.CLOSE):
            return await self._settling_is_over(item)
        return error.code != "TransactionFailed" or item.attempts >= ATTEMPTS

    async def _is_under_way(self, item: OutboxItem) -> bool:
        """Return whether a transaction of ours for the same agreement is not mined yet; the item may need it."""
        unmined = [
            key
            for transaction in await self.ports.agreements.in_flight()
            if transaction.block is None
            for key in transaction.items
        ]
        carried = [await self.ports.agreements.item(key) for key in unmined]
        return any(
            carried_item is not None and carried_item.agreement_id == item.agreement_id for carried_item in carried
        )

    async def _settling_is_over(self, item: OutboxItem) -> bool:
        known = await self.item_interpreter.agreement(item)
        state = await self.ports.chain.agreement(item.agreement_id)
        if state.settling_is_over(known.terms, await self.ports.chain.time()):
            return True
        # Every settlement is refused until the grant is on chain again.
        return state.granted and item.attempts >= ATTEMPTS

    async def _is_registered(self, item: OutboxItem) -> bool:
        result = result_of(await self.item_interpreter.execution(item))
        return await self.ports.chain.did_record(result.did) is not None
