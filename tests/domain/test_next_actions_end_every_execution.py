"""Whatever happens in whatever order, an execution ends by its deadline, within the rules.

A world that misbehaves (crashes, lost disks, dead runtimes, dead gateways, steps that can't be killed, clocks that
jump) is driven by random events; the engine's decision is carried out in it as the real engine does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from insitu.domain.deadlines import LIMITS, Rules
from insitu.domain.execution import (
    ENDED,
    TRANSITIONS,
    Execution,
    Observed,
    Phase,
    Reason,
    StepKey,
    StepKind,
    StepStatus,
    is_retriable,
)
from insitu.domain.execution_changes import (
    abandoned,
    cleaned,
    concluded,
    handed_over,
    moved,
    registered,
    stop_requested,
)
from insitu.domain.next_actions import (
    Abandon,
    Action,
    Conclude,
    Ensure,
    HandOver,
    Kill,
    Move,
    Remove,
    Wait,
    next_actions,
)
from insitu.domain.plan import ExecutionPlan
from tests.doubles.clock import START
from tests.doubles.plans import LIMITS as SERVER
from tests.doubles.plans import plan_of, stage_of

RULES = Rules(
    attempts=2, configure_seconds=100, publish_seconds=100, queue_seconds=500, kill_seconds=10, hand_over_seconds=1000
)
REASONS = ["AlgorithmFailed", "InputChanged", "OutputRejected", "InfrastructureFailed", "Interrupted", "SomethingNew"]


def plan(stages: int) -> ExecutionPlan:
    parts = [stage_of(0), *(stage_of(index, previous=index - 1) for index in range(1, stages))]
    made = plan_of(*parts, limits=SERVER.model_copy(update={"max_execution_seconds": 300}))
    times = {"start_before": START + timedelta(seconds=400), "finish_by": START + timedelta(seconds=1200)}
    return made.model_copy(update=times)


@dataclass
class World:
    """The real state: steps, time, and what is broken at the moment."""

    execution: Execution
    now: datetime = START
    steps: dict[StepKey, StepStatus] = field(default_factory=dict)
    deadlines: dict[StepKey, datetime] = field(default_factory=dict)
    admitted: bool = True
    runtime_answers: bool = True
    gateway_answers: bool = True
    kills_work: bool = True
    published: int = 0
    configured: set[tuple[int, int]] = field(default_factory=set)

    def observe(self) -> Observed | None:
        return Observed(dict(self.steps), self.admitted) if self.runtime_answers else None

    def turn(self) -> tuple[Action, ...]:
        """One turn of the engine's loop."""
        actions = next_actions(self.execution, self.observe(), self.now, RULES)
        for action in actions:
            self.apply(action)
        return actions

    def apply(self, action: Action) -> None:
        match action:
            case Ensure():
                self.ensure(action)
            case Kill() if self.runtime_answers and self.kills_work:
                self.end_all("Interrupted")
            case Move():
                assert action.phase in TRANSITIONS[self.execution.phase]
                self.execution = moved(self.execution, action, self.now)
            case Conclude():
                assert action.phase in TRANSITIONS[self.execution.phase]
                self.execution = concluded(self.execution, action, self.now)
            case HandOver() if self.gateway_answers:
                assert self.execution.outcome is not None
                self.execution = handed_over(self.execution, self.execution.outcome)
            case Abandon():
                self.execution = abandoned(self.execution, action, self.now)
            case Remove() if self.runtime_answers:
                self.steps.clear()
                self.execution = cleaned(self.execution)

    def ensure(self, action: Ensure) -> None:
        assert self.runtime_answers
        assert action.key.attempt <= RULES.attempts
        assert action.deadline <= self.execution.plan.finish_by
        assert self.now < action.deadline
        if action.key in self.steps:
            return
        assert not self.running, "two steps of an execution at once"
        if action.key.kind is StepKind.COMPUTE:
            assert (action.key.stage, action.key.attempt) in self.configured
            assert self.steps[StepKey(StepKind.CONFIGURE, action.key.stage, action.key.attempt)].ok
        self.steps[action.key] = StepStatus(state="running", started_at=self.now)
        self.deadlines[action.key] = action.deadline

    @property
    def running(self) -> list[StepKey]:
        return [key for key, status in self.steps.items() if status.state == "running"]

    def end(self, key: StepKey, code: str | None) -> None:
        reason = None if code is None else Reason(code=code, message="so it was")
        self.steps[key] = self.steps[key].model_copy(
            update={"state": "ended", "ended_at": self.now, "reason": reason, "result": {"by": str(key)}}
        )
        if code is None and key.kind is StepKind.CONFIGURE:
            self.configured.add((key.stage, key.attempt))
        if code is None and key.kind is StepKind.PUBLISH:
            self.published += 1

    def end_all(self, code: str) -> None:
        for key in self.running:
            self.end(key, code)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.kills_work:
            for key in self.running:
                if self.deadlines[key] <= self.now:
                    self.end(key, "TimeLimitExceeded" if key.kind is StepKind.COMPUTE else "InfrastructureFailed")


class AnyLife(RuleBasedStateMachine):
    """Random events; in the end the world is left alone and must come to rest."""

    world: World
    highest = START

    @initialize(stages=st.integers(1, 3), admitted=st.booleans())
    def begin(self, stages: int, admitted: bool) -> None:
        self.world = World(registered(plan(stages), START), admitted=admitted)

    @rule()
    def engine_looks(self) -> None:
        self.world.turn()

    @rule(data=st.data())
    @precondition(lambda self: self.world.running)
    def a_step_ends(self, data: st.DataObject) -> None:
        self.world.end(self.world.running[0], data.draw(st.none() | st.none() | st.sampled_from(REASONS)))

    @rule(seconds=st.sampled_from([0.001, 1, 9, 50, 99, 100, 299, 300, 1200]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.integers(1, 400))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.highest = max(self.highest, self.world.now)
        self.world.now -= timedelta(seconds=seconds)

    @rule(seconds=st.sampled_from([0, 60, 600, 5000]))
    def the_process_is_killed_and_started_later(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.world.end_all("Interrupted")

    @rule()
    def the_disk_is_lost(self) -> None:
        self.world.steps.clear()

    @rule(by=st.sampled_from(["consumer", "owner", "provider"]))
    def somebody_stops_it(self, by: str) -> None:
        stopped = stop_requested(self.world.execution, by, self.world.now)  # type: ignore[arg-type]
        self.world.execution = stopped or self.world.execution

    @rule(answers=st.booleans())
    def the_runtime_answers_or_not(self, answers: bool) -> None:
        self.world.runtime_answers = answers

    @rule(answers=st.booleans())
    def the_gateway_answers_or_not(self, answers: bool) -> None:
        self.world.gateway_answers = answers

    @rule(work=st.booleans())
    def kills_work_or_not(self, work: bool) -> None:
        self.world.kills_work = work

    @rule(admitted=st.booleans())
    def capacity_changes(self, admitted: bool) -> None:
        self.world.admitted = admitted

    @invariant()
    def the_history_has_no_gap_and_keeps_to_the_table(self) -> None:
        history = self.world.execution.history
        assert [each.sequence for each in history] == list(range(1, len(history) + 1))
        for before, after in pairwise(history):
            assert after.phase in TRANSITIONS[before.phase]

    @invariant()
    def attempts_are_bounded_and_records_unique(self) -> None:
        execution = self.world.execution
        assert execution.attempt <= RULES.attempts
        keys = [(record.stage, record.attempt) for record in execution.records]
        assert len(keys) == len(set(keys))
        good = [record.stage for record in execution.records if record.reason is None]
        assert good == sorted(set(good)), "a stage counts once"

    @invariant()
    def a_success_has_every_stage_and_one_result(self) -> None:
        execution = self.world.execution
        if execution.phase is Phase.SUCCEEDED:
            assert execution.published is not None
            assert execution.reason is None
            assert [r.stage for r in execution.records if r.reason is None] == [s.index for s in execution.plan.stages]
        elif execution.ended:
            assert execution.reason is not None

    def teardown(self) -> None:
        """Left alone, with a runtime that answers again, it ends by its deadline and nothing is left."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.runtime_answers = world.kills_work = True
        # Setting the clock back delays everything that counts from the old time.
        latest = max(world.now, self.highest, world.execution.plan.finish_by) + timedelta(
            seconds=RULES.kill_seconds * 2 + RULES.hand_over_seconds + 60
        )
        for _ in range(100):
            actions = world.turn()
            if not actions:
                break
            waits = [action.until for action in actions if isinstance(action, Wait)]
            if waits:
                assert min(waits) > world.now, "waiting for the past is spinning"
                world.advance((min(waits) - world.now).total_seconds())
            elif isinstance(actions[-1], HandOver):
                world.advance(60)
        assert world.execution.ended
        assert world.execution.cleaned
        assert not world.steps
        assert world.now <= latest
        assert world.published <= RULES.attempts


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def drive(world: World, ends: Mapping[str, str | None]) -> Execution:
    """Run to the end; steps whose name is in ``ends`` end so, all others end well after ten seconds."""
    for _ in range(200):
        actions = world.turn()
        if not actions:
            return world.execution
        for key in world.running:
            if str(key) in ends and ends[str(key)] == "never":
                continue
            world.advance(10)
            world.end(key, ends.get(str(key)))
        waits = [action.until for action in actions if isinstance(action, Wait)]
        if waits and world.running:
            world.advance((min(waits) - world.now).total_seconds())
    raise AssertionError("it does not end")


def test_the_good_life_of_two_stages() -> None:
    execution = drive(World(registered(plan(2), START)), {})
    assert [(each.phase.value, each.stage, each.attempt) for each in execution.history] == [
        ("Registered", None, None),
        ("Configuring", 0, 1),
        ("Executing", 0, 1),
        ("Configuring", 1, 1),
        ("Executing", 1, 1),
        ("Reviewing", 1, 1),
        ("Publishing", 1, 1),
        ("Succeeded", 1, 1),
    ]
    assert execution.published == {"by": "1-publish-1"}
    assert [record.configured for record in execution.records] == [{"by": "0-configure-1"}, {"by": "1-configure-1"}]


@pytest.mark.parametrize(
    ("ends", "phase", "code", "attempts"),
    [
        ({"0-compute-1": "AlgorithmFailed"}, Phase.FAILED, "AlgorithmFailed", [1]),
        ({"0-compute-1": "Interrupted"}, Phase.SUCCEEDED, None, [1, 2]),
        ({"0-compute-1": "Interrupted", "0-compute-2": "Interrupted"}, Phase.FAILED, "Interrupted", [1, 2]),
        ({"0-configure-1": "ConfigurationFailed"}, Phase.SUCCEEDED, None, [1, 2]),
        ({"0-configure-1": "InputChanged"}, Phase.FAILED, "InputChanged", [1]),
        ({"0-publish-1": "PublishingFailed"}, Phase.SUCCEEDED, None, [1]),
        ({"0-publish-1": "OutputRejected"}, Phase.FAILED, "OutputRejected", [1]),
        ({"0-publish-1": "Interrupted", "0-publish-2": "PublishingFailed"}, Phase.FAILED, "PublishingFailed", [1]),
        ({"0-configure-1": "never"}, Phase.FAILED, "ConfigurationFailed", [1]),
        ({"0-compute-1": "never"}, Phase.FAILED, "TimeLimitExceeded", [1]),
        ({"0-publish-1": "never", "0-publish-2": "never"}, Phase.FAILED, "PublishingFailed", [1]),
    ],
)
def test_how_a_step_ends_decides_what_follows(
    ends: dict[str, str | None], phase: Phase, code: str | None, attempts: list[int]
) -> None:
    execution = drive(World(registered(plan(1), START)), ends)
    assert execution.phase is phase
    assert (execution.reason.code if execution.reason else None) == code
    assert [record.attempt for record in execution.records] == attempts


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in ENDED and phase is not Phase.REVIEWING])
def test_every_phase_that_waits_ends_with_the_reason_that_is_documented(phase: Phase) -> None:
    admitted = phase is not Phase.REGISTERED
    never: dict[str, str | None] = {f"0-{kind}-{attempt}": "never" for kind in StepKind for attempt in (1, 2)}
    kinds = {Phase.EXECUTING: ["configure"], Phase.PUBLISHING: ["configure", "compute"]}.get(phase, [])
    ends = {key: value for key, value in never.items() if key.split("-")[1] not in kinds}
    world = World(registered(plan(1), START), admitted=admitted)
    if not admitted:
        world.now = START + timedelta(seconds=400)
    execution = drive(world, ends)
    assert execution.history[-2].phase is phase
    assert execution.reason is not None
    assert execution.reason.code == LIMITS[phase].code


def test_inputs_that_are_served_too_slowly_do_not_pass_for_a_failure_of_the_machines() -> None:
    execution = drive(World(registered(plan(1), START)), {"0-configure-1": "never"})
    reasons = [transition.reason.code for transition in execution.history if transition.reason is not None]
    assert reasons == ["ConfigurationFailed"]


def test_a_failed_compute_publishes_nothing() -> None:
    world = World(registered(plan(2), START))
    drive(world, {"1-compute-1": "AlgorithmFailed"})
    assert world.published == 0


def executing(world: World) -> None:
    while world.execution.phase is not Phase.EXECUTING or not world.running:
        world.turn()
        for key in world.running:
            if key.kind is not StepKind.COMPUTE:
                world.end(key, None)


def test_time_that_an_interruption_took_is_not_the_consumers() -> None:
    world = World(registered(plan(1), START))
    executing(world)
    world.now += timedelta(seconds=290)
    world.end_all("Interrupted")
    assert drive(world, {"0-compute-2": "never"}).reason == Reason(
        code="Interrupted", message="after an interruption too little time was left"
    )


def test_a_stage_that_could_not_start_in_time_is_not_the_consumers_fault() -> None:
    world = World(registered(plan(1), START))
    executing(world)
    world.steps = {key: status for key, status in world.steps.items() if key.kind is StepKind.CONFIGURE}
    world.now += timedelta(seconds=301)
    assert drive(world, {}).reason == Reason(code="Interrupted", message="no time was left to start")


def test_the_stages_share_the_servers_time() -> None:
    world = World(registered(plan(2), START))
    executing(world)
    world.advance(200)
    world.end(world.running[0], None)
    world.turn()
    executing(world)
    assert world.deadlines[StepKey(StepKind.COMPUTE, 1, 1)] == world.now + timedelta(seconds=100)


def test_compute_is_not_started_on_inputs_that_are_gone() -> None:
    world = World(registered(plan(1), START))
    executing(world)
    world.steps.clear()
    actions = world.turn()
    assert isinstance(actions[0], Move)
    assert (actions[0].phase, actions[0].attempt) == (Phase.CONFIGURING, 2)
    assert actions[0].reason is not None
    assert is_retriable(actions[0].reason)


def test_a_stop_waits_for_the_kill_so_that_the_use_is_known() -> None:
    world = World(registered(plan(1), START), kills_work=False)
    executing(world)
    world.execution = stop_requested(world.execution, "owner", world.now) or world.execution
    assert [type(action) for action in world.turn()] == [Kill, Wait]
    world.end_all("Interrupted")
    execution = drive(world, {})
    assert execution.phase is Phase.STOPPED
    assert [record.reason for record in execution.records] == [
        Reason(code="StoppedByOwner", message="stopped by the owner")
    ]
    assert execution.records[0].ended_at == world.now


def test_what_cannot_be_killed_is_concluded_all_the_same() -> None:
    world = World(registered(plan(1), START), kills_work=False)
    executing(world)
    world.execution = stop_requested(world.execution, "consumer", world.now) or world.execution
    world.turn()
    world.advance(RULES.kill_seconds)
    world.turn()
    assert world.execution.outcome is not None


def test_a_queued_execution_is_stopped_without_touching_the_runtime() -> None:
    world = World(registered(plan(1), START), admitted=False, runtime_answers=False)
    world.turn()
    world.execution = stop_requested(world.execution, "consumer", world.now) or world.execution
    assert [type(action) for action in world.turn()] == [Conclude]


@pytest.mark.parametrize(
    ("by", "code"),
    [("consumer", "StoppedByConsumer"), ("owner", "StoppedByOwner"), ("provider", "StoppedByProvider")],
)
def test_the_reason_says_who_stopped_an_execution(by: Literal["consumer", "owner", "provider"], code: str) -> None:
    world = World(registered(plan(1), START), admitted=False)
    world.execution = stop_requested(world.execution, by, world.now) or world.execution
    reason = drive(world, {}).reason
    assert reason is not None
    assert (reason.code, by in reason.next_step or by == "consumer") == (code, True)


def test_a_queue_has_an_end() -> None:
    world = World(registered(plan(1), START), admitted=False)
    assert world.turn() == (Wait(world.execution.plan.start_before),)
    world.now = world.execution.plan.start_before
    assert drive(world, {}).reason == Reason(code="QueueTimeout", message="no capacity became free before the deadline")


def test_a_stop_after_the_outcome_changes_nothing() -> None:
    world = World(registered(plan(1), START), gateway_answers=False)
    for _ in range(20):
        world.turn()
        for key in world.running:
            world.end(key, None)
    assert world.execution.outcome is not None
    assert stop_requested(world.execution, "owner", world.now) is None
    world.gateway_answers = True
    assert drive(world, {}).phase is Phase.SUCCEEDED


def test_the_infrastructure_is_free_although_the_gateway_does_not_answer() -> None:
    world = World(registered(plan(1), START), gateway_answers=False)
    for _ in range(20):
        world.turn()
        for key in world.running:
            world.end(key, None)
    assert world.execution.cleaned
    assert not world.execution.ended


def test_a_gateway_that_never_answers_does_not_keep_the_execution_forever() -> None:
    world = World(registered(plan(1), START), gateway_answers=False)
    for _ in range(20):
        world.turn()
        for key in world.running:
            world.end(key, None)
    world.now = world.execution.plan.finish_by + timedelta(seconds=RULES.hand_over_seconds)
    execution = drive(world, {})
    assert execution.phase is Phase.FAILED
    assert execution.reason is not None
    assert execution.reason.code == "PublishingFailed"


def test_an_infrastructure_that_never_answers_is_not_charged() -> None:
    world = World(registered(plan(1), START))
    executing(world)
    world.runtime_answers = False
    world.now += timedelta(seconds=300)
    assert [type(action) for action in world.turn()] == [Wait]
    world.now += timedelta(seconds=RULES.kill_seconds)
    world.turn()
    assert world.execution.outcome is not None
    assert world.execution.outcome.reason == Reason(
        code="InfrastructureFailed", message="the infrastructure did not answer"
    )
