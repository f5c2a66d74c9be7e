"""A script with a typo: published again, with a version of the workflow, and run without paying again (ADR 0124)."""

from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from tests.sdk.market import Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]


async def test_a_corrected_script_runs_under_the_agreement_and_the_receipt_says_so(
    provider: Market, tmp_path: Path
) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    data = await provider.dataset(owner, "revised", revisions="always", parameters=["column"])
    script = tmp_path / "count.py"
    script.write_text("print('countnig')\n")
    first = await consumer.run(script, on=data)
    await first.wait()
    paid = await consumer.balance()
    script.write_text("print('counting')\n")
    second = await consumer.revise(first.agreement_id, script, configuration={"carrier": "UA"})
    await second.wait()
    assert await consumer.balance() == paid
    receipt = await consumer.verify(await second.receipt(), on_chain=False)
    terms = receipt.statement.predicate.agreement.terms
    assert "0x" + str(receipt.statement.predicate.revision_of) == terms.workflow_hash
    assert receipt.statement.predicate.stages[0].parameters == {"carrier": "UA"}
    third = await consumer.compute.execute(first.agreement_id, parameters={"0": {"column": "carrier"}})
    await third.wait()
    receipt = await consumer.verify(await third.receipt(), on_chain=False)
    assert receipt.statement.predicate.parameters == {"0": {"column": "carrier"}}
    assert receipt.statement.predicate.revision_of is None


async def test_nothing_is_published_if_the_owner_allows_no_revision(shared_provider: Market, tmp_path: Path) -> None:
    owner, _ = await shared_provider.client("owner")
    consumer, detour = await shared_provider.client("consumer")
    data = await shared_provider.dataset(owner, "not revised", revisions="none")
    script = tmp_path / "count.py"
    script.write_text("print('once')\n")
    first = await consumer.run(script, on=data)
    await first.wait()
    script.write_text("print('twice')\n")
    before = len([request for request in detour.seen if request.url.path.endswith("/assets/ddo")])
    with pytest.raises(InsituError, match="RevisionNotAllowed"):
        await consumer.revise(first.agreement_id, script)
    assert len([request for request in detour.seen if request.url.path.endswith("/assets/ddo")]) == before
