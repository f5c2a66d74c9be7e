"""A pod is made when its claims are bound, unless the storage class waits for the pod. Needs no cluster."""

import logging
from collections.abc import Callable

import anyio
import pytest
from lightkube.models.core_v1 import PersistentVolumeClaimStatus
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolumeClaim

from insitu.adapters.kubernetes import RefusedError
from insitu.adapters.runtime.kubernetes import binding
from insitu.adapters.runtime.kubernetes.binding import Binding
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId

EXECUTION = ExecutionId("wx" + "a" * 26)
LABELS = {"workflowExecutionId": EXECUTION}
FILES, OUTPUT = f"{EXECUTION}-0-files-1", f"{EXECUTION}-0-output-1"
PROVISIONER = {"volume.kubernetes.io/storage-provisioner": "disks.example"}

Told = Callable[[PersistentVolumeClaim], None]


def claim(name: str, phase: str = "Pending", notes: dict[str, str] | None = None) -> PersistentVolumeClaim:
    meta = ObjectMeta(name=name, annotations=notes)
    return PersistentVolumeClaim(metadata=meta, status=PersistentVolumeClaimStatus(phase=phase))


class Watched:
    """A cluster whose watch tells of claims, each after its time in seconds, or fails."""

    def __init__(self, *told: tuple[float, PersistentVolumeClaim], error: Exception | None = None) -> None:
        self.told = told
        self.error = error
        self.watches = 0
        self.heard: list[str] = []

    async def watch(self, _kind: object, labels: object, seen: Told) -> None:
        self.watches += 1
        assert labels == LABELS
        if self.error is not None:
            raise self.error
        for pause, found in self.told:
            await anyio.sleep(pause)
            assert found.status is not None
            self.heard.append(found.status.phase or "")
            seen(found)
        await anyio.sleep_forever()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "FIRST_SIGN", 0.05)
    monkeypatch.setattr(binding, "PROVISIONED", 0.2)


async def wait(cluster: Watched, *claims: str, by: Binding | None = None) -> list[str]:
    """Wait for claims, and return what was told until the end."""
    cluster.heard.clear()
    with anyio.fail_after(60):
        await (by or Binding(cluster)).wait(LABELS, claims)  # type: ignore[arg-type]
    return cluster.heard


async def test_it_waits_until_all_of_its_claims_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "FIRST_SIGN", 60.0)
    told = [claim(OUTPUT, "Bound"), claim(FILES), claim(FILES, "Bound"), claim(OUTPUT, "Lost")]
    cluster = Watched(*((0.01, each) for each in told))
    assert await wait(cluster, FILES, OUTPUT) == ["Bound", "Pending", "Bound"]
    assert await wait(cluster, OUTPUT) == ["Bound"]


async def test_a_provisioner_gets_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "FIRST_SIGN", 1.0)
    cluster = Watched((0, claim(FILES, notes=PROVISIONER)), (2, claim(FILES, "Bound")))
    assert await wait(cluster, FILES) == ["Pending", "Bound"]


@pytest.mark.usefixtures("impatient")
async def test_a_provisioner_that_takes_too_long_is_not_waited_for_and_the_next_one_is() -> None:
    cluster = Watched((0, claim(FILES, notes=PROVISIONER)))
    known = Binding(cluster)  # type: ignore[arg-type]
    for _ in range(2):
        assert await wait(cluster, FILES, by=known) == ["Pending"]
    assert cluster.watches == 2


@pytest.mark.usefixtures("impatient")
async def test_a_class_that_waits_for_the_pod_costs_one_wait_and_then_none() -> None:
    cluster = Watched((0, claim(FILES)))
    known = Binding(cluster)  # type: ignore[arg-type]
    for _ in range(2):
        await wait(cluster, FILES, by=known)
    assert cluster.watches == 1


async def test_a_pod_without_new_claims_waits_for_nothing() -> None:
    cluster = Watched()
    await wait(cluster)
    assert cluster.watches == 0


async def test_a_role_without_the_right_to_watch_claims_starts_pods_as_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    cluster = Watched(error=RefusedError("persistentvolumeclaims is forbidden"))
    known = Binding(cluster)  # type: ignore[arg-type]
    for _ in range(2):
        await wait(cluster, FILES, by=known)
    assert cluster.watches == 1
    assert "claims cannot be watched" in caplog.text
    assert "the storage class" not in caplog.text, "nothing was learnt of it"


async def test_a_cluster_that_is_away_is_for_the_next_attempt() -> None:
    cluster = Watched(error=InsituError("InfrastructureFailed", "the cluster does not answer"))
    with pytest.raises(InsituError, match="InfrastructureFailed"):
        await wait(cluster, FILES)
