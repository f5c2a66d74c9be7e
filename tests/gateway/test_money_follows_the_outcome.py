"""E10: what success, failure, stop and time mean for everyone's balances."""

import pytest

from insitu.api.gateway_v1 import ExecAccepted
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import refund
from insitu.ports.agreement_records import Standing
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import RESULT, World

pytestmark = pytest.mark.needs("chain")

SUCCESS = {"consumer": -13, "owner": 10, "provider": 3}


async def moved(provider: World, before: dict[str, int]) -> dict[str, int]:
    after = await provider.balances()
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def buy(provider: World, **main: object) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(await provider.publish_dataset(**main)))


async def ended(provider: World, agreement: AgreementId) -> ExecAccepted:
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return started


def fail_with(provider: World, code: str | None) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(code=code)
    provider.operator.runtime.script["0-compute-2"] = Ending(code=code)


async def committed(provider: World, started: ExecAccepted) -> None:
    await provider.until_events(started.workflow_execution_id, "settled")


async def test_the_first_success_pays_and_later_ones_cost_nothing(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    first, second = await ended(provider, agreement), await ended(provider, agreement)
    await committed(provider, first)
    await committed(provider, second)
    assert await moved(provider, before) == SUCCESS
    assert (await provider.execution(second.workflow_execution_id)).charge == 0
    assert second.number == 1


async def test_two_owners_and_the_gateway_are_paid_by_one_agreement(provider: World) -> None:
    first, second = await provider.publish_dataset("owner"), await provider.publish_dataset("second-owner", price="7")
    before = await provider.balances()
    agreement = await provider.buy(await provider.simple_workflow(first, second))
    await committed(provider, await ended(provider, agreement))
    assert await moved(provider, before) == {"consumer": -20, "owner": 10, "second-owner": 7, "provider": 3}


async def test_a_data_set_of_the_consumer_costs_the_consumer_nothing(provider: World) -> None:
    own, other = await provider.publish_dataset("consumer"), await provider.publish_dataset("owner")
    before = await provider.balances()
    agreement = await provider.buy(await provider.simple_workflow(other, own))
    await committed(provider, await ended(provider, agreement))
    assert await moved(provider, before) == SUCCESS


async def test_failures_cost_nothing_when_a_success_follows(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    fail_with(provider, "AlgorithmFailed")
    failed = await ended(provider, agreement)
    assert (await provider.execution(failed.workflow_execution_id)).charge is None
    assert await moved(provider, before) == {"consumer": -13, "escrow": 13}
    fail_with(provider, None)
    await committed(provider, await ended(provider, agreement))
    await committed(provider, failed)
    assert (await provider.execution(failed.workflow_execution_id)).charge == 0
    assert await moved(provider, before) == SUCCESS


async def test_an_agreement_that_ends_with_only_failures_is_charged_once(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    fail_with(provider, "MemoryLimitExceeded")
    first, second = await ended(provider, agreement), await ended(provider, agreement)
    await provider.gateway.sweeper.close_agreements()
    assert (await provider.execution(first.workflow_execution_id)).charge is None
    await provider.pass_time(86400)
    await provider.gateway.sweeper.close_agreements()
    await committed(provider, first)
    await committed(provider, second)
    assert (await provider.execution(first.workflow_execution_id)).charge == 13
    assert (await provider.execution(second.workflow_execution_id)).charge == 0
    assert await moved(provider, before) == SUCCESS


async def test_a_failure_of_the_infrastructure_is_never_charged_and_can_be_refunded(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    fail_with(provider, "InfrastructureFailed")
    failed = await ended(provider, agreement)
    await committed(provider, failed)
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    await provider.pass_time(86400)
    await provider.gateway.sweeper.close_agreements()
    await provider.pass_time(known.terms.settle_timeout)
    await provider.chain.transact(refund(known.terms), provider.people["stranger"])
    await provider.until_standing(agreement, Standing.REFUNDED)
    assert "refunded" in await provider.until_events(failed.workflow_execution_id, "refunded")
    assert await moved(provider, before) == {}
    with pytest.raises(InsituError, match="AgreementExpired"):
        await provider.exec(agreement)


@pytest.mark.parametrize(("who", "charge"), [("consumer", None), ("owner", 0), ("provider", 0)])
async def test_only_their_own_stop_can_cost_the_consumer(provider: World, who: str, charge: int | None) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    await provider.gateway.stopper.stop(provider.caller(who, "compute"), agreement, started.workflow_execution_id)
    await provider.until_events(started.workflow_execution_id, "end")
    execution = await provider.execution(started.workflow_execution_id)
    assert execution.phase is Phase.STOPPED
    assert execution.frozen is not None
    assert execution.frozen.outcome.reason is not None
    assert execution.frozen.outcome.reason.code == f"StoppedBy{who.capitalize()}"
    assert execution.charge == charge


async def test_a_stranger_cannot_stop_anything(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    for who in ("stranger", "second-owner", "second-consumer"):
        with pytest.raises(InsituError, match="NotConsumer"):
            await provider.gateway.stopper.stop(
                provider.caller(who, "compute"), agreement, started.workflow_execution_id
            )
    assert (await provider.execution(started.workflow_execution_id)).live


async def test_after_the_timeout_nothing_starts(provider: World) -> None:
    agreement = await buy(provider)
    await provider.pass_time(86400)
    with pytest.raises(InsituError, match="AgreementExpired"):
        await provider.exec(agreement)


async def test_an_output_that_breaks_the_rules_is_not_published(provider: World) -> None:
    agreement = await buy(provider, policy={"algorithms": "any", "output": {"maxBytes": 2}})
    assert len(RESULT) > 2
    started = await ended(provider, agreement)
    execution = await provider.execution(started.workflow_execution_id)
    assert execution.phase is Phase.FAILED
    assert execution.frozen is not None
    assert execution.frozen.result is None
    assert execution.frozen.outcome.reason is not None
    assert execution.frozen.outcome.reason.code == "OutputRejected"
    assert execution.charge is None


async def test_a_file_name_alone_breaks_a_rule_of_zero_bytes(provider: World) -> None:
    provider.operator.runtime.script |= await provider.output({"row-4711": b""})
    agreement = await buy(provider, policy={"algorithms": "any", "output": {"maxBytes": 7}})
    execution = await provider.execution((await ended(provider, agreement)).workflow_execution_id)
    assert execution.frozen is not None
    assert execution.frozen.outcome.reason is not None
    assert execution.frozen.outcome.reason.code == "OutputRejected"


async def test_a_publishing_pod_that_delivers_nothing_costs_nothing(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script["0-publish-1"] = Ending(result={"manifest": "ab" * 32})
    started = await ended(provider, agreement)
    execution = await provider.execution(started.workflow_execution_id)
    assert execution.phase is Phase.FAILED
    assert execution.charge == 0
