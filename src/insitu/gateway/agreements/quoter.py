"""``POST check``: price, server, receivers and verdict, before any money moves (C1)."""

from dataclasses import dataclass

from insitu.api.gateway_v1 import CheckRequest, FreeCompute, Quote, QuotedInput, Receiver, VerdictReason
from insitu.at_once import outcomes
from insitu.domain.amount import Amount
from insitu.domain.did import Did
from insitu.domain.errors import InsituError, LimitReached, definition_of
from insitu.domain.ids import Address, read_agreement_id
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.ledger import DidRecord
from insitu.domain.policy import Refusal, Verdict
from insitu.domain.pricing import Price
from insitu.gateway.agreements.assessor import Assessment, Assessor, is_passing
from insitu.gateway.agreements.free_compute import caps_on
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.revision_checker import RevisionChecker, require_bought_workflow
from insitu.gateway.agreements.terms_checker import TermsChecker
from insitu.gateway.agreements.version_keeper import VersionKeeper
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import KnownAgreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoter:
    """Answers what the terms of an agreement must be, or whether a revision may run under one."""

    ports: GatewayPorts
    assessor: Assessor
    version_keeper: VersionKeeper
    terms_checker: TermsChecker
    permission_checker: PermissionChecker
    revision_checker: RevisionChecker

    async def check(self, request: CheckRequest) -> Quote:
        """Return the quote, even if the verdict is no. A revision costs nothing more.

        Raises what resolving the workflow raises; for a revision ``WorkflowMismatch``, and what
        :meth:`PermissionChecker.require` raises.
        """
        known = await self._agreement(request)
        found = await self._assess(request, known)
        first = found.workflow.input_dids[0]
        times, price, server = found.times, found.price if known is None else None, found.server
        versions = await self._versions(found)
        verdict = await (self._verdict(found, request.consumer) if known is None else self._revised(known, found))
        left, verdict = await self._compute(found, request.consumer, known, verdict)
        quote = Quote(
            allowed=verdict.allowed,
            reasons=tuple(_reason(reason) for reason in verdict.reasons),
            did=first,
            inputs=tuple(QuotedInput(did=did, checksum=checksum) for did, checksum in versions),
            inputs_hash=inputs_hash(versions),
            workflow_did=request.workflow_did or "",
            workflow_hash=found.published.checksum if found.published is not None else "",
            service_index=_index(found, request.service_index),
            provider=self.ports.provider,
            server=server.to_json() if server is not None else {},
            free_compute=left,
        )
        if price is not None:
            total = Amount.from_base_units(price.total)
            quote = quote.model_copy(update={"price": total, "receivers": _receivers(price)})
        if times is not None:
            quote = quote.model_copy(
                update={
                    "deadline_seconds": times.lock_timeout,
                    "grant_timeout": times.grant_timeout,
                    "timeout": times.timeout,
                    "settle_timeout": times.settle_timeout,
                }
            )
        return quote

    async def _agreement(self, request: CheckRequest) -> KnownAgreement | None:
        if request.service_agreement_id is None:
            return None
        known = await self.permission_checker.find(read_agreement_id(request.service_agreement_id))
        # Anybody may ask, and looking for versions is dear: it is done only for what was paid.
        await self.permission_checker.require(known, request.consumer)
        require_bought_workflow(known, request.workflow_did)
        return known

    async def _assess(self, request: CheckRequest, known: KnownAgreement | None) -> Assessment:
        index = known.terms.service_index if known is not None else request.service_index
        bought = await self.version_keeper.prove(known.terms, known.versions) if known is not None else None
        if request.workflow_did is None:
            return await self.assessor.assess_planned(request.consumer, request.workflow or {}, index, bought)
        return await self.assessor.assess(request.consumer, request.workflow_did, service_index=index, bought=bought)

    async def _revised(self, known: KnownAgreement, found: Assessment) -> Verdict:
        try:
            await self.revision_checker.require(known, found)
        except InsituError as error:
            if is_passing(error):
                raise
            refusal = Refusal(code=error.code, did=str(Did.from_hex(known.terms.workflow_id)), message=error.detail)
            return Verdict.of((refusal, *found.verdict.reasons))
        return found.verdict

    async def _verdict(self, found: Assessment, consumer: Address) -> Verdict:
        """Add a refusal if a free agreement would not be granted because the quota or the gas budget is used up."""
        if found.price is None or found.price.total:
            return found.verdict
        try:
            await self.terms_checker.require_free(consumer)
        except LimitReached as error:
            spent = Refusal(code=error.code, did=found.workflow.input_dids[0], message=error.detail)
            return Verdict.of((*found.verdict.reasons, spent))
        return found.verdict

    async def _compute(
        self, found: Assessment, consumer: Address, known: KnownAgreement | None, verdict: Verdict
    ) -> tuple[FreeCompute | None, Verdict]:
        """Say how much compute that costs nothing is left, and add a refusal if none is."""
        price = known.terms if known is not None else found.price
        if price is None:
            return None, verdict
        agreement, now = known.agreement_id if known is not None else None, self.ports.clock.now()
        left = await self.ports.agreements.compute_left(caps_on(price, self.ports), consumer, agreement, now)
        if left is None:
            return None, verdict
        try:
            left.require(now)
        except LimitReached as error:
            spent = Refusal(code=error.code, did=found.workflow.input_dids[0], message=error.detail)
            verdict = Verdict.of((*verdict.reasons, spent))
        return FreeCompute(of=left.of, limit=left.limit, left=left.left), verdict

    async def _versions(self, found: Assessment) -> list[tuple[str, str]]:
        """Return the current version of every registered input. Raises ``AssetNotFound`` if the first is unknown."""
        dids, known = found.workflow.input_dids, found.bought_versions
        missing = [did for did in dids if did not in known]
        records = await outcomes(self.ports.resolver.record(did) for did in missing)
        for did, record in zip(missing, records, strict=True):
            if isinstance(record, DidRecord):
                known[did] = record.checksum
            elif did == dids[0] or is_passing(record):
                raise record
        return [(did, known[did]) for did in dids if did in known]


def _receivers(price: Price) -> tuple[Receiver, ...]:
    """Return the receivers as they appear in the terms: each account once, and only those that are paid."""
    paid = zip(price.receivers, price.amounts, strict=True)
    return tuple(
        Receiver(
            address=address,
            amount=Amount.from_base_units(amount),
            purpose=", ".join(
                item.purpose for item in price.items if item.amount and item.receiver.lower() == address.lower()
            ),
        )
        for address, amount in paid
    )


def _index(found: Assessment, wanted: int | None) -> int:
    if found.inputs and found.inputs[0].asset.did == found.workflow.input_dids[0]:
        return found.inputs[0].entry.index or 0
    return wanted or 0


def _reason(reason: Refusal) -> VerdictReason:
    next_step = definition_of(reason.code).next_step
    return VerdictReason(code=reason.code, did=reason.did, message=reason.message, next_step=next_step)
