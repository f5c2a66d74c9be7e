"""Whatever a gateway, a catalogue, a node or a key service does, Java signs only what documents and contracts say."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import run_java
from tests.market import PRICE, SERVER_PRICE, UPPER, open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

CONSUMER = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
PROGRAMS = Path(__file__).parent / "programs"
PROXY = PROGRAMS / "LyingProxy.java"

QUOTED = ("price", "timeout", "settleTimeout", "deadline", "workflow", "inputsHash", "otherData", "receivers")
CONTRACTS = ("code", "chain", "template", "registry", "token", "named")


async def test_nothing_is_signed_on_other_terms_than_those_of_documents_and_contracts(
    provider: ProviderProcess,
) -> None:
    async with open_market(provider) as market:
        workflow, data = await market.workflow(), await market.dataset()
        before = await market.balances()
        arguments = (provider.url, CONSUMER, workflow.did, data.did, data.checksum)
        told = json.loads(run_java(PROGRAMS / "Liars.java", *arguments, shared=PROXY))
        assert (told.pop("upload"), told.pop("foreign")) == ("ChecksumMismatch", "ok")
        assert told.pop("otherKey")[0] == "SignatureMismatch"
        assert told == {
            **{lie: ["TermsMismatch", 0, 0] for lie in QUOTED},
            **{lie: ["ContractMismatch", 0, 0] for lie in CONTRACTS},
            "provider": ["NotDIDProvider", 0, 0],
            "nonsense": ["PeerUnavailable", 0, 0],
            "refused": ["AlgorithmNotAllowed", 0, 0],
            "document": ["ChecksumMismatch", 0, 0],
        }
        assert await market.changes(before) == (0, 0, 0, 0)


async def test_what_is_true_of_another_execution_or_agreement_is_refused(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    async with open_market(provider) as market:
        own, other = await market.workflow(), await market.workflow(UPPER.replace("done", "else"))
        before = await market.balances()
        arguments = (provider.url, CONSUMER, own.did, other.did, str(tmp_path))
        told = json.loads(run_java(PROGRAMS / "Reads.java", *arguments, shared=PROXY))
        assert told == {
            "phases": ["Succeeded", "Succeeded"],
            "status": "PeerUnavailable",
            "stream": "PeerUnavailable",
            "receipt": "ReceiptInvalid",
            "true": "ok",
            "files": "ReceiptInvalid",
            "order": "ChecksumMismatch",
            "names": "ReceiptInvalid",
            "outside": "InvalidDocument",
            "start": "PeerUnavailable",
            "document": "ChecksumMismatch",
            "bought": "PeerUnavailable",
            "again": "granted",
        }
        assert not (tmp_path.parent / "outside").exists()
        total = PRICE + SERVER_PRICE
        assert await market.changes(before) == (-3 * total, 2 * PRICE, 2 * SERVER_PRICE, total)
