"""Closes agreements before their end. It never costs less than waiting (ADR 0126)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from insitu.api.gateway_v1 import Closing
from insitu.domain.agreement import AgreementState, Settlement, SignedSettlement
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_agreement_id
from insitu.domain.ledger import Call, settle
from insitu.gateway.agreements.free_gas_limiter import FreeGasLimiter
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.settler import Due, Settler, charges_at_end
from insitu.gateway.sign_in.caller import Caller
from insitu.gateway.wakeups import GRANTS, OUTBOX
from insitu.ports.agreement_changes import Change, Enqueue, Touch
from insitu.ports.agreement_records import FreeExecution, ItemKind, KnownAgreement, OutboxItem
from insitu.ports.agreements import EVERY

NO_RECEIPT = "0x" + "0" * 64
"""The hash in a settlement that settles no execution and returns the price."""


@dataclass(frozen=True, slots=True)
class _Account:
    """An agreement as it would be closed now: ``number`` is the first that no execution has."""

    known: KnownAgreement
    state: AgreementState
    status: Literal["open", "closing", "closed", "refunded", "settled"]
    charge: int
    number: int = 0
    dues: Sequence[Due] = ()

    def view(self, settlement: SignedSettlement | None = None) -> Closing:
        returned = self.known.terms.total - self.charge
        return Closing(
            service_agreement_id=self.known.agreement_id,
            status=self.status,
            charge=Amount.from_base_units(self.charge),
            returned=Amount.from_base_units(returned),
            settlement=settlement,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    """Charges now what would be charged at the end, or returns the price. Closing twice is harmless."""

    ports: GatewayPorts
    permission_checker: PermissionChecker
    free_gas_limiter: FreeGasLimiter
    settler: Settler

    async def preview(self, caller: Caller, agreement: str) -> Closing:
        """Say what closing would cost its consumer now. Raises what :meth:`close` raises."""
        return (await self._require(caller, agreement)).view()

    async def close(self, caller: Caller, agreement: str, charge: int) -> Closing:
        """Close an agreement for its consumer, who was told the charge.

        The store marks it before anything is signed, and from then on nothing starts. If the budget for gas is used
        up, or the provider has no coin, the answer has the settlement that returns the price, for the consumer to send.

        Raises ``NotConsumer``, ``AgreementUnknown``, ``AmountMismatch`` if the charge is another one by now,
        ``ExecutionInProgress``, ``ConditionNotInState`` if nothing is in escrow, ``DeadlinePassed`` when only a refund
        is possible.
        """
        found = await self._require(caller, agreement)
        if charge != found.charge:
            raise InsituError("AmountMismatch", f"closing costs {found.charge} base units, not {charge}")
        settlement = await self.give_back(found.known) if found.status in ("open", "closing") else None
        return (await self._account(found.known)).view(settlement)

    async def give_back(self, known: KnownAgreement, delay: float = 0) -> SignedSettlement | None:
        """Mark an agreement as closing, charge what is due, and return the rest.

        With a ``delay`` in seconds, prices that are returned within it share a transaction.
        Return the settlement that returns the price if the provider has no gas left to send it.
        """
        found, agreement_id = await self._account(known), known.agreement_id
        if found.status not in ("open", "closing"):
            return None
        if not found.state.granted:
            # The granter refuses it from now on; a grant that is under way comes first.
            await self.ports.agreements.close(agreement_id, found.number, [Touch(agreement_id, 0)], None)
            self.ports.wakeups.ring(GRANTS)
            return None
        changes = self._decide(found)
        if found.charge:
            if changes:
                await self.ports.agreements.close(agreement_id, found.number, changes, None)
            self.ports.wakeups.ring(OUTBOX)
            return None
        return await self._return(found, changes, delay)

    async def _require(self, caller: Caller, agreement: str) -> _Account:
        agreement_id = read_agreement_id(agreement)
        caller.require(agreement_id)
        known = await self.permission_checker.find(agreement_id)
        if known.terms.consumer.lower() != caller.address.lower():
            raise InsituError("NotConsumer", f"only the consumer of agreement {agreement_id} can close it")
        return await self._account(known)

    async def _account(self, known: KnownAgreement) -> _Account:
        """Return what closing means now. Raises as :meth:`close` does."""
        known = await self.ports.agreements.agreement(known.agreement_id) or known
        state, terms = await self.ports.chain.agreement(known.agreement_id), known.terms
        if state.refunded or state.closed:
            return _Account(known, state, "refunded" if state.refunded else "closed", state.settled)
        if not state.locked:
            raise InsituError("ConditionNotInState", "nothing is in escrow: the consumer cancels it on chain")
        if state.settled == terms.total:
            return _Account(known, state, "settled", state.settled)
        if state.settling_is_over(terms, await self.permission_checker.now()):
            raise InsituError("DeadlinePassed", "the time to settle is over, and anyone can trigger the refund")
        executions = await self.ports.agreements.executions(agreement_id=known.agreement_id, limit=EVERY)
        waiting = [execution for execution in executions if execution.charge is None]
        decided = [execution for execution in executions if execution.charge is not None]
        unsettled = [execution for execution in decided if execution.settlement_transaction is None]
        busy = [execution for execution in waiting if execution.live] or ([] if known.closing else unsettled)
        if busy:
            detail = f"execution {busy[0].execution_id} has not ended, or is not settled yet"
            raise InsituError("ExecutionInProgress", detail, workflowExecutionId=busy[0].execution_id)
        dues = charges_at_end(waiting, terms.total)
        charge = sum(due.settlement.charge for due in dues) + sum(execution.charge or 0 for execution in decided)
        number = executions[0].plan.number + 1 if executions else 0
        return _Account(known, state, "closing" if known.closing else "open", charge, number, dues)

    def _decide(self, found: _Account) -> list[Change]:
        """Return the changes that settle the open executions, one after the other."""
        known, now = found.known, self.ports.clock.now()
        return [
            change for due in found.dues for change in self.settler.decide(known.agreement_id, known.terms, due, now)
        ]

    async def _return(self, found: _Account, changes: Sequence[Change], delay: float) -> SignedSettlement | None:
        """Return the price with a last settlement, which is signed only after the mark is stored."""
        agreement_id, terms = found.known.agreement_id, found.known.terms
        last = Settlement(index=found.number, charge=0, receipt_hash=NO_RECEIPT, last=True)
        payload, now = last.model_dump(mode="json", by_alias=True), self.ports.clock.now()
        due = now + timedelta(seconds=delay)
        item = OutboxItem(f"close:{agreement_id}", ItemKind.CLOSE, agreement_id, due, payload=payload, batch=True)
        try:
            free = await self._gas(settle(terms, last), await self.ports.agreements.item(item.key))
            send = (*changes, Enqueue(item, again=True))
            await self.ports.agreements.close(
                agreement_id, found.number, send, (free, now) if free is not None else None
            )
        except InsituError as error:
            if error.code not in ("FreeGasExhausted", "InsufficientFunds"):
                raise
            await self.ports.agreements.close(agreement_id, found.number, changes, None)
            return self.settler.sign(agreement_id, terms, last)
        self.ports.wakeups.ring(OUTBOX)
        return None

    async def _gas(self, call: Call, earlier: OutboxItem | None) -> FreeExecution | None:
        """Return what to reserve for a last settlement. Nothing for one that was put into the outbox before.

        Raises ``InsufficientFunds`` if the provider cannot pay for it now.
        """
        if earlier is not None and (earlier.reason is None or earlier.reason.code != "InsufficientFunds"):
            return None
        try:
            free = await self.free_gas_limiter.of_call(call)
        except InsituError as error:
            if earlier is None or error.code != "ConditionNotInState":
                raise
            return None  # it was sent meanwhile
        if await self.ports.chain.native_balance(self.ports.provider) < free.cost:
            raise InsituError("InsufficientFunds", f"{self.ports.provider} has no coin to return the price")
        return free if earlier is None else None
