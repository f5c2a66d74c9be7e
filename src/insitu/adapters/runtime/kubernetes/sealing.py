"""What all our pods have in common: the restricted level of Pod Security, and no more than that allows."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from lightkube.models.core_v1 import (
    Capabilities,
    Container,
    EmptyDirVolumeSource,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
    Toleration,
    Volume,
    VolumeMount,
)

from insitu.adapters.runtime.kubernetes.configuration import Placement

MAIN = "main"
"""Name of the only container of a pod."""

TMP_BYTES = 64 << 20
_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def sealed(user: int | None = None) -> SecurityContext:
    """Return the rights of a container: none. Its user is the pod's, unless another is given."""
    return SecurityContext(
        allowPrivilegeEscalation=False,
        capabilities=Capabilities(drop=["ALL"]),
        privileged=False,
        readOnlyRootFilesystem=True,
        runAsUser=user,
    )


def pod_spec(
    placement: Placement,
    container: Container,
    volumes: Sequence[Volume],
    deadline: datetime,
    *,
    grace: int,
) -> PodSpec:
    """Return a pod of one container that runs once, as nobody, without a token, and not beyond its deadline."""
    uid = placement.uid
    left = (deadline - datetime.now(UTC)).total_seconds()
    return PodSpec(
        containers=[container],
        volumes=[
            *volumes,
            Volume(name="tmp", emptyDir=EmptyDirVolumeSource(medium="Memory", sizeLimit=str(TMP_BYTES))),
        ],
        activeDeadlineSeconds=max(math.ceil(left), 1),
        automountServiceAccountToken=False,
        enableServiceLinks=False,
        restartPolicy="Never",
        terminationGracePeriodSeconds=grace,
        securityContext=PodSecurityContext(
            runAsNonRoot=True,
            runAsUser=uid,
            runAsGroup=uid,
            fsGroup=uid,
            fsGroupChangePolicy="OnRootMismatch",
            seccompProfile=SeccompProfile(type="RuntimeDefault"),
        ),
        # Without these a cluster waits five minutes before it gives up a pod on a lost node.
        tolerations=[
            Toleration(key=key, operator="Exists", effect="NoExecute", tolerationSeconds=placement.node_loss)
            for key in _LOST
        ],
    )


def tmp() -> VolumeMount:
    """Return a small folder in memory, which is never collected."""
    return VolumeMount(name="tmp", mountPath="/tmp")  # noqa: S108 (inside the pod)


def read_only(volume: str, path: str, sub_path: str) -> VolumeMount:
    """Return a folder or file of a volume, with everything mounted below it, for reading."""
    return VolumeMount(
        name=volume, mountPath=path, subPath=sub_path or None, readOnly=True, recursiveReadOnly="IfPossible"
    )


def literal(text: str) -> str:
    """Escape text for a command or variable: a cluster would replace ``$(NAME)`` by a variable."""
    return text.replace("$", "$$")
