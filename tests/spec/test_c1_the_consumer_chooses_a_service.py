"""C1. The CONSUMER chooses a service inside a DDO by its serviceDefinitionId, which is its ``index``."""

import pytest

from insitu.domain.errors import InsituError
from tests.spec.conftest import PRICE, SERVER_PRICE, Market


async def test_the_chosen_service_gives_verdict_server_price_and_receivers(market: Market) -> None:
    dataset = await market.dataset()
    compute = dataset.ddo.compute_service()
    workflow = await market.workflow(dataset=dataset)
    quote = await market.consumer.agreements.check(workflow.did, compute.index)
    assert quote.allowed
    assert quote.service_index == compute.index
    assert quote.price.base_units == PRICE + SERVER_PRICE
    assert quote.server["serverId"] == "small"
    paid = {receiver.address: receiver.amount.base_units for receiver in quote.receivers}
    assert paid == {market.publisher.account: PRICE, quote.provider: SERVER_PRICE}


async def test_an_index_that_is_not_a_compute_service_is_refused(market: Market) -> None:
    workflow = await market.workflow()
    for index in (0, 77):
        with pytest.raises(InsituError) as refused:
            await market.consumer.agreements.check(workflow.did, index)
        assert refused.value.code in {"ServiceNotFound", "NoComputeService"}
