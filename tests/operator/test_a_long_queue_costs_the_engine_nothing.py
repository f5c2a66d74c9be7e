"""The processor time that an execution costs the engine does not grow with the length of the queue."""

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from insitu.domain.ids import AgreementId
from insitu.ports.peers import Capacity
from tests.doubles.plans import LIMITS, plan_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator, scripted_operator

FEW, MANY = 15, 90
FIVE = Capacity(cpu_millis=5 * LIMITS.cpu_millis, memory_bytes=4 << 30, disk_bytes=4 << 30)


@pytest.mark.slow
async def test_each_of_many_costs_as_much_as_each_of_few(tmp_path: Path) -> None:
    gateway = RecordingGateway(tmp_path / "gateway")
    async with scripted_operator(tmp_path / "operator", gateway, capacity=FIVE) as operator:
        await _spent(operator, 3)  # what is loaded once
        few = await _spent(operator, FEW) / FEW
        many = await _spent(operator, MANY) / MANY
    assert many < 2 * few, f"{many:.4f} s of processor time for each of {MANY}, {few:.4f} s for each of {FEW}"


async def _spent(operator: ScriptedOperator, count: int) -> float:
    """Queue executions at once, wait for all, and return seconds of processor time."""
    now = datetime.now(UTC)
    plans = [plan_of(agreement=AgreementId(secrets.token_hex(32)), now=now) for _ in range(count)]
    began = time.process_time()
    async with anyio.create_task_group() as followers:
        for plan in plans:
            execution = await operator.service.register(registration_of(plan))
            followers.start_soon(operator.until, execution.execution_id)
    return time.process_time() - began
