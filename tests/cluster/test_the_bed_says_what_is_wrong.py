"""A bed without room says so before it starts, and an installation that does not come up says why. Needs no cluster."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.installation import Installation
from tests.cluster.testbed.cluster import Cluster
from tests.cluster.testbed.disk import EVICTION, require_room
from tests.cluster.testbed.layout import NODE1, Layout

GIB = 1 << 30


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    def fills(total: int, free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=total, used=total - free, free=free))

    return fills


def test_a_bed_is_refused_when_the_kubelet_would_soon_end_its_pods(
    disk: Callable[[int, int], None], tmp_path: Path
) -> None:
    disk(250 * GIB, 6 * GIB)
    with pytest.raises(OSError, match=r"needs 6.5 GiB on the disk of .*, and 6.0 GiB are free: below 1%") as refused:
        require_room(tmp_path / "not" / "there" / "yet")
    assert f"disk of {tmp_path}," in str(refused.value)
    assert "make cluster-down" in str(refused.value)
    disk(250 * GIB, 7 * GIB)
    require_room(tmp_path)


def test_the_bed_asks_before_it_builds_or_starts_anything(
    disk: Callable[[int, int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("tests.cluster.testbed.cluster.listening", lambda _port: False)
    disk(250 * GIB, GIB)
    with pytest.raises(OSError, match="are free"):
        Cluster(Layout(tmp_path / "run")).up()
    assert list(tmp_path.iterdir()) == []


def test_the_kubelet_ends_pods_at_the_share_that_the_bed_names() -> None:
    configured = yaml.safe_load(Cluster().nodes[NODE1.name]._kubelet())
    limits = configured["evictionHard"]
    assert (limits["nodefs.available"], limits["imagefs.available"]) == (f"{EVICTION:.0%}", f"{EVICTION:.0%}")


class Starting(ClusterAccess):
    """A cluster on which a pod is still starting: ``kubectl logs`` fails for it."""

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        failed = "logs" in words
        said = 'container "gateway" in pod "insitu-gateway-1" is waiting to start: PodInitializing' if failed else ""
        assert not (check and failed), said
        return subprocess.CompletedProcess(words, int(failed), f"[{' '.join(words)}]\n", said)


def test_an_installation_whose_pods_have_no_logs_yet_still_says_what_is_wrong(tmp_path: Path) -> None:
    place: Any = tmp_path
    told = Installation(Starting(place, "", "", None, "", None), tmp_path, "").told()
    for part in ("get pods", "describe pods", "get events", "PodInitializing"):
        assert part in told
