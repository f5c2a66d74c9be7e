"""What receipts state of data, log text and failures, who may open their hashes, and what counts and costs."""

from typing import Any

import pytest

from insitu.domain.dsse import read_envelope
from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge
from insitu.domain.ids import AgreementId
from insitu.domain.receipt import Predicate, verify_receipt
from insitu.domain.receipt_opening import Opening, opening_checks
from insitu.gateway.executions.presenter import opening_view
from insitu.gateway.routes.compute import OPENERS
from insitu.ports.agreement_records import StoredExecution
from tests.doubles.scripted_runtime import Ending
from tests.gateway.versions import revise_main
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")

TONIGHT, TOMORROW = "ab" * 32, "cd" * 32
SILENT = {"algorithms": "any", "logs": "none"}
REVISABLE = {"algorithms": "any", "revisions": "untilSuccess"}
FREE = {"algorithms": "any", "logs": "none", "failures": "free"}


def found(provider: World, *digests: str) -> None:
    """Let the Configuration Pod find these digests, one for each input of the only stage."""
    inputs: Any = {str(position): {"0": digest} for position, digest in enumerate(digests, start=1)}
    provider.operator.runtime.script["0-configure-1"] = Ending(result={"inputs": inputs})


async def executed(provider: World, agreement: AgreementId) -> StoredExecution:
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return await provider.execution(started.workflow_execution_id)


def stated(execution: StoredExecution) -> Predicate:
    assert execution.frozen is not None
    predicate = verify_receipt(read_envelope(execution.frozen.envelope)).statement.predicate
    assert isinstance(predicate, Predicate)
    return predicate


def roots(execution: StoredExecution) -> list[str | None]:
    return [read.root for stage in stated(execution).stages for read in stage.inputs]


async def opened(provider: World, who: str, execution: StoredExecution) -> Opening:
    caller = provider.caller(who, "compute")
    ids = execution.agreement_id, execution.execution_id
    opening = opening_view(await provider.gateway.execution_finder.see(caller, *ids, OPENERS))
    assert all(holds for _, holds in opening_checks(stated(execution), opening))
    return opening


async def test_a_consumer_sees_whether_data_changed_between_two_nights_and_nobody_can_compare_purchases(
    provider: World,
) -> None:
    workflow = await provider.simple_workflow(
        await provider.publish_dataset(), await provider.publish_dataset("second-owner")
    )
    agreement = await provider.buy(workflow)
    found(provider, TONIGHT, TONIGHT)
    first, again = await executed(provider, agreement), await executed(provider, agreement)
    found(provider, TONIGHT, TOMORROW)
    changed = await executed(provider, agreement)
    assert roots(first) == roots(again)
    assert roots(first)[0] != roots(first)[1], "the same bytes do not show as the same in two data sets"
    assert roots(changed)[0] == roots(first)[0]
    assert roots(changed)[1] != roots(first)[1]
    found(provider, TONIGHT, TONIGHT)
    other = await executed(provider, await provider.buy(workflow))
    assert not {*roots(other)} & {*roots(first)}


async def test_a_receipt_names_what_was_bought_and_what_was_read_of_each_input(provider: World) -> None:
    dids = [await provider.publish_dataset(), await provider.publish_dataset("second-owner")]
    agreement = await provider.buy(await provider.simple_workflow(*dids))
    bought = [(await provider.desk.ports.resolver.record(did)).checksum for did in dids]
    newer = await revise_main(provider, "second-owner", dids[1], 1, price="20")
    predicate = stated(await executed(provider, agreement))
    assert [(data.did, data.checksum) for data in predicate.bought] == list(zip(dids, bought, strict=True))
    (stage,) = predicate.stages
    assert [(read.did, read.checksum) for read in stage.inputs] == [(dids[0], bought[0]), (dids[1], newer)]


async def test_owners_open_their_own_inputs_and_the_provider_all(provider: World) -> None:
    mine, theirs = await provider.publish_dataset(policy=SILENT), await provider.publish_dataset("second-owner")
    found(provider, TONIGHT, TOMORROW)
    execution = await executed(provider, await provider.buy(await provider.simple_workflow(mine, theirs)))
    for who, seen in (("owner", [mine]), ("second-owner", [theirs]), ("provider", [mine, theirs])):
        opening = await opened(provider, who, execution)
        assert [data.did for data in opening.inputs] == seen
        assert (opening.withheld is not None) is (who == "provider"), "one owner alone may not see the logs either"
    assert opening.inputs[0].files[0].sha256 == TONIGHT
    for who in ("consumer", "stranger"):
        with pytest.raises(InsituError, match="NotConsumer"):
            await opened(provider, who, execution)


async def test_a_consumer_who_owns_an_input_opens_nothing(provider: World) -> None:
    own = await provider.publish_dataset("consumer")
    found(provider, TONIGHT, TOMORROW)
    workflow = await provider.simple_workflow(await provider.publish_dataset(policy=SILENT), own)
    execution = await executed(provider, await provider.buy(workflow))
    with pytest.raises(InsituError, match="NotConsumer"):
        await opened(provider, "consumer", execution)


async def test_equal_details_that_are_withheld_do_not_show_as_equal(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(policy=SILENT)))
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    first, second = await executed(provider, agreement), await executed(provider, agreement)
    assert None not in (stated(first).withheld, stated(second).withheld)
    assert stated(first).withheld != stated(second).withheld
    withheld = [(await opened(provider, "owner", execution)).withheld for execution in (first, second)]
    assert [details.stages[0].exit_code for details in withheld if details is not None] == [1, 1]


async def test_a_receipt_states_what_of_the_log_could_be_read(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed", log=(b"one\ntw", b"o\nthree"))
    delivered = stated(await executed(provider, agreement)).delivered
    assert (delivered.files, delivered.bytes, delivered.log_bytes, delivered.log_lines) == (0, 0, 13, 3)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("AlgorithmFailed", Charge.NEVER),
        ("MemoryLimitExceeded", Charge.NEVER),
        ("TimeLimitExceeded", Charge.IF_NONE_SUCCEEDS),
    ],
)
async def test_failures_that_were_sold_as_free_cost_nothing_but_a_time_limit_does(
    provider: World, code: str, rule: Charge
) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(policy=FREE)))
    provider.operator.runtime.script["0-compute-1"] = Ending(code)
    execution = await executed(provider, agreement)
    assert (stated(execution).failures, stated(execution).charge.rule) == ("free", rule)
    assert execution.charge == (0 if rule is Charge.NEVER else None)


async def test_failures_are_free_only_if_every_owner_sold_them_so(provider: World) -> None:
    free, charged = await provider.publish_dataset(policy=FREE), await provider.publish_dataset(policy=SILENT)
    agreement = await provider.buy(await provider.simple_workflow(free, charged))
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    execution = await executed(provider, agreement)
    assert (stated(execution).failures, execution.charge) == ("charged", None)


async def test_a_stop_by_the_consumer_is_never_free(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(policy=FREE)))
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    await provider.gateway.stopper.stop(provider.caller("consumer"), agreement, started.workflow_execution_id)
    await provider.until_events(started.workflow_execution_id, "end")
    execution = await provider.execution(started.workflow_execution_id)
    assert stated(execution).charge.rule is Charge.IF_NONE_SUCCEEDS


@pytest.mark.slow
async def test_what_delivered_nothing_counts_from_the_eleventh_on(provider: World) -> None:
    once = {"algorithms": "any", "logs": "none", "maxExecutions": 1}
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(policy=once)))
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    for _ in range(11):
        await executed(provider, agreement)
    with pytest.raises(InsituError, match="ExecutionLimitReached"):
        await executed(provider, agreement)


async def test_one_byte_of_log_text_counts(provider: World) -> None:
    once = {"algorithms": "any", "maxExecutions": 1}
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(policy=once)))
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    await executed(provider, agreement)
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed", log=(b"1",))
    await executed(provider, agreement)
    with pytest.raises(InsituError, match="ExecutionLimitReached"):
        await executed(provider, agreement)
