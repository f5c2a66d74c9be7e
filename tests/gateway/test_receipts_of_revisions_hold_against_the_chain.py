"""The receipt of a revision against the chain: the consumer registered the version that ran, before the start.

Times of the chain and of receipts are compared, so the chain is one whose time nobody moved.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.gateway_v1 import ExecRequest
from insitu.domain.dsse import envelope_digest, seal
from insitu.domain.errors import InsituError
from insitu.domain.ids import workflow_execution_id
from insitu.domain.receipt import make_statement
from insitu.sdk.receipts import verify, verify_on_chain
from tests.doubles.scripted_runtime import Ending
from tests.gateway.test_receipts_say_what_happened import REVISABLE, executed, stated
from tests.gateway.test_sealed_lists_stay_with_their_document import revise, sell
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[EmbeddedChain]:
    started = await EmbeddedChain.start(tmp_path / "chain", dev_signer("deployer"))
    yield started
    await started.close()


async def test_the_chain_proves_a_revision_and_refuses_those_of_strangers(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    first = stated(await executed(provider, await provider.buy(workflow)))

    def receipt(ran: str, earlier: timedelta = timedelta()) -> dict[str, Any]:
        """A receipt that the provider signed of a second execution, which ran this version."""
        second = first.model_copy(
            update={
                "number": 1,
                "workflow_execution_id": workflow_execution_id(first.agreement.service_agreement_id, 1),
                "workflow_checksum": ran,
                "revision_of": first.workflow_checksum,
                "phases": tuple(entry.model_copy(update={"at": entry.at - earlier}) for entry in first.phases),
            }
        )
        payload = make_statement(second).payload
        signature = provider.people["provider"].sign_digest(envelope_digest(payload))
        return seal(payload, signature, provider.address("provider")).model_dump(mode="json", by_alias=True)

    theirs = await revise(provider, "consumer", workflow, additionalInformation={"notes": ["better"]})
    with pytest.raises(InsituError, match="ReceiptNotCommitted"):  # every other check holds
        await verify_on_chain(receipt(theirs), provider.chain)
    await sell(provider, "consumer", workflow, "stranger")
    strangers = await revise(provider, "stranger", workflow, additionalInformation={"notes": ["worse"]})
    for refused in (receipt(strangers), receipt("ab" * 32), receipt(theirs, timedelta(hours=1))):
        verify(refused)
        with pytest.raises(InsituError, match="registered the version that ran"):
            await verify_on_chain(refused, provider.chain)


async def test_the_receipt_of_a_revision_that_ran_holds_against_the_chain(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(policy=REVISABLE))
    agreement = await provider.buy(workflow)
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    bought = stated(await executed(provider, agreement)).workflow_checksum
    provider.operator.runtime.script["0-compute-1"] = Ending()
    revision = await revise(provider, "consumer", workflow, additionalInformation={"notes": ["better"]})
    request = ExecRequest(service_agreement_id=agreement, workflow_checksum=revision)
    started = await provider.gateway.executor.execute(provider.caller("consumer"), request)
    await provider.until_events(started.workflow_execution_id, "settled")
    execution = await provider.execution(started.workflow_execution_id)
    assert (stated(execution).workflow_checksum, stated(execution).revision_of) == (revision, bought)
    assert execution.frozen is not None
    verified = await verify_on_chain(execution.frozen.envelope, provider.chain)
    assert any("registered the version that ran" in check for check in verified.checked)
