"""Receipts without a charge are committed in batches, and a refused one does not delay the others (E10)."""

import anyio
import pytest

from insitu.domain.agreement import Settlement
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import settle
from insitu.ports.agreement_records import StoredExecution
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def several(provider: World, count: int) -> tuple[AgreementId, list[StoredExecution]]:
    """An agreement with several executions. The first is paid and the others wait for a batch."""
    object.__setattr__(provider.configuration, "commit_delay", 5.0)
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    executions = []
    for _ in range(count):
        started = await provider.exec(agreement)
        await provider.until_events(started.workflow_execution_id, "end")
        await provider.operator.until(started.workflow_execution_id)
        executions.append(await provider.execution(started.workflow_execution_id))
    return agreement, executions


async def transactions(provider: World, executions: list[StoredExecution]) -> list[str]:
    for execution in executions:
        await provider.until_events(execution.execution_id, "settled")
    stored = [await provider.execution(execution.execution_id) for execution in executions]
    return [execution.settlement_transaction or "" for execution in stored]


@pytest.mark.slow
async def test_several_receipts_without_a_charge_share_a_transaction(provider: World) -> None:
    _, executions = await several(provider, 4)
    paid, *free = await transactions(provider, executions)
    assert len(set(free)) == 1
    assert paid not in free


@pytest.mark.slow
async def test_a_receipt_settled_by_someone_else_does_not_delay_the_others(provider: World) -> None:
    """E10: anyone may settle; the signed settlement is all they need."""
    agreement, executions = await several(provider, 3)
    known = await provider.agreements.agreement(agreement)
    signed = executions[1].settlement
    assert known is not None
    assert signed is not None
    call = settle(known.terms, signed.settlement, bytes.fromhex(signed.signature.removeprefix("0x")))
    released = await provider.chain.transact(call, provider.people["stranger"])
    found = await transactions(provider, executions)
    assert found[1] == released.hash
    assert len(set(found)) == 3


@pytest.mark.slow
async def test_receipts_that_wait_for_coin_say_so_and_are_committed_once_there_is_some(provider: World) -> None:
    _, executions = await several(provider, 3)
    account = provider.people["provider"].address
    await provider.chain.rpc("anvil_setBalance", account, "0x0")
    with anyio.fail_after(20):
        assert await reasons(provider, executions[1:]) == {"InsufficientFunds"}
    await provider.chain.rpc("anvil_setBalance", account, hex(10**18))
    _, *free = await transactions(provider, executions)
    assert len(set(free)) == 1


async def reasons(provider: World, executions: list[StoredExecution]) -> set[str]:
    """Return why these settlements wait, once each has a reason."""
    while True:
        items = [await provider.agreements.item(f"settle:{execution.execution_id}") for execution in executions]
        told = [item.reason.code for item in items if item is not None and item.reason is not None]
        if len(told) == len(executions):
            return set(told)
        await anyio.sleep(0.05)


async def test_a_changed_settlement_cannot_be_sent_by_anyone(provider: World) -> None:
    agreement, executions = await several(provider, 2)
    known = await provider.agreements.agreement(agreement)
    signed = executions[1].settlement
    assert known is not None
    assert signed is not None
    raw = bytes.fromhex(signed.signature.removeprefix("0x"))
    for changes in ({"receipt_hash": "0x" + "12" * 32}, {"index": 7}, {"last": True}):
        changed: Settlement = signed.settlement.model_copy(update=changes)
        with pytest.raises(Exception, match="SignatureMismatch"):
            await provider.chain.transact(settle(known.terms, changed, raw), provider.people["stranger"])
