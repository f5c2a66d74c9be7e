"""The main job with results and logs in a bucket: buy, execute, settle, even if the store dies meanwhile."""

from collections.abc import Iterator

import anyio
import pytest

from insitu.domain.execution import Phase
from insitu.testing.provider import ProviderProcess
from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.market import PAID, open_market, open_provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root", "object-store")]

PRINTED = [f"line {number} of what goes on\n" for number in range(40)]
PRINTING = (
    "import pathlib, time\n"
    "for number in range(40):\n"
    "    print(f'line {number} of what goes on', flush=True)\n"
    "    time.sleep(0.1)\n"
    "pathlib.Path('/mnt/output/out.txt').write_text('done')\n"
)
AWAY = 8.0
"""Seconds; the algorithm ends meanwhile."""


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStoreServer]:
    """A server that this journey may kill."""
    with running_object_store() as running:
        running.create_bucket("provider")
        yield running


@pytest.fixture(scope="module")
def provider(server: ObjectStoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider whose results and logs are there."""
    settings = {
        "gateway__blobs": "s3://provider/results",
        "operator__logs": "s3://provider/logs",
        "object_store__endpoint": server.endpoint,
        "object_store__credentials_file": str(server.credentials_file()),
    }
    with open_provider(tmp_path_factory.mktemp("provider"), **settings) as running:
        yield running


async def test_a_store_that_dies_during_an_execution_and_comes_back_loses_nothing(
    provider: ProviderProcess, server: ObjectStoreServer
) -> None:
    async with open_market(provider) as market:
        before = await market.balances()
        agreement = await market.buy(PRINTING)
        execution = await market.consumer.compute.execute(agreement.id)
        async for piece in execution.logs():
            if "line 3" in piece.text:
                break
        server.kill()
        await anyio.sleep(AWAY)
        server.start()
        assert (await execution.wait(120)).phase is Phase.SUCCEEDED
        assert "done" in (await market.files(execution)).values()
        assert "".join([piece.text async for piece in execution.logs()]).endswith("".join(PRINTED))
        assert await market.changes(before) == PAID
