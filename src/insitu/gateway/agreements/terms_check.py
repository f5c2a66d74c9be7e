"""Comparing signed terms with what the provider would have quoted (C7)."""

from insitu.domain.agreement import Terms
from insitu.domain.agreement_times import AgreementTimes
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.pricing import Price
from insitu.gateway.agreements.assessor import Assessment

__all__ = ["require_fitting_terms", "require_prompt_lock", "require_provider"]

SLACK = 60
"""Seconds by which a consumer's idea of the time may be ahead of ours."""


def require_provider(terms: Terms, provider: Address) -> None:
    """Refuse terms that name another provider. Raises ``TermsMismatch``."""
    if terms.provider.lower() != provider.lower():
        raise InsituError("TermsMismatch", f"the terms name the provider {terms.provider}, this one is {provider}")


def require_prompt_lock(terms: Terms, found: Assessment, now: int) -> None:
    """Refuse terms that could be locked long after they were judged. Raises ``DeadlinePassed``, ``TermsMismatch``.

    Where a grant follows the lock, it is judged then; where it comes with the lock, it was judged before.
    """
    if now > terms.deadline:
        raise InsituError("DeadlinePassed", f"the terms could be locked until {terms.deadline}, it is {now}")
    assert found.times is not None, "fitting terms have times"
    latest = now + found.times.lock_timeout + SLACK
    if terms.deadline > latest:
        raise InsituError("TermsMismatch", f"the deadline is {terms.deadline} in the terms, at most {latest}")


def require_fitting_terms(terms: Terms, found: Assessment) -> None:
    """Refuse terms that the provider did not offer.

    Raises
    ------
    InsituError
        The verdict's first reason; ``TermsMismatch`` for asset, version, service or times; ``PriceTooLow``.
    """
    found.verdict.require()
    first = found.workflow.input_dids[0]
    if str(Did.from_hex(terms.did)) != first:
        raise InsituError(
            "TermsMismatch", f"the terms name {Did.from_hex(terms.did)}, the workflow's first input is {first}"
        )
    asset, entry = found.inputs[0].asset, found.inputs[0].entry
    if terms.ddo_hash.removeprefix("0x") != asset.checksum:
        raise InsituError(
            "TermsMismatch", f"the terms buy version {terms.ddo_hash} of {first}, registered is {asset.checksum}"
        )
    if terms.service_index != entry.index:
        raise InsituError("TermsMismatch", f"the terms name service {terms.service_index}, offered is {entry.index}")
    if found.times is None or found.price is None:
        raise InsituError("TermsMismatch", f"{first} has no readable price or times")
    _require_times(terms, found.times)
    _require_price(terms, found.price)


def _require_times(terms: Terms, times: AgreementTimes) -> None:
    """A shorter time to grant and a longer one to settle cost the provider nothing; the others must be as published."""
    if terms.timeout != times.timeout:
        raise InsituError(
            "TermsMismatch", f"timeout is {terms.timeout} s in the terms, {times.timeout} s in the service"
        )
    if terms.grant_timeout > times.grant_timeout:
        raise InsituError("TermsMismatch", f"grantTimeout is {terms.grant_timeout} s, at most {times.grant_timeout} s")
    if terms.settle_timeout < times.settle_timeout:
        raise InsituError(
            "TermsMismatch", f"settleTimeout is {terms.settle_timeout} s, at least {times.settle_timeout} s"
        )


def _require_price(terms: Terms, price: Price) -> None:
    if terms.total < price.total:
        raise InsituError(
            "PriceTooLow",
            f"the terms pay {terms.total}, it costs {price.total}",
            paid=str(terms.total),
            price=str(price.total),
        )
    agreed = _shares(terms.receivers, terms.amounts)
    counts = {len(agreed), len(terms.receivers), len(terms.amounts)}
    if agreed != _shares(price.receivers, price.amounts) or len(counts) > 1:
        raise InsituError("TermsMismatch", "receivers or amounts differ from the quoted ones")


def _shares(receivers: tuple[str, ...], amounts: tuple[int, ...]) -> dict[str, int]:
    return {receiver.lower(): amount for receiver, amount in zip(receivers, amounts, strict=False)}
