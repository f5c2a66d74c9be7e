"""The overlay for production: two of each, a database and an object store outside, and no volume of a service.

The chain is somebody else's too. What is restarted and killed in the middle of an execution loses and doubles nothing.
"""

import base64
import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.domain.ids import read_agreement_id
from insitu.domain.ledger import PaymentReleased
from insitu.settings.reading import read_settings
from insitu.stack.parts import open_chain
from tests.cluster.doors import doors
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.installation import SERVICE_KEY, SERVICES, Installation, applied, change, copied, on_the_testbed
from tests.cluster.installation import settings_of as settings
from tests.cluster.objects import way_out
from tests.cluster.outside import OutsideDatabase, outside_database
from tests.cluster.programmes import in_registry
from tests.cluster.sites import SERVER, free_port
from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.journeys.people import CONSUMER, CONSUMER_KEY, PASSWORD, RELAYER_KEY
from tests.journeys.provider import Person, Provider, environment, start
from tests.journeys.scripts import written

pytestmark = [
    pytest.mark.needs("cluster", "root", "chain", "postgresql", "object-store"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

OPERATOR = {"matchLabels": {"app.kubernetes.io/name": "insitu-operator"}}
DEPLOYMENTS = ("gateway", "marketplace", "metadata", "operator")
WAITING = """
import sys, time
from pathlib import Path
options = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
(table,) = Path(options["input1"]).rglob("*.csv")
print("waiting", flush=True)
while "go on" not in table.read_text():
    time.sleep(0.1)
print("going on", flush=True)
Path(options["output"], "done.txt").write_text("done")
"""


@dataclass
class Production:
    """The installation, and what lies outside of the cluster."""

    installation: Installation
    database: OutsideDatabase
    store: ObjectStoreServer

    def settled(self, agreement: str) -> tuple[PaymentReleased, ...]:
        """The payments that the chain knows for an agreement."""
        flags = dict(flag.split("=", 1) for flag in self.installation.flags)

        async def asked() -> tuple[PaymentReleased, ...]:
            chain = open_chain(read_settings({}, flags, self.installation.folder / "reader"))
            try:
                return await chain.find_settlements(read_agreement_id(agreement))
            finally:
                await chain.close()

        return anyio.run(asked)


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


def secret(name: str, **data: str) -> dict[str, Any]:
    """A secret as a secret store makes it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": SERVICES},
        "stringData": {key.replace("_", "."): value for key, value in data.items()},
    }


def drawn() -> str:
    """A file of versioned keys, as the page draws it."""
    return json.dumps({"current": 1, "keys": {"1": base64.b64encode(secrets.token_bytes(32)).decode()}})


@pytest.fixture(scope="module")
def production(
    cluster: ClusterAccess, cluster_images: Images, chain: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    cluster.need_testbed()
    folder, port, rpc, stored = tmp_path_factory.mktemp("site"), free_port(), free_port(), free_port()
    overlay, host = copied(folder) / "overlays" / "production", cluster.host
    deployments = chain.home / "chain" / "deployments.json"
    written(overlay, "contracts.json", deployments.read_text())
    public, metadata = f"http://127.0.0.1:{port}", f"http://{host}:{port}"
    flags = (
        f"chain.rpc_url={chain.rpc_url}",
        f"chain.deployments={deployments}",
        "chain.confirmations=0",
        f"metadata.url={metadata}",
    )
    site = Installation(cluster, folder, public, flags, [RELAYER_KEY, PASSWORD, SERVICE_KEY])
    site.person("provider", RELAYER_KEY)
    with ExitStack() as stack:
        database = stack.enter_context(outside_database(host))
        store = stack.enter_context(running_object_store())
        bucket = store.create_bucket("insitu")
        settled = settings(cluster, cluster_images, chain.announced["accounts"]["owner"], public, metadata) | {
            "INSITU_CHAIN__RPC_URL": f"http://{host}:{rpc}",
            "INSITU_CHAIN__CONFIRMATIONS": "0",
            "INSITU_GATEWAY__SERVERS": json.dumps([SERVER | {"max_execution_time": 900}]),
            "INSITU_GATEWAY__BLOBS": f"{bucket}/results",
            "INSITU_OPERATOR__LOGS": f"{bucket}/logs",
            "INSITU_OBJECT_STORE__ENDPOINT": f"http://{host}:{stored}",
        }
        change(overlay, settled, in_registry(cluster, cluster_images))
        key = (folder / "provider" / "keys" / "provider.json").read_text()
        place = on_the_testbed(
            overlay,
            cluster,
            secret("insitu-provider", provider_json=key),
            secret("insitu-provider-password", password=PASSWORD),
            secret("insitu-service-key", service_key=SERVICE_KEY),
            secret("insitu-gateway-keys", files_keys=drawn(), tokens_keys=drawn(), tickets_keys=drawn()),
            secret("insitu-database", **{actor: database.url(actor) for actor in database.passwords}),
            secret("insitu-object-store", credentials=store.credentials),
            way_out(SERVICES, "operator-reaches-what-is-outside", OPERATOR, host, rpc, stored),
        )
        targets = {
            f"{host}:{rpc}": chain.rpc_url.removeprefix("http://"),
            f"{host}:{stored}": f"127.0.0.1:{store.port}",
            f"127.0.0.1:{port}": "insitu/insitu",
            f"{host}:{port}": "insitu/insitu",
        }
        stack.enter_context(doors(cluster.kubeconfig, targets))
        yield Production(stack.enter_context(applied(site, place)), database, store)


def test_two_of_each_are_ready_and_one_may_go(production: Production) -> None:
    site = production.installation
    assert [len(site.pods(name)) for name in DEPLOYMENTS] == [2, 2, 2, 2]
    assert json.loads(site.kubectl("get", "persistentvolumeclaims", "-o", "json").stdout)["items"] == []
    site.kubectl(
        "wait", "poddisruptionbudgets", "--all", "--for=jsonpath={.status.disruptionsAllowed}=1", "--timeout=60s"
    )
    doctor = site.kubectl("exec", "deploy/insitu-operator", "-c", "operator", "--", "python3", "-m", "insitu", "doctor")
    assert "ready to be a provider" in doctor.stdout


def until_it_says(process: "subprocess.Popen[str]", said: Path, text: str) -> None:
    """Wait until a command says this beside its answer."""
    deadline = time.monotonic() + 120
    while text not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def available(site: Installation) -> None:
    for name in DEPLOYMENTS:
        site.kubectl("rollout", "status", f"deployment/insitu-{name}", "--timeout=180s")


def running(consumer: Person, said: Path, *words: str | Path) -> "subprocess.Popen[str]":
    """Start a command whose standard error goes to a file."""
    command = [*consumer.command, *map(str, words)]
    with said.open("w") as beside:
        return subprocess.Popen(
            command, env=environment(**consumer.variables), stdout=subprocess.PIPE, stderr=beside, text=True
        )


def test_a_restart_of_everything_and_two_kills_lose_and_double_nothing(production: Production, tmp_path: Path) -> None:
    site, said, out = production.installation, tmp_path / "said", tmp_path / "out"
    flights, consumer = site.publish(), site.person("consumer", CONSUMER_KEY)
    script = written(tmp_path, "waiting.py", WAITING)
    with running(consumer, said, "run", script, "--on", flights, "--yes", "-o", out) as process:
        until_it_says(process, said, "  | waiting")
        site.kubectl("rollout", "restart", *(f"deployment/insitu-{name}" for name in DEPLOYMENTS))
        available(site)
        # One after the other, so that the one that works is among them.
        for pod in site.pods("gateway"):
            site.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
            available(site)
        assert "| going on" not in said.read_text()
        (table,) = site.folder.glob("data-*/flights.csv")
        with table.open("a") as lines:
            lines.write("go on,0\n")
        answer, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said.read_text() + site.told()
    assert answer.startswith("did:nv:")
    assert (out / "done.txt").read_text() == "done"
    log = [line for line in said.read_text().splitlines() if line.startswith("  | ")]
    assert log == ["  | waiting", "  | going on"], "it came whole, through four gateways"
    assert "charged 2 NVM" in said.read_text()
    (bought,) = consumer.succeeds("agreements", "--json").json
    (execution,) = consumer.succeeds("executions", bought["serviceAgreementId"], "--json").json
    once(production, bought["serviceAgreementId"], execution["workflowExecutionId"])


def once(production: Production, agreement: str, execution: str) -> None:
    """One attempt, one payment, which names the one receipt, and one result in the bucket."""
    site = production.installation
    found = site.access.kubectl("get", "wx", execution, "--namespace=insitu-executions", "-o", "json").stdout
    attempts = [(one["attempt"], one.get("reason")) for one in json.loads(found)["status"]["records"]]
    assert attempts == [(1, None)]
    deadline = time.monotonic() + 60
    while not (settled := production.settled(agreement)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(settled) == 1
    found = site.person("consumer", CONSUMER_KEY).succeeds("search", "Result", "--owner", CONSUMER, "--json").json
    assert len(found["results"]) == 1
    names = [str(path.relative_to(production.store.buckets)) for path in production.store.buckets.rglob("*")]
    for prefix in ("insitu/results/", "insitu/logs/"):
        assert any(name.startswith(prefix) for name in names), names
