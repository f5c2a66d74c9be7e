"""C1. A service of a retired asset cannot be chosen; what was bought stays usable."""

import pytest

from insitu.domain.errors import InsituError
from tests.market import Market


async def test_nobody_buys_it_but_earlier_consumers_still_execute(market: Market) -> None:
    dataset = await market.dataset("soon retired")
    workflow = await market.workflow(dataset=dataset)
    bought = await market.consumer.agreements.buy(workflow.did)
    await market.publisher.assets.retire(dataset.did)
    quote = await market.consumer.agreements.check(workflow.did)
    assert [reason.code for reason in quote.reasons] == ["AssetRetired"]
    with pytest.raises(InsituError, match="AssetRetired"):
        await market.consumer.agreements.buy(workflow.did)
    execution = await market.consumer.compute.execute(bought.id)
    assert (await execution.wait(60)).phase == "Succeeded"
