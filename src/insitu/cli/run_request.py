"""What a person wants to run, read and checked before anything is published."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.cli.arguments import refuse
from insitu.cli.render import name_of
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import Quote
    from insitu.sdk.client import Client
    from insitu.sdk.workflows import NewAlgorithm, Stage


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the command line asks for; ``what`` is a path or a DID, ``data`` has the DIDs of the inputs."""

    what: str | None
    data: tuple[str, ...]
    agreement: str | None
    parameters: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    entrypoint: str | None = None
    server: str | None = None
    max_price: str | None = None
    output: Path | None = None
    force: bool = False
    no_follow: bool = False
    yes: bool = False
    relay: bool | None = None
    offer: bool = False

    def refuse_beside(self, found: str) -> None:
        """Raise a usage error for options that have no effect, now that we know what the DID is."""
        options = {"data": "--on", "parameters": "--NAME=VALUE", "image": "--image"}
        options |= {"entrypoint": "--entrypoint", "server": "--server"}
        given = {name: spelling for name, spelling in options.items() if getattr(self, name)}
        refuse("run", given | {found: ""})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published workflow, or the only stage of a workflow that is published later.

    ``what`` is the DID or the path from the command line.
    """

    what: str
    name: str
    stage: "Stage | None"

    async def check(self, client: "Client", service_index: int | None = None) -> "Quote":
        """Ask whether it may run, where, and at what price."""
        if self.stage is None:
            return await client.agreements.check(self.what, service_index)
        return await client.check_stages([self.stage], service_index)


async def read_wanted(client: "Client", request: RunRequest) -> Wanted:
    """Read the algorithm's files, or its document.

    Raises ``InvalidRequest`` for a missing file or entrypoint, ``AssetNotFound``, and a usage error for options that
    have no effect on a published algorithm or workflow.
    """
    from insitu.domain.asset import WORKFLOW
    from insitu.sdk.workflows import Stage, named_version

    assert request.what is not None, "the usage was checked"
    if request.what.startswith("did:"):
        ddo = await client.assets.resolve(*named_version(request.what))
        algorithm: str | NewAlgorithm = request.what
        name = name_of(str(ddo.main.get("name") or ""), request.what)
        request.refuse_beside("workflow" if ddo.asset_type == WORKFLOW else "published")
        if ddo.asset_type == WORKFLOW:
            return Wanted(request.what, name, None)
        if not request.data:
            raise InsituError("InvalidRequest", f"{request.what} is an algorithm: name its data set with --on did:nv:…")
    else:
        path = Path(request.what)
        name = path.name
        algorithm = await client.assets.read_algorithm(name, path, entrypoint=request.entrypoint)
    stage = Stage(
        algorithm=algorithm,
        inputs=request.data,
        container=request.image,
        configuration=request.parameters,
        server_id=request.server,
    )
    return Wanted(request.what, name, stage)
