"""The consumer's main job, by the same commands as on one machine, at a provider whose executions are pods."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder, install_records, make_namespace
from tests.cluster.sites import provider_up
from tests.journeys.provider import Provider
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.needs("cluster", "root", "chain"), pytest.mark.slow]

NAMESPACE = "insitu-journey"


@pytest.fixture(scope="module")
def site(
    cluster: ClusterAccess, cluster_images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    install_records(cluster)
    make_namespace(cluster, NAMESPACE)
    with provider_up(cluster, cluster_images, NAMESPACE, tmp_path_factory.mktemp("site")) as running:
        yield running
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def flights(cluster: ClusterAccess, site: Provider) -> str:
    """A data set that lies on a volume of the cluster."""
    written(site.data, "flights.csv", FLIGHTS)
    claim = claim_of_folder(cluster, NAMESPACE, site.data)
    owner = site.person("owner")
    return owner.succeeds(
        "publish", f"pvc:{claim}/flights.csv", "--name", "Flights", "--price", "2", "--allow-any"
    ).line


def test_buy_execute_fetch_verify(site: Provider, flights: str, tmp_path: Path) -> None:
    consumer, out = site.person("consumer"), tmp_path / "out"
    script = written(tmp_path, "count.py", COUNT)
    ran = consumer.succeeds("run", script, "--on", flights, "--carrier=UA", "--yes", "-o", out)
    assert (out / "count.txt").read_text() == "2\n"
    assert "  | reading 4 lines\n" in ran.err, "logs come through the gateway"
    assert "charged 2 NVM" in ran.err
    (execution,) = consumer.succeeds("executions", "--json").json
    ids = (execution["serviceAgreementId"], execution["workflowExecutionId"])
    receipt = tmp_path / "receipt.json"
    receipt.write_text(consumer.succeeds("receipt", *ids, "--json").out)
    consumer.succeeds("verify", receipt)


def test_the_execution_is_a_record_of_the_cluster(cluster: ClusterAccess, site: Provider, flights: str) -> None:
    listed = cluster.kubectl("get", "wx", f"--namespace={NAMESPACE}", "-o", "json")
    records = json.loads(listed.stdout)["items"]
    assert [record["status"]["phase"] for record in records] == ["Succeeded"]
    assert not (site.home / "operator.db").exists()
