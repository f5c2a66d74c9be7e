"""Two operators as processes: one leads, both answer, and killing the leader changes nothing for an execution."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import claim_of_folder, install_records, make_namespace, objects_left
from tests.cluster.sites import SERVER, cluster_settings, free_port, offered
from tests.journeys.provider import Person, serving
from tests.journeys.scripts import FLIGHTS, written

pytestmark = [pytest.mark.needs("cluster", "root", "chain"), pytest.mark.slow]

NAMESPACE = "insitu-two-operators"
NAP = """
import time
from pathlib import Path
print("asleep", flush=True)
time.sleep(5)
print("awake", flush=True)
Path("/mnt/output/done.txt").write_text("done")
"""


@dataclass
class Site:
    """A gateway with its catalogue and chain, and two operators that share a namespace and a folder of logs."""

    access: ClusterAccess
    images: Images
    folder: Path
    ports: dict[str, int]

    def settings(self, name: str) -> list[str]:
        if name == "gateway":
            return [
                "server.host=0.0.0.0",
                "chain.expose_known_keys=true",
                f"server.public_url=http://127.0.0.1:{self.ports['gateway']}",
                "chain.embedded_port=0",
                f"operator.url=http://127.0.0.1:{self.ports['second']}",
                f"gateway.containers={offered(self.images)}",
                f"gateway.servers={json.dumps([SERVER])}",
            ]
        gateway_url = f"http://{self.access.host}:{self.ports['gateway']}"
        return [
            *cluster_settings(self.access, self.images, NAMESPACE, gateway_url),
            f"gateway.url=http://127.0.0.1:{self.ports['gateway']}",
            f"operator.logs={self.folder / 'logs'}",
        ]

    @contextmanager
    def serve(self, name: str, *actors: str) -> "Iterator[subprocess.Popen[str]]":
        home = self.folder / name
        (home / "keys").mkdir(parents=True)
        (home / "keys" / "service.key").write_text("a key that gateway and operators share\n")
        flags = [*self.settings(name), f"server.port={self.ports[name]}"]
        with serving(actors, home, flags, (0, -signal.SIGKILL)) as (process, _):
            yield process

    def person(self, account: str) -> Person:
        return Person(self.folder / "gateway", f"http://127.0.0.1:{self.ports['gateway']}", account)

    def holder(self) -> str:
        """Who leads; empty where nobody does."""
        path = "jsonpath={.spec.holderIdentity}"
        found = self.access.kubectl(
            "get", "lease", "insitu-engine", f"--namespace={NAMESPACE}", "-o", path, check=False
        )
        return found.stdout if found.returncode == 0 else ""

    def leads(self, name: str) -> bool:
        return self.holder().endswith((self.folder / name / "instance").read_text())


@pytest.fixture
def site(cluster: ClusterAccess, cluster_images: Images, tmp_path: Path) -> Iterator[Site]:
    install_records(cluster)
    make_namespace(cluster, NAMESPACE)
    yield Site(cluster, cluster_images, tmp_path, {name: free_port() for name in ("gateway", "first", "second")})
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_killing_the_leader_changes_nothing(site: Site, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    written(data, "flights.csv", FLIGHTS)
    claim = claim_of_folder(site.access, NAMESPACE, data)
    with ExitStack() as stack:
        stack.enter_context(site.serve("gateway", "metadata", "gateway"))
        first = stack.enter_context(site.serve("first", "operator"))
        until(lambda: site.leads("first"))
        stack.enter_context(site.serve("second", "operator"))
        owner, consumer = site.person("owner"), site.person("consumer")
        source = f"pvc:{claim}/flights.csv"
        did = owner.succeeds("publish", source, "--name", "Flights", "--price", "2", "--allow-any").line
        script = written(tmp_path, "nap.py", NAP)
        ids = consumer.succeeds("run", script, "--on", did, "--yes", "--no-follow").line.split()
        until(lambda: "asleep" in consumer.insitu("logs", *ids, "--no-follow").out)
        assert site.leads("first"), "the second one registered it, and the first one works"
        os.kill(first.pid, signal.SIGKILL)
        followed = consumer.succeeds("status", *ids, "--follow", "--json").json
        assert site.leads("second")
        assert followed["phase"] == "Succeeded", followed
        out = tmp_path / "out"
        consumer.succeeds("result", ids[1], "-o", out)
        assert (out / "done.txt").read_text() == "done"
        assert "asleep\nawake\n" in consumer.succeeds("logs", *ids).out
        record = json.loads(site.access.kubectl("get", "wx", ids[1], f"--namespace={NAMESPACE}", "-o", "json").stdout)
        assert [(one["attempt"], one.get("reason")) for one in record["status"]["records"]] == [(1, None)]
        assert anyio.run(objects_left, site.access, NAMESPACE) == []
