"""Which containers and servers an execution may use, and which algorithms the consumer may use (E4).

The gateway checks before it grants and before it hands over; the operator checks again, from the documents alone.
"""

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
    """Return the entry of supportedContainers with the same image, the same digest and, if given, the same tag.

    The image is later pulled by this entry's name, never by the workflow's.
    """
    for offered in service.containers:
        same_name = offered.image == wanted.image and (wanted.tag is None or offered.tag == wanted.tag)
        if same_name and offered.digest is not None and offered.digest == wanted.digest:
            return offered
    return None


def image_of(wanted: Container | None, service: ComputeService) -> ImageReference | None:
    """Return the image of a stage's container by the service's own name for it, or None if it is not supported."""
    offered = supported_container(wanted, service) if wanted is not None else None
    if offered is None or offered.digest is None:
        return None
    return ImageReference(image=offered.image or "", tag=offered.tag or "", digest=offered.digest)


def flavour_refusals(workflow: Workflow, offers: Sequence[OfferedService]) -> tuple[Refusal, ...]:
    """Return why the stages' containers may not run on these inputs; empty if they may.

    The compute service of **every** input must support every stage's container, because what a stage reads may come
    from any input. A service without supportedContainers supports none.
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
    """Return why the consumer may not use these algorithms in this workflow; empty if they may.

    An algorithm can be used if the consumer owns it or it is free, and only in the container that it needs.
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
            message = (
                f"{algorithm.did} needs the container {algorithm.container}, but stage {stage.number} names another"
            )
            refusals.append(_refusal("ImageNotAllowed", algorithm.did, message))
    return tuple(dict.fromkeys(refusals))


def choose_server(workflow: Workflow, offers: Sequence[OfferedService]) -> Server:
    """Return the one server of an execution.

    It is the ``serverId`` that the stages name, or the cheapest one that meets the maxima of the stages' cpu, memory,
    disk and gpu. ``offers`` are the compute services of all inputs, the agreement's first. The server is taken from
    the first, and the services of all other inputs must list a server with the same id. If prices are equal, the
    smaller server wins, then the earlier one in the list.

    Raises ``ServerAmbiguous`` if stages name different servers, ``NoSuitableServer`` with the reason, and
    ``InvalidQuantity``.
    """
    if not offers:
        raise InsituError("NoSuitableServer", "the workflow reads no data set with a compute service")
    named = workflow.server_ids
    if len(named) > 1:
        raise InsituError("ServerAmbiguous", f"the stages name the servers {', '.join(named)}"[:200])
    common = _common_servers(offers)
    if named and named[0] not in {server.server_id for server in common}:
        raise InsituError("NoSuitableServer", f"no server {named[0][:80]!r} is offered for all inputs")
    need = workflow.need
    fitting = [s for s in common if (not named or s.server_id == named[0]) and meets(s, need)]
    if not fitting:
        raise InsituError("NoSuitableServer", f"no server offers {_describe(need)}")
    return min(fitting, key=lambda s: (s.price, s.millicores, s.memory_bytes, s.disk_bytes, s.gpus))


def meets(server: Server, need: Need) -> bool:
    """Return whether a server has as much as the stages need."""
    return (
        server.millicores >= need.millicores
        and server.memory_bytes >= need.memory_bytes
        and server.disk_bytes >= need.disk_bytes
        and server.gpus >= need.gpus
    )


def _common_servers(offers: Sequence[OfferedService]) -> list[Server]:
    others = [{server.server_id for server in offer.service.servers} for offer in offers[1:]]
    return [server for server in offers[0].service.servers if all(server.server_id in ids for ids in others)]


def _describe(need: Need) -> str:
    return f"{need.millicores / 1000:g} cores, {need.memory_bytes} B memory, {need.disk_bytes} B disk, {need.gpus} gpus"


def _refusal(code: str, did: str, message: str) -> Refusal:
    return Refusal(code=code, did=did, message=message)
