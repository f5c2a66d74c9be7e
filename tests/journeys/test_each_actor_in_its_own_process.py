"""In production, catalogue, gateway and operator are separate processes that reach each other over HTTP."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from insitu.domain import exit_codes
from tests.journeys.people import CONSUMER, CONSUMER_KEY, OWNER_KEY, PASSWORD, RELAYER_KEY
from tests.journeys.provider import Actor, Person, Provider, actor, build_image
from tests.journeys.scripts import COUNT, FLIGHTS, SLEEPING, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

IMAGE = {"image": "insitu/python", "tag": "latest"}


def free_ports(count: int) -> list[int]:
    """Ports that nobody is using."""
    with ExitStack() as stack:
        taken = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


class Site:
    """A provider in three processes on somebody else's chain."""

    def __init__(self, folder: Path, chain: Provider) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.ports = dict(zip(("metadata", "gateway", "operator"), free_ports(3), strict=True))
        deployments = shutil.copy(chain.home / "chain" / "deployments.json", folder / "contracts.json")
        self.chain = (f"chain.rpc_url={chain.rpc_url}", f"chain.deployments={deployments}", "chain.confirmations=0")
        self.owner_address = chain.announced["accounts"]["owner"]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def person(self, name: str, key: str) -> Person:
        """Somebody with a key file and a data folder, who knows chain, catalogue and gateway."""
        flags = (*self.chain, f"metadata.url={self.url('metadata')}")
        home = self.folder / name
        person = Person(home, self.url("gateway"), flags=flags, variables={"INSITU_KEY_PASSWORD": PASSWORD})
        person.succeeds("keys", "import", "me" if name != "gateway" else "provider", "-", typed=key)
        return person

    def start(self, name: str, *flags: str) -> Actor:
        others = [f"{other}.url={self.url(other)}" for other in self.ports if other != name]
        settings = (*self.chain, *others, f"server.port={self.ports[name]}", *flags)
        (self.folder / name).mkdir(exist_ok=True)
        return actor(name, self.folder / name, settings, INSITU_PROVIDER_PASSWORD=PASSWORD)


@pytest.fixture(scope="module")
def site(running: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The three processes, all of which must end cleanly."""
    made = Site(tmp_path_factory.mktemp("site"), running)
    (made.folder / "operator").mkdir()
    digest = build_image(made.folder / "operator")
    made.person("gateway", RELAYER_KEY)
    with ExitStack() as stack:
        # Where processes share settings, the public address is the gateway's, and metadata.url the catalogue's own.
        shared = (f"metadata.url={made.url('metadata')}", f"server.public_url={made.url('gateway')}")
        stack.enter_context(made.start("metadata", *shared))
        stack.enter_context(made.start("operator"))
        shutil.copy(made.folder / "operator" / "keys" / "service.key", made.folder / "gateway" / "keys" / "service.key")
        offered = json.dumps([IMAGE | {"checksum": digest}])
        flags = (f"gateway.creators={made.owner_address}", f"gateway.data_roots={made.data}")
        stack.enter_context(made.start("gateway", *flags, f"gateway.containers={offered}"))
        yield made


@pytest.fixture(scope="module")
def consumer(site: Site) -> Person:
    return site.person("consumer", CONSUMER_KEY)


@pytest.fixture(scope="module")
def flights(site: Site) -> str:
    """A data set for 2 tokens."""
    owner, table = site.person("owner", OWNER_KEY), written(site.data, "flights.csv", FLIGHTS)
    return owner.succeeds("publish", table, "--name", "Elsewhere", "--price", "2", "--allow-any").line


def test_the_main_job_crosses_three_processes(consumer: Person, flights: str, tmp_path: Path) -> None:
    script = written(tmp_path, "count.py", COUNT)
    ran = consumer.succeeds("run", script, "--on", flights, "--carrier=UA", "--yes", "-o", tmp_path / "out")
    assert (tmp_path / "out" / "count.txt").read_text() == "2\n"
    assert "  | reading 4 lines\n" in ran.err, "logs come through the gateway"
    assert "charged 2 NVM" in ran.err
    assert ran.line in consumer.succeeds("search", "Result", "--owner", CONSUMER).out


def test_a_stop_reaches_the_operator(consumer: Person, flights: str, tmp_path: Path) -> None:
    script = written(tmp_path, "sleep.py", SLEEPING)
    ids = consumer.succeeds("run", script, "--on", flights, "--yes", "--no-follow").line.split()
    consumer.succeeds("stop", *ids)
    followed = consumer.insitu("status", *ids, "--follow", "--json")
    assert followed.code == exit_codes.EXECUTION_STOPPED
    assert followed.json["reason"]["code"] == "StoppedByConsumer"


def test_the_operator_answers_only_to_its_gateway(site: Site, consumer: Person) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site.url('operator')}/api/v1/operator/workflows", timeout=10)
    assert refused.value.code == 401
    refused.value.close()


def test_pages_may_call_the_public_surfaces_and_never_the_operator(site: Site) -> None:
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "GET", "Accept-Encoding": "gzip"}
    for name, path in (
        ("metadata", "metadata/health"),
        ("gateway", "gateway/services"),
        ("operator", "operator/proof"),
    ):
        for answer in (
            httpx.options(f"{site.url(name)}/api/v1/{path}", headers=asked),
            httpx.get(f"{site.url(name)}/api/v1/{path}", headers=asked),
        ):
            found = {header for header in answer.headers if header.startswith("access-control-")}
            assert bool(found) == (name != "operator"), (name, answer.headers)
            assert "access-control-allow-credentials" not in found
