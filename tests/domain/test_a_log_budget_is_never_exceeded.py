"""The budget of log text: whatever is read in whatever order, no more than it leaves."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.execution import Execution, Phase, Reason, Transition
from insitu.domain.execution_changes import registered
from insitu.domain.log_release import Captured, LogRelease, allotted, bytes_left, released
from insitu.domain.plan import StageInput
from tests.doubles.clock import START
from tests.doubles.plans import DATA, RULES, plan_of, stage_of

captured = st.builds(Captured, st.integers(0, 2), st.integers(1, 2), st.integers(0, 60))


def execution(budget: int, **changes: object) -> Execution:
    rules = RULES.model_copy(update={"max_log_bytes": budget})
    return registered(plan_of(*(stage_of(index) for index in range(3)), output=rules), START).model_copy(update=changes)


def outcome(phase: Phase, code: str | None = None) -> Transition:
    reason = None if code is None else Reason(code=code, message="so it ended")
    return Transition(sequence=9, phase=phase, at=START + timedelta(seconds=1), reason=reason)


@given(st.integers(0, 100), st.lists(captured), st.lists(captured), st.lists(captured))
def test_reading_collecting_and_reading_again_stay_within_the_budget(
    budget: int, before: list[Captured], sizes: list[Captured], after: list[Captured]
) -> None:
    running, release = execution(budget), LogRelease()
    for one in before:
        grown = released(running, release, (one,))
        assert grown.total >= release.total
        assert release.end(one.stage, one.attempt) <= grown.end(one.stage, one.attempt)
        release = grown
    release = allotted(running, release, sizes)
    assert release.files is not None
    assert release.total + release.files == budget, "files and text share what there is"
    assert allotted(running, release, after) == release, "again after a kill"
    assert released(running, release, after) == release, "nothing grows while the result is collected"
    succeeded = execution(budget, outcome=outcome(Phase.SUCCEEDED))
    assert released(succeeded, release, after) == release, "nor after it"
    assert bytes_left(succeeded, release) == 0
    failed = execution(budget, outcome=outcome(Phase.FAILED, "PublishingFailed"))
    assert released(failed, release, after).total <= budget
    rejected = released(execution(budget, outcome=outcome(Phase.FAILED, "OutputRejected")), release, after)
    assert all(rejected.end(one.stage, one.attempt) == 0 for one in (*before, *sizes, *after))


@given(st.integers(0, 100), st.lists(captured, min_size=1))
def test_reading_the_same_again_counts_once(budget: int, wanted: list[Captured]) -> None:
    running = execution(budget)
    release = released(running, LogRelease(), wanted)
    assert released(running, release, wanted) == release


def test_the_attempts_that_come_first_have_the_first_right() -> None:
    release = allotted(execution(10), LogRelease(), (Captured(0, 2, 6), Captured(1, 1, 6), Captured(0, 1, 6)))
    assert [release.end(*one) for one in ((0, 2), (1, 1), (0, 1))] == [6, 4, 0]
    assert release.files == 0


def test_which_data_sets_reach_a_stage_is_known_at_once_however_often_stages_read_each_other() -> None:
    """If each of a hundred stages reads the one before twice, there are 2^99 ways to the last."""
    stages = [stage_of(0)]
    for index in range(1, 100):
        twice = [StageInput(index=each, position=each + 1, previous_stage=index - 1) for each in (0, 1)]
        stages.append(stage_of(index, inputs=twice))
    assert plan_of(*stages).data_sets_of(99) == {DATA}
