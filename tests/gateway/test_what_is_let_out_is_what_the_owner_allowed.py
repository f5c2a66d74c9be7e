"""Log text, exit codes and usage are output: what the consumer gets, what the receipt says, and what it costs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import pytest

from insitu.domain.dsse import read_envelope
from insitu.domain.execution import HIDDEN, Charge, Phase, StepKey, StepKind
from insitu.domain.receipt import Predicate, verify_receipt
from insitu.domain.validation import MAX_DOCUMENT_BYTES
from insitu.gateway.executions.streamer import LogPiece, LogPosition
from insitu.metadata.pools import PendingLimits
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import SCRIPT, World, stage_of

pytestmark = pytest.mark.needs("chain")

ROW = b"1969-07-20,patient 4711,170 cm,70 kg\n"
LIMITED = {"algorithms": "any", "output": {"maxBytes": 1000, "types": [".csv"]}}
SILENT = {"algorithms": "any", "logs": "none"}


async def run(provider: World, workflow: str) -> tuple[str, str]:
    """Buy, execute until the end, and return both ids."""
    return await again(provider, await provider.buy(workflow))


async def again(provider: World, agreement: str) -> tuple[str, str]:
    started = await provider.exec(agreement)  # type: ignore[arg-type]
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return agreement, started.workflow_execution_id


async def executed(provider: World, **policy: object) -> tuple[str, str]:
    return await run(provider, await provider.simple_workflow(await provider.publish_dataset(policy=policy)))


async def logs(provider: World, who: str, ids: tuple[str, str], *, follow: bool = True) -> tuple[str, str]:
    """Return the text of the logs that someone reads, with what the gateway adds."""
    seen = await provider.gateway.execution_finder.see(provider.caller(who, "compute"), *ids)
    pieces = [piece async for piece in await provider.gateway.streamer.logs(seen, LogPosition(), follow=follow)]
    return "".join(piece.view.text for piece in pieces if not piece.view.notice), "".join(
        piece.view.text for piece in pieces if piece.view.notice
    )


async def first_line(provider: World, *ids: str) -> str:
    """Return the first text that the consumer reads, as soon as there is any."""
    seen = await provider.gateway.execution_finder.see(provider.caller("consumer", "compute"), *ids)
    stream = await provider.gateway.streamer.logs(seen, LogPosition(), follow=True)
    async with aclosing(cast("AsyncGenerator[LogPiece]", stream)) as pieces:
        async for piece in pieces:
            if piece.view.text and not piece.view.notice:
                return piece.view.text
    raise AssertionError("the log ended without any text")


async def predicate_of(provider: World, execution: str) -> Predicate:
    frozen = (await provider.execution(execution)).frozen
    assert frozen is not None
    verified = verify_receipt(read_envelope(frozen.envelope))
    assert verified.receipt_hash == frozen.receipt_hash
    return verified.statement.predicate


async def test_ten_megabytes_of_printed_rows_do_not_leave_if_only_one_kilobyte_may(provider: World) -> None:
    provider.operator.runtime.script |= {
        "0-compute-1": Ending(log=(ROW * 280_000,)),
        "0-publish-1": Ending("OutputRejected", held=True),
    }
    workflow = await provider.simple_workflow(await provider.publish_dataset(policy=LIMITED))
    agreement = await provider.buy(workflow)
    started = await provider.exec(agreement)
    ids = (agreement, started.workflow_execution_id)
    await provider.operator.until(started.workflow_execution_id, Phase.PUBLISHING)
    text, notice = await logs(provider, "consumer", ids)
    assert len(text) == 1000
    assert "no more log text" in notice
    provider.operator.runtime.release(started.workflow_execution_id, StepKey(StepKind.PUBLISH, 0, 1))
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    text, notice = await logs(provider, "consumer", ids)
    assert text == ""
    assert "rejected" in notice
    assert len((await logs(provider, "provider", ids))[0]) == len(ROW) * 280_000


async def test_the_receipt_hides_what_views_hide_and_the_provider_and_owner_see_it(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed", log=(ROW,))
    agreement, execution = await executed(provider, **SILENT)
    predicate = await predicate_of(provider, execution)
    (stage,) = predicate.stages
    assert stage.exit_code is None
    assert set(stage.usage.unavailable.values()) == {HIDDEN}
    assert stage.reason is not None
    assert predicate.reason is not None
    assert (stage.reason.code, stage.reason.message) == ("AlgorithmFailed", HIDDEN)
    assert (predicate.reason.code, predicate.reason.message) == ("AlgorithmFailed", HIDDEN)
    for who, code in (("consumer", None), ("owner", 1), ("provider", 1)):
        view = await provider.status(provider.caller(who, "compute"), agreement, execution)
        assert view.stages[0].exit_code == code, who
        assert view.reason is not None
        assert (view.reason.message == HIDDEN) is (who == "consumer")


@pytest.mark.slow
async def test_if_logs_may_leave_the_receipt_contains_everything(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending("AlgorithmFailed")
    _, execution = await executed(provider, algorithms="any")
    predicate = await predicate_of(provider, execution)
    assert predicate.stages[0].exit_code == 1
    assert predicate.reason is not None
    assert predicate.reason.message != HIDDEN


@pytest.mark.slow
async def test_an_owner_reads_the_log_of_a_stage_that_only_their_data_reaches(provider: World) -> None:
    script = {f"{stage}-compute-1": Ending(log=(b"rows of stage %d\n" % stage,)) for stage in range(3)}
    ended = (await provider.output({"count.txt": SCRIPT}))["0-publish-1"]
    provider.operator.runtime.script |= script | {"2-publish-1": ended}
    mine = await provider.publish_dataset("owner", policy=SILENT)
    theirs = await provider.publish_dataset("second-owner", policy=SILENT)
    algorithm = await provider.publish_algorithm()
    stages = [
        stage_of(0, [{"index": 0, "id": mine}], algorithm),
        stage_of(1, [{"index": 0, "id": theirs}], algorithm),
        stage_of(2, [{"index": 0, "previousStage": 0}, {"index": 1, "previousStage": 1}], algorithm),
    ]
    ids = await run(provider, await provider.publish_workflow(stages))
    assert (await logs(provider, "owner", ids))[0] == "rows of stage 0\n"
    assert (await logs(provider, "second-owner", ids))[0] == "rows of stage 1\n"
    assert (await logs(provider, "provider", ids))[0].count("rows") == 3
    view = await provider.status(provider.caller("owner", "compute"), *ids)
    assert [stage.exit_code for stage in view.stages] == [0, None, None]
    with pytest.raises(Exception, match="LogsHidden"):
        await logs(provider, "consumer", ids)


@pytest.mark.slow
async def test_a_consumer_who_adds_their_own_data_set_is_still_the_consumer(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(ROW,))
    other = await provider.publish_dataset("owner", policy=SILENT)
    own = await provider.publish_dataset("consumer")
    second = await provider.publish_dataset("second-consumer")
    ids = await run(provider, await provider.simple_workflow(other, own, second))
    for who in ("consumer", "second-consumer", "owner"):
        with pytest.raises(Exception, match="LogsHidden"):
            await logs(provider, who, ids)


@pytest.mark.slow
async def test_a_success_that_delivered_nothing_costs_nothing_and_says_so(provider: World) -> None:
    provider.operator.runtime.script |= await provider.output({})
    before = await provider.balances()
    agreement, execution = await executed(provider, algorithms="any")
    await provider.until_events(execution, "settled")
    view = await provider.status(provider.caller("consumer", "compute"), agreement, execution)
    assert view.phase is Phase.SUCCEEDED
    assert view.charge is not None
    assert view.charge.base_units == 0
    assert view.reason is not None
    assert view.reason.code == "NothingDelivered"
    assert "costs nothing" in view.reason.message
    predicate = await predicate_of(provider, execution)
    assert (predicate.charge.rule, predicate.charge.amount) == (Charge.NEVER, 0)
    assert predicate.reason is not None
    assert predicate.reason.code == "NothingDelivered"
    after = await provider.balances()
    assert (after["owner"], after["provider"]) == (before["owner"], before["provider"])


async def test_a_success_whose_log_can_be_read_is_charged_even_if_nobody_has_read_it_yet(provider: World) -> None:
    provider.operator.runtime.script |= {**await provider.output({}), "0-compute-1": Ending(log=(b"42\n",))}
    agreement, execution = await executed(provider, algorithms="any")
    assert (await provider.execution(execution)).charge == 13
    assert (await logs(provider, "consumer", (agreement, execution)))[0] == "42\n"


@pytest.mark.slow
async def test_the_log_of_a_free_success_stays_closed_afterwards(provider: World) -> None:
    provider.operator.runtime.script |= {**await provider.output({}), "0-compute-1": Ending(log=(b"42\n",))}
    for policy in (SILENT, {"algorithms": "any", "output": {"maxLogBytes": 0}}):
        agreement, execution = await executed(provider, **policy)
        assert (await provider.execution(execution)).charge == 0
        with pytest.raises(Exception, match="LogsHidden"):
            await logs(provider, "consumer", (agreement, execution))


@pytest.mark.slow
async def test_a_success_that_delivered_nothing_makes_neither_failures_nor_later_successes_free(
    provider: World,
) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    full, script = await provider.output({"count.txt": SCRIPT}), provider.operator.runtime.script
    script["0-compute-1"] = Ending("AlgorithmFailed")
    _, failed = await again(provider, agreement)
    script |= {**await provider.output({}), "0-compute-1": Ending()}
    _, empty = await again(provider, agreement)
    assert (await provider.execution(empty)).charge == 0
    assert (await provider.execution(failed)).charge is None, "it may still be charged when the agreement ends"
    script |= full
    _, paid = await again(provider, agreement)
    assert (await provider.execution(paid)).charge == 13
    assert (await provider.execution(failed)).charge == 0


@pytest.mark.parametrize("code", ["AlgorithmChanged", "ConfigurationFailed", "InputChanged", "StoppedByOwner"])
async def test_an_execution_ended_by_others_is_not_free_once_log_text_was_delivered(provider: World, code: str) -> None:
    """The consumer's second wallet ends it, as the owner of a data set, or its url does not answer or changes."""
    script, algorithm = provider.operator.runtime.script, await provider.publish_algorithm()
    script["0-compute-1"] = Ending(log=(ROW,))
    script["1-compute-1"] = Ending(held=True)
    if code != "StoppedByOwner":
        script |= {f"1-configure-{attempt}": Ending(code, held=attempt == 1) for attempt in range(1, 10)}
    rows = await provider.publish_dataset()
    own = await provider.publish_dataset("second-consumer", price="0")
    stages = [stage_of(0, [{"index": 0, "id": rows}], algorithm), stage_of(1, [{"index": 0, "id": own}], algorithm)]
    agreement = await provider.buy(await provider.publish_workflow(stages))
    execution = (await provider.exec(agreement)).workflow_execution_id
    await provider.operator.until(execution, Phase.EXECUTING)
    assert await first_line(provider, agreement, execution) == ROW.decode()
    if code == "StoppedByOwner":
        await provider.gateway.stopper.stop(provider.caller("second-consumer"), agreement, execution)
    else:
        provider.operator.runtime.release(execution, StepKey(StepKind.CONFIGURE, 1, 1))
    await provider.until_events(execution, "end")
    stored = await provider.execution(execution)
    assert stored.charge is None, "it may be charged when the agreement ends"
    predicate = await predicate_of(provider, execution)
    assert predicate.reason is not None
    assert (predicate.reason.code, predicate.charge.rule) == (code, Charge.IF_NONE_SUCCEEDS)


async def test_a_result_without_a_valid_document_is_not_a_failure_of_the_provider(provider: World) -> None:
    """The consumer describes the result at such length that no catalogue takes it, and has read the log by then."""
    script = provider.operator.runtime.script
    script |= {**await provider.output({f"{n}.txt": SCRIPT for n in range(60)}), "0-compute-1": Ending(log=(ROW,))}
    provider.metadata.pools._limits = PendingLimits(
        share_bytes=MAX_DOCUMENT_BYTES
    )  # as if the catalogue were their own
    described = {"metadata": {"notes": "n" * (MAX_DOCUMENT_BYTES - 2500)}}
    workflow = await provider.simple_workflow(await provider.publish_dataset(), output=described)
    _, execution = await run(provider, workflow)
    frozen = (await provider.execution(execution)).frozen
    assert frozen is not None
    assert frozen.outcome.reason is not None
    assert (frozen.outcome.reason.code, frozen.rule) == ("OutputRejected", Charge.IF_NONE_SUCCEEDS)
