"""The main job with every store in PostgreSQL: buy, execute, settle, even if the database server dies meanwhile."""

from collections.abc import Iterator

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.testing.provider import ProviderProcess
from tests.doubles.postgresql import PostgresqlServer, running_postgresql
from tests.market import PAID, UPPER, Market, open_market, open_provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root", "postgresql")]

WAITING = (
    "import pathlib, time\nprint('going on', flush=True)\ntime.sleep(6)\n"
    "pathlib.Path('/mnt/output/out.txt').write_text('done')\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """A server that this journey may kill."""
    with running_postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def provider(server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider whose catalogue, agreements and executions are there."""
    secret = tmp_path_factory.mktemp("secrets") / "database.url"
    secret.write_text(server.url)
    stores = {f"{actor}__database_url_file": str(secret) for actor in ("metadata", "gateway", "operator")}
    with open_provider(tmp_path_factory.mktemp("provider"), **stores) as running:
        yield running


async def bought_and_paid(market: Market, source: str) -> None:
    before = await market.balances()
    agreement = await market.buy(source)
    execution = await market.consumer.compute.execute(agreement.id)
    assert (await execution.wait(120)).phase is Phase.SUCCEEDED
    assert "done" in (await market.files(execution)).values()
    assert await market.changes(before) == PAID


async def test_a_purchase_is_executed_and_settled(provider: ProviderProcess) -> None:
    async with open_market(provider) as market:
        await bought_and_paid(market, UPPER)
        assert (await market.consumer.assets.search("words")).total_results == 1
    assert not list(provider.home.glob("*.db")), "no store fell back to a file"


async def test_a_database_server_that_dies_during_an_execution_loses_and_doubles_nothing(
    provider: ProviderProcess, server: PostgresqlServer
) -> None:
    async with open_market(provider) as market:
        before = await market.balances()
        agreement = await market.buy(WAITING)
        execution = await market.consumer.compute.execute(agreement.id)
        async for piece in execution.logs():
            if "going on" in piece.text:
                break
        server.kill()
        server.start()
        assert (await execution.wait(120)).phase is Phase.SUCCEEDED
        assert await market.files(execution)
        assert await market.changes(before) == PAID


async def test_an_outage_longer_than_anybody_waits_is_reported_and_then_forgotten(
    provider: ProviderProcess, server: PostgresqlServer
) -> None:
    async with open_market(provider) as market:
        before = await market.balances()
        agreement = await market.buy(WAITING)
        execution = await market.consumer.compute.execute(agreement.id)
        server.stop()
        with pytest.raises(InsituError, match="DatabaseUnavailable"):
            await market.consumer.assets.search("words")
        await anyio.sleep(3)
        server.start()
        assert (await execution.wait(120)).phase is Phase.SUCCEEDED
        assert await market.changes(before) == PAID


async def test_a_provider_goes_on_with_what_is_there_after_a_restart(provider: ProviderProcess) -> None:
    async with open_market(provider) as market:
        known = [agreement.id for agreement in await market.consumer.agreements.list()]
    provider.restart()
    async with open_market(provider) as market:
        assert [one.id for one in await market.consumer.agreements.list()] == known
        await bought_and_paid(market, UPPER)
