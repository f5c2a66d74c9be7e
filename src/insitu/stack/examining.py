"""What the doctor examines: whether the place where executions run keeps its promises."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NoReturn

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings
from insitu.stack.parts import open_images

if TYPE_CHECKING:
    from insitu.domain.finding import Finding
    from insitu.ports.agreement_records import OutboxItem
    from insitu.ports.runtime import Enforcement


async def probe_runtime(settings: Settings) -> "Enforcement":
    """Prove the seal of this machine's runtime with a real run."""
    from insitu.adapters.runtime.oci.runner import OciRuntime
    from insitu.stack.infrastructure import allows_unlimited

    runtime = OciRuntime(
        runs=settings.folder.runs,
        images=open_images(settings),
        configure=_only_probing,
        publish=_only_probing,
        allow_unlimited=allows_unlimited(settings, for_strangers=not settings.chain.embedded),
    )
    return await runtime.probe()


async def examine_cluster(settings: Settings) -> "tuple[Finding, ...]":
    """Examine the cluster of the settings, for the doctor. Raises ``SettingsInvalid``, ``ExtraMissing``."""
    from insitu.stack.infrastructure import ENGINE_LEASE, open_cluster, placement

    placed, cluster = placement(settings, settings.public_url), open_cluster(settings)
    from insitu.adapters.runtime.kubernetes.examining import examine

    async with cluster:
        return tuple([finding async for finding in examine(cluster, placed, ENGINE_LEASE)])


async def given_up(settings: Settings) -> "tuple[OutboxItem, ...]":
    """Return what the gateway had to give up: results that were not registered, payments that were not settled."""
    if settings.gateway.database_url_file is None and not settings.folder.gateway_db.exists():
        return ()
    from insitu.stack.stores import open_agreements

    async with AsyncExitStack() as stack:
        return await (await open_agreements(settings, stack)).given_up()


async def _only_probing(step: object, workspace: object) -> NoReturn:
    raise InsituError("RuntimeUnavailable", "this runtime was opened for a probe, not to run executions")
