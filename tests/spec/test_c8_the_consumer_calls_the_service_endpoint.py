"""C8. After ExecuteCompute.Fulfilled the CONSUMER calls the serviceEndpoint of the DDO to start the execution."""

import httpx
import pytest

from insitu.api.gateway_v1 import BASE, EXEC_ALIASES
from insitu.domain.errors import InsituError
from tests.spec.conftest import Market


async def test_the_endpoint_comes_from_the_ddo(market: Market) -> None:
    service = (await market.dataset()).ddo.compute_service()
    assert service.service_endpoint == f"{market.provider.url}{BASE}/exec"


async def test_exec_execute_and_compute_exec_are_the_same_address(market: Market) -> None:
    async with httpx.AsyncClient() as http:
        answers = [
            await http.post(f"{market.provider.url}{BASE}{alias}", json={"serviceAgreementId": "0" * 64})
            for alias in EXEC_ALIASES
        ]
    assert [answer.json()["code"] for answer in answers] == ["InvalidToken"] * 3


async def test_a_request_that_is_repeated_with_its_key_starts_one_execution(market: Market) -> None:
    agreement = await market.buy()
    first = await market.consumer.compute.execute(agreement.id, idempotency_key="the same request")
    again = await market.consumer.compute.execute(agreement.id, idempotency_key="the same request")
    assert again.execution_id == first.execution_id
    await first.wait(60)


async def test_an_agreement_can_be_executed_many_times_until_its_timeout(market: Market) -> None:
    agreement = await market.buy()
    executions = []
    for _ in range(3):
        execution = await market.consumer.compute.execute(agreement.id)
        assert (await execution.wait(60)).phase == "Succeeded"
        executions.append(execution.execution_id)
    assert len(set(executions)) == 3


async def test_nobody_else_can_execute_it(market: Market) -> None:
    agreement = await market.buy()
    with pytest.raises(InsituError) as refused:
        await market.stranger.compute.execute(agreement.id)
    assert refused.value.code == "NotConsumer"
