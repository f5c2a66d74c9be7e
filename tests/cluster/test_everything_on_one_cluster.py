"""`kubectl apply -k` of the overlay for one cluster: PostgreSQL, a chain and every service, all in it."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from insitu.adapters.keys.dev import dev_signer
from tests.cluster.doors import doors
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.installation import EXECUTIONS, SERVICE_KEY, Installation, applied, change, copied, on_the_testbed
from tests.cluster.installation import settings_of as settings
from tests.cluster.programmes import in_registry
from tests.cluster.reaching import probe, reached
from tests.cluster.sites import free_port
from tests.cluster.testbed.binaries import component
from tests.journeys.people import CONSUMER_KEY, PASSWORD, RELAYER_KEY
from tests.journeys.scripts import COUNT, SLEEPING, written

pytestmark = [pytest.mark.needs("cluster", "root", "chain", "postgresql"), pytest.mark.slow, pytest.mark.timeout(600)]

READY = ("wait", "pods", "--all", "--for=condition=Ready", "--timeout=180s")


@pytest.fixture(scope="module")
def site(
    cluster: ClusterAccess, cluster_images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    cluster.need_testbed()
    folder, port, rpc = tmp_path_factory.mktemp("site"), free_port(), free_port()
    deploy = copied(folder)
    one = deploy / "overlays" / "one-cluster"
    public, metadata = f"http://127.0.0.1:{port}", f"http://{cluster.host}:{port}"
    flags = (
        f"chain.rpc_url=http://127.0.0.1:{rpc}",
        f"chain.deployments={deploy / 'components' / 'development-chain' / 'contracts.json'}",
        "chain.confirmations=0",
        f"metadata.url={metadata}",
    )
    made = Installation(cluster, folder, public, flags, [RELAYER_KEY, PASSWORD, SERVICE_KEY])
    made.person("provider", RELAYER_KEY)
    shutil.copy(folder / "provider" / "keys" / "provider.json", one)
    written(one, "password", PASSWORD)
    written(one, "service.key", SERVICE_KEY)
    for actor in ("gateway", "metadata"):
        made.secrets.append(secrets.token_hex(16))
        address = "insitu-postgresql.insitu.svc:5432/insitu"
        written(one, f"{actor}.url", f"postgresql://{actor}:{made.secrets[-1]}@{address}")
    changed = settings(cluster, cluster_images, dev_signer("owner").address, public, metadata)
    change(one, changed, in_registry(cluster, cluster_images, "postgresql", "anvil"))
    with ExitStack() as stack:
        stack.enter_context(applied(made, on_the_testbed(one, cluster)))
        chain = made.kubectl("get", "service", "insitu-chain", "-o", "jsonpath={.spec.clusterIP}").stdout
        targets = dict.fromkeys((f"127.0.0.1:{port}", f"{cluster.host}:{port}"), "insitu/insitu")
        stack.enter_context(doors(cluster.kubeconfig, {**targets, f"127.0.0.1:{rpc}": f"{chain}:8545"}))
        yield made


@pytest.fixture(scope="module")
def flights(site: Installation) -> str:
    return site.publish()


def test_every_service_is_ready_and_the_operator_twice(cluster: ClusterAccess, site: Installation) -> None:
    assert site.kubectl(*READY).stdout.count("condition met") == 7
    names = ("operator", "gateway", "metadata", "marketplace", "postgresql", "chain")
    assert {name: len(site.pods(name)) for name in names} == {
        "operator": 2,
        "gateway": 1,
        "metadata": 1,
        "marketplace": 1,
        "postgresql": 1,
        "chain": 1,
    }
    holder = cluster.kubectl("get", "lease", "insitu-engine", f"--namespace={EXECUTIONS}", "-o", "json").stdout
    assert json.loads(holder)["spec"]["holderIdentity"].startswith("insitu-operator-")


def test_the_main_job_goes_through(site: Installation, flights: str, tmp_path: Path) -> None:
    consumer, out = site.person("consumer", CONSUMER_KEY), tmp_path / "out"
    script = written(tmp_path, "count.py", COUNT)
    ran = consumer.insitu("run", script, "--on", flights, "--carrier=UA", "--yes", "-o", out)
    assert ran.code == 0, ran.out + ran.err + site.told()
    assert (out / "count.txt").read_text() == "2\n"
    assert "  | reading 4 lines\n" in ran.err, "logs come through the gateway"
    assert "charged 2 NVM" in ran.err


def test_the_doctor_finds_everything_well(site: Installation) -> None:
    found = site.kubectl("exec", "deploy/insitu-operator", "-c", "operator", "--", "python3", "-m", "insitu", "doctor")
    assert "ready to be a provider" in found.stdout


def test_each_actor_has_a_schema_that_the_other_cannot_read(site: Installation, flights: str) -> None:
    def ran(*words: str) -> str:
        command = ("exec", "statefulset/insitu-postgresql", "-c", "postgresql", "--", *words)
        return site.kubectl(*command).stdout

    def asked(sql: str) -> str:
        return ran("psql", "--host=/tmp", "--username=postgres", "--dbname=insitu", "-Atc", sql)

    for one, other in (("gateway", "metadata"), ("metadata", "gateway")):
        assert asked(
            f"SELECT rolname FROM pg_roles JOIN pg_namespace ON nspowner = pg_roles.oid AND nspname = '{one}'"
        ) == (f"{one}\n")
        assert asked(f"SELECT has_schema_privilege('{one}', '{other}', 'USAGE')") == "f\n"
        assert int(asked(f"SELECT count(*) FROM {one}.migration")) > 0
    assert int(asked("SELECT count(*) FROM gateway.agreements")) > 0, "they are where it says"
    saved = ran("pg_dump", "--host=/tmp", "--username=postgres", "insitu")
    assert "COPY gateway.agreements" in saved, "the backup of the page"


def test_a_person_finds_the_data_set_on_pages(site: Installation, flights: str) -> None:
    pages = httpx.Client(base_url=site.url, timeout=30)
    assert "Flights" in pages.get("/search").text
    assert f"/assets/{flights}" in pages.get("/search").text
    assert "Every part answers." in pages.get("/status").text
    nothing = pages.get("/no/such/page")
    assert (nothing.status_code, nothing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert pages.get("/api/v1/operator/executions").json()["code"] == "NotFound"
    compared = site.person("consumer", CONSUMER_KEY).insitu("marketplace", "verify", site.url)
    assert compared.code == 0, compared.out + compared.err


INSIDE = {"gateway", "marketplace", "metadata", "operator", "postgresql", "chain", "names", "api"}
REACHED = [
    ("insitu", "insitu-gateway", INSIDE),
    ("insitu", "insitu-metadata", INSIDE - {"operator"}),
    ("insitu", "insitu-marketplace", {"gateway", "marketplace", "metadata", "names", "api"}),
    ("insitu", "insitu-operator", {"gateway", "chain", "names", "api"}),
    ("insitu", "insitu-postgresql", set()),
    ("insitu", "insitu-chain", set()),
    ("insitu", None, set()),
    ("insitu-executions", "configure", {"gateway", "names"}),
    ("insitu-executions", "publish", {"gateway", "names"}),
    ("insitu-executions", "compute", set()),
    ("insitu-executions", None, set()),
    ("default", None, {"gateway", "marketplace", "metadata", "names", "api"}),
]
"""Namespace, role, and what a pod of that role reaches: exactly what is needed. The last one is anybody's."""


def test_a_pod_reaches_exactly_what_it_needs(
    cluster: ClusterAccess, cluster_images: Images, site: Installation
) -> None:
    services = json.loads(cluster.kubectl("get", "services", "--all-namespaces", "-o", "json").stdout)["items"]
    names = {"kube-dns": "names", "kubernetes": "api"}
    addresses = {
        names.get(name, name.removeprefix("insitu-")): f"{one['spec']['clusterIP']}:{one['spec']['ports'][0]['port']}"
        for one in services
        if (name := one["metadata"]["name"]) in names or name.startswith("insitu-")
    }
    assert set(addresses) == INSIDE
    image = f"{cluster.registry}/{cluster_images.pods.name}@{cluster_images.pods.digest}"
    probes = []
    for namespace, role, expected in REACHED:
        label = "app.kubernetes.io/name" if namespace == "insitu" else "insitu.internal/role"
        labels = {} if role is None else {label: role}
        probes.append((namespace, probe(cluster, namespace, labels, image, json.dumps(addresses)), expected))
    found = [reached(cluster, namespace, name) for namespace, name, _ in probes]
    assert found == [expected for _, _, expected in probes]


def test_the_chain_is_reached_as_the_page_says(site: Installation, cluster: ClusterAccess, tmp_path: Path) -> None:
    port = free_port()
    kubectl = [str(component("kubectl")), f"--kubeconfig={cluster.kubeconfig}", "--namespace=insitu"]
    forward = [*kubectl, "port-forward", "service/insitu-chain", f"{port}:8545"]
    with subprocess.Popen(forward, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "Forwarding from" in process.stdout.readline()
            person = site.person("owner", "")
            said = person.succeeds("chain", "check", "--rpc", f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
    assert said.out.splitlines()[-1] == "the contracts are ours and in order"


def test_no_key_of_the_provider_is_where_executions_are(
    cluster: ClusterAccess, site: Installation, flights: str, tmp_path: Path
) -> None:
    consumer = site.person("consumer", CONSUMER_KEY)
    script = written(tmp_path, "sleep.py", SLEEPING)
    ids = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow").line.split()
    try:
        while "going on" not in consumer.succeeds("logs", *ids, "--no-follow").out:
            continue
        everything = site.where_executions_are()
        pods = json.loads(cluster.kubectl("get", "pods", f"--namespace={EXECUTIONS}", "-o", "json").stdout)["items"]
    finally:
        consumer.succeeds("stop", *ids)
    assert pods
    for pod in pods:
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert ids[1].encode() in everything
    for secret in site.secrets:
        assert secret.encode() not in everything


def test_all_is_there_again_after_every_pod_was_deleted(site: Installation, flights: str, tmp_path: Path) -> None:
    consumer = site.person("consumer", CONSUMER_KEY)
    script = written(tmp_path, "count.py", COUNT)
    ids = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow").line.split()
    before = consumer.succeeds("status", *ids, "--follow", "--json").json
    assert before["phase"] == "Succeeded"
    site.kubectl("delete", "pods", "--all", "--timeout=120s")
    done = site.kubectl("wait", "deployments", "--all", "--for=condition=Available", "--timeout=180s", check=False)
    assert done.returncode == 0, site.told()
    consumer.succeeds("result", ids[1], "-o", tmp_path / "out")
    assert (tmp_path / "out" / "count.txt").read_text() == "3\n"
    ran = consumer.insitu("run", script, "--on", flights, "--carrier=AA", "--yes", "-o", tmp_path / "again")
    assert ran.code == 0, ran.out + ran.err + site.told()
    assert (tmp_path / "again" / "count.txt").read_text() == "1\n"
