"""E3, E4. "Workflow Registration": no running workflow of the same agreement, a unique id, a supported flavour."""

import httpx
import pytest

from insitu.api.operator_v1 import WORKFLOWS
from insitu.domain.errors import InsituError
from insitu.domain.ids import workflow_execution_id
from tests.spec.conftest import Market

SLOW = "import time\nprint('started', flush=True)\ntime.sleep(60)\n"


async def test_an_agreement_has_one_running_execution(market: Market) -> None:
    agreement = await market.buy(SLOW)
    execution = await market.consumer.compute.execute(agreement.id)
    with pytest.raises(InsituError) as refused:
        await market.consumer.compute.execute(agreement.id)
    assert refused.value.code == "ExecutionInProgress"
    await execution.stop()
    await execution.wait(30)


async def test_every_execution_has_a_unique_id_of_agreement_and_number(market: Market) -> None:
    agreement, execution = await market.run()
    view = await execution.status()
    assert view.number == 0
    assert view.workflow_execution_id == workflow_execution_id(agreement.id, 0)


async def test_a_container_that_no_input_supports_is_refused_before_any_money_moves(market: Market) -> None:
    container = {"image": "python", "tag": "3", "checksum": "sha256:" + "ab" * 32}
    workflow = await market.workflow(container=container)
    quote = await market.consumer.agreements.check(workflow.did)
    assert not quote.allowed
    assert "ImageNotAllowed" in {reason.code for reason in quote.reasons}


async def test_the_operator_is_not_reachable_on_the_public_port(market: Market) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(market.provider.url + WORKFLOWS)
    assert answer.status_code == 404
