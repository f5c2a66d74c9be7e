"""Lists agreements for their consumers, for the provider, and for the owner of a data set."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from insitu.api.agreements_v1 import AgreementList, AgreementStatus, AgreementView
from insitu.api.gateway_v1 import ReasonView
from insitu.domain.amount import Amount
from insitu.domain.did import Did
from insitu.domain.ids import read_agreement_id
from insitu.gateway.executions.executor import UNCOUNTED
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.agreement_records import KnownAgreement, Standing
from insitu.ports.bought_agreements import BoughtFilter, Used

_ON_ITS_WAY: dict[Standing, AgreementStatus] = {
    Standing.RELAYING: "sent",
    Standing.GRANTING: "sent",
    Standing.REFUSING: "refused",
}
_RETURNED = (Standing.REFUSED, Standing.REFUNDED, Standing.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLister:
    """Says where agreements stand by what the gateway remembers. The chain decides."""

    ports: GatewayPorts

    async def list(
        self, caller: Caller, *, reading: str | None, live: bool | None, before: str | None, limit: int
    ) -> AgreementList:
        """Return a page of agreements, newest first: of a consumer, on a data set of its owner, all for the provider.

        Raises ``InvalidId``, ``InvalidDid``.
        """
        did = str(Did.parse(reading)) if reading is not None else None
        record = await self.ports.chain.did_record(did) if did is not None else None
        sees_all = caller.address.lower() in {self.ports.provider.lower(), record.owner.lower() if record else None}
        now = self.ports.clock.now()
        wanted = BoughtFilter(
            consumer=None if sees_all else caller.address,
            reading=did,
            live=live,
            now=int(now.timestamp()),
            before=read_agreement_id(before) if before is not None else None,
            limit=limit,
        )
        found = await self.ports.agreements.purchases(wanted)
        more = found[-1][0].agreement_id if len(found) == limit else None
        shown = (pair for pair in found if caller.agreement in (None, pair[0].agreement_id))
        return AgreementList(agreements=tuple(_view(known, used, now) for known, used in shown), before=more)


def _view(known: KnownAgreement, used: Used, now: datetime) -> AgreementView:
    terms, reason = known.terms, known.reason
    locked = datetime.fromtimestamp(known.start, UTC) if known.start else None
    ends = locked + timedelta(seconds=terms.timeout) if locked else None
    executable = known.standing is Standing.GRANTED and not known.closing and ends is not None and now < ends
    left = known.max_executions + min(used.silent, UNCOUNTED) - used.started
    return AgreementView(
        service_agreement_id=known.agreement_id,
        status=_status(known, used, executable=executable),
        reason=ReasonView(code=reason.code, message=reason.message, next_step=reason.next_step) if reason else None,
        consumer=terms.consumer,
        did=str(Did.from_hex(terms.did)),
        workflow_did=str(Did.from_hex(terms.workflow_id)),
        versions=dict(known.versions),
        locked_at=locked,
        ends_at=ends,
        executions=used.started,
        executions_left=max(0, left) if executable else 0,
        price=Amount.from_base_units(terms.total),
        charged=Amount.from_base_units(used.charged),
        returned=Amount.from_base_units(terms.total - used.settled if known.standing in _RETURNED else 0),
    )


def _status(known: KnownAgreement, used: Used, *, executable: bool) -> AgreementStatus:
    if known.standing is not Standing.GRANTED:
        return _ON_ITS_WAY.get(known.standing) or cast(AgreementStatus, known.standing.value)
    if known.terms.total and used.settled == known.terms.total:
        return "settled"
    if known.closing:
        return "closing"
    return "granted" if executable else "expired"
