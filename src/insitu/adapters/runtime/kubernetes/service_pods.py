"""The Configuration and the Publishing Pod: the project's own image, an order in a secret, volumes under /work."""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping

from lightkube.models.core_v1 import (
    Container,
    EnvVar,
    KeyToPath,
    PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource,
    ResourceRequirements,
    SecretProjection,
    SecretVolumeSource,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from lightkube.models.meta_v1 import OwnerReference
from lightkube.resources.core_v1 import Pod, Secret

from insitu.adapters.runtime.kubernetes.compute_pod import input_claims
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.names import (
    DEADLINE,
    ROLE,
    STEP,
    files_claim,
    metadata,
    output_claim,
    step_name,
)
from insitu.adapters.runtime.kubernetes.sealing import MAIN, pod_spec, read_only, sealed, tmp
from insitu.domain.execution import StepKind
from insitu.domain.wire import rfc3339
from insitu.ports.runtime import Step

WORK, ORDER, CONSOLES = "/work", "/insitu/order", "/insitu/consoles"
MESSAGE = "/dev/termination-log"
"""Where a container leaves a message for its cluster: at most 4096 bytes."""

PART_BYTES = 700_000
"""A secret holds at most 1 MiB."""

_REQUESTS = {"cpu": "100m", "memory": "128Mi"}
_LIMITS = {"cpu": "1", "memory": "512Mi"}


def order_secret(step: Step, owner: OwnerReference) -> Secret:
    """Return the order of the pod, and the ticket that it shows to the gateway: files, never variables."""
    order = {
        "plan": step.plan.model_dump(mode="json"),
        "stage": step.key.stage,
        "attempt": step.key.attempt,
        "attempts": {str(stage): attempt for stage, attempt in step.attempts.items()},
        "deadline": rfc3339(step.deadline),
        "logs": {
            "consoles": {str(stage): size for stage, size in step.logs.consoles.items()},
            "files": step.logs.files,
        },
    }
    name = step_name(step.plan.workflow_execution_id, step.key)
    data = {"step.json": _base64(json.dumps(order).encode()), "ticket": _base64(step.ticket.encode())}
    return Secret(metadata=metadata(step.plan, name, owner), data=data, immutable=True)


def console_secrets(step: Step, consoles: Mapping[int, bytes], owner: OwnerReference) -> list[Secret]:
    """Return the captured output of stages, compressed: the publish pod cannot read the log of another pod."""
    parts = []
    for stage, captured in sorted(consoles.items()):
        whole = zlib.compress(captured)
        pieces = [whole[at : at + PART_BYTES] for at in range(0, len(whole), PART_BYTES)]
        parts += [(f"{stage}.{number:03}.z", piece) for number, piece in enumerate(pieces)]
    name = step_name(step.plan.workflow_execution_id, step.key)
    return [
        Secret(metadata=metadata(step.plan, f"{name}-console-{key}", owner), data={key: _base64(piece)})
        for key, piece in parts
    ]


def service_pod(step: Step, placement: Placement, owner: OwnerReference, consoles: list[Secret]) -> Pod:
    """Return the pod of a configure or publish step."""
    key = step.key
    name = step_name(step.plan.workflow_execution_id, key)
    claims = list(_configure_mounts(step) if key.kind is StepKind.CONFIGURE else _publish_mounts(step))
    names = sorted({claim for claim, _ in claims})
    volumes = [
        Volume(name="order", secret=SecretVolumeSource(secretName=name, defaultMode=0o440)),
        *(_claim_volume(f"claim-{at}", claim, step) for at, claim in enumerate(names)),
    ]
    mounts = [VolumeMount(name="order", mountPath=ORDER, readOnly=True), tmp()]
    for claim, mount in claims:
        mount.name = f"claim-{names.index(claim)}"
        mounts.append(mount)
    arguments = [key.kind.value, f"{ORDER}/step.json", "--workspace", WORK, "--ticket", f"{ORDER}/ticket"]
    if consoles:
        volumes.append(_console_volume(consoles))
        mounts.append(VolumeMount(name="consoles", mountPath=CONSOLES, readOnly=True))
        arguments += ["--consoles", CONSOLES]
    container = Container(
        name=MAIN,
        image=placement.pods.reference,
        imagePullPolicy="IfNotPresent",
        command=[*placement.pods.command, *arguments, "--result", MESSAGE],
        env=[
            EnvVar("HOME", "/tmp"),  # noqa: S108 (inside the pod)
            EnvVar("INSITU_GATEWAY__URL", placement.gateway_url),
        ],
        terminationMessagePath=MESSAGE,
        resources=ResourceRequirements(limits=_LIMITS, requests=_REQUESTS),
        securityContext=sealed(),
        volumeMounts=mounts,
    )
    labels = {STEP: str(key), ROLE: key.kind.value}
    return Pod(
        metadata=metadata(step.plan, name, owner, more=labels, notes={DEADLINE: rfc3339(step.deadline)}),
        spec=pod_spec(placement, container, volumes, step.deadline, grace=placement.stop_grace),
    )


def _configure_mounts(step: Step) -> Iterator[tuple[str, VolumeMount]]:
    """Yield folders to fill, and the data of the cluster that the stage reads in place."""
    files = files_claim(step.plan.workflow_execution_id, step.key.stage, step.key.attempt)
    yield files, VolumeMount(name="", mountPath=f"{WORK}/algorithm", subPath="algorithm")
    for item in step.plan.stage(step.key.stage).inputs:
        if item.previous_stage is None:
            place = f"fetched/{item.position}"
            yield files, VolumeMount(name="", mountPath=f"{WORK}/{place}", subPath=place)
    for claim in input_claims(step):
        yield claim, read_only("", f"{WORK}/claims/{claim}", "")


def _publish_mounts(step: Step) -> Iterator[tuple[str, VolumeMount]]:
    """Yield what the stages left; writable, because its owner may have to open what an algorithm has closed."""
    for stage, attempt in sorted(step.attempts.items()):
        claim = output_claim(step.plan.workflow_execution_id, stage, attempt)
        for folder in ("output", "logs"):
            yield claim, VolumeMount(name="", mountPath=f"{WORK}/outputs/{stage}/{folder}", subPath=folder)


def _claim_volume(name: str, claim: str, step: Step) -> Volume:
    foreign = step.key.kind is StepKind.CONFIGURE and claim in input_claims(step)
    source = PersistentVolumeClaimVolumeSource(claimName=claim, readOnly=foreign)
    return Volume(name=name, persistentVolumeClaim=source)


def _console_volume(consoles: list[Secret]) -> Volume:
    sources = []
    for secret in consoles:
        assert secret.metadata is not None
        items = [KeyToPath(key=key, path=key) for key in secret.data or {}]
        sources.append(VolumeProjection(secret=SecretProjection(name=secret.metadata.name, items=items)))
    return Volume(name="consoles", projected=ProjectedVolumeSource(sources=sources, defaultMode=0o440))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
