"""From the timeouts of a document to the times of an agreement (seconds, all counted from the lock)."""

from __future__ import annotations

from dataclasses import dataclass

from insitu.domain.conditions import ESCROW_REWARD, EXEC_COMPUTE, LOCK_REWARD, AgreementTemplate
from insitu.domain.errors import InsituError

DEFAULT_GRANT_TIMEOUT = 600
DEFAULT_LOCK_TIMEOUT = 600
SETTLE_MARGIN = 3600
"""Default time, beyond the longest execution, to publish a result and settle it."""
SETTLEMENT_LATENCY = 60
"""The least time, beyond the longest execution, that publishing and settling need."""
MAX_TIMEOUT = 366 * 86400
"""The contract refuses longer ones, so that no money can be locked for ever."""


@dataclass(frozen=True, slots=True)
class AgreementTimes:
    """The times that go into the terms.

    Attributes
    ----------
    grant_timeout
        The provider grants before this; from then on a refund is possible.
    timeout
        Executions start before this.
    settle_timeout
        After `timeout`: executions are settled before this; from then on the rest is refundable.
    lock_timeout
        Not counted from the lock: a quote must be locked within this time.
    """

    grant_timeout: int
    timeout: int
    settle_timeout: int
    lock_timeout: int


def agreement_times(timeout: int, template: AgreementTemplate, longest_execution: int) -> AgreementTimes:
    """Map `main.timeout` and the conditions' timeouts to the agreement's, with the defaults for 0.

    Args:
        timeout: `main.timeout` of the compute service.
        template: its serviceAgreementTemplate.
        longest_execution: largest maxExecutionTime of its servers.

    Raises:
        InsituError: `TimelockNotSupported`; `InvalidDocument`, if a time is negative, above 366 days, or if
            settling would end before an execution that started in time.
    """
    for condition in template.conditions:
        if condition.timelock != 0:
            raise InsituError("TimelockNotSupported", f"condition {condition.name} has timelock {condition.timelock}")
    times = AgreementTimes(
        grant_timeout=template.timeout_of(EXEC_COMPUTE) or min(DEFAULT_GRANT_TIMEOUT, timeout),
        timeout=timeout,
        settle_timeout=template.timeout_of(ESCROW_REWARD) or longest_execution + SETTLE_MARGIN,
        lock_timeout=template.timeout_of(LOCK_REWARD) or DEFAULT_LOCK_TIMEOUT,
    )
    _check(times, longest_execution)
    return times


def _check(times: AgreementTimes, longest_execution: int) -> None:
    for name in ("grant_timeout", "timeout", "settle_timeout", "lock_timeout"):
        seconds = getattr(times, name)
        if not 0 < seconds <= MAX_TIMEOUT:
            raise InsituError("InvalidDocument", f"{name} is {seconds} s, not between 1 and {MAX_TIMEOUT}")
    if times.grant_timeout > times.timeout:
        raise InsituError("InvalidDocument", "the timeout of execCompute is longer than the service's timeout")
    if times.settle_timeout < longest_execution + SETTLEMENT_LATENCY:
        raise InsituError(
            "InvalidDocument",
            f"escrowReward.timeout is {times.settle_timeout} s; an execution of {longest_execution} s that starts "
            f"just in time needs {longest_execution + SETTLEMENT_LATENCY} s to be settled",
        )
