"""A look at the volume of an algorithm that failed: was it full?

A cluster does not say. So a pod of ours mounts the volume once the algorithm is gone; without it, a consumer whose
algorithm ran out of disk would read ``AlgorithmFailed``.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from lightkube.models.core_v1 import (
    Container,
    PersistentVolumeClaimVolumeSource,
    ResourceRequirements,
    Volume,
    VolumeMount,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import GROUP
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.names import EXECUTION, ROLE, output_claim
from insitu.adapters.runtime.kubernetes.sealing import MAIN, pod_spec, sealed, tmp
from insitu.domain.execution import Reason, StepKey, StepStatus
from insitu.domain.ids import ExecutionId

INSPECTS = f"{GROUP}/inspects"
"""Label of a pod that looks at a volume: the compute step that wrote it."""

SECONDS = 60
"""Seconds after which an inspection is given up, and the algorithm's own end counts."""

_NEARLY_FULL = 64 * 1024
_PROGRAM = """
import json, os
room = os.statvfs("/mnt/output")
block, used = room.f_frsize, room.f_blocks - room.f_bfree
found = {"free": room.f_bavail * block, "files": room.f_favail, "used": used * block}
open("/dev/termination-log", "w").write(json.dumps(found))
"""
_AMOUNTS = {"cpu": "50m", "memory": "64Mi"}


def inspection_of(pod: Pod) -> StepKey | None:
    """Return whose volume a pod looks at; None if it is not such a pod."""
    labels = (pod.metadata.labels if pod.metadata else None) or {}
    return StepKey.read(labels.get(INSPECTS, ""))


def inspection_pod(computed: Pod, key: StepKey, placement: Placement) -> Pod:
    """Return the pod that looks at the volume of a compute step that has ended."""
    meta = computed.metadata
    assert meta is not None
    labels = {name: value for name, value in (meta.labels or {}).items() if "/" not in name or name.startswith("app.")}
    execution_id = ExecutionId(labels[EXECUTION])
    claim = PersistentVolumeClaimVolumeSource(claimName=output_claim(execution_id, key.stage, key.attempt))
    container = Container(
        name=MAIN,
        image=placement.pods.reference,
        imagePullPolicy="IfNotPresent",
        command=["python3", "-I", "-S", "-c", _PROGRAM],
        resources=ResourceRequirements(limits=_AMOUNTS, requests=_AMOUNTS),
        securityContext=sealed(),
        volumeMounts=[VolumeMount(name="output", mountPath="/mnt/output", subPath="output", readOnly=True), tmp()],
    )
    volume = Volume(name="output", persistentVolumeClaim=claim)
    spec = pod_spec(placement, container, [volume], datetime.now(UTC) + timedelta(seconds=SECONDS), grace=1)
    spec.runtimeClassName = placement.runtime_class
    return Pod(
        metadata=ObjectMeta(
            name=f"{execution_id}-{key.stage}-inspect-{key.attempt}",
            labels={**labels, ROLE: "compute", INSPECTS: str(key)},
            annotations={"serviceAgreementId": (meta.annotations or {})["serviceAgreementId"]},
            ownerReferences=meta.ownerReferences,
        ),
        spec=spec,
    )


def judge_inspection(status: StepStatus, looking: Pod | None, now: datetime) -> StepStatus | None:
    """Return how the algorithm ended, given the state of its volume; None while the pod still looks."""
    found = None if looking is None else _findings(looking)
    if found is None:
        over = looking is not None and looking.status is not None and looking.status.phase == "Failed"
        late = status.ended_at is None or now > status.ended_at + timedelta(seconds=SECONDS)
        return status if over or late else None
    usage = status.usage.model_copy(
        update={
            "output_bytes": found["used"],
            "unavailable": {name: why for name, why in status.usage.unavailable.items() if name != "outputBytes"},
        }
    )
    status = status.model_copy(update={"usage": usage})
    if found["free"] >= _NEARLY_FULL and found["files"] > 0:
        return status
    message = f"/mnt/output reached its size limit; {status.reason.message if status.reason else ''}"
    return status.model_copy(update={"reason": Reason(code="DiskLimitExceeded", message=message)})


def _findings(looking: Pod) -> Mapping[str, int] | None:
    for container in (looking.status.containerStatuses if looking.status is not None else None) or []:
        end = container.state.terminated if container.state is not None else None
        if end is not None and end.exitCode == 0 and end.message:
            found: Mapping[str, int] = json.loads(end.message)
            return found
    return None
