"""``assets.facets`` and ``assets.summaries``: what an application shows beside a search, and of the assets it knows."""

from typing import Any

import pytest

from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError, InvalidInput
from tests.sdk.market import Market

pytestmark = pytest.mark.needs("chain")

NOBODY = "did:nv:" + "9" * 64


async def test_facets_take_the_filters_of_a_search_in_tokens(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    for name, price in (("Cheap tides", "2.5"), ("Dear tides", "4")):
        await owner.assets.publish_dataset(name, [], algorithms="any", price=price, tags=("Sea",))
    found = await consumer.assets.facets("tides", price_max="2.6")
    assert (found.total_results, found.more) == (1, False)
    assert [(one.value, one.count) for one in found.tag.values] == [("Sea", 1)]
    assert [(one.value, one.count) for one in (await consumer.assets.facets("tides")).price.values] == [("priced", 2)]


async def test_summaries_are_of_assets_in_any_state(provider: Market) -> None:
    author, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    listed = await provider.dataset(author, "Currents")
    unlisted = (await author.assets.publish_algorithm("Drift", {"drift.py": "print(1)"}, tags=("Sea",))).did
    found = await consumer.assets.summaries([unlisted, NOBODY, listed])
    assert found.unknown == (NOBODY,)
    drift, currents = found.summaries
    assert (drift.did, drift.name, drift.state, drift.type) == (unlisted, "Drift", "unlisted", "algorithm")
    assert (drift.price.base_units, drift.tags, drift.version, drift.author) == (0, ("Sea",), 1, author.account)
    assert (currents.did, currents.name, currents.state, currents.owner) == (
        listed,
        "Currents",
        "listed",
        author.account,
    )
    assert currents.price == Amount.from_base_units(10)
    with pytest.raises(InsituError, match="InvalidRequest"):
        await consumer.assets.summaries([NOBODY] * 101)
    with pytest.raises(InsituError, match="InvalidRequest"):
        await consumer.assets.summaries(["did:nv:1"])


@pytest.mark.parametrize("wrong", [{"sort": "size"}, {"colour": "blue"}, {"page": 0}])
async def test_a_wrong_filter_is_refused_before_anything_is_asked(provider: Market, wrong: dict[str, Any]) -> None:
    consumer, _ = await provider.client("consumer")
    with pytest.raises(InvalidInput, match=next(iter(wrong))) as refused:
        await consumer.assets.search("tides", **wrong)
    assert refused.value.code == "InvalidRequest"
    with pytest.raises(InvalidInput):
        await consumer.assets.facets("tides", **wrong)
