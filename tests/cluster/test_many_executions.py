"""Many executions at once on a small cluster: all end well, and the last costs the engine no more than the first."""

import secrets
import time

import anyio
import pytest

from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.ports.peers import Capacity
from insitu.testing.registrations import registration_of
from tests.cluster.provider import Operator, Provider

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow, pytest.mark.timeout(1200)]

MANY = 50
WRITE = "open('/mnt/output/done.txt', 'w').write('done')\n"
TIGHT = Capacity(cpu_millis=1200, memory_bytes=4 << 30, disk_bytes=4 << 30)


async def test_fifty_executions_that_are_queued_at_once_all_end_well(provider: Provider) -> None:
    stage = provider.stage(0, WRITE, provider.fetched(1, "a.txt", "one"))
    finals: list[Execution] = []
    spent: list[float] = []

    async def follow(operator: Operator, execution_id: ExecutionId) -> None:
        finals.append(await operator.until(execution_id))
        spent.append(time.process_time() - began)

    async with provider.operator(capacity=TIGHT) as operator:
        plans = [
            provider.plan(stage, agreement=AgreementId(secrets.token_hex(32)), cpu_millis=200) for _ in range(MANY)
        ]
        began = time.process_time()
        async with anyio.create_task_group() as followers:
            for plan in plans:
                execution = await operator.service.register(registration_of(plan))
                followers.start_soon(follow, operator, execution.execution_id)
        assert await operator.runtime.running() == frozenset()
    assert [final.reason for final in finals if final.phase is not Phase.SUCCEEDED] == []
    assert {final.execution_id for final in finals} == {plan.workflow_execution_id for plan in plans}
    assert {record.attempt for final in finals for record in final.records} == {1}
    assert provider.gateway.calls.count("finish") == MANY
    # The first half has the registrations on top, so equal shares would be less than that.
    assert spent[-1] - spent[MANY // 2 - 1] < 2 * spent[MANY // 2 - 1]
