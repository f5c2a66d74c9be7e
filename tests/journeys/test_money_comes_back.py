"""Anyone can refund an agreement that was granted and never settled, after its deadlines."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from insitu.domain import exit_codes
from tests.journeys.provider import Provider
from tests.journeys.provider import provider as started
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


@pytest.fixture
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Its own provider, because the test moves its chain's clock."""
    with started(tmp_path_factory.mktemp("refunding")) as running:
        yield running


def move_clock(rpc_url: str, seconds: int) -> None:
    """Move the chain's time forward."""
    for method, parameters in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(rpc_url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert "error" not in json.load(answer)


def test_what_was_never_settled_goes_back_to_the_consumer(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> None:
    owner, consumer, stranger = (provider.person(name) for name in ("owner", "consumer", "relayer"))
    table = written(provider.data, "flights.csv", FLIGHTS)
    flights = owner.succeeds("publish", table, "--price", "10", "--timeout", "2h", "--allow-any").line
    script = written(tmp_path_factory.mktemp("scripts"), "count.py", COUNT)
    agreement = consumer.succeeds("buy", consumer.workflow(script, flights), "--yes").line

    early = stranger.insitu("refund", agreement, "--json")
    assert (early.code, early.problem["code"]) == (exit_codes.TRY_AGAIN, "NotTimedOut")
    move_clock(provider.rpc_url, 2 * 3600 + 1)
    late = consumer.insitu("run", "--agreement", agreement, "--json")
    assert (late.code, late.problem["code"]) == (exit_codes.CONFLICT, "AgreementExpired")
    move_clock(provider.rpc_url, 24 * 3600)
    assert stranger.succeeds("refund", agreement).line.startswith("0x")
    assert consumer.succeeds("agreements", agreement, "--json").json["status"] == "refunded"
    again = stranger.insitu("refund", agreement, "--json")
    assert (again.code, again.problem["code"]) == (exit_codes.CONFLICT, "ConditionNotInState")
