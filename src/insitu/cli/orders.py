"""What a person wants to run, read and checked before anything is published for it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.cli.render import name_of, plain
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import Quote
    from insitu.domain.compute_service import Container
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
    """Read the algorithm's files, or its document, and the images of the first data set.

    Raises ``InvalidRequest`` for a file or an entrypoint that is missing, ``ImageNotAllowed``, ``AssetNotFound``.
    """
    from insitu.domain.asset import WORKFLOW
    from insitu.sdk.workflows import Stage

    assert order.what is not None, "the usage was checked"
    if order.what.startswith("did:"):
        ddo = await client.assets.resolve(order.what)
        algorithm: str | NewAlgorithm = order.what
        name = name_of(str(ddo.main.get("name") or ""), order.what)
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
        container=await _container(client, order) if order.image else None,
        configuration=order.parameters,
        server_id=order.server,
    )
    return Wanted(order.what, name, stage)


async def _container(client: "Client", order: Order) -> "Container":
    """Return the image that is meant, among those that the first data set supports. Raises ``ImageNotAllowed``."""
    from insitu.domain.compute_service import read_compute_service

    service = read_compute_service((await client.assets.resolve(order.data[0])).compute_service())
    for one in service.containers:
        if order.image in {one.image, f"{one.image}:{one.tag}", one.checksum, one.digest}:
            return one
    allowed = ", ".join(f"{one.image}:{one.tag}" for one in service.containers) or "none"
    raise InsituError("ImageNotAllowed", f"{order.image} is not among the images of {order.data[0]}: {plain(allowed)}")
