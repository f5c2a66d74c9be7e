"""`kubectl apply -k` of deploy/kustomize: every service becomes ready, and the main job goes through."""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from journeys.people import CONSUMER_KEY, OWNER_KEY, PASSWORD, RELAYER_KEY
from journeys.provider import Person, Provider, start
from journeys.scripts import COUNT, FLIGHTS, SLEEPING, written
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder
from tests.cluster.services import services
from tests.cluster.sites import SERVER, free_port, offered
from tests.cluster.testbed.layout import NODE1, ROOT

pytestmark = [pytest.mark.needs("cluster", "root", "chain"), pytest.mark.slow]

DEPLOY = ROOT / "deploy" / "kustomize"
EXECUTIONS = "insitu-executions"
SERVICE_KEY = "a service key that only gateway and operator know"
API, GATEWAY, METADATA, OPERATOR, CHAIN = "10.96.0.1", "10.96.0.20", "10.96.0.21", "10.96.0.22", "10.99.0.30"
NAMES = {"metadata": METADATA, "gateway": GATEWAY, "operator": OPERATOR}
"""The testbed has neither kube-proxy nor DNS: Services get these addresses, and pods a line for each name."""


def overlay(folder: Path, access: ClusterAccess, images: Images, settings: dict[str, str], contracts: Path) -> Path:
    """Copy the overlay for one cluster and change what is marked; return one on top of it, for the testbed."""
    shutil.copytree(DEPLOY, folder / "deploy")
    one = folder / "deploy" / "overlays" / "one-cluster"
    written(one, "settings.env", "".join(f"{name}={value}\n" for name, value in settings.items()))
    shutil.copy(contracts, one / "contracts.json")
    written(one, "password", PASSWORD)
    written(one, "service.key", SERVICE_KEY)
    pods = images.pods
    text = (one / "kustomization.yaml").read_text()
    text = text.replace("registry.example/insitu/insitu", f"{access.registry}/{pods.name}")
    written(one, "kustomization.yaml", text.replace("sha256:" + 64 * "0", pods.digest))
    testbed = folder / "deploy" / "overlays" / "testbed"
    testbed.mkdir()
    aliases = [{"ip": address, "hostnames": [f"insitu-{name}.insitu.svc"]} for name, address in NAMES.items()]
    claims = [{"op": "add", "path": "/spec/storageClassName", "value": access.storage_class}]
    claims.append({"op": "replace", "path": "/spec/resources/requests/storage", "value": "128Mi"})
    patches = [
        {"target": {"kind": "PersistentVolumeClaim"}, "patch": json.dumps(claims)},
        {
            "target": {"kind": "Deployment"},
            "patch": json.dumps([{"op": "add", "path": "/spec/template/spec/hostAliases", "value": aliases}]),
        },
    ]
    for name, address in NAMES.items():
        patch = json.dumps([{"op": "add", "path": "/spec/clusterIP", "value": address}])
        patches.append({"target": {"kind": "Service", "name": f"insitu-{name}"}, "patch": patch})
    top = {"resources": ["../one-cluster"], "patches": patches}
    written(testbed, "kustomization.yaml", json.dumps(top))
    return testbed


@dataclass
class Site:
    """The installed provider, and people around it."""

    access: ClusterAccess
    folder: Path
    url: str
    flags: tuple[str, ...]

    def person(self, name: str, key: str) -> Person:
        home = self.folder / name
        person = Person(home, self.url, flags=self.flags, variables={"INSITU_KEY_PASSWORD": PASSWORD})
        if not home.exists():
            person.succeeds("keys", "import", "me" if name != "provider" else "provider", "-", typed=key)
        return person


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Somebody else's chain: that of a provider on this machine."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "home").mkdir()
    (folder / "data").mkdir()
    running = start(folder / "home", folder / "data")
    yield running
    running.stop()
    running.close()


@pytest.fixture(scope="module")
def site(
    cluster: ClusterAccess, cluster_images: Images, chain: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    if cluster.host != NODE1.ip:
        pytest.skip("addresses of Services are made up here, so this test runs on the testbed only")
    folder = tmp_path_factory.mktemp("site")
    port, home = free_port(), chain.home / "chain" / "deployments.json"
    url, metadata = f"http://127.0.0.1:{port}", f"http://{METADATA}:8030"
    flags = (f"chain.rpc_url={chain.rpc_url}", f"chain.deployments={home}", "chain.confirmations=0")
    made = Site(cluster, folder, url, (*flags, f"metadata.url={metadata}"))
    made.person("provider", RELAYER_KEY)
    settings = {
        "INSITU_SERVER__PUBLIC_URL": url,
        "INSITU_METADATA__URL": metadata,
        "INSITU_CHAIN__RPC_URL": f"http://{CHAIN}:8545",
        "INSITU_CHAIN__CONFIRMATIONS": "0",
        "INSITU_CLUSTER__REGISTRY": cluster.registry,
        "INSITU_CLUSTER__STORAGE_CLASS": cluster.storage_class,
        "INSITU_CLUSTER__GATEWAY_URL": f"http://{GATEWAY}:8030",
        "INSITU_GATEWAY__CREATORS": chain.announced["accounts"]["owner"],
        "INSITU_GATEWAY__CONTAINERS": offered(cluster_images),
        "INSITU_GATEWAY__SERVERS": json.dumps([SERVER]),
        "INSITU_OPERATOR__CPU": "1",
        "INSITU_OPERATOR__MEMORY": str(2 << 30),
        "INSITU_OPERATOR__DISK": str(2 << 30),
    }
    if cluster.runtime_class is not None:
        settings["INSITU_CLUSTER__RUNTIME_CLASS"] = cluster.runtime_class
    place = overlay(folder, cluster, cluster_images, settings, home)
    shutil.copy(folder / "provider" / "keys" / "provider.json", folder / "deploy/overlays/one-cluster/provider.json")
    routes = {
        f"{API}:443": f"{NODE1.ip}:6443",
        f"{CHAIN}:8545": chain.rpc_url.removeprefix("http://"),
        f"127.0.0.1:{port}": "insitu/insitu-gateway",
        **{f"{address}:8030": f"insitu/insitu-{name}" for name, address in NAMES.items()},
    }
    with ExitStack() as stack:
        stack.enter_context(services(cluster.kubeconfig, routes))
        cluster.kubectl("delete", "namespace", "insitu", EXECUTIONS, "--ignore-not-found", "--timeout=60s")
        cluster.kubectl("apply", "-k", str(place))
        stack.callback(cluster.kubectl, "delete", "-k", str(place), "--timeout=90s")
        waiting = ("wait", "deployments", "--all", "--namespace=insitu", "--for=condition=Available", "--timeout=120s")
        done = cluster.kubectl(*waiting, check=False)
        assert done.returncode == 0, told(cluster)
        yield made


def told(cluster: ClusterAccess) -> str:
    """What the services say, where they do not become ready."""
    pods = cluster.kubectl("get", "pods,events", "--namespace=insitu", "-o", "wide").stdout
    logs = cluster.kubectl(
        "logs", "--namespace=insitu", "-l", "app.kubernetes.io/part-of=insitu", "--all-containers", "--tail=20"
    )
    return pods + logs.stdout


@pytest.fixture(scope="module")
def flights(cluster: ClusterAccess, site: Site) -> str:
    data = site.folder / "data"
    data.mkdir()
    claim = claim_of_folder(cluster, EXECUTIONS, written(data, "flights.csv", FLIGHTS).parent)
    owner = site.person("owner", OWNER_KEY)
    return owner.succeeds(
        "publish", f"pvc:{claim}/flights.csv", "--name", "Flights", "--price", "2", "--allow-any"
    ).line


def test_every_service_is_ready_and_the_operator_twice(cluster: ClusterAccess, site: Site) -> None:
    waiting = ("wait", "pods", "--all", "--namespace=insitu", "--for=condition=Ready", "--timeout=60s")
    assert cluster.kubectl(*waiting).stdout.count("condition met") == 4
    holder = cluster.kubectl("get", "lease", "insitu-engine", f"--namespace={EXECUTIONS}", "-o", "json").stdout
    assert json.loads(holder)["spec"]["holderIdentity"].startswith("insitu-operator-")


def test_the_main_job_goes_through(cluster: ClusterAccess, site: Site, flights: str, tmp_path: Path) -> None:
    consumer, out = site.person("consumer", CONSUMER_KEY), tmp_path / "out"
    ran = consumer.insitu(
        "run", written(tmp_path, "count.py", COUNT), "--on", flights, "--carrier=UA", "--yes", "-o", out
    )
    assert ran.code == 0, ran.out + ran.err + told(cluster)
    assert (out / "count.txt").read_text() == "2\n"
    assert "  | reading 4 lines\n" in ran.err, "logs come through the gateway"
    assert "charged 2 NVM" in ran.err


def test_no_key_of_the_provider_is_where_executions_are(
    cluster: ClusterAccess, site: Site, flights: str, tmp_path: Path
) -> None:
    consumer = site.person("consumer", CONSUMER_KEY)
    script = written(tmp_path, "sleep.py", SLEEPING)
    ids = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow").line.split()
    try:
        while "going on" not in consumer.succeeds("logs", *ids, "--no-follow").out:
            continue
        kinds = "pods,secrets,configmaps,workflowexecutions"
        listed = json.loads(cluster.kubectl("get", kinds, f"--namespace={EXECUTIONS}", "-o", "json").stdout)["items"]
    finally:
        consumer.succeeds("stop", *ids)
    pods = [each for each in listed if each["kind"] == "Pod"]
    assert pods
    for pod in pods:
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    values = [
        base64.b64decode(value)
        for each in listed
        for value in (each.get("data") or {}).values()
        if each["kind"] == "Secret"
    ]
    everything = json.dumps(listed).encode() + b"".join(values)
    assert ids[1].encode() in everything
    for secret in (RELAYER_KEY, PASSWORD, SERVICE_KEY):
        assert secret.encode() not in everything


def test_the_other_overlay_is_whole(cluster: ClusterAccess, tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    production = tmp_path / "deploy" / "overlays" / "production"
    written(production, "contracts.json", "{}")
    rendered = cluster.kubectl("kustomize", str(production)).stdout
    assert "image: insitu\n" not in rendered
    assert "value: insitu\n" not in rendered
    assert "kind: Secret" not in rendered, "secrets come from the installation's own store"
    for actor in ("GATEWAY", "METADATA"):
        assert f"name: INSITU_{actor}__DATABASE_URL_FILE" in rendered
    assert rendered.count("secretName: insitu-database") == 2
    assert rendered.count("name: INSITU_PROVIDER_PASSWORD") == 1, "a patch leaves what was there"
