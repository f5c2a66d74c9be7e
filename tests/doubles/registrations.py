"""Registrations that fit their plan: the workflow's DDO and the compute services of its inputs (E3)."""

from pydantic import JsonValue

from insitu.domain.plan import ExecutionPlan, StagePlan
from insitu.ports.peers import Registration
from tests.doubles.recording_gateway import TICKET

__all__ = ["compute_service_of", "registration_of", "workflow_of"]


def registration_of(plan: ExecutionPlan, ticket: str = TICKET) -> Registration:
    """Return the registration that a gateway sends for the plan."""
    dids = {each.did for stage in plan.stages for each in stage.inputs if each.did is not None}
    services = {did: compute_service_of(plan) for did in dids}
    return Registration(plan=plan, workflow=workflow_of(plan), services=services, ticket=ticket)


def workflow_of(plan: ExecutionPlan) -> dict[str, JsonValue]:
    """Return a DDO whose workflow is the plan's."""
    stages: list[JsonValue] = [_stage(stage) for stage in plan.stages]
    main: dict[str, JsonValue] = {"type": "workflow", "name": "Two stages", "workflow": {"stages": stages}}
    service: dict[str, JsonValue] = {"type": "metadata", "index": 0, "attributes": {"main": main}}
    return {"@context": "https://w3id.org/did/v1", "id": plan.workflow_did, "service": [service]}


def compute_service_of(plan: ExecutionPlan) -> dict[str, JsonValue]:
    """Return ``main`` of a compute service that supports exactly the plan's images and server."""
    images = {(stage.image.image, stage.image.tag, stage.image.digest) for stage in plan.stages}
    containers: list[JsonValue] = [
        {"image": image, "tag": tag, "checksum": digest} for image, tag, digest in sorted(images)
    ]
    limits = plan.limits
    server: dict[str, JsonValue] = {
        "serverId": limits.server_id,
        "price": "0",
        "cpu": f"{limits.cpu_millis / 1000:g}",
        "gpu": str(limits.gpu),
        "memory": str(limits.memory_bytes),
        "disk": str(limits.disk_bytes),
        "maxExecutionTime": limits.max_execution_seconds,
    }
    environment: dict[str, JsonValue] = {"supportedContainers": containers, "supportedServers": [server]}
    return {"name": "compute", "price": "0", "timeout": 86400, "provider": {"environment": environment}}


def _stage(stage: StagePlan) -> JsonValue:
    inputs: list[JsonValue] = [
        {"index": each.index, "previousStage": each.previous_stage} if each.did is None
        else {"index": each.index, "id": each.did}
        for each in stage.inputs
    ]  # fmt: skip
    image = stage.image
    return {
        "index": stage.index,
        "stageType": stage.stage_type,
        "requirements": {"container": {"image": image.image, "tag": image.tag, "checksum": image.digest}},
        "input": inputs,
        "transformation": {"id": stage.transformation.did},
        "output": {},
    }
