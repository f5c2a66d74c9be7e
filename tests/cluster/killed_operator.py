"""A whole operator in a process of its own, to be killed: ``python -m tests.cluster.killed_operator ORDER``.

It keeps its records on the cluster and its logs in a folder, so that another operator finds both.
"""

import dataclasses
import json
import sys
from pathlib import Path

import anyio

from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes import KubernetesRuntime, Placement, PodImage
from insitu.domain.plan import ExecutionPlan
from tests.cluster.provider import Provider
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import running_operator


def order_of(provider: Provider, plan: ExecutionPlan) -> str:
    """What such a process is told."""
    return json.dumps(
        {
            "root": str(provider.root),
            "kubeconfig": str(provider.access.kubeconfig),
            "namespace": provider.namespace,
            "placement": dataclasses.asdict(provider.placement()),
            "plan": plan.model_dump(mode="json"),
        }
    )


async def main(order: str) -> None:
    """Register the execution and work on it until killed."""
    given = json.loads(order)
    root, plan = Path(given["root"]), ExecutionPlan.model_validate(given["plan"])
    placement = Placement(**{**given["placement"], "pods": PodImage(**given["placement"]["pods"])})
    async with Cluster(Path(given["kubeconfig"]), given["namespace"]) as cluster:
        runtime = KubernetesRuntime(cluster, placement)
        gateway, executions = RecordingGateway(root / "gateway"), KubernetesExecutions(cluster)
        started = running_operator(root / "operator", gateway, lambda _tasks, _clock: runtime, executions=executions)
        async with started as operator:
            await operator.service.register(registration_of(plan))
            await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
