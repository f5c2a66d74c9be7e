"""Waiting for ComputeExecutionCondition.Fulfilled, or finding out that it will not come (C8)."""

from contextlib import suppress

import anyio

from insitu.domain.agreement import Terms
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import ComputeFulfilled, EscrowAborted
from insitu.ports.chain import Chain, Cursor
from insitu.waiting import Backoff, Pauses

LOOK = Backoff(0.05, 1.0, factor=1.5)
"""The pauses between two looks at the state. Events make it fast, and these looks make it certain."""


async def wait_for_grant(chain: Chain, agreement_id: AgreementId, terms: Terms, since: Cursor | None = None) -> None:
    """Return once the agreement is granted.

    ``since`` is the block of the purchase, if known: then the events after it are followed.

    Raises ``AgreementUnknown``, ``AgreementRefused``, ``AgreementNotGranted``.
    """
    watch = _Watch(chain, agreement_id)
    refusal: InsituError | None = None
    async with anyio.create_task_group() as tasks:
        if since is not None:
            tasks.start_soon(watch.follow, since)
        pauses = Pauses(LOOK)
        try:
            while not await _is_granted(chain, agreement_id, terms):
                with anyio.move_on_after(pauses.next()):
                    await watch.seen.wait()
        except InsituError as error:
            # Raised outside the group, which would wrap it.
            refusal = error
        tasks.cancel_scope.cancel()
    if refusal is not None:
        raise refusal


class _Watch:
    def __init__(self, chain: Chain, agreement_id: AgreementId) -> None:
        self._chain = chain
        self._agreement_id = agreement_id
        self.seen = anyio.Event()
        """Set by the first event that decides."""

    async def follow(self, since: Cursor) -> None:
        # If the events cannot be followed, looking at the state continues.
        with suppress(InsituError):
            await self._follow(since)

    async def _follow(self, since: Cursor) -> None:
        async for block in self._chain.follow([since]):
            for logged in block.events:
                event = logged.event
                if isinstance(event, ComputeFulfilled | EscrowAborted) and event.agreement_id == self._agreement_id:
                    self.seen.set()
                    return


async def _is_granted(chain: Chain, agreement_id: AgreementId, terms: Terms) -> bool:
    state = await chain.agreement(agreement_id)
    if state.refunded:
        raise InsituError("AgreementRefused", f"the payment of {agreement_id} was returned to {terms.consumer}")
    if state.granted:
        return True
    if not state.locked:
        raise InsituError("AgreementUnknown", f"the chain has no paid agreement {agreement_id}")
    if await chain.time() >= state.grant_ends(terms):
        detail = f"the provider did not grant {agreement_id} in time; the payment can be refunded"
        raise InsituError("AgreementNotGranted", detail)
    return False
