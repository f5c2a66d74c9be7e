"""Which containers and servers an execution may use, and which algorithms the consumer may use (E4, design §5).

The gateway asks before it grants and before it hands over; the operator asks again, from the documents alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insitu.domain.algorithm import container_fits
from insitu.domain.compute_service import ComputeService, Container, Server
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.plan import ImageReference
from insitu.domain.policy import Refusal
from insitu.domain.workflow import Need, Workflow


@dataclass(frozen=True, slots=True)
class OfferedService:
    """A compute service of an input: the DID of the data set and the service in one version of its DDO."""

    did: str
    service: ComputeService


@dataclass(frozen=True, slots=True)
class UsedAlgorithm:
    """An algorithm of the workflow: what decides whether this consumer may use it."""

    did: str
    owner: Address
    price: int
    container: Container | None


def supported_container(wanted: Container, service: ComputeService) -> Container | None:
    """The entry of supportedContainers that the wanted container is: same image, same digest, same tag if it names one.

    The image is afterwards pulled by this entry's name, never by the workflow's.
    """
    for offered in service.containers:
        same_name = offered.image == wanted.image and (wanted.tag is None or offered.tag == wanted.tag)
        if same_name and offered.digest is not None and offered.digest == wanted.digest:
            return offered
    return None


def image_of(wanted: Container | None, service: ComputeService) -> ImageReference | None:
    """The image of a stage's container, by the name that the service gives it; None where it supports none such."""
    offered = supported_container(wanted, service) if wanted is not None else None
    if offered is None or offered.digest is None:
        return None
    return ImageReference(image=offered.image or "", tag=offered.tag or "", digest=offered.digest)


def flavour_refusals(workflow: Workflow, offers: Sequence[OfferedService]) -> tuple[Refusal, ...]:
    """Why the stages' containers may not run on these inputs; empty if they may.

    Every stage's container must be supported by the compute service of **every** input: what a stage reads may come
    from any of them. A service without supportedContainers supports none.
    """
    refusals: list[Refusal] = []
    for offer in offers:
        if not offer.service.containers:
            refusals.append(_refusal("ImageNotAllowed", offer.did, f"{offer.did} supports no container at all"))
            continue
        for stage in workflow.ordered_stages:
            container = stage.requirements.container
            if container is None:
                message = f"stage {stage.number} names no container"
                refusals.append(_refusal("ImageNotAllowed", offer.did, message))
            elif supported_container(container, offer.service) is None:
                message = f"{offer.did} does not support the container {container} of stage {stage.number}"
                refusals.append(_refusal("ImageNotAllowed", offer.did, message))
    return tuple(dict.fromkeys(refusals))


def usage_refusals(workflow: Workflow, algorithms: Sequence[UsedAlgorithm], consumer: Address) -> tuple[Refusal, ...]:
    """Why the consumer may not use these algorithms in this workflow; empty if it may.

    An algorithm is usable if the consumer owns it or if it is free, and only in the container that it needs.
    """
    by_did = {algorithm.did: algorithm for algorithm in algorithms}
    refusals: list[Refusal] = []
    for stage in workflow.ordered_stages:
        algorithm = by_did.get(stage.transformation.id or "")
        if algorithm is None:
            did = stage.transformation.id or ""
            refusals.append(_refusal("AssetNotFound", did, f"the algorithm of stage {stage.number} is not known"))
            continue
        if algorithm.price > 0 and algorithm.owner.lower() != consumer.lower():
            message = f"{algorithm.did} belongs to {algorithm.owner} and is not free"
            refusals.append(_refusal("AlgorithmNotUsable", algorithm.did, message))
        if not container_fits(stage.requirements.container or Container(), algorithm.container):
            message = f"{algorithm.did} needs the container {algorithm.container}, stage {stage.number} names another"
            refusals.append(_refusal("ImageNotAllowed", algorithm.did, message))
    return tuple(dict.fromkeys(refusals))


def choose_server(workflow: Workflow, offers: Sequence[OfferedService]) -> Server:
    """The one server of an execution.

    It is the `serverId` that the stages name, else the cheapest that meets the maxima of the stages' cpu, memory,
    disk and gpu. The offer is the first input's (the agreement's); a server counts only if every other input's
    service lists a server of the same id. Equal prices: the smaller one, then the earlier in the list.

    Args:
        workflow: valid.
        offers: the compute services of all inputs, the agreement's first.

    Raises:
        InsituError: `ServerAmbiguous`, if stages name different servers; `NoSuitableServer`, with the reason;
            `InvalidQuantity`.
    """
    if not offers:
        raise InsituError("NoSuitableServer", "the workflow reads no data set that is computed on")
    named = workflow.server_ids
    if len(named) > 1:
        raise InsituError("ServerAmbiguous", f"the stages name the servers {', '.join(named)}"[:200])
    common = _common_servers(offers)
    if named and named[0] not in {server.server_id for server in common}:
        raise InsituError("NoSuitableServer", f"no server {named[0][:80]!r} is offered for all inputs")
    need = workflow.need
    fitting = [s for s in common if (not named or s.server_id == named[0]) and meets(s, need)]
    if not fitting:
        raise InsituError("NoSuitableServer", f"no server offers {_described(need)}")
    return min(fitting, key=lambda s: (s.price, s.millicores, s.memory_bytes, s.disk_bytes, s.gpus))


def meets(server: Server, need: Need) -> bool:
    """Whether a server has what the stages need at most."""
    return (
        server.millicores >= need.millicores
        and server.memory_bytes >= need.memory_bytes
        and server.disk_bytes >= need.disk_bytes
        and server.gpus >= need.gpus
    )


def _common_servers(offers: Sequence[OfferedService]) -> list[Server]:
    others = [{server.server_id for server in offer.service.servers} for offer in offers[1:]]
    return [server for server in offers[0].service.servers if all(server.server_id in ids for ids in others)]


def _described(need: Need) -> str:
    return f"{need.millicores / 1000:g} cores, {need.memory_bytes} B memory, {need.disk_bytes} B disk, {need.gpus} gpus"


def _refusal(code: str, did: str, message: str) -> Refusal:
    return Refusal(code=code, did=did, message=message)
