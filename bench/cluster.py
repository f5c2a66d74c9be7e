"""``python -m bench.cluster``: an execution on the test cluster beside three bare pods that run one after another.

And an event's way to the next action beside a bare watcher: one that creates the next pod as soon as it sees an end.
"""

import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from lightkube.resources.core_v1 import Pod

from bench.table import Row, median, show
from insitu.adapters.kubernetes import Cluster as Namespace
from insitu.adapters.runtime.kubernetes.names import EXECUTION, OURS
from insitu.adapters.runtime.kubernetes.verdicts import step_of
from insitu.domain.execution import Phase, StepKind
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan, StagePlan
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images, build_images
from tests.cluster.objects import install_records, make_namespace, objects_left
from tests.cluster.provider import Operator, Provider, provider_on
from tests.cluster.testbed.cluster import Cluster
from tests.cluster.testbed.layout import NODE1, REGISTRY
from tests.cluster.testbed.node import LO_ONLY
from tests.cluster.testbed.provisioner import CLASS
from tests.doubles.registrations import registration_of

RUNS = 7
NAMESPACE = "insitu-bench"
BARE = {"insitu-bench": "bare"}
NOTHING = "open('/mnt/output/done', 'w').close()\n"
SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"


def main() -> None:
    """Measure on a cluster of its own, or on the one that runs already, and print the table."""
    testbed = Cluster()
    mine = not testbed.processes.running("kube-apiserver")
    try:
        testbed.up()
        sys.stdout.write(show(anyio.run(measure, testbed)) + "\n")
    finally:
        if mine:
            testbed.down()


async def measure(testbed: Cluster) -> list[Row]:
    """Take every figure."""
    access = ClusterAccess(testbed.layout.kubeconfig, REGISTRY, CLASS, LO_ONLY, NODE1.ip, testbed)
    images = await build_images()
    for image in (images.python, images.pods):
        access.push(images, image.digest, image.name)
    install_records(access)
    make_namespace(access, NAMESPACE)
    with tempfile.TemporaryDirectory(prefix="insitu-bench-") as folder:
        async with provider_on(access, images, NAMESPACE, Path(folder)) as provider:
            provider.records = True
            async with provider.operator() as operator:
                rows = await _ends(provider, operator, access, images)
                rows.append(await _stop(provider, operator))
            left = await objects_left(access, NAMESPACE)
    access.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    rows.append(Row("objects left", str(len(left)), "", "0", not left))
    return rows


async def _ends(provider: Provider, operator: Operator, access: ClusterAccess, images: Images) -> list[Row]:
    ours, floors, actions, spent = [], [], [], []
    stage = provider.stage(0, NOTHING, provider.fetched(1, "a.txt", "one"))
    await _run(operator, _plan(provider, stage))  # pulls the images, and proves the walls
    await to_thread.run_sync(_three_bare_pods, access, images)
    seen = _Seen()
    async with Namespace(access.kubeconfig, NAMESPACE) as namespace, anyio.create_task_group() as tasks:
        tasks.start_soon(namespace.watch, Pod, OURS, seen.note)
        for _ in range(RUNS):
            floors.append(await to_thread.run_sync(_three_bare_pods, access, images))
            actions += await _bare_actions(namespace, access, images)
            before = time.process_time()
            ours.append(await _run(operator, _plan(provider, stage)))
            spent.append((time.process_time() - before) * 1000)
        tasks.cancel_scope.cancel()
    mine, floor, action, bare = median(ours), median(floors), median(seen.actions()), median(actions)
    ratio = mine / floor
    return [
        Row("execution, registered to succeeded", f"{mine:.0f} ms", f"3 bare pods {floor:.0f} ms", "", None),
        Row("  the same as a ratio", f"{ratio:.2f}", "1.00", "at most 1.5", ratio <= 1.5),
        Row(
            "a pod's end to the next pod",
            f"{action:.0f} ms",
            f"bare watcher {bare:.0f} ms",
            "under 200 ms",
            action < 200,
        ),
        Row("  the slowest of them", f"{max(seen.actions()):.0f} ms", f"bare watcher {max(actions):.0f} ms", "", None),
        Row("processor time of operator and gateway", f"{statistics.mean(spent):.0f} ms", "", "", None),
    ]


async def _stop(provider: Provider, operator: Operator) -> Row:
    stage, samples = provider.stage(0, SLEEP, provider.fetched(1, "a.txt", "one")), []
    for _ in range(3):
        plan = _plan(provider, stage)
        execution = await operator.service.register(registration_of(plan))
        await operator.until(execution.execution_id, Phase.EXECUTING)
        await anyio.sleep(3)  # the algorithm sleeps by then; to stop it earlier would be cheaper
        began = time.perf_counter()
        await operator.service.stop(execution.agreement_id, execution.execution_id, "consumer")
        await operator.until(execution.execution_id)
        samples.append((time.perf_counter() - began) * 1000)
    ours = median(samples)
    return Row("stop to nothing left", f"{ours:.0f} ms", "grace 2000 ms", "", None)


def _plan(provider: Provider, stage: StagePlan) -> ExecutionPlan:
    """An execution of its own agreement, of which one runs at a time."""
    return provider.plan(stage, agreement=AgreementId(secrets.token_hex(32)))


async def _run(operator: Operator, plan: ExecutionPlan) -> float:
    """Milliseconds from the registration to the final phase; the clean-up is waited for, and not counted."""
    began = time.perf_counter()
    execution = await operator.service.register(registration_of(plan))
    final = await operator.until(execution.execution_id, Phase.SUCCEEDED, Phase.FAILED)
    took = (time.perf_counter() - began) * 1000
    assert final.phase is Phase.SUCCEEDED, final.reason
    await operator.until(execution.execution_id)
    return took


def _three_bare_pods(access: ClusterAccess, images: Images) -> float:
    """Milliseconds that three pods of the algorithm's image take by kubectl, each doing nothing."""
    names = [f"bare-{secrets.token_hex(4)}" for _ in range(3)]
    namespace, took = f"--namespace={NAMESPACE}", 0.0
    for name in names:
        began = time.perf_counter()
        access.kubectl("create", namespace, "-f", "-", stdin=json.dumps(_bare_pod(access, images, name)))
        access.kubectl("wait", namespace, f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
        took += (time.perf_counter() - began) * 1000
    access.kubectl("delete", "pods", *names, namespace, "--wait=false")
    return took


def _bare_pod(access: ClusterAccess, images: Images, name: str) -> dict[str, Any]:
    """A pod of the algorithm's image that does nothing, behind the same walls."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": BARE},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": f"{access.registry}/{images.python.name}@{images.python.digest}",
                    "command": ["python3", "-c", ""],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
            "restartPolicy": "Never",
            "runtimeClassName": LO_ONLY,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }


async def _bare_actions(namespace: Namespace, access: ClusterAccess, images: Images) -> list[float]:
    """Milliseconds from the end of a pod to the next, which its watcher creates at once."""
    names = [f"bare-{secrets.token_hex(4)}" for _ in range(3)]
    made: dict[str, float] = {}
    ended: dict[str, float] = {}
    ends = {name: anyio.Event() for name in names}

    def note(pod: Pod) -> None:
        name = pod.metadata.name if pod.metadata is not None else None
        if name in ends:
            made.setdefault(name, time.perf_counter())
            if _has_ended(pod):
                ended.setdefault(name, time.perf_counter())
                ends[name].set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(namespace.watch, Pod, BARE, note)
        for name in names:
            await namespace.create(Pod.from_dict(_bare_pod(access, images, name)))
            await ends[name].wait()
        tasks.cancel_scope.cancel()
    for name in names:
        await namespace.delete(Pod, name)
    return [(made[following] - ended[name]) * 1000 for name, following in pairwise(names)]


def _has_ended(pod: Pod) -> bool:
    containers = (pod.status.containerStatuses if pod.status is not None else None) or []
    return any(status.state is not None and status.state.terminated is not None for status in containers)


class _Seen:
    """When each pod was first seen, and first seen ended."""

    def __init__(self) -> None:
        self._made: dict[tuple[ExecutionId, StepKind], float] = {}
        self._ended: dict[tuple[ExecutionId, StepKind], float] = {}

    def note(self, pod: Pod) -> None:
        key, meta = step_of(pod), pod.metadata
        if key is None or meta is None or meta.labels is None:
            return
        of = (ExecutionId(meta.labels[EXECUTION]), key.kind)
        self._made.setdefault(of, time.perf_counter())
        if _has_ended(pod):
            self._ended.setdefault(of, time.perf_counter())

    def actions(self) -> list[float]:
        """Milliseconds from a pod's end to the pod that follows it."""
        following = {StepKind.CONFIGURE: StepKind.COMPUTE, StepKind.COMPUTE: StepKind.PUBLISH}
        return [
            (self._made[execution, following[kind]] - ended) * 1000
            for (execution, kind), ended in self._ended.items()
            if kind in following and (execution, following[kind]) in self._made
        ]


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    main()
