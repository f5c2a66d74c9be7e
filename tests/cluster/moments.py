"""Moments in the life of an execution on a cluster, at which something is done to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import SocketAttribute, SocketStream

from insitu.domain.execution import Execution, Phase
from insitu.domain.plan import ExecutionPlan
from tests.cluster.provider import Operator, Provider, says

ASLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
NAP = """
import time
print("asleep", flush=True)
time.sleep(6)
print("awake", flush=True)
open("/mnt/output/done.txt", "w").write("done")
"""
NAP_LOG = "asleep\nawake\n"
PHASES = ("starting", "configuring", "executing", "publishing")

Reached = Callable[[Operator, Execution], Awaitable[None]]


def moment(provider: Provider, phase: str, source: str = NAP) -> tuple[ExecutionPlan, Reached]:
    """A plan, and a wait for the moment in which something is done to its execution.

    In ``configuring`` and ``publishing`` the pod waits for the gateway until ``provider.gateway.release()``.
    """
    plan = provider.plan(provider.stage(0, source, provider.fetched(1, "a.txt", "one")))
    if phase == "executing":

        async def executing(operator: Operator, execution: Execution) -> None:
            await says(operator, execution, b"asleep")

        return plan, executing
    if phase in ("configuring", "publishing"):
        event = provider.gateway.hold("fetch" if phase == "configuring" else "put_output")

        async def held(operator: Operator, execution: Execution) -> None:
            await event.wait()

        return plan, held

    async def at_once(operator: Operator, execution: Execution) -> None:
        await operator.until(execution.execution_id, Phase.CONFIGURING)

    return plan, at_once


@dataclass(frozen=True)
class SilentRegistry:
    """A registry that takes connections and says nothing: a pull from it lasts. ``asked``: somebody has connected."""

    address: str
    asked: anyio.Event


@asynccontextmanager
async def silent_registry(host: str) -> AsyncIterator[SilentRegistry]:
    """Keep such a registry at an address of this machine until the block ends."""
    asked = anyio.Event()

    async def say_nothing(connection: SocketStream) -> None:
        async with connection:
            asked.set()
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host=host, local_port=0)
    port = listener.extra(SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, say_nothing)
        yield SilentRegistry(f"{host}:{port}", asked)
        tasks.cancel_scope.cancel()
