"""Many executions at once on a small cluster: all end well, and the last costs the engine no more than the first."""

import secrets
import sys
import time

import anyio
import pytest

from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.ports.peers import Capacity
from tests.cluster.provider import Operator, Provider
from tests.doubles.registrations import registration_of

pytestmark = [
    pytest.mark.needs("cluster", "root"),
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.timeout(1200),
]

FEW, MANY = 10, 50
WRITE = "open('/mnt/output/done.txt', 'w').write('done')\n"
TIGHT = Capacity(cpu_millis=1200, memory_bytes=4 << 30, disk_bytes=4 << 30)


async def test_fifty_executions_that_are_queued_at_once_all_end_well(provider: Provider) -> None:
    finals: list[Execution] = []
    async with provider.operator(capacity=TIGHT) as operator:
        await _spent(provider, operator, 1, finals)  # proves the walls, and pulls the images
        few = await _spent(provider, operator, FEW, finals) / FEW
        many = await _spent(provider, operator, MANY, finals) / MANY
        assert await operator.runtime.running() == frozenset()
    assert [final.reason for final in finals if final.phase is not Phase.SUCCEEDED] == []
    assert len({final.execution_id for final in finals}) == 1 + FEW + MANY
    assert {record.attempt for final in finals for record in final.records} == {1}
    assert provider.gateway.calls.count("finish") == 1 + FEW + MANY
    sys.stdout.write(f"processor time for each: {few:.3f} s of {FEW}, {many:.3f} s of {MANY}\n")
    assert many < 1.5 * few, "each execution costs the engine the same, however many wait"


async def _spent(provider: Provider, operator: Operator, count: int, finals: list[Execution]) -> float:
    """Queue executions at once, wait for all, and return the processor time of the engine's process in seconds."""
    stage = provider.stage(0, WRITE, provider.fetched(1, "a.txt", "one"))
    plans = [provider.plan(stage, agreement=AgreementId(secrets.token_hex(32)), cpu_millis=200) for _ in range(count)]

    async def follow(execution_id: ExecutionId) -> None:
        finals.append(await operator.until(execution_id, seconds=1000))

    began = time.process_time()
    async with anyio.create_task_group() as followers:
        for plan in plans:
            execution = await operator.service.register(registration_of(plan))
            followers.start_soon(follow, execution.execution_id)
    return time.process_time() - began
