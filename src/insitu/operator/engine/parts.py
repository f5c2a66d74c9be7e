"""What the engine works with: its ports, its rules, and how long it waits for them."""

from dataclasses import dataclass
from datetime import timedelta

from insitu.domain.next_actions import Rules
from insitu.ports.clock import Clock
from insitu.ports.executions import Executions
from insitu.ports.logs import Logs
from insitu.ports.peers import Capacity, GatewayPeer
from insitu.ports.runtime import Runtime

__all__ = ["CALL_SECONDS", "Parts"]

CALL_SECONDS = 120.0
"""How long one call of the runtime or the gateway may take before it counts as not answered."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The engine's ports and settings.

    Attributes
    ----------
    capacity
        What all executions share.
    resync
        Time between two looks at everything; wake-ups make it a safety net.
    retention
        How long the records and logs of ended executions are kept.
    """

    executions: Executions
    logs: Logs
    runtime: Runtime
    gateway: GatewayPeer
    clock: Clock
    rules: Rules
    capacity: Capacity
    resync: timedelta
    retention: timedelta
