"""Buy, lose everything on the client's side, kill the provider, and run from the agreement's id alone, unattended."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.people import CONSUMER, CONSUMER_KEY, PASSWORD
from tests.journeys.provider import Person, Provider, build_image, restart, start
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


def somewhere_else(home: Path, provider: Provider) -> Person:
    """A person with a data folder who knows the chain's address and the deployments file, and imports a key."""
    home.mkdir()
    deployments = shutil.copy(provider.home / "chain" / "deployments.json", home / "contracts.json")
    flags = (f"chain.rpc_url={provider.rpc_url}", f"chain.deployments={deployments}")
    person = Person(home, provider.url, flags=flags, variables={"INSITU_KEY_PASSWORD": PASSWORD})
    person.succeeds("keys", "import", "me", "-", typed=CONSUMER_KEY + "\n")
    return person


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    """A provider that can be started again under the same address."""
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    data.mkdir()
    build_image(home)
    running = start(home, data)
    yield running
    running.stop()
    running.close()


def test_a_purchase_outlives_the_client_and_the_provider(provider: Provider, tmp_path: Path) -> None:
    table = written(provider.data, "flights.csv", FLIGHTS)
    flights = provider.person("owner").succeeds("publish", table, "--price", "10", "--allow-any").line
    laptop = somewhere_else(tmp_path / "laptop", provider)
    script = written(tmp_path, "count.py", COUNT)
    started = laptop.succeeds("run", script, "--on", flights, "--yes", "--json").json
    mine = ("--type", "workflow", "--owner", CONSUMER, "--json")
    workflow = laptop.succeeds("search", "count.py", *mine).json["results"][0]["id"]

    agreement = laptop.succeeds("buy", workflow, "--yes").line

    shutil.rmtree(laptop.home)
    assert provider.stop(signal.SIGKILL) == -signal.SIGKILL
    again = restart(provider)
    try:
        server = somewhere_else(tmp_path / "server", again)
        first = server.started("run", "--agreement", agreement, "-o", tmp_path / "out")
        assert first.code == exit_codes.OK, first.err
        assert (tmp_path / "out" / "count.txt").read_text() == "3\n"
        second = server.started("run", "--agreement", agreement, "--json")
        assert second.code == exit_codes.OK, second.err
        assert second.json["resultDid"] not in {first.line, started["resultDid"]}
        listed = server.succeeds("executions", agreement, "--json").json
        assert [one["number"] for one in listed] == [1, 0]
        assert [one["charge"] for one in listed] == ["0", str(10 * 10**18)], "only the first execution is paid for"
    finally:
        again.stop()
        again.close()
