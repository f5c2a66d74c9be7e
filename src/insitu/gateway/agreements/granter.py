"""Decides about agreements: grant, refuse, decline, or note that one is lost (C7)."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio

from insitu.domain.agreement import AgreementState
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.gateway.agreements.assessor import Assessment, is_passing, nothing_runs
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.terms_checker import TermsChecker, copies_of
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.wakeups import GRANTS, OUTBOX
from insitu.ports.agreement_changes import Attend, Change, Enqueue, Judge, MarkLost
from insitu.ports.agreement_records import ItemKind, KnownAgreement, OutboxItem, Standing
from insitu.ports.peers import OperatorPeer

logger = logging.getLogger(__name__)

RETRY = timedelta(seconds=2)
DEFECT_RETRY = timedelta(seconds=60)
AT_ONCE = 8
"""Agreements that are judged at the same time, so that a document behind a slow url delays no other agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granter:
    """Moves every agreement that needs attention to its right standing. Repeating a step changes nothing."""

    ports: GatewayPorts
    terms_checker: TermsChecker
    permission_checker: PermissionChecker
    operator: OperatorPeer

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            seen = self.ports.wakeups.count(GRANTS)
            worked = await self.turn()
            if not worked:
                await self.ports.wakeups.wait(
                    GRANTS, seen, seconds=30, until=await self.ports.agreements.next_attention()
                )

    async def turn(self) -> bool:
        """Attend to every agreement that needs it now. Return whether there was one."""
        waiting = await self.ports.agreements.needing_attention(self.ports.clock.now())
        limiter = anyio.CapacityLimiter(AT_ONCE)
        async with anyio.create_task_group() as group:
            for agreement in waiting:
                group.start_soon(self._attend, agreement, limiter)
        return bool(waiting)

    async def _attend(self, known: KnownAgreement, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            again: datetime | None = None
            try:
                changes, again = await self._reconcile(known)
            except InsituError as error:
                logger.warning("agreement %s cannot be judged now: %s", known.agreement_id, error)
                changes, again = [], self.ports.clock.now() + RETRY
            except Exception:
                # A document that nobody foresaw must not keep the others from being granted.
                logger.exception("agreement %s cannot be judged", known.agreement_id)
                changes, again = [], self.ports.clock.now() + DEFECT_RETRY
            await self.ports.agreements.apply([*changes, Attend(known.agreement_id, known.attention, again)])
            if changes:
                self.ports.wakeups.ring(OUTBOX)

    async def _reconcile(self, known: KnownAgreement) -> tuple[list[Change], datetime | None]:
        state = await self.ports.chain.agreement(known.agreement_id)
        if not state.locked:
            return await self._note_missing_lock(known)
        found: list[Change] = [MarkLost(known.agreement_id, None)] if known.lost_since is not None else []
        if state.refunded:
            standing = (
                Standing.REFUNDED if state.granted or known.standing is not Standing.REFUSING else Standing.REFUSED
            )
            standing = known.standing if known.standing is Standing.REFUSED else standing
            return [*found, self._judgement(known, standing, known.reason)], None
        if state.granted:
            return [*found, *await self._note_grant(known, state)], None
        if known.standing is Standing.RELAYING:
            # Someone else sent the purchase first; the transaction in the outbox will grant it.
            return found, None
        changes, again = await self._judge(known, state)
        return [*found, *changes], again

    async def _note_grant(self, known: KnownAgreement, state: AgreementState) -> list[Change]:
        """Note a grant. One made by an offer, or before the stored data was lost, appears here for the first time."""
        standing = Standing.CLOSED if state.closed else Standing.GRANTED
        judged = self._judgement(known, standing, None, state)
        if known.versions or state.closed:
            return [judged]
        found = await self.terms_checker.assess_sold(known.terms)
        if found is None or found.times is None:
            return [judged]
        noted = replace(judged, versions=found.bought_versions, max_executions=found.policy.max_executions)
        return [noted, *copies_of(found, state.start)]

    async def _note_missing_lock(self, known: KnownAgreement) -> tuple[list[Change], datetime | None]:
        """Handle an agreement without a locked payment. That is normal before the lock, and a loss after a grant."""
        if known.standing not in (Standing.GRANTED, Standing.GRANTING):
            return [], None
        now = self.ports.clock.now()
        if known.lost_since is None:
            return [MarkLost(known.agreement_id, now)], now + RETRY
        if now < known.lost_since + timedelta(seconds=self.ports.configuration.lost_after):
            return [], now + RETRY
        logger.error("the chain no longer knows the payment of agreement %s", known.agreement_id)
        reason = Reason(code="AgreementLost", message="the chain no longer knows the payment")
        await self.ports.agreements.apply([self._judgement(known, Standing.LOST, reason)])
        for execution in await self.ports.agreements.executions(agreement_id=known.agreement_id):
            if execution.live:
                await self.operator.stop(known.agreement_id, execution.execution_id, "provider")
        return [], None

    async def _judge(self, known: KnownAgreement, state: AgreementState) -> tuple[list[Change], datetime | None]:
        """Grant or refuse an agreement whose payment is locked."""
        terms, now = known.terms, await self.permission_checker.now()
        if now >= state.grant_ends(terms):
            return [], None
        if known.closing:
            return await self._refuse(known, InsituError("AgreementClosing", "its consumer closes it"), 0)
        try:
            found = await self.terms_checker.require(
                terms, counted=known.standing is Standing.GRANTING, locked=state.start
            )
        except InsituError as error:
            return await self._refuse(known, error, now - state.start)
        return self._grant(known, state, found), None

    def _grant(self, known: KnownAgreement, state: AgreementState, found: Assessment) -> list[Change]:
        judged = Judge(
            known.agreement_id,
            Standing.GRANTING,
            self.ports.clock.now(),
            versions=found.bought_versions,
            max_executions=found.policy.max_executions,
            start=state.start,
        )
        # Needed again after a reorganisation that undid an earlier grant.
        return [judged, Enqueue(self._item(ItemKind.GRANT, known), again=True), *copies_of(found, state.start)]

    async def _refuse(
        self, known: KnownAgreement, error: InsituError, waited: int
    ) -> tuple[list[Change], datetime | None]:
        now = self.ports.clock.now()
        if (is_passing(error) or error.definition.retry) and waited < self._patience(known):
            return [], now + RETRY
        reason = Reason(code=error.code, message=error.detail)
        if is_passing(error) and not nothing_runs(error):
            # It is unknown whether anything is wrong. The consumer gets the refund after the grant timeout.
            return [self._judgement(known, Standing.CREATED, reason)], now + RETRY
        logger.info("agreement %s is refused: %s", known.agreement_id, error)
        if not await self._is_worth_refusing(known):
            return [self._judgement(known, Standing.DECLINED, reason)], None
        item = self._item(ItemKind.REFUSE, known)
        return [self._judgement(known, Standing.REFUSING, reason), Enqueue(item, again=True)], None

    def _patience(self, known: KnownAgreement) -> float:
        return min(self.ports.configuration.patience, known.terms.grant_timeout / 2)

    async def _is_worth_refusing(self, known: KnownAgreement) -> bool:
        """A refusal costs the provider gas, so an agreement below the service's price waits for the timeout instead."""
        if known.terms.total == 0:
            return False
        try:
            price = await self.terms_checker.service_price(known.terms)
        except InsituError:
            return False
        return known.terms.total >= price

    def _judgement(
        self, known: KnownAgreement, standing: Standing, reason: Reason | None, state: AgreementState | None = None
    ) -> Judge:
        start = state.start if state is not None else None
        return Judge(known.agreement_id, standing, self.ports.clock.now(), reason, start=start)

    def _item(self, kind: ItemKind, known: KnownAgreement) -> OutboxItem:
        return OutboxItem(f"{kind}:{known.agreement_id}", kind, known.agreement_id, self.ports.clock.now())
