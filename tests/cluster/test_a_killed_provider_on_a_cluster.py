"""SIGKILL of `insitu up`, gateway and all, in every phase of an execution in pods: one receipt, one payment."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from insitu.domain.amount import Amount
from insitu.domain.execution import Phase
from insitu.testing.provider import ProviderProcess, running_provider
from tests.chaos.ledger import paid_once, results_of
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder, install_records, make_namespace, objects_left
from tests.cluster.sites import SERVER, cluster_settings, free_port, offered
from tests.market import PRICE, SERVER_PRICE, Market, open_market

pytestmark = [pytest.mark.needs("cluster", "root", "chain"), pytest.mark.slow]

NAMESPACE = "insitu-killed"
ENDED_SECONDS = 120
# Phases and events, as they are told; the kill follows as soon as one is heard.
MOMENTS = ("Registered", "Configuring", "Executing", "Publishing", "result", "settled")
NAP = """
import pathlib, time
print("asleep", flush=True)
time.sleep(3)
print("awake", flush=True)
pathlib.Path("/mnt/output/done.txt").write_text("done")
"""


@pytest.fixture(scope="module")
def site(
    cluster: ClusterAccess, cluster_images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProviderProcess]:
    """`insitu up` as a process that is killed and started again; its executions are pods."""
    install_records(cluster)
    make_namespace(cluster, NAMESPACE)
    port = free_port()
    on_cluster = cluster_settings(cluster, cluster_images, NAMESPACE, f"http://{cluster.host}:{port}")
    settings = dict(setting.split("=", 1) for setting in on_cluster) | {
        "server.host": "0.0.0.0",
        "chain.expose_known_keys": "true",
        "server.port": str(port),
        "server.public_url": f"http://127.0.0.1:{port}",
        "gateway.containers": offered(cluster_images),
        "gateway.servers": json.dumps([SERVER | {"price": str(SERVER_PRICE)}]),
    }
    flags = {name.replace(".", "__"): value for name, value in settings.items()}
    with running_provider(tmp_path_factory.mktemp("killed"), **flags) as running:
        yield running
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def words(cluster: ClusterAccess, site: ProviderProcess) -> str:
    """The url of a file on a volume of the cluster."""
    Path(site.data, "words.txt").write_text("one two three\n")
    return f"pvc:{claim_of_folder(cluster, NAMESPACE, site.data)}/words.txt"


@pytest.fixture
async def market(site: ProviderProcess) -> AsyncIterator[Market]:
    async with open_market(site) as people:
        yield people


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_kill_of_the_whole_provider_costs_nothing_and_pays_once(
    cluster: ClusterAccess, market: Market, words: str, moment: str
) -> None:
    dataset = await market.publisher.assets.publish_dataset(
        "words", [words], algorithms="any", price=Amount.from_base_units(PRICE)
    )
    before, earlier = await market.balances(), await results_of(market)
    agreement = await market.buy(NAP, dataset=dataset)
    execution = await market.consumer.compute.execute(agreement.id)
    heard = []
    async for event in execution.events():
        heard.append(event.data.get("phase", event.type))
        if moment in (event.type, event.data.get("phase")):
            break
    else:
        raise AssertionError(f"{moment} was never heard, but {heard}")

    market.provider.kill()
    market.provider.start()

    seen = await execution.wait(ENDED_SECONDS)
    assert seen.phase is Phase.SUCCEEDED, seen.reason
    await paid_once(market, execution, agreement.id, before, earlier)
    files = await market.files(execution)
    assert files["done.txt"] == "done"
    assert "".join([piece.text async for piece in execution.logs(follow=False)]) == "asleep\nawake\n"
    assert attempts(cluster, execution.execution_id) == [(1, None)]
    assert await objects_left(cluster, NAMESPACE) == []


def attempts(cluster: ClusterAccess, execution_id: str) -> list[tuple[int, object]]:
    """Number and reason of each attempt, as the cluster keeps them."""
    record = cluster.kubectl("get", "wx", execution_id, f"--namespace={NAMESPACE}", "-o", "json").stdout
    return [(one["attempt"], one.get("reason")) for one in json.loads(record)["status"]["records"]]
