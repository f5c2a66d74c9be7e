"""Two gateways on one PostgreSQL database and one bucket behind one address: one works, both answer, killing one loses
nothing."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.doubles.postgresql import running_postgresql
from tests.journeys.front_door import front_door
from tests.journeys.people import CONSUMER, CONSUMER_KEY, OWNER_KEY, PASSWORD, RELAYER_KEY
from tests.journeys.provider import Provider, build_image, serving
from tests.journeys.scripts import COUNT, FLIGHTS, written
from tests.journeys.test_each_actor_in_its_own_process import IMAGE, Site, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root", "postgresql", "object-store")]

WAITING = "import time\nprint('going on', flush=True)\ntime.sleep(8)\nopen('/mnt/output/out.txt', 'w').write('done')\n"


class Twice(Site):
    """A provider with two gateways; ``gateway`` is the address before them. No folder is shared."""

    def __init__(self, folder: Path, chain: Provider, door: int, secret: Path, bucket: ObjectStoreServer) -> None:
        super().__init__(folder, chain)
        self.ports["gateway"] = door
        self.bucket = bucket
        bucket.create_bucket("provider")
        self.stores = [
            *(f"{actor}.database_url_file={secret}" for actor in ("metadata", "gateway", "operator")),
            "gateway.blobs=s3://provider/results",
            "operator.logs=s3://provider/logs",
            f"object_store.endpoint={bucket.endpoint}",
            f"object_store.credentials_file={bucket.credentials_file()}",
        ]

    @contextmanager
    def replica(self, name: str, port: int, *flags: str) -> Iterator["subprocess.Popen[str]"]:
        """One of the two gateways; it may be killed."""
        home = self.folder / name
        others = [f"{other}.url={self.url(other)}" for other in ("metadata", "operator")]
        settings = (*self.chain, *others, *self.stores, f"server.port={port}", *flags)
        ended = (0, -signal.SIGKILL)
        with serving(("gateway",), home, settings, ended, INSITU_PROVIDER_PASSWORD=PASSWORD) as (process, _):
            yield process


@pytest.fixture
def killed_one(running: Provider, tmp_path: Path) -> Iterator[tuple[Twice, "subprocess.Popen[str]"]]:
    """The provider, and the process of the gateway that both works and answers."""
    with ExitStack() as stack:
        server, bucket = stack.enter_context(running_postgresql()), stack.enter_context(running_object_store())
        secret = tmp_path / "database.url"
        secret.write_text(server.url)
        ports = free_ports(2)
        door = stack.enter_context(front_door(ports))
        (tmp_path / "site").mkdir()
        made = Twice(tmp_path / "site", running, door, secret, bucket)
        (made.folder / "operator").mkdir()
        digest = build_image(made.folder / "operator")
        made.person("one", RELAYER_KEY)
        (made.folder / "one" / "keys" / "me.json").rename(made.folder / "one" / "keys" / "provider.json")
        stack.enter_context(made.start("metadata", *made.stores))
        stack.enter_context(made.start("operator", *made.stores))
        shutil.copy(made.folder / "operator" / "keys" / "service.key", made.folder / "one" / "keys" / "service.key")
        offered = json.dumps([IMAGE | {"checksum": digest}])
        flags = (
            f"gateway.creators={made.owner_address}",
            f"gateway.data_roots={made.data}",
            f"gateway.containers={offered}",
            f"server.public_url={made.url('gateway')}",
        )
        first = stack.enter_context(made.replica("one", ports[0], *flags))
        # The second one has the keys of the first, drawn at its start.
        shutil.copytree(made.folder / "one" / "keys", made.folder / "two" / "keys")
        stack.enter_context(made.replica("two", ports[1], *flags))
        yield made, first


def test_the_gateway_that_works_is_killed_and_the_other_one_finishes_and_is_paid(
    killed_one: tuple[Twice, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    site, first = killed_one
    owner, table = site.person("owner", OWNER_KEY), written(site.data, "flights.csv", FLIGHTS)
    consumer = site.person("consumer", CONSUMER_KEY)
    flights = owner.succeeds("publish", table, "--name", "Twice", "--price", "2", "--allow-any").line
    script = written(tmp_path, "wait.py", WAITING)
    ids = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow").line.split()

    os.kill(first.pid, signal.SIGKILL)

    ended = consumer.succeeds("status", *ids, "--follow", "--json").json
    assert ended["phase"] == "Succeeded"
    assert ended["settled"]
    assert ended["resultDid"] in consumer.succeeds("search", "Result", "--owner", CONSUMER, "--json").out
    known = consumer.succeeds("executions", ids[0], "--json").json
    assert [one["workflowExecutionId"] for one in known] == [ids[1]]
    consumer.succeeds("result", *ids, "--output", tmp_path / "result")
    assert (tmp_path / "result" / "out.txt").read_text() == "done"
    assert "going on" in consumer.succeeds("logs", *ids).out

    # What the second gateway receives and serves is in the bucket, and so is this data set.
    (site.bucket.buckets / "provider" / "data").mkdir()
    written(site.bucket.buckets / "provider" / "data", "flights.csv", FLIGHTS)
    stored = owner.succeeds(
        "publish", "s3://provider/data/flights.csv", "--name", "Stored", "--price", "2", "--allow-any"
    ).line
    script = written(tmp_path, "again.py", COUNT)
    consumer.succeeds("run", script, "--on", stored, "--carrier=UA", "--yes", "-o", tmp_path / "again")
    assert (tmp_path / "again" / "count.txt").read_text() == "2\n"
    refused = owner.insitu("publish", "s3://provider/results/any", "--name", "Ours", "--price", "2", "--allow-any")
    assert "TargetNotAllowed" in refused.err
    for home in ("one", "two", "operator"):
        held = [path for part in ("blobs", "logs") for path in (site.folder / home / part).rglob("*") if path.is_file()]
        assert held == []
