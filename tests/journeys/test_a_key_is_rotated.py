"""A provider gets a new key for file lists: what was published and bought before still works, and so does the rest."""

from collections.abc import Iterator

import anyio
import pytest

from insitu.domain.execution import Phase
from insitu.domain.sealed_list import sealed_text
from insitu.sdk.publishing import Asset
from insitu.testing.provider import ProviderProcess
from tests.journeys.provider import INSITU
from tests.market import Market, open_market, open_provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


@pytest.fixture
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider that may be restarted."""
    with open_provider(tmp_path_factory.mktemp("rotated")) as running:
        yield running


async def key_version(market: Market, asset: Asset) -> str:
    """The version of the key that sealed the files of a data set."""
    ddo = await market.publisher.assets.resolve(asset.did)
    return str(sealed_text(ddo)).split(".")[1]


async def test_data_sets_of_before_and_after_a_rotation_can_be_computed_on(provider: ProviderProcess) -> None:
    async with open_market(provider) as market:
        early = await market.dataset("early")
        agreement = await market.consumer.agreements.buy((await market.workflow(dataset=early)).did)
    await anyio.run_process([*INSITU, "--home", str(provider.home), "keys", "rotate"])
    provider.restart()
    async with open_market(provider) as market:
        late = await market.dataset("late")
        assert [await key_version(market, asset) for asset in (early, late)] == ["1", "2"]
        again = await market.consumer.agreements.buy((await market.workflow(dataset=late)).did)
        for bought in (agreement, again):
            execution = await market.consumer.compute.execute(bought.id)
            seen = await execution.wait(60)
            assert seen.phase is Phase.SUCCEEDED, seen.reason
