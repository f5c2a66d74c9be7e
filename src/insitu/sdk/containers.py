"""The container of each stage: the one that is named, else the algorithm's, else one that all data sets support."""

from collections.abc import Mapping, Sequence

from insitu.domain.algorithm import AlgorithmAsset
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import ComputeService, Container, read_compute_service
from insitu.domain.errors import InsituError
from insitu.domain.flavour import supported_container
from insitu.sdk.resolving import Resolver
from insitu.sdk.workflows import Stage

__all__ = ["choose_containers"]


async def choose_containers(stages: Sequence[Stage], resolver: Resolver) -> list[JsonObject]:
    """Return ``{image, tag, checksum}`` for each stage. Raises ``ImageNotAllowed`` where nothing fits everybody."""
    chosen: list[JsonObject] = []
    common: JsonObject | None = None
    needed: dict[str, JsonObject | None] = {}
    for stage in stages:
        named = _named(stage)
        if named is None:
            if stage.algorithm not in needed:
                needed[stage.algorithm] = await _needed(stage.algorithm, resolver)
            named = needed[stage.algorithm]
        if named is None:
            common = common or await _common(stages, resolver)
            named = common
        chosen.append(named)
    return chosen


def _named(stage: Stage) -> JsonObject | None:
    if isinstance(stage.container, Container):
        return stage.container.to_json()
    if isinstance(stage.container, Mapping):
        return dict(stage.container)
    return None


async def _needed(algorithm: str, resolver: Resolver) -> JsonObject | None:
    main = AlgorithmAsset.read((await resolver.resolve(algorithm)).ddo.main)
    needed = main.algorithm.requirements.container
    return needed.to_json() if needed is not None and needed.image and needed.digest else None


async def _common(stages: Sequence[Stage], resolver: Resolver) -> JsonObject:
    dids = dict.fromkeys(one for stage in stages for one in stage.inputs if isinstance(one, str))
    services = [await _service(did, resolver) for did in dids]
    for container in services[0].containers if services else ():
        if all(supported_container(container, service) is not None for service in services):
            return container.to_json()
    raise InsituError("ImageNotAllowed", "there is no container that all data sets of the workflow support")


async def _service(did: str, resolver: Resolver) -> ComputeService:
    return read_compute_service((await resolver.resolve(did)).ddo.compute_service())
