"""Whatever a gateway, a node or a wallet does, a program in JavaScript signs only what the documents say."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import PAID, open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""

PROGRAMS = Path(__file__).parent / "programs"


def program(name: str) -> str:
    """Return a program with what it begins with."""
    return "".join((PROGRAMS / f"{part}.mjs").read_text("utf-8") for part in ("lying_provider", name))


async def test_nothing_is_signed_on_other_terms_than_those_of_documents_and_chain(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        workflow = (await market.workflow()).did
        before = await market.balances()
        arguments = (provider.url, SECRET, workflow, json.dumps(market.contracts), str(tmp_path / "result"))
        told = json.loads(run_node(tmp_path, program("buying_from_liars"), *arguments))
        assert told.pop("shown") is True
        assert told.pop("rejected") == ["RejectedByUser", 0, 0]
        assert told.pop("cancelled") == ["went away", 1, 0]
        assert {attack: code for attack, (code, signed, relayed) in told.items() if not signed and not relayed} == {
            **dict.fromkeys(("price", "receiver", "times", "workflow", "inputs"), "TermsMismatch"),
            **dict.fromkeys(("code", "unconfirmed", "declined", "template"), "ContractMismatch"),
            "provider": "NotDIDProvider",
            "nonsense": "PeerUnavailable",
            "refused": "AlgorithmNotAllowed",
            "document": "ChecksumMismatch",
            "otherAccount": "SignatureMismatch",
        }
        assert await market.changes(before) == (0, 0, 0, 0)

        seen = json.loads(run_node(tmp_path, program("reading_from_liars"), *arguments))
        assert seen["opened"] >= 2  # how often a stream can break depends on how its pieces come
        assert seen["sequences"] == sorted(set(seen["sequences"]))
        assert (seen["printed"], seen["phase"]) == ("hello\n", "Succeeded")
        assert (seen["outside"], seen["twice"]) == ("InvalidDocument", "InvalidDocument")
        assert (seen["forged"], seen["short"]) == ("ChecksumMismatch", "ChecksumMismatch")
        assert (seen["offline"], seen["dear"]) == ("ReceiptInvalid", "PriceTooHigh")
        assert await market.changes(before) == PAID
