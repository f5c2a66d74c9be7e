"""The operator's own check of a registration (E4): plan, flavour, server, rules, capacity."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from copy import deepcopy
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.clock import SystemClock
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, StepKey, StepKind
from insitu.domain.execution_changes import registered
from insitu.domain.ids import AgreementId
from insitu.domain.plan import ExecutionPlan
from insitu.operator.capacity import queue_positions
from insitu.operator.engine.engine import Engine
from insitu.operator.registration import check_registration
from insitu.ports.peers import Capacity, Registration
from insitu.ports.runtime import Enforcement
from tests.doubles.clock import START, ControlledClock
from tests.doubles.plans import AGREEMENT, DATA, LIMITS, plan_of, stage_of
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator
from tests.doubles.scripted_runtime import Ending

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]
HELD = {"0-compute-1": Ending(held=True)}
OTHER = AgreementId("0c" * 32)


def two_stages() -> ExecutionPlan:
    return plan_of(stage_of(0), stage_of(1, previous=0))


def changed(place: str, value: object) -> Registration:
    """A registration of two stages with one member changed; ``place`` is a path with dots."""
    document: Any = deepcopy(registration_of(two_stages()).model_dump(mode="json", by_alias=True))
    *above, last = place.split(".")
    member = document
    for name in above:
        member = member[int(name)] if isinstance(member, list) else member[name]
    member[int(last) if isinstance(member, list) else last] = value
    return Registration.model_validate(document)


def test_a_registration_that_fits_is_taken() -> None:
    check_registration(registration_of(two_stages()))
    check_registration(registration_of(plan_of()))


WRONG = "sha256:" + "99" * 32
SERVICE = f"services.{DATA}"


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("plan.number", 1, "InvalidDocument"),
        ("plan.number", -1, "InvalidDocument"),
        ("plan.workflowDid", "did:nv:" + "00" * 32, "InvalidDocument"),
        ("plan.publishedStages", [0, 1], "InvalidDocument"),
        ("plan.stages", [], "InvalidDocument"),
        ("plan.stages.0.index", 1, "InvalidDocument"),
        ("plan.stages.1.inputs.0.previousStage", 1, "InvalidDocument"),
        ("plan.stages.1.inputs.0.did", DATA, "InvalidDocument"),
        ("plan.stages.0.inputs.0.position", 2, "InvalidDocument"),
        ("plan.stages.0.inputs.0.files.0.name", "../escape", "InvalidDocument"),
        ("plan.stages.0.inputs.0.did", "did:nv:" + "00" * 32, "InvalidDocument"),
        ("plan.stages.0.inputs", [], "InvalidDocument"),
        ("plan.stages.0.argv", [], "InvalidDocument"),
        ("plan.stages.0.transformation.files", [], "InvalidDocument"),
        ("plan.stages.0.transformation.files.0.name", "lib/../../escape", "InvalidDocument"),
        ("plan.stages.0.transformation.files.0.name", "/etc/passwd", "InvalidDocument"),
        ("plan.stages.0.transformation.files.0.sha256", None, "InvalidDocument"),
        ("plan.stages.0.transformation.did", "did:nv:" + "00" * 32, "InvalidDocument"),
        ("plan.stages.0.image.digest", WRONG, "ImageNotAllowed"),
        ("plan.stages.1.image.image", "somebody/else", "ImageNotAllowed"),
        ("workflow.service.0.attributes.main.workflow.stages.0.requirements.container.checksum", WRONG,
         "ImageNotAllowed"),
        (SERVICE + ".provider.environment.supportedContainers", [], "ImageNotAllowed"),
        (SERVICE + ".provider.environment.supportedServers", [], "NoSuitableServer"),
        ("plan.limits.cpuMillis", 501, "NoSuitableServer"),
        ("plan.limits.memoryBytes", LIMITS.memory_bytes + 1, "NoSuitableServer"),
        ("plan.limits.maxExecutionSeconds", 3601, "NoSuitableServer"),
        ("plan.limits.maxExecutionSeconds", 0, "InvalidDocument"),
        ("plan.limits.serverId", "another", "NoSuitableServer"),
        ("plan.output.maxBytes", LIMITS.disk_bytes + 1, "InvalidDocument"),
        ("plan.output.review", "manual", "ManualReviewNotSupported"),
        (SERVICE + ".policy", {"output": {"maxBytes": 5}}, "InvalidDocument"),
        (SERVICE + ".policy", {"output": {"maxFiles": 5}}, "InvalidDocument"),
        (SERVICE + ".policy", {"output": {"maxLogBytes": 5}}, "InvalidDocument"),
        (SERVICE + ".policy", {"output": {"types": ["csv"]}}, "InvalidDocument"),
        (SERVICE + ".policy", {"logs": "none"}, "InvalidDocument"),
        ("services", {}, "InvalidRequest"),
        ("workflow", {}, "InvalidDocument"),
    ],
)  # fmt: skip
def test_one_wrong_member_is_refused(place: str, value: object, code: str) -> None:
    with pytest.raises(InsituError) as refusal:
        check_registration(changed(place, value))
    assert refusal.value.code == code, refusal.value


def test_stricter_than_the_owners_is_fine() -> None:
    check_registration(changed("plan.output.maxFiles", 1))
    check_registration(changed("plan.output.logs", "none"))
    check_registration(changed("plan.limits.memoryBytes", 1))


def test_an_image_index_is_as_good_as_its_manifest() -> None:
    registration = changed("plan.stages.0.image.indexDigest", two_stages().stages[0].image.digest)
    document = registration.model_dump(mode="json", by_alias=True)
    document["plan"]["stages"][0]["image"]["digest"] = WRONG
    check_registration(Registration.model_validate(document))


async def test_a_refused_registration_stores_nothing(start: Start) -> None:
    async with start() as operator:
        with pytest.raises(InsituError, match="ImageNotAllowed"):
            await operator.service.register(changed("plan.stages.0.image.digest", WRONG))
        assert await operator.service.list() == ()


@pytest.mark.parametrize("part", ["cpu_millis", "memory_bytes", "disk_bytes"])
async def test_a_server_larger_than_the_capacity_is_refused(start: Start, part: str) -> None:
    parts = {"cpu_millis": 500, "memory_bytes": LIMITS.memory_bytes, "disk_bytes": LIMITS.disk_bytes}
    async with start(capacity=Capacity(**{**parts, part: parts[part] - 1})) as operator:
        with pytest.raises(InsituError, match="CapacityExceeded") as refusal:
            await operator.service.register(registration_of(plan_of()))
        assert part in refusal.value.detail


async def test_two_stages_fit_where_their_server_fits(start: Start) -> None:
    tight = Capacity(cpu_millis=500, memory_bytes=LIMITS.memory_bytes, disk_bytes=LIMITS.disk_bytes)
    plan = plan_of(stage_of(0), stage_of(1, previous=0), now=SystemClock().now())
    async with start(capacity=tight) as operator:
        execution = await operator.service.register(registration_of(plan))
        assert (await operator.until(execution.execution_id)).phase is Phase.SUCCEEDED


async def test_a_runtime_is_proved_each_day_and_takes_nothing_while_it_cannot_seal(start: Start) -> None:
    clock = ControlledClock()
    async with start(clock=clock) as operator:

        async def proved(times: int, *, after: float = 0) -> None:
            clock.advance(after)
            operator.engine.wake()
            while operator.runtime.probes < times:  # noqa: ASYNC110 (looked at from outside, where nothing rings)
                await anyio.sleep(0.005)

        await proved(1)
        operator.runtime.refusals = ("memory is not limited",)
        assert (await operator.service.register(registration_of(plan_of(now=clock.now())))).phase is Phase.REGISTERED
        await proved(2, after=24 * 3600)
        with pytest.raises(InsituError, match="RuntimeUnavailable: memory is not limited"):
            await operator.service.register(registration_of(plan_of(number=1, now=clock.now())))
        operator.runtime.refusals = ()
        await proved(3, after=60)
        await operator.service.register(registration_of(plan_of(agreement=OTHER, now=clock.now())))


async def test_nothing_is_taken_before_the_runtime_is_proved_and_the_reason_is_given(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.operator.engine.engine.PROVING", 0.01)
    clock = ControlledClock()
    async with start(clock=clock) as operator:
        operator.runtime.answer(broken={"probe"})
        registration = registration_of(plan_of(now=clock.now()))
        with pytest.raises(InsituError, match=r"RuntimeUnavailable: its walls cannot be proved now: .*does not answer"):
            await operator.service.register(registration)
        with pytest.raises(InsituError, match="RuntimeUnavailable"):
            await operator.service.require_images([plan_of().stages[0].image])
        assert await operator.service.list() == ()
        operator.runtime.answer(broken=set())
        clock.advance(60)
        while operator.runtime.probes < 1:  # noqa: ASYNC110 (looked at from outside, where nothing rings)
            await anyio.sleep(0.005)
        assert (await operator.service.register(registration)).phase is Phase.REGISTERED


async def test_a_request_before_the_engine_runs_is_answered_as_soon_as_the_runtime_is_proved(start: Start) -> None:
    async with start() as operator, anyio.create_task_group() as tasks:
        engine, answered = Engine(operator.engine._parts), anyio.Event()

        async def ask() -> None:
            assert not (await engine.require_runtime()).refusals
            answered.set()

        tasks.start_soon(ask)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(engine.run)
        with anyio.fail_after(20):  # a third of the longest wait
            await answered.wait()
        tasks.cancel_scope.cancel()


async def test_a_process_that_does_not_lead_believes_the_proof_of_the_one_that_does(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.operator.engine.engine.PROVING", 0.01)
    async with start() as operator:
        operator.runtime.answer(broken={"probe"})
        operator.runtime.kept = Enforcement("kata", {"memory": "cgroup"})
        assert await operator.service.proof() == operator.runtime.kept
        operator.runtime.kept = Enforcement("kata", {}, ("the network is open",), "IsolationNotEnforced")
        with pytest.raises(InsituError, match="IsolationNotEnforced: the network is open"):
            await operator.service.proof()


async def test_registering_again_returns_the_record_and_another_plan_is_a_conflict(start: Start) -> None:
    plan = plan_of(now=SystemClock().now())
    async with start(HELD) as operator:
        first = await operator.service.register(registration_of(plan))
        await operator.until(first.execution_id, Phase.EXECUTING)
        again = await operator.service.register(registration_of(plan))
        assert again.execution_id == first.execution_id
        other = plan.model_copy(update={"did": "did:nv:" + "77" * 32})
        with pytest.raises(InsituError, match="IdempotencyConflict"):
            await operator.service.register(registration_of(other))
        operator.runtime.release(first.execution_id, StepKey(StepKind.COMPUTE, 0, 1))
        await operator.until(first.execution_id)
        assert len([line for line in operator.runtime.starts() if "compute" in line]) == 1


async def test_an_agreement_runs_one_execution_at_a_time_and_then_the_next(start: Start) -> None:
    now = SystemClock().now()
    async with start(HELD) as operator:
        first = await operator.service.register(registration_of(plan_of(now=now)))
        with pytest.raises(InsituError, match="ExecutionInProgress"):
            await operator.service.register(registration_of(plan_of(number=1, now=now)))
        await operator.service.stop(AGREEMENT, first.execution_id, "consumer")
        await operator.until(first.execution_id)
        second = await operator.service.register(registration_of(plan_of(number=1, now=now)))
        assert second.execution_id != first.execution_id


SIZES = st.lists(st.integers(1, 10), min_size=1, max_size=8)


@given(sizes=SIZES, cores=st.integers(10, 20), begun=st.sets(st.integers(0, 7)))
def test_first_come_first_served(sizes: list[int], cores: int, begun: set[int]) -> None:
    """No execution overtakes another, and what is admitted fits."""
    capacity = Capacity(cpu_millis=cores, memory_bytes=2**50, disk_bytes=2**50)
    executions = []
    for number, size in enumerate(sizes):
        limits = LIMITS.model_copy(update={"cpu_millis": size})
        execution = registered(plan_of(agreement=AgreementId(f"{number:064x}"), limits=limits), START)
        if number in begun:
            move = execution.history[0].model_copy(update={"phase": Phase.CONFIGURING, "sequence": 2})
            phase = {"phase": Phase.CONFIGURING, "history": (*execution.history, move)}
            execution = execution.model_copy(update=phase)
        executions.append(execution)
    positions = queue_positions(executions, capacity)
    places = list(positions.values())
    assert len(places) == len([number for number in range(len(sizes)) if number not in begun])
    assert places == sorted(places)
    assert [place for place in places if place] == list(range(1, len([place for place in places if place]) + 1))
    admitted = [each for each in executions if positions.get(each.execution_id, 0) == 0]
    used = sum(each.plan.limits.cpu_millis for each in admitted)
    already = sum(each.plan.limits.cpu_millis for each in executions if each.execution_id not in positions)
    assert used <= max(cores, already)
