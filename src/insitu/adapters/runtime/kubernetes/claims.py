"""The volumes of a stage's attempt, as claims on the provider's storage class."""

from lightkube.models.core_v1 import PersistentVolumeClaimSpec, VolumeResourceRequirements
from lightkube.models.meta_v1 import ObjectMeta, OwnerReference
from lightkube.resources.core_v1 import PersistentVolumeClaim

from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.names import files_claim, metadata, output_claim
from insitu.ports.runtime import Step

_SMALLEST = 1 << 20


def attempt_claims(step: Step, placement: Placement, owner: OwnerReference) -> tuple[PersistentVolumeClaim, ...]:
    """Return what configure fills and what the algorithm writes to; both early, because making them takes time.

    Configure may fetch as much as the server has disk. Output and logs share one volume of their total size: on many
    clusters a volume is a disk, and a node takes only a few of them.
    """
    plan, key = step.plan, step.key
    execution_id, limits = plan.workflow_execution_id, plan.limits
    sizes = {
        files_claim(execution_id, key.stage, key.attempt): limits.disk_bytes,
        output_claim(execution_id, key.stage, key.attempt): limits.disk_bytes + limits.log_bytes,
    }
    return tuple(claim(metadata(plan, name, owner), max(size, _SMALLEST), placement) for name, size in sizes.items())


def claim(meta: ObjectMeta, size: int, placement: Placement) -> PersistentVolumeClaim:
    """Return a claim for this many bytes, which one node at a time can mount."""
    return PersistentVolumeClaim(
        metadata=meta,
        spec=PersistentVolumeClaimSpec(
            accessModes=["ReadWriteOnce"],
            resources=VolumeResourceRequirements(requests={"storage": str(size)}),
            storageClassName=placement.storage_class,
        ),
    )
