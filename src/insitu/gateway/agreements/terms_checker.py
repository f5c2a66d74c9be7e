"""Whether the provider agrees to terms: the same rules for a grant, a relayed purchase and an offer (C7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from insitu.domain.agreement import Terms
from insitu.domain.agreement_times import AgreementTimes
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.pricing import Price
from insitu.gateway.agreements.assessor import Assessment, Assessor
from insitu.gateway.agreements.free_gas_limiter import FreeGasLimiter
from insitu.gateway.agreements.version_keeper import VersionKeeper
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_changes import Change, KeepCopy

SLACK = 60
"""Seconds by which a consumer's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChecker:
    """Compares signed terms with the documents, policy, price and times that ``check`` would quote."""

    ports: GatewayPorts
    version_keeper: VersionKeeper
    assessor: Assessor
    free_gas_limiter: FreeGasLimiter

    async def require(self, terms: Terms, *, counted: bool = False, locked: int | None = None) -> Assessment:
        """Return the assessment of the terms if the provider agrees to them.

        Bought is what was current when the terms were quoted, which is the shortest lock timeout of the inputs before
        their deadline, or later.

        Parameters
        ----------
        counted
            A free agreement is already counted in its consumer's quota.
        locked
            Time of the lock, in seconds since 1970, if there is one: what was current then counts too.

        Raises ``QuotaExceeded``, ``FreeGasExhausted``; the verdict's first reason; ``TermsMismatch``, ``PriceTooLow``;
        what resolving the workflow raises.
        """
        if terms.total == 0 and not counted:
            await self.require_free(terms.consumer)
        found = await self._assess(terms)
        found.verdict.require()
        if inputs_hash(tuple(found.bought_versions.items())) != terms.inputs_hash:
            found = await self._assess_earlier(terms, found, locked)
        _require_fitting_terms(terms, found)
        return found

    async def require_free(self, consumer: Address) -> None:
        """Refuse one more agreement that costs nothing. Raises ``QuotaExceeded``, ``FreeGasExhausted``."""
        await self._require_quota(consumer)
        await self.free_gas_limiter.require(consumer)

    async def assess_sold(self, terms: Terms) -> Assessment | None:
        """Return what an agreement bought whose grant this gateway did not note. None if it cannot be read now."""
        try:
            found = await self._assess(terms, await self.version_keeper.prove(terms, {}))
        except InsituError:
            return None
        return found if len(found.inputs) == len(found.workflow.input_dids) else None

    async def service_price(self, terms: Terms) -> int:
        """Return the current price in base units of the service in the terms. Raises what reading it raises."""
        return await self.assessor.service_price(str(Did.from_hex(terms.did)), terms.service_index)

    async def _assess_earlier(self, terms: Terms, found: Assessment, locked: int | None) -> Assessment:
        """Assess the terms with the versions that they buy, which are not all current any more.

        Raises ``TermsMismatch`` when they were replaced before the terms were quoted, or when there are none.
        """
        earlier = await self.version_keeper.find(terms.inputs_hash, found.workflow.input_dids)
        if earlier is None or earlier.replaced is None:
            registered = ", ".join(f"{checksum} of {did}" for did, checksum in found.bought_versions.items())
            detail = (
                f"inputsHash {terms.inputs_hash} is not that of recent versions of the inputs; current are {registered}"
            )
            raise InsituError("TermsMismatch", detail)
        sold = await self._assess(terms, earlier.versions)
        sold.verdict.require()
        quoted = terms.deadline - SLACK - (sold.times.lock_timeout if sold.times is not None else 0)
        if earlier.replaced < (quoted if locked is None else min(quoted, locked)):
            changed = [did for did, checksum in earlier.versions.items() if checksum != found.bought_versions[did]]
            versions = ", ".join(f"{earlier.versions[did]} of {did}" for did in changed)
            detail = (
                f"the terms buy {versions}, but a newer version came at {earlier.replaced}, before they were quoted"
            )
            raise InsituError("TermsMismatch", detail, did=changed[0])
        return sold

    async def _assess(self, terms: Terms, bought: Mapping[str, str] | None = None) -> Assessment:
        return await self.assessor.assess(
            terms.consumer,
            str(Did.from_hex(terms.workflow_id)),
            workflow_checksum=terms.workflow_hash,
            service_index=terms.service_index,
            bought=bought,
        )

    async def _require_quota(self, consumer: Address) -> None:
        limit = self.ports.configuration.free_grants_per_day
        since = self.ports.clock.now() - timedelta(days=1)
        if await self.ports.agreements.free_grants(consumer, since) >= limit:
            raise InsituError("QuotaExceeded", f"a consumer gets {limit} free agreements in 24 hours", limit=limit)


def copies_of(found: Assessment, locked: int) -> list[Change]:
    """Return what keeps a copy of every document that is bought, so that nobody ends the agreement by withholding one.

    ``locked`` is the time of the lock in seconds since 1970, or the latest possible one.
    """
    assert found.times is not None, "accepted terms have times"
    until = datetime.fromtimestamp(locked + found.times.timeout + found.times.settle_timeout, UTC)
    assets = [found.workflow_asset, *(entry.sold for entry in found.inputs), *(used.asset for used in found.algorithms)]
    return [KeepCopy(asset.did, asset.checksum, asset.block, asset.ddo.to_json(), until) for asset in assets]


def require_provider(terms: Terms, provider: Address) -> None:
    """Refuse terms that name another provider. Raises ``TermsMismatch``."""
    if terms.provider.lower() != provider.lower():
        raise InsituError(
            "TermsMismatch", f"the terms name the provider {terms.provider}, and this provider is {provider}"
        )


def require_prompt_lock(terms: Terms, found: Assessment, now: int) -> None:
    """Refuse terms that could be locked long after this check. Raises ``DeadlinePassed``, ``TermsMismatch``.

    A separate grant is judged after the lock. A grant that comes with the lock is judged before it.
    """
    if now > terms.deadline:
        raise InsituError("DeadlinePassed", f"the price could be locked until {terms.deadline}, and now it is {now}")
    assert found.times is not None, "matching terms have times"
    latest = now + found.times.lock_timeout + SLACK
    if terms.deadline > latest:
        raise InsituError(
            "TermsMismatch",
            f"the deadline of the terms is {terms.deadline}, and this provider accepts {latest} at most",
        )


def _require_fitting_terms(terms: Terms, found: Assessment) -> None:
    """Refuse terms that differ from what the provider quotes.

    Raises ``TermsMismatch`` for asset, service or times; ``PriceTooLow``.
    """
    first = found.workflow.input_dids[0]
    if str(Did.from_hex(terms.did)) != first:
        raise InsituError(
            "TermsMismatch", f"the terms name {Did.from_hex(terms.did)}, but the workflow's first input is {first}"
        )
    entry = found.inputs[0].entry
    if terms.service_index != entry.index:
        raise InsituError(
            "TermsMismatch",
            f"the terms name service {terms.service_index} of {first}, but service {entry.index} is sold",
        )
    if found.times is None or found.price is None:
        raise InsituError("TermsMismatch", f"the price or the times of {first} cannot be read")
    _require_times(terms, found.times)
    _require_price(terms, found.price)


def _require_times(terms: Terms, times: AgreementTimes) -> None:
    """Refuse other times than the published ones, except a shorter time to grant or a longer one to settle."""
    if terms.timeout != times.timeout:
        raise InsituError(
            "TermsMismatch", f"the timeout is {terms.timeout} s in the terms, but {times.timeout} s in the service"
        )
    if terms.grant_timeout > times.grant_timeout:
        raise InsituError(
            "TermsMismatch",
            f"the grantTimeout is {terms.grant_timeout} s in the terms, but may be at most {times.grant_timeout} s",
        )
    if terms.settle_timeout < times.settle_timeout:
        raise InsituError(
            "TermsMismatch",
            f"the settleTimeout is {terms.settle_timeout} s in the terms, but the least is {times.settle_timeout} s",
        )


def _require_price(terms: Terms, price: Price) -> None:
    if terms.total < price.total:
        raise InsituError(
            "PriceTooLow",
            f"the terms pay {terms.total} base units, but the price is {price.total}",
            paid=str(terms.total),
            price=str(price.total),
        )
    agreed = _shares(terms.receivers, terms.amounts)
    counts = {len(agreed), len(terms.receivers), len(terms.amounts)}
    if agreed != _shares(price.receivers, price.amounts) or len(counts) > 1:
        raise InsituError("TermsMismatch", "the receivers or their amounts are not those of the quote")


def _shares(receivers: tuple[str, ...], amounts: tuple[int, ...]) -> dict[str, int]:
    return {receiver.lower(): amount for receiver, amount in zip(receivers, amounts, strict=False)}
