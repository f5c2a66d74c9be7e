"""What a page needs before and after a purchase: lists, one stream for everything, and a session that outlives it."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import PRICE, SERVER_PRICE, open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""

PROGRAMS = Path(__file__).parent / "programs"


async def test_a_page_lists_watches_and_goes_on_after_a_reload_with_one_sign_in(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        dataset, workflow = await market.dataset(), await market.workflow()
        source = (PROGRAMS / "lists.mjs").read_text("utf-8")
        arguments = (provider.url, SECRET, workflow.did, json.dumps(market.contracts), dataset.did)
        told = json.loads(run_node(tmp_path, source, *arguments))
        ours = [agreement.id for agreement in await market.consumer.agreements.list()]
    assert told["begin"] == "begin"
    assert told["happened"] == [["event", True]] * len(told["happened"])
    assert told["resumed"]
    assert told["pages"] == told["ids"]
    assert (told["role"], told["counts"]) == ("consumer", [0, 1, 1])
    assert {"receipt", "result"} <= set(told["actions"])
    assert told["charge"] == ["bigint", str(PRICE + SERVER_PRICE)]
    assert [found[0] for found in told["onChain"]] == told["bought"] == ours[:2]
    assert {found[1] for found in told["onChain"]} <= {"granted", "settled"}
    assert [found[:2] for found in told["remembered"]] == [[id_, "bigint"] for id_ in told["bought"]]
    assert told["facets"] == [{"value": "dataset", "count": 1}]
    assert (told["summaries"], told["unknown"]) == ([[dataset.did, "dataset", "bigint"]], 1)
    assert told["facts"] == [31337, "development chain", "NVM", 18]
    assert told["signIns"] == [1, 2, 1]
