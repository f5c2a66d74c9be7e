"""Who may run now and who waits: a queue without overtaking over the operator's capacity (design §6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ExecutionPlan, Limits
from insitu.ports.peers import Capacity

__all__ = ["queue_positions", "require_capacity"]


@dataclass(frozen=True, slots=True)
class _Amount:
    """Thousandths of a core, bytes of memory, bytes of disk, devices."""

    cpu_millis: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0
    gpu: int = 0

    def __add__(self, other: "_Amount") -> "_Amount":
        return _Amount(
            self.cpu_millis + other.cpu_millis,
            self.memory_bytes + other.memory_bytes,
            self.disk_bytes + other.disk_bytes,
            self.gpu + other.gpu,
        )

    def exceeds(self, capacity: Capacity) -> tuple[str, ...]:
        """Name the parts that are more than there is."""
        names = ("cpu_millis", "memory_bytes", "disk_bytes", "gpu")
        return tuple(name for name in names if getattr(self, name) > getattr(capacity, name))


def require_capacity(limits: Limits, capacity: Capacity) -> None:
    """Refuse a server that could never be admitted. Raises ``CapacityExceeded``."""
    missing = _server(limits).exceeds(capacity)
    if missing:
        wanted = ", ".join(f"{name} {getattr(limits, name)} of {getattr(capacity, name)}" for name in missing)
        raise InsituError("CapacityExceeded", f"server {limits.server_id} needs {wanted}")


def queue_positions(unsettled: Iterable[Execution], capacity: Capacity) -> Mapping[ExecutionId, int]:
    """Return the place of every execution that has not begun: 0 where it may begin now, else from 1.

    An execution may begin if it fits beside everything that has begun and everything before it in the queue. So the
    answer depends on nothing but the order, it is never taken back, and a large execution is not starved by small
    ones.

    Parameters
    ----------
    unsettled
        In the order of their creation.
    """
    executions = tuple(unsettled)
    used = sum((_demand(each.plan, capacity) for each in executions if _occupies(each)), _Amount())
    positions: dict[ExecutionId, int] = {}
    waiting = 0
    for execution in executions:
        if not _queues(execution):
            continue
        used += _demand(execution.plan, capacity)
        waiting += 1 if waiting or used.exceeds(capacity) else 0
        positions[execution.execution_id] = waiting
    return positions


def _queues(execution: Execution) -> bool:
    return execution.phase is Phase.REGISTERED and execution.stop is None and execution.outcome is None


def _occupies(execution: Execution) -> bool:
    begun = any(transition.phase is Phase.CONFIGURING for transition in execution.history)
    return begun and not execution.cleaned


def _server(limits: Limits) -> _Amount:
    return _Amount(limits.cpu_millis, limits.memory_bytes, limits.disk_bytes, limits.gpu)


def _demand(plan: ExecutionPlan, capacity: Capacity) -> _Amount:
    """Stages run one at a time, but each keeps its volume to the end. A server that fits is never refused for that."""
    server = _server(plan.limits)
    disk = min(server.disk_bytes * len(plan.stages), capacity.disk_bytes)
    return _Amount(server.cpu_millis, server.memory_bytes, disk, server.gpu)
