"""The Compute Pod: the consumer's image and algorithm, read-only inputs, two folders to write to, and no way out."""

import re
from collections.abc import Iterator

from lightkube.models.core_v1 import (
    Container,
    EnvVar,
    PersistentVolumeClaimVolumeSource,
    PodDNSConfig,
    ResourceRequirements,
    Volume,
    VolumeMount,
)
from lightkube.models.meta_v1 import OwnerReference
from lightkube.resources.core_v1 import Pod

from insitu.adapters.runtime.inside import ALGORITHM, VARIABLES
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.names import (
    DEADLINE,
    LOG_BYTES,
    ROLE,
    STEP,
    files_claim,
    metadata,
    output_claim,
    step_name,
)
from insitu.adapters.runtime.kubernetes.sealing import MAIN, TMP_BYTES, literal, pod_spec, read_only, sealed, tmp
from insitu.domain.errors import InsituError
from insitu.domain.granted_resources import resource_variables
from insitu.domain.plan import Claim, ImageReference, Mount, StageInput
from insitu.domain.wire import rfc3339
from insitu.ports.runtime import Step

_REPOSITORY = re.compile(r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def compute_pod(step: Step, placement: Placement, owner: OwnerReference) -> Pod:
    """Return the pod of a compute step.

    Raises ``ConfigurationFailed`` for inputs that a cluster cannot mount; ``ImageUnavailable`` for an image that cannot
    be named.
    """
    plan, key = step.plan, step.key
    stage, limits = plan.stage(key.stage), plan.limits
    volumes = _Volumes(step)
    mounts = [mount for item in stage.inputs for mount in _input_mounts(item, volumes)]
    files = volumes.add(files_claim(plan.workflow_execution_id, key.stage, key.attempt))
    output = volumes.add(output_claim(plan.workflow_execution_id, key.stage, key.attempt), read_only=False)
    variables = {**VARIABLES, **resource_variables(limits), **stage.environment}
    amounts = {
        "cpu": f"{limits.cpu_millis}m",
        "memory": str(limits.memory_bytes),
        # What the node stores for the container: its log. Written volumes are claims, which have their own limit.
        "ephemeral-storage": str(2 * limits.log_bytes + TMP_BYTES),
    }
    if limits.gpu:
        amounts[placement.gpu_resource] = str(limits.gpu)
    container = Container(
        name=MAIN,
        image=image_reference(stage.image, placement.registry),
        imagePullPolicy="IfNotPresent",
        command=[literal(word) for word in stage.argv],
        env=[EnvVar(name, literal(value)) for name, value in variables.items()],
        workingDir=ALGORITHM,
        resources=ResourceRequirements(limits=amounts, requests=amounts),
        securityContext=sealed(placement.uid),
        volumeMounts=[
            read_only(files, ALGORITHM, "algorithm"),
            *mounts,
            VolumeMount(name=output, mountPath="/mnt/output", subPath="output"),
            VolumeMount(name=output, mountPath="/mnt/logs", subPath="logs"),
            tmp(),
        ],
    )
    spec = pod_spec(placement, container, volumes.all(), step.deadline, grace=placement.stop_grace)
    spec.runtimeClassName = placement.runtime_class
    spec.nodeSelector = dict(placement.node_selector) or None
    # Then the first process is the cluster's own, which reaps orphans, and a signal to itself ends an algorithm. It is
    # another user's, or the algorithm could end it, and with it the pod, as if its node had failed.
    spec.shareProcessNamespace = True
    assert spec.securityContext is not None
    spec.securityContext.runAsUser = placement.uid + 1
    spec.hostname = "sandbox"
    spec.dnsPolicy, spec.dnsConfig = "None", PodDNSConfig(nameservers=["127.0.0.1"])
    return Pod(
        metadata=metadata(
            plan,
            step_name(plan.workflow_execution_id, key),
            owner,
            more={STEP: str(key), ROLE: key.kind.value},
            notes={DEADLINE: rfc3339(step.deadline), LOG_BYTES: str(limits.log_bytes)},
        ),
        spec=spec,
    )


def image_reference(image: ImageReference, registry: str) -> str:
    """Return the image by its digest. A name without a registry (a host with a dot or a port) refers to ours."""
    if _DIGEST.fullmatch(image.digest) is None or _REPOSITORY.fullmatch(image.image) is None:
        raise InsituError("ImageUnavailable", f"{image.image[:100]!r} is not the name of an image")
    host, slash, _ = image.image.partition("/")
    is_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    name = image.image if is_host else f"{registry}/{image.image}"
    return f"{name}@{image.digest}"


def input_claims(step: Step) -> tuple[str, ...]:
    """Return the claims of the cluster that a stage reads in place."""
    sources = (file.source for item in step.plan.stage(step.key.stage).inputs for file in item.files)
    return tuple(sorted({source.claim for source in sources if isinstance(source, Claim)}))


class _Volumes:
    """The volumes of a pod. A claim that is named twice would block the pod, so each is one volume."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self._names: dict[str, str] = {}
        self._made: list[Volume] = []

    def add(self, claim: str, *, read_only: bool = True) -> str:
        if claim not in self._names:
            name = self._names[claim] = f"claim-{len(self._names)}"
            source = PersistentVolumeClaimVolumeSource(claimName=claim, readOnly=read_only)
            self._made.append(Volume(name=name, persistentVolumeClaim=source))
        return self._names[claim]

    def all(self) -> list[Volume]:
        return self._made


def _input_mounts(item: StageInput, volumes: _Volumes) -> Iterator[VolumeMount]:
    """Mount an input at both of its paths."""
    for volume, sub_path, name in _places(item, volumes):
        for folder in (f"/mnt/volume{item.position}", f"/mnt/inputs/{item.position}"):
            yield read_only(volume, f"{folder}/{name}" if name else folder, sub_path)


def _places(item: StageInput, volumes: _Volumes) -> Iterator[tuple[str, str, str]]:
    """Yield volume, path in it, and name inside the input, for every part of an input."""
    step = volumes.step
    execution_id, key = step.plan.workflow_execution_id, step.key
    if item.previous_stage is not None:
        if item.previous_stage not in step.attempts:
            raise InsituError("ConfigurationFailed", f"the output of stage {item.previous_stage} is not here")
        claim = output_claim(execution_id, item.previous_stage, step.attempts[item.previous_stage])
        yield volumes.add(claim), "output", ""
        return
    fetched = f"fetched/{item.position}"
    files = files_claim(execution_id, key.stage, key.attempt)
    if not any(isinstance(file.source, Claim | Mount) for file in item.files):
        yield volumes.add(files), fetched, ""
        return
    for file in item.files:
        name = file.component(alone=len(item.files) == 1)
        if isinstance(file.source, Mount):
            raise InsituError("ConfigurationFailed", "an input is on a single machine, and this is a cluster: use pvc:")
        if isinstance(file.source, Claim):
            yield volumes.add(file.source.claim), file.source.path.strip("/"), name
        else:
            yield volumes.add(files), f"{fetched}/{name}", name
