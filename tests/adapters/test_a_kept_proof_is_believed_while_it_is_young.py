"""On a cluster, a process that does not lead reads the leader's proof, but not too often and not forever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lightkube", reason="pip install './insitu-….whl[cluster]'")

from insitu.adapters.runtime.kubernetes import KubernetesRuntime, runtime
from insitu.ports.runtime import Enforcement
from insitu.settings.reading import read_settings
from insitu.stack.infrastructure import placement

FLAGS = {
    "operator.runtime": "kubernetes",
    "cluster.image": "registry.example/insitu@sha256:" + "0" * 64,
    "cluster.registry": "registry.example",
    "cluster.gateway_url": "http://gateway.insitu.svc:8030/",
}


async def test_a_proof_is_valid_for_two_days_and_read_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, reads = Enforcement("runc", {"memory": "cgroup"}), 0
    proved = datetime.now(UTC) - timedelta(days=1)

    async def last_proof(_: Any) -> tuple[Enforcement, datetime]:
        nonlocal reads
        reads += 1
        return found, proved

    monkeypatch.setattr(runtime, "last_proof", last_proof)
    nobody: Any = None
    follower = KubernetesRuntime(nobody, placement(read_settings({}, FLAGS, tmp_path), "https://us.example"))
    assert await follower.proof() == found
    assert await follower.proof() == found
    assert reads == 1
    monkeypatch.setattr(runtime, "READ_LASTS", timedelta())
    proved -= timedelta(days=2)
    assert await follower.proof() is None, "a working engine makes a new proof each day"
    assert reads == 2
