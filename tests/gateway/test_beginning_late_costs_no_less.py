"""Whoever begins just before the end of an agreement's time pays for what was delivered, as anybody else does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.execution import Phase, Reason, StepKey, StepKind, Transition
from insitu.gateway.results.conclusion import out_of_time
from insitu.ports.peers import ExecutionReport
from tests.doubles.clock import START
from tests.doubles.plans import plan_of
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import World, world

pytestmark = pytest.mark.needs("chain")


@pytest.mark.parametrize(
    ("code", "left", "released", "before", "expected"),
    [
        ("Interrupted", 0, 1, "ConfigurationFailed", "TimeLimitExceeded"),
        ("PublishingFailed", 0, 1, None, "TimeLimitExceeded"),
        ("Interrupted", 1, 1, None, "Interrupted"),
        ("Interrupted", 0, 0, None, "Interrupted"),
        ("Interrupted", 0, 1, "Interrupted", "Interrupted"),
        ("InfrastructureFailed", 0, 1, None, "InfrastructureFailed"),
    ],
)
def test_text_that_was_read_before_the_agreements_end_is_charged_like_that_before_any_time_limit(
    code: str, left: int, released: int, before: str | None, expected: str
) -> None:
    def transition(number: int, phase: Phase, why: str | None) -> Transition:
        reason = Reason(code=why, message="so it was") if why is not None else None
        return Transition(sequence=number, phase=phase, at=START, reason=reason)

    report = ExecutionReport(
        plan=plan_of(),
        history=(transition(1, Phase.CONFIGURING, before),),
        records=(),
        outcome=transition(2, Phase.FAILED, code),
        released=released,
        runtime="test",
        enforcement={},
    )
    outcome = out_of_time(report, START + timedelta(seconds=left))
    assert outcome.reason is not None
    assert outcome.reason.code == expected


@pytest.fixture
async def on_time(tmp_path: Path) -> AsyncIterator[World]:
    """A provider on a chain of its own: other tests move the time of the one that they share."""
    chain = await EmbeddedChain.start(tmp_path / "chain", dev_signer("deployer"))
    try:
        async with world(chain, tmp_path) as made:
            yield made
    finally:
        await chain.close()


async def test_a_failure_after_the_time_to_start_is_charged_at_once(on_time: World) -> None:
    """Little time may be left to settle, and then the price would go back."""
    agreement = await on_time.buy(await on_time.simple_workflow(await on_time.publish_dataset(timeout=5)))
    on_time.operator.runtime.script["0-compute-1"] = Ending(code="AlgorithmFailed")
    first = (await on_time.exec(agreement)).workflow_execution_id
    await on_time.until_events(first, "end")
    await on_time.operator.until(first)
    on_time.operator.runtime.script["0-compute-1"] = Ending(code="AlgorithmFailed", held=True)
    second = (await on_time.exec(agreement)).workflow_execution_id
    assert (await on_time.execution(first)).charge is None
    known = await on_time.agreements.agreement(agreement)
    assert known is not None
    with anyio.fail_after(20):
        while datetime.now(UTC).timestamp() < known.start + 5:  # noqa: ASYNC110  only time passes
            await anyio.sleep(0.1)
    on_time.operator.runtime.release(second, StepKey(StepKind.COMPUTE, 0, 1))
    await on_time.until_events(second, "end")
    assert [(await on_time.execution(execution)).charge for execution in (first, second)] == [13, 0]
    await on_time.until_events(first, "settled")
