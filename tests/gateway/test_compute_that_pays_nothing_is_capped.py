"""What ends without a charge takes seconds of compute from caps, which no account, agreement or owner gets around."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.blobs.folder import FolderBlobs
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.api.gateway_v1 import CheckRequest, FreeCompute
from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.execution import Phase, Reason, Transition
from insitu.domain.ids import AgreementId
from insitu.gateway.results.conclusion import Conclusion
from insitu.ports.agreement_changes import AddUpload
from insitu.ports.agreement_records import StoredExecution, Upload
from tests.doubles.clock import START
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import IMAGE, RESULT, SMALL, World, published, world

pytestmark = pytest.mark.needs("chain")

LIMIT = SMALL["maxExecutionTime"]
NOTHING_PAID: dict[str, Any] = {
    "price": "0",
    "provider": {
        "type": "On-Premise",
        "environment": {
            "cluster": {"type": "insitu"},
            "supportedContainers": [IMAGE],
            "supportedServers": [{**SMALL, "price": "0"}],
        },
    },
}
FAILURES_FREE = {"policy": {"algorithms": "any", "logs": "none", "failures": "free"}}


def configure(provider: World, **settings: object) -> None:
    for name, value in settings.items():
        object.__setattr__(provider.configuration, name, value)


@pytest.fixture
async def capped(provider: World) -> World:
    """A provider where a second of compute may pay nothing: what computed once has used it up."""
    configure(provider, free_compute=(None, None, 1))
    return provider


async def buy(at: World, consumer: str = "consumer", **main: Any) -> AgreementId:
    return await at.buy(await at.simple_workflow(await at.publish_dataset(**main)), consumer)


async def executed(provider: World, agreement: AgreementId, consumer: str = "consumer") -> StoredExecution:
    started = await provider.exec(agreement, consumer)
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return await provider.execution(started.workflow_execution_id)


async def stopped(provider: World, agreement: AgreementId, who: str) -> StoredExecution:
    """Start an execution that would never end, and let somebody stop it."""
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    await provider.gateway.stopper.stop(provider.caller(who, "compute"), agreement, started.workflow_execution_id)
    await provider.until_events(started.workflow_execution_id, "end")
    return await provider.execution(started.workflow_execution_id)


async def refused(provider: World, agreement: AgreementId, consumer: str = "consumer") -> InsituError:
    with pytest.raises(InsituError, match="FreeComputeExhausted") as error:
        await provider.exec(agreement, consumer)
    assert await provider.agreements.live() == ()
    return error.value


def ends_with(provider: World, *codes: str | None) -> None:
    """Let the attempts of the only stage end with these codes; None ends well."""
    for attempt, code in enumerate(codes, start=1):
        provider.operator.runtime.script[f"0-compute-{attempt}"] = Ending(code=code)


async def test_services_without_a_price_take_from_what_all_strangers_have_together(capped: World) -> None:
    other = await buy(capped, "second-consumer", **NOTHING_PAID)
    execution = await executed(capped, await buy(capped, **NOTHING_PAID))
    assert execution.phase in (Phase.SUCCEEDED, Phase.PUBLISHING)
    error = await refused(capped, other, "second-consumer")
    assert "all accounts together" in error.detail
    assert "it is possible again at 20" in error.detail
    assert 86_000 < int(str(error.context["retryAfter"])) <= 86_401
    assert error.definition.status == 429


async def test_failures_that_are_free_take_from_it_under_one_agreement_after_another(capped: World) -> None:
    agreements = [await buy(capped, **FAILURES_FREE) for _ in range(2)]
    ends_with(capped, "AlgorithmFailed")
    assert (await executed(capped, agreements[0])).charge == 0
    for agreement in agreements:
        await refused(capped, agreement)


async def test_a_success_that_delivers_nothing_takes_from_it(capped: World) -> None:
    capped.operator.runtime.script |= await capped.output({})
    agreement = await buy(capped)
    assert (await executed(capped, agreement)).charge == 0
    await refused(capped, agreement)


async def test_an_owner_who_is_the_consumers_friend_stops_nothing_for_free(capped: World) -> None:
    agreement = await buy(capped)
    assert (await stopped(capped, agreement, "owner")).charge == 0
    await refused(capped, agreement)


@pytest.mark.parametrize("code", ["ConfigurationFailed", "InputChanged", "ImageUnavailable"])
async def test_inputs_that_somebody_else_serves_fail_for_nothing_only_within_it(capped: World, code: str) -> None:
    agreement = await buy(capped)
    for attempt in (1, 2, 3):
        capped.operator.runtime.script[f"0-configure-{attempt}"] = Ending(code=code)
    assert (await executed(capped, agreement)).charge == 0
    await refused(capped, agreement)


async def test_what_the_provider_and_its_machines_end_takes_nothing(capped: World) -> None:
    agreement = await buy(capped)
    await stopped(capped, agreement, "provider")
    ends_with(capped, "InfrastructureFailed", "InfrastructureFailed", "InfrastructureFailed")
    assert (await executed(capped, agreement)).charge == 0
    ends_with(capped, None)
    assert (await executed(capped, agreement)).charge == 13


@pytest.mark.parametrize(
    ("first", "last", "left", "seconds"),
    [
        ("Interrupted", "AlgorithmFailed", 1, 33),
        ("ConfigurationFailed", "AlgorithmFailed", 1, 44),
        ("Interrupted", "InfrastructureFailed", 1, 0),
        ("ConfigurationFailed", "Interrupted", 1, 0),
        # The agreement's time was over: the consumer began that late, and computed all the same.
        ("ConfigurationFailed", "Interrupted", 0, 44),
        ("Interrupted", "PublishingFailed", 0, 33),
        ("Interrupted", "InfrastructureFailed", 0, 0),
    ],
)
def test_an_attempt_that_the_machines_ended_takes_nothing(first: str, last: str, left: int, seconds: int) -> None:
    steps = [
        (Phase.REGISTERED, None),
        (Phase.CONFIGURING, None),
        (Phase.CONFIGURING, first),
        (Phase.EXECUTING, None),
        (Phase.CONFIGURING, None),
        (Phase.FAILED, last),
    ]
    transitions = tuple(
        Transition(
            sequence=number,
            phase=phase,
            at=START + timedelta(seconds=11 * number),
            reason=Reason(code=code, message="said so") if code is not None else None,
        )
        for number, (phase, code) in enumerate(steps, start=1)
    )
    conclusion = Conclusion(outcome=transitions[-1], history=transitions[:-1])
    assert conclusion.free_seconds(transitions[-1].at + timedelta(seconds=left)) == seconds


@pytest.mark.parametrize("ending", ["stop", "TimeLimitExceeded", "AlgorithmFailed", "success"])
async def test_whoever_owes_the_price_has_bought_all_further_executions(capped: World, ending: str) -> None:
    rules = {} if ending == "AlgorithmFailed" else FAILURES_FREE
    agreement = await buy(capped, **rules)
    if ending == "stop":
        await stopped(capped, agreement, "consumer")
    else:
        ends_with(capped, None if ending == "success" else ending)
        await executed(capped, agreement)
    ends_with(capped, "AlgorithmFailed")
    for _ in range(2):
        await executed(capped, agreement)


async def test_a_stop_just_before_the_end_takes_what_was_computed(capped: World) -> None:
    agreement = await buy(capped, **NOTHING_PAID)
    await stopped(capped, agreement, "consumer")
    await refused(capped, agreement)


async def test_of_two_that_start_at_once_one_waits_for_the_other(capped: World) -> None:
    agreements = [await buy(capped, **NOTHING_PAID) for _ in range(2)]
    capped.operator.runtime.script["0-compute-1"] = Ending(held=True)
    outcomes: list[str] = []

    async def start(agreement: AgreementId) -> None:
        try:
            outcomes.append((await capped.exec(agreement)).workflow_execution_id)
        except InsituError as error:
            assert "when an execution that is running ends" in error.detail
            outcomes.append(error.code)

    async with anyio.create_task_group() as group:
        for agreement in agreements:
            group.start_soon(start, agreement)
    assert outcomes.count("FreeComputeExhausted") == 1


@pytest.mark.parametrize(
    ("trusted", "server", "cheapest", "pays"),
    [(True, "0", "0", True), (False, "0", "0", False), (False, "3", "3", True), (False, "3", "4", False)],
)
async def test_a_price_pays_if_it_reaches_the_provider_or_an_owner_whom_it_trusts(
    capped: World, *, trusted: bool, server: str, cheapest: str, pays: bool
) -> None:
    """Anybody can sell a data set for one unit to their own other account, as often as they like."""
    configure(capped, servers=({"price": cheapest},), **({} if trusted else {"creators": ()}))
    file = {"index": 0, "url": await uploaded(capped), "name": "flights.csv", "contentType": "text/csv"}
    main = NOTHING_PAID if server == "0" else {}
    agreement = await buy(capped, files=[file], **{**main, "price": "1"})
    assert (await executed(capped, agreement)).charge == 1 + int(server)
    if pays:
        await executed(capped, agreement)
    else:
        await refused(capped, agreement)


async def uploaded(provider: World) -> str:
    """Upload a file of the owner, which takes no trust, and return its url."""
    path = provider.folder / "uploaded.csv"
    path.write_bytes(b"carrier,delay\nAA,3\n")
    async with await anyio.open_file(path, "rb") as content:
        sha256 = await provider.blobs.put(content)
    upload = Upload(secrets.token_hex(16), provider.address("owner"), sha256, 19, datetime.now(UTC))
    await provider.agreements.apply([AddUpload(upload)])
    return f"upload:{upload.upload_id}"


async def test_check_says_how_much_is_left_and_refuses_when_nothing_is(capped: World) -> None:
    configure(capped, free_compute=(1, 2, None))
    workflow = await capped.simple_workflow(await capped.publish_dataset(**NOTHING_PAID))
    assert (await capped.quote(workflow)).free_compute == FreeCompute(of="consumer", limit=2, left=2)
    agreement = await capped.buy(workflow)
    await executed(capped, agreement)
    assert (await capped.quote(workflow)).free_compute == FreeCompute(of="consumer", limit=2, left=1)
    request = CheckRequest(consumer=capped.address("consumer"), workflow_did=workflow, service_agreement_id=agreement)
    revision = await capped.gateway.quoter.check(request)
    assert revision.free_compute == FreeCompute(of="agreement", limit=1, left=0)
    assert "FreeComputeExhausted" in {reason.code for reason in revision.reasons}
    await executed(capped, await capped.buy(workflow))
    quote = await capped.quote(workflow)
    assert (quote.allowed, [reason.code for reason in quote.reasons]) == (False, ["FreeComputeExhausted"])
    assert quote.reasons[0].next_step == ERRORS["FreeComputeExhausted"].next_step
    assert "this account" in quote.reasons[0].message
    assert (await capped.quote(workflow, "second-consumer")).allowed


async def test_nothing_is_limited_and_nothing_said_without_caps(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(**NOTHING_PAID))
    agreement = await provider.buy(workflow)
    for _ in range(2):
        await executed(provider, agreement)
    assert (await provider.quote(workflow)).free_compute is None


async def test_a_kill_at_any_moment_loses_no_second(chain: EmbeddedChain, tmp_path: Path) -> None:
    caps = {"free_compute": (None, None, LIMIT)}
    script = await published(FolderBlobs(tmp_path / "blobs"), {"count.txt": RESULT})
    held = {**script, "0-compute-1": Ending(held=True)}
    async with world(chain, tmp_path, script=held, **caps) as first:
        people = first.people
        running, other = await buy(first, **NOTHING_PAID), await buy(first, **NOTHING_PAID)
        started = await first.exec(running)
        await first.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    async with world(chain, tmp_path, people=people, script=held, working=False, **caps) as down:
        with pytest.raises(InsituError, match="FreeComputeExhausted"):
            await down.exec(other)
    async with world(chain, tmp_path, people=people, script=script, **caps) as again:
        await again.until_events(started.workflow_execution_id, "end")
        execution = await again.execution(started.workflow_execution_id)
        assert execution.frozen is not None
        left = (await again.quote(await again.simple_workflow(execution.plan.did))).free_compute
        assert left == FreeCompute(of="strangers", limit=LIMIT, left=LIMIT - execution.frozen.free_seconds)
