"""What a person wants to run, read and checked before anything is published for it."""

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

__all__ = ["Order", "Wanted", "read_wanted"]


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line; ``what`` is a path or a DID, ``data`` the DIDs of the inputs."""

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
    follow: bool = True
    yes: bool = False
    relay: bool | None = None
    offer: bool = False

    def refuse_beside(self, found: str) -> None:
        """Refuse what would change nothing, now that it is known what a DID stands for: a usage error."""
        options = {"data": "--on", "parameters": "--NAME=VALUE", "image": "--image"}
        options |= {"entrypoint": "--entrypoint", "server": "--server"}
        given = {name: spelt for name, spelt in options.items() if getattr(self, name)}
        refuse("run", given | {found: ""})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published workflow, or the one stage of a workflow that is published once everything is decided.

    ``what`` is the DID or the path that was given.
    """

    what: str
    name: str
    stage: "Stage | None"

    async def check(self, client: "Client", service_index: int | None = None) -> "Quote":
        """Ask whether it may run, where, and for how much."""
        if self.stage is None:
            return await client.agreements.check(self.what, service_index)
        return await client.check_stages([self.stage], service_index)


async def read_wanted(client: "Client", order: Order) -> Wanted:
    """Read the algorithm's files, or its document.

    Raises ``InvalidRequest`` for a file or an entrypoint that is missing, ``AssetNotFound``, a usage error for options
    that a published algorithm or workflow makes useless.
    """
    from insitu.domain.asset import WORKFLOW
    from insitu.sdk.workflows import Stage

    assert order.what is not None, "the usage was checked"
    if order.what.startswith("did:"):
        ddo = await client.assets.resolve(order.what)
        algorithm: str | NewAlgorithm = order.what
        name = name_of(str(ddo.main.get("name") or ""), order.what)
        order.refuse_beside("workflow" if ddo.asset_type == WORKFLOW else "published")
        if ddo.asset_type == WORKFLOW:
            return Wanted(order.what, name, None)
        if not order.data:
            raise InsituError("InvalidRequest", f"{order.what} is an algorithm: say on which data set, --on did:nv:…")
    else:
        path = Path(order.what)
        name = path.name
        algorithm = await client.assets.read_algorithm(name, path, entrypoint=order.entrypoint)
    stage = Stage(
        algorithm=algorithm,
        inputs=order.data,
        container=order.image,
        configuration=order.parameters,
        server_id=order.server,
    )
    return Wanted(order.what, name, stage)
