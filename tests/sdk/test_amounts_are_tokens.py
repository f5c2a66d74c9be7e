"""Prices in Python are tokens, as on the command line; documents and contracts keep base units."""

from decimal import Decimal
from typing import Any

import pytest

from insitu import Amount, Stage
from insitu.domain.compute_service import read_compute_service
from insitu.domain.errors import InsituError
from tests.sdk.market import Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

TEN = 10 * 10**18


@pytest.mark.parametrize("price", ["10", 10, Decimal("10.0"), Amount(10), Amount.from_base_units(TEN)], ids=repr)
async def test_a_published_price_counts_tokens(shared_provider: Market, price: Any) -> None:
    owner, _ = await shared_provider.client("owner")
    ddo = await owner.assets.resolve(await shared_provider.dataset(owner, f"priced {price!r}", price=price))
    assert (ddo.main["price"], read_compute_service(ddo.compute_service()).price) == (str(TEN), TEN)
    algorithm = await owner.assets.publish_algorithm(f"priced {price!r}", {"run.py": "print()"}, price=price)
    assert algorithm.ddo.main["price"] == str(TEN)


async def test_a_float_is_refused_before_anything_is_published(shared_provider: Market) -> None:
    owner, detour = await shared_provider.client("owner")
    with pytest.raises(InsituError, match=r"InvalidAmount: 10\.0 is a float, .* write '10\.0'"):
        await shared_provider.dataset(owner, price=10.0)
    with pytest.raises(InsituError, match="InvalidAmount"):
        await owner.run("did:nv:" + "0" * 64, on="did:nv:" + "1" * 64, max_price=0.5)  # type: ignore[arg-type]
    assert detour.seen == []


async def test_prices_that_come_back_say_their_unit_and_can_be_given_again(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    data = await provider.dataset(owner, price="2.5")
    algorithm = await consumer.assets.publish_algorithm("Count", {"count.py": "print()"})
    workflow = (await consumer.assets.publish_workflow("Count", [Stage(algorithm=algorithm.did, inputs=[data])])).did
    quote = await consumer.agreements.check(workflow)
    assert str(quote.price) == "2.500000000000000003 NVM"
    assert sorted(str(receiver.amount) for receiver in quote.receivers) == ["0.000000000000000003 NVM", "2.5 NVM"]
    with pytest.raises(InsituError, match=r"PriceTooHigh: the price is 2\.5\d* NVM, the limit 2 NVM"):
        await consumer.agreements.buy(workflow, max_price=2)
    before = await consumer.balance()
    bought = await consumer.agreements.buy(workflow, max_price=quote.price)
    assert (bought.price, str(before)) == (quote.price, "10000 NVM")
    assert before.base_units - (await consumer.balance()).base_units == quote.price.base_units

    assert (await consumer.assets.search(price_min="2.5", price_max=Decimal("2.6"))).total_results == 1
    assert (await consumer.assets.search(price_min=3)).total_results == 0
