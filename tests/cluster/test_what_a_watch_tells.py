"""A watch wakes for what is news of a pod, says whose it is, and comes back within seconds. Needs no cluster."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from lightkube.resources.core_v1 import Pod

from insitu.adapters import kubernetes_watching
from insitu.adapters.runtime.kubernetes.watching import PodWatch
from insitu.domain.errors import InsituError

FIRST, SECOND = "wx" + "a" * 24, "wx" + "b" * 24
RUNNING = {"containerStatuses": [{"name": "main", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}
ENDED = {"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}


def pod(execution: str = FIRST, *, status: dict[str, Any] | None = None, **meta: Any) -> Pod:
    described = {
        "metadata": {
            "name": f"{execution}-0-compute-1",
            "labels": {"workflowExecutionId": execution},
            "uid": "1",
            **meta,
        },
        "status": {"phase": "Pending", **(status or {})},
    }
    for each in described["status"].get("containerStatuses", []):
        each |= {"image": "i", "imageID": "i", "ready": False, "restartCount": 0}
    return Pod.from_dict(described)


class Told:
    """A cluster whose watch tells what a test says: pods that are seen or gone, or an error."""

    def __init__(self, *told: tuple[str, Pod]) -> None:
        self.told = told
        self.failures = 0

    async def watch(
        self, _kind: object, _labels: object, seen: Callable[[Pod], None], gone: Callable[[Pod], None]
    ) -> None:
        for event, found in self.told:
            (gone if event == "gone" else seen)(found)
        if self.failures:
            self.failures -= 1
            raise InsituError("InfrastructureFailed", "the cluster does not answer")
        await anyio.sleep_forever()


async def news_of(*told: tuple[str, Pod]) -> frozenset[str] | None:
    """Whose pods have changed, by the last event alone."""
    watch = PodWatch(Told())  # type: ignore[arg-type]
    for event, found in told[:-1]:
        (watch._gone if event == "gone" else watch._seen)(found)
    if told[:-1]:
        await watch.news()
    event, found = told[-1]
    (watch._gone if event == "gone" else watch._seen)(found)
    return await watch.news() if watch._news.is_set() else frozenset()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pod(), pod(status=RUNNING)),
        (pod(status=RUNNING), pod(status=ENDED)),
        (pod(status=RUNNING), pod(status={"phase": "Failed", "reason": "Evicted"})),
        (pod(status=RUNNING), pod(status=RUNNING, deletionTimestamp="2026-01-01T00:00:00Z")),
        (pod(status=RUNNING), pod(status=RUNNING, uid="2")),
    ],
    ids=["started", "ended", "evicted", "deleting", "another of its name"],
)
async def test_what_a_container_does_and_whether_its_pod_goes_is_news(before: Pod, after: Pod) -> None:
    assert await news_of(("seen", before)) == {FIRST}
    assert await news_of(("seen", before), ("seen", after)) == {FIRST}
    assert await news_of(("seen", pod(SECOND)), ("seen", after)) == {FIRST}


async def test_a_pod_that_is_gone_is_news_and_so_is_its_return() -> None:
    assert await news_of(("seen", pod()), ("gone", pod())) == {FIRST}
    assert await news_of(("gone", pod()), ("seen", pod())) == {FIRST}


async def test_conditions_and_notes_are_no_news() -> None:
    conditions = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    assert await news_of(("seen", pod()), ("seen", pod(status=conditions))) == frozenset()
    assert await news_of(("seen", pod()), ("seen", pod(annotations={"a": "b"}, resourceVersion="7"))) == frozenset()


async def test_a_ring_of_our_own_is_anybodys() -> None:
    watch = PodWatch(Told())  # type: ignore[arg-type]
    watch._seen(pod())
    watch.ring()
    assert await watch.news() is None
    watch._seen(pod(SECOND))
    assert await watch.news() == {SECOND}, "and then it is over"


async def test_an_outage_after_a_long_watch_begins_with_the_first_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    clock = [0.0]

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await anyio.lowlevel.checkpoint()

    class Holding(Told):
        async def watch(self, *told: Any) -> None:
            clock[0] += 60 if self.failures in (8, 4) else 0
            await super().watch(*told)

    monkeypatch.setattr(kubernetes_watching, "sleep", pause)
    monkeypatch.setattr(kubernetes_watching, "monotonic", lambda: clock[0])
    cluster = Holding()
    cluster.failures = 12
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(PodWatch(cluster).run)  # type: ignore[arg-type]
        while cluster.failures:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert pauses[:9] == [0.1, 0.2, 0.4, 0.8, 0.1, 0.2, 0.4, 0.8, 0.1]


async def test_a_watch_that_fails_comes_back_within_seconds_and_tells_everything_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(kubernetes_watching, "sleep", pause)
    cluster = Told(("seen", pod(status=RUNNING)))
    cluster.failures = 12
    watch = PodWatch(cluster)  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run)
        while cluster.failures:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        assert watch._changed is None, "what was missed may be anybody's"
        watch._changed = set()
        watch._seen(pod(status=RUNNING))
        assert watch._changed == set(), "that was told by the watch that holds"
        tasks.cancel_scope.cancel()
    assert len(pauses) == 12
    assert max(pauses) <= 5
