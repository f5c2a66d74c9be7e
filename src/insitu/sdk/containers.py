"""The container of each stage: the one it names, or the algorithm's, or else one that all data sets support.

If there are several, one that has what the algorithm needs is chosen, so that nothing is found missing after the
purchase.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from insitu.domain.algorithm import AlgorithmAsset, AlgorithmDescription
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import ComputeService, Container, read_compute_service
from insitu.domain.errors import InsituError
from insitu.domain.flavour import supported_container
from insitu.domain.image_contents import ImageContents, program_of
from insitu.sdk.resolving import Resolver
from insitu.sdk.workflows import NewAlgorithm, Stage, named_version

Known = Mapping[str, ImageContents]
"""What is in the images whose contents are known, by digest."""


async def choose_containers(
    stages: Sequence[Stage],
    resolver: Resolver,
    known: Callable[[], Awaitable[Known]],
    imports: Mapping[str, frozenset[str]],
) -> list[JsonObject]:
    """Return ``{image, tag, checksum}`` for each stage.

    If neither stage nor algorithm names one, it is the first that all data sets support and that is known to have what
    the algorithm needs, or else the first with unknown contents. ``imports``: DID of an algorithm → what it imports.

    Raises ``ImageNotAllowed`` if no container is supported by all, and ``ImageUnsuitable`` if they all lack something.
    """
    chosen: list[JsonObject] = []
    common: Sequence[Container] | None = None
    needed: dict[str | NewAlgorithm, JsonObject] = {}
    for stage in stages:
        named = _own_container(stage)
        if isinstance(stage.container, str):
            common = common or await _common_containers(stages, resolver)
            named = _find_by_name(stage.container, common)
        named = named or needed.get(stage.algorithm)
        if named is None:
            algorithm, imported = await _describe(stage.algorithm, resolver, imports)
            named = _needed_container(algorithm)
            if named is None:
                common = common or await _common_containers(stages, resolver)
                named = _choose(common, await known(), algorithm, imported)
            needed[stage.algorithm] = named
        chosen.append(named)
    return chosen


def _own_container(stage: Stage) -> JsonObject | None:
    if isinstance(stage.container, Container):
        return stage.container.to_json()
    if isinstance(stage.container, Mapping):
        return dict(stage.container)
    if stage.container is None or isinstance(stage.container, str):
        return None
    raise InsituError("InvalidRequest", f"a container is a mapping, a name or a digest, not {stage.container!r:.80}")


def _find_by_name(name: str, common: Sequence[Container]) -> JsonObject:
    """Return the container with this name, name and tag, or digest. Raises ``ImageNotAllowed``."""
    for container in common:
        if name in {container.image, f"{container.image}:{container.tag}", container.checksum, container.digest}:
            return container.to_json()
    there = ", ".join(f"{container.image}:{container.tag}" for container in common)
    raise InsituError("ImageNotAllowed", f"{name:.200} is not among the images that all data sets support: {there}")


async def _describe(
    algorithm: str | NewAlgorithm, resolver: Resolver, imports: Mapping[str, frozenset[str]]
) -> tuple[AlgorithmDescription, frozenset[str]]:
    if isinstance(algorithm, NewAlgorithm):
        return algorithm.description, algorithm.imports
    asset = await resolver.resolve(*named_version(algorithm))
    return AlgorithmAsset.read(asset.ddo.main).algorithm, imports.get(asset.did, frozenset())


def _needed_container(algorithm: AlgorithmDescription) -> JsonObject | None:
    needed = algorithm.requirements.container
    return needed.to_json() if needed is not None and needed.image and needed.digest else None


def _choose(
    common: Sequence[Container], known: Known, algorithm: AlgorithmDescription, imports: frozenset[str]
) -> JsonObject:
    program, unsuitable, unknown = program_of(algorithm.entrypoint), [], []
    for container in common:
        contents = known.get(container.digest or "")
        if contents is None:
            unknown.append(container)
        elif lacking := contents.lacks(program, imports):
            unsuitable.append(f"{container.image}:{container.tag} lacks {', '.join(lacking)}")
        else:
            return container.to_json()
    if not unknown:
        raise InsituError("ImageUnsuitable", "; ".join(unsuitable))
    return unknown[0].to_json()


async def _common_containers(stages: Sequence[Stage], resolver: Resolver) -> Sequence[Container]:
    dids = dict.fromkeys(did for stage in stages for did in stage.inputs if isinstance(did, str))
    services = [await _service(did, resolver) for did in dids]
    common = [
        container
        for container in (services[0].containers if services else ())
        if all(supported_container(container, service) is not None for service in services)
    ]
    if common:
        return common
    raise InsituError("ImageNotAllowed", "there is no container that all data sets of the workflow support")


async def _service(did: str, resolver: Resolver) -> ComputeService:
    return read_compute_service((await resolver.resolve(did)).ddo.compute_service())
