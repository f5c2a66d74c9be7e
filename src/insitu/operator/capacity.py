"""Which executions may run now and which wait: a queue for the operator's capacity, without overtaking."""

from collections import Counter
from collections.abc import Iterable, Mapping

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ExecutionPlan, Limits
from insitu.ports.peers import Capacity

_PARTS = ("cpu_millis", "memory_bytes", "disk_bytes", "gpu")

Amount = Counter[str]
"""Thousandths of a core, bytes of memory, bytes of disk, and devices."""


def require_capacity(limits: Limits, capacity: Capacity) -> None:
    """Refuse a server that could never be admitted. Raises ``CapacityExceeded``."""
    missing = _exceeding(_server(limits), capacity)
    if missing:
        wanted = ", ".join(f"{name} {getattr(limits, name)} of {getattr(capacity, name)}" for name in missing)
        raise InsituError("CapacityExceeded", f"server {limits.server_id} needs {wanted}")


def queue_positions(unsettled: Iterable[Execution], capacity: Capacity) -> Mapping[ExecutionId, int]:
    """Return the place of every execution that has not begun: 0 if it may begin now, otherwise 1 and up.

    An execution may begin if it fits beside everything that has begun and everything before it in the queue. So the
    answer depends only on the order, it is never taken back, and small executions cannot starve a large one.

    Parameters
    ----------
    unsettled
        In the order of their creation.
    """
    executions = tuple(unsettled)
    used = Amount()
    for execution in filter(_occupies, executions):
        used.update(_demand(execution.plan, capacity))
    positions: dict[ExecutionId, int] = {}
    waiting = 0
    for execution in filter(_queues, executions):
        used.update(_demand(execution.plan, capacity))
        waiting += 1 if waiting or _exceeding(used, capacity) else 0
        positions[execution.execution_id] = waiting
    return positions


def _queues(execution: Execution) -> bool:
    return execution.phase is Phase.REGISTERED and execution.stop is None and execution.outcome is None


def _occupies(execution: Execution) -> bool:
    begun = any(transition.phase is Phase.CONFIGURING for transition in execution.history)
    return begun and not execution.cleaned


def _server(limits: Limits) -> Amount:
    return Amount({part: getattr(limits, part) for part in _PARTS})


def _exceeding(amount: Amount, capacity: Capacity) -> tuple[str, ...]:
    """Name the parts that exceed the capacity."""
    return tuple(part for part in _PARTS if amount[part] > getattr(capacity, part))


def _demand(plan: ExecutionPlan, capacity: Capacity) -> Amount:
    """Stages run one at a time, but each keeps its volume to the end. A server that fits is never refused for that."""
    demand = _server(plan.limits)
    demand["disk_bytes"] = min(demand["disk_bytes"] * len(plan.stages), capacity.disk_bytes)
    return demand
