"""A whole operator over a scripted runtime: everything is real, but steps end as a script says."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from insitu.domain.deadlines import Rules
from insitu.ports.clock import Clock
from insitu.ports.peers import Capacity, GatewayPeer
from tests.doubles.running_operator import CAPACITY, RunningOperator, running_operator
from tests.doubles.scripted_runtime import Ending, ScriptedRuntime

__all__ = ["CAPACITY", "ScriptedOperator", "scripted_operator"]

ScriptedOperator = RunningOperator[ScriptedRuntime]


def scripted_operator(
    folder: Path,
    gateway: GatewayPeer,
    script: Mapping[str, Ending] | None = None,
    *,
    clock: Clock | None = None,
    rules: Rules | None = None,
    capacity: Capacity = CAPACITY,
    resync: timedelta = timedelta(seconds=30),
    retention: timedelta = timedelta(days=30),
) -> AbstractAsyncContextManager[ScriptedOperator]:
    """Run an operator whose runtime follows the script; see :func:`running_operator`."""
    return running_operator(
        folder,
        gateway,
        lambda tasks, clock: ScriptedRuntime(folder / "runs", clock, tasks, script),
        clock=clock,
        rules=rules,
        capacity=capacity,
        resync=resync,
        retention=retention,
    )
