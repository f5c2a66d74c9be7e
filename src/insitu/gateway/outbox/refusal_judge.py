"""Whether an effect that was refused can still come: a refusal of now is not one for ever."""

from dataclasses import dataclass

from insitu.domain.errors import Failure, InsituError
from insitu.gateway.outbox.item_interpreter import ItemInterpreter, result_of
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import ItemKind, OutboxItem

__all__ = ["RefusalJudge"]

ATTEMPTS = 20
"""Tries after which a refusal is believed whose cause cannot be seen on chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalJudge:
    """Asks the chain, which may have lost what it knew before, and our own transactions that are in no block."""

    ports: GatewayPorts
    item_interpreter: ItemInterpreter

    async def are_gone(self, item: OutboxItem, error: InsituError) -> bool:
        """Tell whether what was refused can never succeed."""
        if isinstance(error, Failure) or await self._is_under_way(item):
            return False
        if item.kind is ItemKind.SETTLE:
            return await self._settling_is_over(item)
        if item.kind is ItemKind.DERIVED and not await self._is_registered(item):
            return item.attempts >= ATTEMPTS
        return error.code != "TransactionFailed" or item.attempts >= ATTEMPTS

    async def _is_under_way(self, item: OutboxItem) -> bool:
        """Tell whether a transaction of ours for the same agreement is still to be mined: it may lack that."""
        unmined = [key for one in await self.ports.agreements.in_flight() if one.block is None for key in one.items]
        carried = [await self.ports.agreements.item(key) for key in unmined]
        return any(one is not None and one.agreement_id == item.agreement_id for one in carried)

    async def _settling_is_over(self, item: OutboxItem) -> bool:
        known = await self.item_interpreter.agreement(item)
        state = await self.ports.chain.agreement(item.agreement_id)
        if state.settling_is_over(known.terms, await self.ports.chain.time()):
            return True
        # Before the grant is there again, every settlement is refused.
        return state.granted and item.attempts >= ATTEMPTS

    async def _is_registered(self, item: OutboxItem) -> bool:
        result = result_of(await self.item_interpreter.execution(item))
        return await self.ports.chain.did_record(result.did) is not None
