"""What the objects of an execution are called, and what they carry (E5)."""

import re

from lightkube.models.meta_v1 import ObjectMeta, OwnerReference
from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import GROUP
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.ids import ExecutionId, labels
from insitu.domain.plan import ExecutionPlan

__all__ = [
    "DEADLINE",
    "EXECUTION",
    "LOG_BYTES",
    "OURS",
    "ROLE",
    "STEP",
    "STOP",
    "files_claim",
    "metadata",
    "output_claim",
    "pod_name",
    "read_step",
    "step_name",
]

EXECUTION = "workflowExecutionId"
STEP = f"{GROUP}/step"
"""Label of a pod: its step, as ``StepKey`` writes it."""
ROLE = f"{GROUP}/role"
"""Label of a pod: configure, compute or publish; network policies choose by it."""
OURS = {"app.kubernetes.io/managed-by": "insitu", EXECUTION: None}
"""Selects every object of every execution."""

DEADLINE = f"{GROUP}/deadline"
"""Annotation of a pod: when it must have ended (RFC 3339)."""
LOG_BYTES = f"{GROUP}/log-bytes"
"""Annotation of a Compute Pod: what its log may hold."""
STOP = f"{GROUP}/stop"
"""Annotation of a pod that we end: the code and the message of the reason, with a space between them."""

_STEP = re.compile(r"([0-9]+)-(configure|compute|publish)-([0-9]+)")


def step_name(execution_id: ExecutionId, key: StepKey) -> str:
    """The name of a step's pod, and of the secret with its order."""
    return f"{execution_id}-{key}"


def pod_name(pod: Pod) -> str:
    """The name of a pod that the cluster has."""
    assert pod.metadata is not None
    assert pod.metadata.name is not None
    return pod.metadata.name


def files_claim(execution_id: ExecutionId, stage: int, attempt: int) -> str:
    """The name of the volume that configure fills: fetched inputs and the algorithm."""
    return f"{execution_id}-{stage}-files-{attempt}"


def output_claim(execution_id: ExecutionId, stage: int, attempt: int) -> str:
    """The name of the volume that an algorithm writes to: output and logs."""
    return f"{execution_id}-{stage}-output-{attempt}"


def read_step(text: str) -> StepKey | None:
    """Read a step's label; None for a text that is none."""
    match = _STEP.fullmatch(text)
    return StepKey(StepKind(match[2]), int(match[1]), int(match[3])) if match else None


def metadata(
    plan: ExecutionPlan,
    name: str,
    owner: OwnerReference | None = None,
    *,
    more: dict[str, str] | None = None,
    notes: dict[str, str] | None = None,
) -> ObjectMeta:
    """The metadata of an object of an execution.

    A label's value ends at 63 characters, one short of an agreement's id; the annotation has it whole.
    """
    ids = labels(plan.service_agreement_id, plan.workflow_execution_id)
    return ObjectMeta(
        name=name,
        labels={**ids, "app.kubernetes.io/managed-by": "insitu", **(more or {})},
        annotations={"serviceAgreementId": plan.service_agreement_id, **(notes or {})},
        ownerReferences=None if owner is None else [owner],
    )
