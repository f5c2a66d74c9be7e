"""What an owner and a curator do at once, in JavaScript: stop what runs, hide what is listed, change what is read."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.adapters.keys.dev import dev_keys, dev_signer
from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import open_market, open_provider

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

PROGRAMS = Path(__file__).parent / "programs"
KEYS = dev_keys(["owner", "second-owner"])
CURATOR = "second-owner"

ENDLESS = "import time\nprint('going on', flush=True)\ntime.sleep(600)\n"
READING = (
    "import pathlib\nfor path in pathlib.Path('/mnt/volume1').iterdir():\n    print(path.read_text(), flush=True)\n"
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider whose catalogue has a curator."""
    curators = json.dumps([str(dev_signer(CURATOR).address)])
    with open_provider(tmp_path_factory.mktemp("provider"), metadata__curators=curators) as running:
        yield running


async def test_an_owner_stops_runs_and_changes_files_and_a_curator_hides(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        dataset = await market.dataset()
        running = []
        for _ in range(2):
            agreement = await market.buy(ENDLESS)
            execution = await market.consumer.compute.execute(agreement.id)
            running.append(execution)
        for execution in running:
            async for piece in execution.logs():
                if "going on" in piece.text:
                    break
        node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
        ids = [f"{execution.agreement_id}/{execution.execution_id}" for execution in running]
        file = (provider.data / "more.txt").as_uri()
        program = "".join((PROGRAMS / f"{part}.mjs").read_text("utf-8") for part in ("counting_wallet", "stopping"))
        arguments = (provider.url, KEYS["owner"], json.dumps(market.contracts), node, KEYS[CURATOR], dataset.did, file)
        told = json.loads(run_node(tmp_path, program, *arguments, *ids))
        execution = await market.consumer.compute.run_workflow((await market.workflow(READING, dataset)).did)
        await execution.wait(60)
        printed = "".join([piece.text async for piece in execution.logs(follow=False)])
    assert told["updated"] == {"result": 2, "prompts": ["text", "Updates"]}
    assert told["proposals"]
    assert (told["before"], told["hidden"], told["without"]) == (True, ["hidden", "it names <b>people</b>"], False)
    assert told["shown"] == ["listed", True]
    assert told["stopped"] == {"result": ["Stopped", "StoppedByOwner"], "prompts": []}
    assert told["again"] == "Stopped"
    assert told["notMine"] == {"code": "ExecutionUnknown", "prompts": []}
    assert told["paused"]["result"] == {"did": dataset.did, "paused": True, "hereAlone": False}
    assert told["ended"] == ["Stopped", "StoppedByOwner"]
    assert told["resumed"] == "listed"
    assert "more.txt: one two three" in printed
