"""Turning a document's timeouts into the times of an agreement (seconds, all counted from the lock)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from insitu.domain.conditions import ESCROW_REWARD, EXEC_COMPUTE, LOCK_REWARD, AgreementTemplate, condition_name
from insitu.domain.errors import InsituError

DEFAULT_GRANT_TIMEOUT = 600
DEFAULT_LOCK_TIMEOUT = 600
SETTLE_MARGIN = 3600
"""Default time, beyond the longest execution, to publish a result and settle it."""
SETTLEMENT_LATENCY = 60
"""The minimum time, beyond the longest execution, to publish and settle."""
LONGEST_QUOTE = 3600
"""The most seconds that a quote holds, whatever the services say: owners sell at an old price for no longer."""
MAX_TIMEOUT = 366 * 86400
"""The contract refuses longer timeouts, so that no money can be locked forever."""


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
        Counted from the end of ``timeout``: executions are settled before this; then the rest is refundable.
    lock_timeout
        How long after a quote its payment may be locked; not counted from the lock. See :func:`joint_times`.
    """

    grant_timeout: int
    timeout: int
    settle_timeout: int
    lock_timeout: int


def agreement_times(timeout: int, template: AgreementTemplate, longest_execution: int) -> AgreementTimes:
    """Map ``main.timeout`` and the conditions' timeouts to the agreement's, with defaults for 0.

    Raises ``TimelockNotSupported``, and ``InvalidDocument`` if a time is negative or above 366 days, or if settling
    would end before an execution that started in time. The pointer is relative to ``main``.

    Parameters
    ----------
    timeout
        ``main.timeout`` of the compute service.
    template
        Its serviceAgreementTemplate.
    longest_execution
        Largest maxExecutionTime of its servers.
    """
    for position, condition in enumerate(template.conditions):
        if condition.timelock != 0:
            pointer = f"{_CONDITIONS}/{position}/timelock"
            detail = f"condition {condition.name} has timelock {condition.timelock}"
            raise InsituError("TimelockNotSupported", detail, pointer=pointer)
    lock, grant, settle = (_pointer(template, name) for name in (LOCK_REWARD, EXEC_COMPUTE, ESCROW_REWARD))
    times = AgreementTimes(
        grant_timeout=template.timeout_of(EXEC_COMPUTE) or min(DEFAULT_GRANT_TIMEOUT, timeout),
        timeout=timeout,
        settle_timeout=template.timeout_of(ESCROW_REWARD) or longest_execution + SETTLE_MARGIN,
        lock_timeout=template.timeout_of(LOCK_REWARD) or DEFAULT_LOCK_TIMEOUT,
    )
    _require_in_range(times.timeout, "/timeout")
    _require_in_range(times.lock_timeout, lock)
    _require_in_range(times.grant_timeout, grant)
    _require_in_range(times.settle_timeout, settle)
    if times.grant_timeout > times.timeout:
        raise InsituError("InvalidDocument", "a grant after the service's timeout would be useless", pointer=grant)
    least = longest_execution + SETTLEMENT_LATENCY
    if times.settle_timeout < least:
        detail = f"{times.settle_timeout} s is too short to settle an execution that starts just in time: use {least} s"
        raise InsituError("InvalidDocument", detail, pointer=settle)
    return times


def joint_times(inputs: Sequence[AgreementTimes]) -> AgreementTimes:
    """Return the times of an agreement on several services: the first one's, with the shortest lock timeout of all.

    Nobody can let a quote of other owners' data hold for longer than they say, and none holds above an hour.
    """
    return replace(inputs[0], lock_timeout=min(LONGEST_QUOTE, *(times.lock_timeout for times in inputs)))


_CONDITIONS = "/serviceAgreementTemplate/conditions"


def _pointer(template: AgreementTemplate, name: str) -> str:
    positions = (i for i, c in enumerate(template.conditions) if condition_name(c.name or "") == name)
    position = next(positions, None)
    return _CONDITIONS if position is None else f"{_CONDITIONS}/{position}/timeout"


def _require_in_range(seconds: int, pointer: str) -> None:
    if not 0 < seconds <= MAX_TIMEOUT:
        raise InsituError("InvalidDocument", f"{seconds} s is not between 1 and {MAX_TIMEOUT} s", pointer=pointer)
