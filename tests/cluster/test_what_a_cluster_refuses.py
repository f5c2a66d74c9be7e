"""What a cluster does not do, it has a reason for, and the execution ends with it within its deadline."""

import os
from datetime import timedelta

import pytest

from insitu.domain.execution import Charge, Execution, Phase, charge_of
from insitu.domain.plan import Claim, ExecutionPlan, InputFile, StageInput
from insitu.ports.peers import Capacity
from tests.cluster.moments import NAP
from tests.cluster.provider import Provider
from tests.doubles.registrations import registration_of

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

BOUNDLESS = Capacity(cpu_millis=1 << 30, memory_bytes=1 << 60, disk_bytes=1 << 60, gpu=8)
QUOTA = """
apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec: {hard: {requests.cpu: 250m}}
"""


async def failed(provider: Provider, plan: ExecutionPlan) -> Execution:
    """Run what must fail; nobody pays for it."""
    async with provider.operator(capacity=BOUNDLESS, resync=timedelta(seconds=1)) as operator:
        execution = await operator.service.register(registration_of(plan))
        final = await operator.until(execution.execution_id)
    assert final.phase is Phase.FAILED
    assert charge_of(final.phase, final.reason) is Charge.NEVER
    return final


async def test_a_server_that_no_node_has_room_for_says_so(provider: Provider) -> None:
    provider.pending = 4
    stage = provider.stage(0, NAP, provider.fetched(1, "a.txt", "one"))
    final = await failed(provider, provider.plan(stage, cpu_millis=64_000))
    assert final.reason is not None
    assert final.reason.code == "InfrastructureFailed"
    assert "Insufficient cpu" in final.reason.message


async def test_devices_that_no_node_has_are_asked_for_as_such(provider: Provider) -> None:
    provider.pending = 4
    stage = provider.stage(0, NAP, provider.fetched(1, "a.txt", "one"))
    final = await failed(provider, provider.plan(stage, gpu=2))
    assert final.reason is not None
    assert "Insufficient nvidia.com/gpu" in final.reason.message


async def test_a_registry_that_does_not_answer_makes_the_image_unavailable(provider: Provider) -> None:
    provider.pending = 4
    stage = provider.stage(0, NAP, provider.fetched(1, "a.txt", "one"))
    image = stage.image.model_copy(update={"image": f"{provider.access.host}:9/insitu/python"})  # nobody listens there
    final = await failed(provider, provider.plan(stage.model_copy(update={"image": image})))
    assert final.reason is not None
    assert final.reason.code == "ImageUnavailable"
    assert "connection refused" in final.reason.message


async def test_a_quota_that_is_used_up_says_so(provider: Provider) -> None:
    namespace = f"--namespace={provider.namespace}"
    provider.access.kubectl("apply", namespace, "-f", "-", stdin=QUOTA)
    try:
        stage = provider.stage(0, NAP, provider.fetched(1, "a.txt", "one"))
        final = await failed(provider, provider.plan(stage))
    finally:
        provider.access.kubectl("delete", namespace, "resourcequota", "small")
    assert final.reason is not None
    assert final.reason.code == "InfrastructureFailed"
    assert "exceeded quota" in final.reason.message


@pytest.mark.parametrize("trick", ["parent", "link", "link on the way", "pipe"])
async def test_a_path_that_leaves_its_volume_is_refused(provider: Provider, trick: str) -> None:
    data = provider.in_place(1, {"a.txt": "one"})
    (file,) = data.files
    assert isinstance(file.source, Claim)
    root, secret = provider.root / "data", provider.root / "secret"
    secret.mkdir()
    (secret / "file").write_text("host only")
    (root / "link").symlink_to(secret)
    os.mkfifo(root / "pipe")
    path = {"parent": "../secret/file", "link": "link", "link on the way": "link/file", "pipe": "pipe"}[trick]
    source = Claim(claim=file.source.claim, path=path)
    hostile = StageInput(
        index=data.index, position=1, did=data.did, files=(InputFile(index=0, name="file", source=source),)
    )
    final = await failed(provider, provider.plan(provider.stage(0, NAP, hostile)))
    assert final.reason is not None
    assert final.reason.code == "InputUnreadable"
    assert not [each for each in final.history if each.phase is Phase.EXECUTING]
