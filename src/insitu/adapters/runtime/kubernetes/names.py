"""The names and labels of the objects of an execution (E5)."""

from lightkube.models.meta_v1 import ObjectMeta, OwnerReference
from lightkube.resources.core_v1 import PersistentVolumeClaim, Pod

from insitu.adapters.kubernetes import GROUP
from insitu.domain.execution import StepKey
from insitu.domain.ids import ExecutionId, labels
from insitu.domain.plan import ExecutionPlan

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
"""Annotation of a Compute Pod: how many bytes its log may have."""
STOP = f"{GROUP}/stop"
"""Annotation of a pod that we end: the code and the message of the reason, with a space between them."""


def step_name(execution_id: ExecutionId, key: StepKey) -> str:
    """Return the name of a step's pod, and of the secret with its order."""
    return f"{execution_id}-{key}"


def object_name(found: Pod | PersistentVolumeClaim) -> str:
    """Return the name of an object of the cluster."""
    assert found.metadata is not None
    assert found.metadata.name is not None
    return found.metadata.name


def files_claim(execution_id: ExecutionId, stage: int, attempt: int) -> str:
    """Return the name of the volume that configure fills: fetched inputs and the algorithm."""
    return f"{execution_id}-{stage}-files-{attempt}"


def output_claim(execution_id: ExecutionId, stage: int, attempt: int) -> str:
    """Return the name of the volume that an algorithm writes to: output and logs."""
    return f"{execution_id}-{stage}-output-{attempt}"


def metadata(
    plan: ExecutionPlan,
    name: str,
    owner: OwnerReference | None = None,
    *,
    more: dict[str, str] | None = None,
    notes: dict[str, str] | None = None,
) -> ObjectMeta:
    """Return the metadata of an object of an execution.

    The value of a label has at most 63 characters, one less than the id of an agreement; the annotation has it whole.
    """
    ids = labels(plan.service_agreement_id, plan.workflow_execution_id)
    return ObjectMeta(
        name=name,
        labels={**ids, "app.kubernetes.io/managed-by": "insitu", **(more or {})},
        annotations={"serviceAgreementId": plan.service_agreement_id, **(notes or {})},
        ownerReferences=None if owner is None else [owner],
    )
