"""One step of a pod in its own process, as on a cluster; on a single machine the engine calls the same code."""

from pydantic import JsonValue

from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKind
from insitu.ports.pods import Workspace
from insitu.ports.runtime import Step
from insitu.settings.sections import Settings


async def run_pod(settings: Settings, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
    """Run a configure or publish step and return its result; the gateway is at ``gateway.url``.

    Raises ``SettingsInvalid`` without that address, and whatever the step raises.
    """
    from insitu.adapters.peers.gateway import HttpGateway
    from insitu.pods.configure import Configure
    from insitu.pods.publish import Publish
    from insitu.sdk.http import Http

    if settings.gateway.url is None:
        raise InsituError("SettingsInvalid", "a pod reaches the gateway over HTTP: set gateway.url to its address")
    async with Http() as http:
        gateway = HttpGateway(http, settings.gateway.url)
        pod = Configure(gateway) if step.key.kind is StepKind.CONFIGURE else Publish(gateway)
        return await pod(step, workspace)
