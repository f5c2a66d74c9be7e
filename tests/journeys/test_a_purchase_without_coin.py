"""Somebody with tokens but no coin for gas buys at a terminal: the command is the same, and the gateway sends."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.domain import exit_codes
from tests.journeys.provider import Person, Provider, provider
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


def asked(running: Provider, method: str, *parameters: object) -> Any:
    """Ask the chain's node."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(running.rpc_url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


@pytest.fixture
def penniless(running: Provider) -> Iterator[Person]:
    """Somebody whose account has tokens but not a wei."""
    account = dev_signer("second-consumer").address
    held = asked(running, "eth_getBalance", account, "latest")
    asked(running, "anvil_setBalance", account, "0x0")
    yield running.person("second-consumer")
    assert asked(running, "eth_getBalance", account, "latest") == "0x0"
    asked(running, "anvil_setBalance", account, held)


@pytest.fixture
def workflow(running: Provider, owner: Person, consumer: Person, tmp_path: Path) -> str:
    """A workflow that somebody has published, on a data set for 3 tokens."""
    table = written(running.data, "relayed.csv", FLIGHTS)
    flights = owner.succeeds("publish", table, "--name", "Relayed", "--price", "3", "--allow-any").line
    return consumer.workflow(written(tmp_path, "count.py", COUNT), flights)


def test_buying_and_running_take_no_other_words(penniless: Person, workflow: str, tmp_path: Path) -> None:
    bought = penniless.succeeds("buy", workflow, "--yes", "--json").json
    assert (bought["status"], bought["relayed"], bought["price"]) == ("granted", True, str(3 * 10**18))
    ran = penniless.succeeds("run", "--agreement", bought["serviceAgreementId"], "-o", tmp_path / "out")
    assert ran.line.startswith("did:nv:")
    assert (tmp_path / "out" / "count.txt").read_text() == "3\n"
    shown = penniless.succeeds("run", workflow, "--yes", "-o", tmp_path / "again")
    assert "(sent by the gateway)" in shown.err


def test_a_consumer_who_wants_to_send_it_learns_what_is_missing(penniless: Person, workflow: str) -> None:
    refused = penniless.insitu("buy", workflow, "--yes", "--no-relay", "--json")
    assert refused.problem["code"] == "InsufficientFunds"
    assert "gas" in refused.problem["detail"]
    assert refused.code == exit_codes.CONFLICT


def test_a_consumer_with_coin_may_ask_for_it_or_for_an_offer(running: Provider, workflow: str) -> None:
    consumer = running.person("consumer")
    relayed = consumer.succeeds("buy", workflow, "--yes", "--relay", "--json").json
    offered = consumer.succeeds("buy", workflow, "--yes", "--offer", "--json").json
    assert (relayed["relayed"], relayed["status"]) == (True, "granted")
    assert (offered["relayed"], offered["status"]) == (False, "granted")


def test_a_provider_that_sends_nothing_says_so(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    with provider(tmp_path_factory.mktemp("off"), "gateway.relay=false") as running:
        table = written(running.data, "flights.csv", FLIGHTS)
        flights = running.person("owner").succeeds("publish", table, "--price", "3", "--allow-any").line
        workflow = running.person("consumer").workflow(written(tmp_path, "count.py", COUNT), flights)
        refused = running.person("consumer").insitu("buy", workflow, "--yes", "--relay", "--json")
        assert (refused.code, refused.problem["code"]) == (exit_codes.NOT_ALLOWED, "RelayOff")
