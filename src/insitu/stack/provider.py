"""The services of one process: built from the settings, and wired to each other or to peers elsewhere."""

import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.settings import Settings
from insitu.stack.infrastructure import on_a_cluster, on_this_machine
from insitu.stack.locking import close_folders, folder_lock
from insitu.stack.objects import access, open_blobs, open_logs, remote_places
from insitu.stack.offers import (
    FUNDED,
    gateway_configuration,
    image_contents,
    keyring,
    offered_containers,
    provider_signer,
)
from insitu.stack.parts import gateway_info, open_chain
from insitu.stack.stores import open_agreements, open_catalog

if TYPE_CHECKING:
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.sources.targets import Targets
    from insitu.gateway.service import GatewayDesk, GatewayService
    from insitu.metadata.pools import PendingLimits, Pools
    from insitu.metadata.service import MetadataService
    from insitu.operator.engine import Engine
    from insitu.operator.service import OperatorService
    from insitu.ports.keys import Signer
    from insitu.ports.peers import GatewayPeer, MetadataPeer, OperatorPeer
    from insitu.sdk.http import Http

__all__ = ["ACTORS", "Actor", "Services", "open_services"]

logger = logging.getLogger("insitu.stack.provider")

Actor = Literal["metadata", "gateway", "operator"]
MEET_AGAIN = 5.0
"""Seconds."""
ACTORS: tuple[Actor, ...] = ("metadata", "gateway", "operator")


@dataclass(slots=True)
class Services:
    """The actors of this process. Those that run elsewhere are None; their peers are HTTP clients.

    Attributes
    ----------
    announcements
        One line for each embedded part, so that nothing falls back silently.
    executing
        The operator that the gateway of this process sends executions to: the one here, or one elsewhere.
    attend
        Runs the engine: immediately, or whenever this process leads.
    """

    settings: Settings
    public_url: str
    chain: "EvmChain | None" = None
    metadata: "MetadataService | None" = None
    gateway: "GatewayService | None" = None
    operator: "OperatorService | None" = None
    executing: "OperatorPeer | None" = None
    engine: "Engine | None" = None
    attend: "Callable[[Engine], Coroutine[None, None, None]] | None" = None
    service_key: str = ""
    announcements: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Do the work that needs no requests, until cancelled."""
        async with anyio.create_task_group() as tasks:
            for worker in (self.metadata, self.gateway):
                if worker is not None:
                    tasks.start_soon(worker.run)
            if self.metadata is not None and self.gateway is None and self.settings.gateway.url is not None:
                tasks.start_soon(self._meet_gateway, self.metadata.pools, self.settings.gateway.url)
            if self.engine is not None and self.attend is not None:
                tasks.start_soon(self.attend, self.engine)

    async def _meet_gateway(self, pools: "Pools", url: str) -> None:
        """Learn the account of the gateway that the settings name, whose publications wait behind nobody's."""
        while True:
            try:
                gateway = await gateway_info(url)
            except InsituError as error:
                logger.info("the gateway at %s has not said its account yet: %s", url, error)
                await anyio.sleep(MEET_AGAIN)
            else:
                return pools.welcome(gateway.provider_address)


@asynccontextmanager
async def open_services(
    settings: Settings, actors: frozenset[Actor], public_url: str, *, patience: float = 0.0
) -> AsyncIterator[Services]:
    """Open the actors on the data folder, which no other process may use at the same time.

    ``patience``: seconds to wait for another process to end.

    Raises ``AlreadyRunning``, ``SettingsInvalid`` if a neighbour's address is missing, ``ExtraMissing``.
    """
    async with AsyncExitStack() as stack:
        close_folders(settings.folder)
        await stack.enter_async_context(folder_lock(settings.folder.lock, patience))
        services = Services(settings, public_url)
        builder = _Builder(services, stack, actors)
        await builder.build()
        yield services


class _Builder:
    """Builds the services in the order of need: chain, metadata, the gateway's desk, operator, gateway."""

    def __init__(self, services: Services, stack: AsyncExitStack, actors: frozenset[Actor]) -> None:
        self._services = services
        self._settings = services.settings
        self._stack = stack
        self._actors = actors

    async def build(self) -> None:
        services, actors = self._services, self._actors
        from insitu.adapters.keys.secrets import service_key

        services.service_key = service_key(self._settings.folder.keys / "service.key")
        if actors & {"metadata", "gateway"}:
            services.chain = await self._chain()
        if "metadata" in actors:
            services.metadata = await self._metadata()
        desk = await self._desk() if "gateway" in actors else None
        if "operator" in actors:
            await self._operator(desk.peer if desk is not None else self._gateway_peer())
        if desk is not None:
            from insitu.gateway.service import GatewayService

            services.executing = services.operator or self._operator_peer()
            services.gateway = GatewayService(desk, services.executing)

    async def _chain(self) -> "EvmChain":
        settings = self._settings
        if not settings.chain.embedded:
            chain = open_chain(settings)
            self._stack.push_async_callback(chain.close)
            await chain.verify()
            return chain
        from insitu.adapters.chain.embedded import EmbeddedChain
        from insitu.adapters.keys.dev import dev_signer

        funded = [dev_signer(name).address for name in FUNDED]
        embedded = await EmbeddedChain.start(
            settings.folder.chain, dev_signer("deployer"), port=settings.chain.embedded_port, funded=funded
        )
        self._stack.push_async_callback(embedded.close)
        self._services.announcements.append(f"development chain {embedded.agreements.chain_id} at {embedded.url}")
        return embedded

    async def _metadata(self) -> "MetadataService":
        from insitu.adapters.clock import SystemClock
        from insitu.metadata.service import MetadataService

        settings = self._settings
        return MetadataService(
            catalog=await open_catalog(settings, self._stack),
            chain=self._opened_chain(),
            clock=SystemClock(),
            public_url=self._services.public_url,
            confirmations=settings.chain.depth,
            pending_lifetime=settings.metadata.pending_lifetime,
            page_size=settings.metadata.page_size,
            limits=self._pending_limits(),
        )

    def _pending_limits(self) -> "PendingLimits":
        from insitu.metadata.pools import PendingLimits

        chosen, gateways = (
            self._settings.metadata,
            [read_address(account) for account in self._settings.metadata.gateways],
        )
        if "gateway" in self._actors:
            gateways.append(self._signer.address)
        if not gateways and self._settings.gateway.url is None:
            line = "metadata.gateways is empty: the results of gateways wait among other people's documents"
            self._services.announcements.append(line)
        return PendingLimits(
            gateways=tuple(gateways),
            stake=chosen.stake,
            per_creator=chosen.pending_per_creator,
            creators=chosen.pending_creators,
            per_network=chosen.pending_per_network,
            strangers=chosen.pending_strangers,
            share_bytes=chosen.pending_share_bytes,
            pool_bytes=chosen.pending_bytes,
        )

    async def _desk(self) -> "GatewayDesk":
        from insitu.adapters.clock import SystemClock
        from insitu.adapters.sources.web import WebSources
        from insitu.api.metadata_v1 import DDO
        from insitu.gateway.ports import GatewayPorts
        from insitu.gateway.service import GatewayDesk

        settings, services = self._settings, self._services
        metadata_url = (settings.metadata.url or services.public_url) + DDO + "/{did}"
        ports = GatewayPorts(
            configuration=gateway_configuration(settings, services.public_url, metadata_url),
            chain=self._opened_chain(),
            signer=self._signer,
            metadata=self._metadata_peer(),
            agreements=await open_agreements(settings, self._stack),
            blobs=open_blobs(settings),
            sources=WebSources(self._targets(), access(settings), tuple(remote_places(settings).values())),
            clock=SystemClock(),
            containers=partial(offered_containers, settings),
            image_contents=partial(image_contents, settings),
        )
        return GatewayDesk(ports, keyring(settings))

    async def _operator(self, gateway: "GatewayPeer") -> None:
        from insitu.adapters.clock import SystemClock
        from insitu.domain.next_actions import Rules
        from insitu.operator.engine import Engine, Parts
        from insitu.operator.service import OperatorService

        settings, services = self._settings, self._services
        if settings.operator.runtime == "kubernetes":
            where = await on_a_cluster(settings, services.public_url, self._stack)
        else:
            # A process that runs the development chain, whose keys everybody knows, sells to nobody.
            alone = services.chain is not None and settings.chain.embedded
            where = await on_this_machine(settings, gateway, self._stack, for_strangers=not alone)
        clock, logs = SystemClock(), await open_logs(settings, self._stack)
        parts = Parts(
            executions=where.executions,
            logs=logs,
            runtime=where.runtime,
            gateway=gateway,
            clock=clock,
            rules=Rules(
                attempts=settings.operator.attempts,
                configure_seconds=settings.operator.configure_deadline,
                publish_seconds=settings.operator.publish_deadline,
                queue_seconds=settings.operator.queue_deadline,
            ),
            capacity=where.capacity,
            resync=timedelta(seconds=settings.operator.resync),
            retention=timedelta(seconds=settings.operator.retention),
        )
        services.engine = Engine(parts)
        services.attend = where.attend
        services.operator = OperatorService(
            executions=where.executions, logs=logs, engine=services.engine, clock=clock, capacity=where.capacity
        )

    @cached_property
    def _signer(self) -> "Signer":
        return provider_signer(self._settings)  # a key file takes a second to open

    def _opened_chain(self) -> "EvmChain":
        if self._services.chain is None:
            raise InsituError("InternalError", "the chain must be opened before the services that need it")
        return self._services.chain

    def _metadata_peer(self) -> "MetadataPeer":
        from insitu.adapters.peers.metadata import HttpMetadata, OwnMetadata

        own = self._services.metadata
        address = self._services.public_url if own is not None else self._address("metadata")
        others = HttpMetadata(self._stranger_client(), address)
        return OwnMetadata(own or HttpMetadata(self._client, address), address, others)

    def _operator_peer(self) -> "OperatorPeer":
        from insitu.adapters.peers.operator import HttpOperator

        address = self._address("operator")
        if not address.startswith("unix:"):
            return HttpOperator(self._client, address, self._services.service_key)
        from insitu.sdk.http import Http

        http = self._closed_at_last(Http.at_socket(address.removeprefix("unix:")))
        return HttpOperator(http, "http://operator", self._services.service_key)

    def _gateway_peer(self) -> "GatewayPeer":
        from insitu.adapters.peers.gateway import HttpGateway

        return HttpGateway(self._client, self._address("gateway"))

    def _address(self, actor: Actor) -> str:
        addresses: Mapping[Actor, str | None] = {
            "metadata": self._settings.metadata.url,
            "gateway": self._settings.gateway.url,
            "operator": self._settings.operator.url,
        }
        address = addresses[actor]
        if address is None:
            raise InsituError("SettingsInvalid", f"the {actor} runs in another process: set {actor}.url to its address")
        return address

    def _targets(self) -> "Targets":
        from insitu.adapters.sources.targets import Targets

        gateway = self._settings.gateway
        return Targets(gateway.allowed_hosts, allow_private=gateway.allow_private_targets)

    def _stranger_client(self) -> "Http":
        """Return a client for URLs that anybody can register on chain: it reaches public addresses only."""
        from insitu.adapters.sources.guarded import GuardedTransport
        from insitu.sdk.http import Http

        return self._closed_at_last(Http(timeout=10, transport=GuardedTransport(self._targets())))

    @cached_property
    def _client(self) -> "Http":
        from insitu.sdk.http import Http

        return self._closed_at_last(Http())

    def _closed_at_last(self, http: "Http") -> "Http":
        self._stack.push_async_callback(http.close)
        return http
