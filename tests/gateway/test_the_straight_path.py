"""Buy, execute, receive, settle: one input, one stage, on a real chain."""

import pytest

from insitu.domain.dsse import read_envelope
from insitu.domain.execution import Charge, Phase
from insitu.domain.receipt import verify_receipt
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def test_a_bought_workflow_is_granted_executed_published_and_paid(provider: World) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    before = await provider.balances()

    agreement = await provider.buy(workflow)
    started = await provider.exec(agreement)
    events = await provider.until_events(started.workflow_execution_id, "settled", "end")

    assert events == ["phase"] * 5 + ["result", "phase", "settled", "end"]
    execution = await provider.execution(started.workflow_execution_id)
    assert execution.phase is Phase.SUCCEEDED
    assert execution.charge == 13
    assert execution.frozen is not None
    assert execution.frozen.result is not None
    record = await provider.chain.did_record(execution.frozen.result.did)
    assert record is not None
    assert record.owner == provider.address("consumer")
    assert record.checksum == execution.frozen.result.checksum
    verified = verify_receipt(read_envelope(execution.frozen.envelope))
    assert verified.receipt_hash == execution.frozen.receipt_hash
    assert verified.signer == provider.address("provider")
    assert verified.statement.predicate.charge.rule is Charge.FULL
    after = await provider.balances()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "consumer": -13,
        "owner": 10,
        "provider": 3,
    }
