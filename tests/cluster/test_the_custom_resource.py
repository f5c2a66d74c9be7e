"""``WorkflowExecution``: made from the domain's models, complete, unchangeable where it must be, and readable."""

import json
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from insitu.adapters.executions.custom_resource import definition
from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.kubernetes import Cluster
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, Reason, StageRecord, StopRequest, Transition, Usage
from insitu.domain.execution_changes import registered
from insitu.domain.plan import Claim, Fetch, InputFile, Mount, StageInput
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.objects import DEFINITION, RECORDS, empty_store
from tests.doubles.clock import START
from tests.doubles.plans import DATA, plan_of, stage_of

needs_cluster = pytest.mark.needs("cluster", "root")


@pytest.fixture
def kubeconfig(cluster: ClusterAccess) -> Path:
    return empty_store(cluster)


def everything() -> Execution:
    """A record with every field that there is."""
    sources = (
        Mount(path="/srv/data/a", root="/srv/data"),
        Claim(claim="data", path="b"),
        Fetch(reference="0-1-2"),
    )
    files = tuple(
        InputFile(index=at, name=f"{at}.csv", source=source, sha256="ab" * 32, size=1 << 40)
        for at, source in enumerate(sources)
    )
    stage = stage_of(0, inputs=[StageInput(index=0, position=1, did=DATA, files=files)])
    parameters = {"text": "a", "whole": 1, "part": 0.5, "truth": True}
    stage = stage.model_copy(update={"parameters": parameters, "environment": {"LANG": "C"}})
    record = registered(plan_of(stage, stage_of(3, previous=0)), START)
    reason = Reason(code="AlgorithmFailed", message="exit code 1")
    usage = Usage(cpu_seconds=0.25, peak_memory_bytes=1 << 40, wall_seconds=1.5, limits={"cpu": "cgroup"})
    return record.model_copy(
        update={
            "records": (
                StageRecord(
                    stage=0,
                    attempt=1,
                    configured={"inputs": {"1": {"0": "ab"}}, "nested": [1, {"a": None}]},
                    started_at=START,
                    ended_at=START + timedelta(seconds=2),
                    exit_code=1,
                    usage=usage,
                    reason=reason,
                ),
            ),
            "published": {"manifest": "aa", "files": 2, "bytes": 1 << 40},
            "stop": StopRequest(by="owner", at=START),
            "outcome": Transition(sequence=2, phase=Phase.FAILED, at=START, stage=0, attempt=1, reason=reason),
            "reported": 1,
        }
    )


def test_the_definition_in_deploy_is_the_models() -> None:
    assert json.loads(DEFINITION.read_text("utf-8")) == definition(), (
        f"write it anew: python -m insitu.adapters.executions.custom_resource > {DEFINITION}"
    )


@needs_cluster
async def test_a_record_with_every_field_comes_back_whole(kubeconfig: Path) -> None:
    async with Cluster(kubeconfig, RECORDS) as cluster:
        executions = KubernetesExecutions(cluster)
        written = everything()
        await executions.create(written, "ticket")
        assert await executions.get(written.execution_id) == written


@needs_cluster
async def test_the_plan_of_an_execution_never_changes(kubeconfig: Path, cluster: ClusterAccess) -> None:
    async with Cluster(kubeconfig, RECORDS) as connected:
        record = await KubernetesExecutions(connected).create(everything(), "ticket")
    for change in ({"consumer": "0x" + "00" * 20}, {"limits": {"cpuMillis": 1}}, {"stages": []}):
        patch = ("--type=merge", "-p", json.dumps({"spec": change}))
        done = cluster.kubectl("patch", "wx", record.execution_id, f"--namespace={RECORDS}", *patch, check=False)
        assert done.returncode != 0
        assert "never changes" in done.stderr


@needs_cluster
async def test_a_list_shows_phase_stage_and_reason(kubeconfig: Path, cluster: ClusterAccess) -> None:
    async with Cluster(kubeconfig, RECORDS) as connected:
        await KubernetesExecutions(connected).create(everything(), "ticket")
    header, line = cluster.kubectl("get", "wx", f"--namespace={RECORDS}").stdout.splitlines()
    assert header.split() == ["NAME", "PHASE", "STAGE", "REASON", "AGE"]
    assert line.split()[1:4] == ["Registered", "0", "AlgorithmFailed"]


@needs_cluster
async def test_two_operators_at_once_start_one_execution_of_an_agreement(kubeconfig: Path) -> None:
    started: list[int] = []
    async with Cluster(kubeconfig, RECORDS) as one, Cluster(kubeconfig, RECORDS) as other:
        stores = (KubernetesExecutions(one), KubernetesExecutions(other))

        async def start(number: int) -> None:
            try:
                await stores[number % 2].create(registered(plan_of(number=number), START), "ticket")
                started.append(number)
            except InsituError as error:
                assert error.code == "ExecutionInProgress"

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(start, number)
        assert len(started) == 1
        assert [each.plan.number for each in await stores[0].list()] == started


@needs_cluster
async def test_an_object_whose_maker_was_killed_is_in_nobodys_way(kubeconfig: Path) -> None:
    first, second = registered(plan_of(number=0), START), registered(plan_of(number=1), START)
    async with Cluster(kubeconfig, RECORDS) as cluster:
        executions = KubernetesExecutions(cluster)
        await executions._create_object(first)
        assert await executions.get(first.execution_id) is None
        assert await executions.list() == ()
        await executions.create(second, "ticket")
        with pytest.raises(InsituError, match="ExecutionInProgress"):
            await executions.create(first, "ticket")
        assert await executions.list() == (second,)
