"""`insitu up`: what it announces, one process for a folder, a clean end, a second start, and what the doctor sees."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.provider import Person, Provider, build_image, environment, restart, start
from tests.journeys.scripts import FLIGHTS, SLEEPING, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    """A provider without an image."""
    (tmp_path / "home").mkdir()
    (tmp_path / "data").mkdir()
    running = start(tmp_path / "home", tmp_path / "data")
    yield running
    running.stop()
    running.close()


def children(pid: int) -> list[str]:
    """Names of the child processes of this one."""
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return listed.stdout.split()


def test_what_is_embedded_is_announced(provider: Provider) -> None:
    assert provider.url.startswith("http://127.0.0.1:")
    assert any(provider.rpc_url in line for line in provider.announced["embedded"])
    assert provider.announced["accounts"]["consumer"].startswith("0x")
    assert provider.announced["home"] == str(provider.home)
    assert "anvil" in children(provider.process.pid)


def test_a_second_process_cannot_use_the_same_folder(provider: Provider) -> None:
    second = provider.person("owner").started("--set", "server.port=0", "up")
    assert second.code == exit_codes.CONFLICT
    assert f"process {provider.process.pid} uses" in second.err


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_remembers(provider: Provider, by: signal.Signals) -> None:
    table = written(provider.data, "flights.csv", FLIGHTS)
    did = provider.person("owner").succeeds("publish", table, "--name", "Kept", "--allow-any").line
    anvil = [int(pid) for pid in _pids(provider.process.pid)]
    assert provider.stop(by) == exit_codes.OK
    assert not [pid for pid in anvil if Path(f"/proc/{pid}").exists()], "the chain ends with its parent"
    again = restart(provider)
    try:
        assert did in again.person("consumer").succeeds("search", "Kept").out
    finally:
        again.stop()
        again.close()


def test_the_account_that_may_mint_is_listed_and_is_the_one_that_funds(provider: Provider) -> None:
    person = Person(provider.home, provider.url)
    listed = {one["name"]: one["address"] for one in person.succeeds("keys", "ls", "--json").json}
    assert "deployer" in listed
    minted = person.succeeds("chain", "fund", listed["deployer"], "--amount", "7", "--yes", "--json")
    assert minted.json["minted"] == {listed["deployer"]: str(7 * 10**18)}


def test_it_ends_without_a_traceback_while_somebody_follows(provider: Provider, tmp_path: Path) -> None:
    build_image(provider.home)
    table = written(provider.data, "flights.csv", FLIGHTS)
    did = provider.person("owner").succeeds("publish", table, "--name", "Followed", "--allow-any").line
    consumer = provider.person("consumer")
    script = written(tmp_path, "sleep.py", SLEEPING)
    started = consumer.succeeds("run", script, "--on", did, "--yes", "--no-follow", "--json").json
    following = subprocess.Popen(
        [*consumer.command, "logs", started["workflowExecutionId"]],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert following.stdout.readline() == "going on\n"
    try:
        assert provider.stop(signal.SIGINT) == exit_codes.OK
    finally:
        following.kill()
        following.communicate()
    assert "Traceback" not in (provider.home / "up.log").read_text()
    again = restart(provider)
    try:
        again.person("consumer").succeeds("stop", started["workflowExecutionId"])
    finally:
        again.stop()
        again.close()


def test_the_doctor_names_what_is_missing_and_how_to_fix_it(provider: Provider) -> None:
    found = provider.person("owner").succeeds("doctor", "--json").json
    verdicts = {finding["part"]: finding for finding in found["findings"]}
    assert found["ready"]
    assert verdicts["runtime"]["verdict"] == "ok"
    assert verdicts["gateway"]["verdict"] == "ok"
    assert "code, wiring, approval and roles are correct" in verdicts["contracts"]["detail"]
    assert verdicts["images"]["verdict"] == "warning"
    assert verdicts["images"]["remedy"].startswith("insitu image build")


def test_the_doctor_knows_what_a_consumer_can_pay(provider: Provider) -> None:
    found = provider.person("consumer").succeeds("doctor", "--role", "consumer", "--json").json
    verdicts = {finding["part"]: finding for finding in found["findings"]}
    assert "NVM, coin for gas" in verdicts["money"]["detail"]
    nobody = provider.person("consumer").insitu(
        "--set", "chain.rpc_url=" + provider.rpc_url, "doctor", "--role=consumer"
    )
    assert nobody.code == exit_codes.FAILED, "the development accounts belong to the embedded chain alone"


def test_the_doctor_refuses_a_consumers_machine_without_a_provider(tmp_path: Path) -> None:
    ended = Person(tmp_path, "http://127.0.0.1:9").started("doctor", "--role", "consumer")
    assert ended.code == exit_codes.FAILED
    assert "FAIL  gateway" in ended.out
    assert "→ run insitu up, or name a provider with --url" in ended.out


def _pids(parent: int) -> list[str]:
    listed = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid="], capture_output=True, text=True, check=False)
    return listed.stdout.split()
