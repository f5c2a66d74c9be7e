"""What the engine works with: its ports, its rules, and how long it waits for them."""

from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from insitu.domain.deadlines import Rules
from insitu.domain.errors import InsituError
from insitu.ports.clock import Clock
from insitu.ports.executions import Executions
from insitu.ports.logs import Logs
from insitu.ports.peers import Capacity, GatewayPeer
from insitu.ports.runtime import Runtime

CALL_SECONDS = 120.0
"""Seconds after which a call of the runtime or the gateway counts as not answered."""


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
    recovered
        Set once the runtime has dealt with what the last process left behind.
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
    recovered: anyio.Event = field(default_factory=anyio.Event)

    @property
    def recovered_runtime(self) -> Runtime:
        """The runtime, for everything that must not happen before it has recovered.

        Raises ``InfrastructureFailed`` until then. Deadlines go on meanwhile.
        """
        if not self.recovered.is_set():
            raise InsituError("InfrastructureFailed", "the runtime has not recovered since the start")
        return self.runtime
