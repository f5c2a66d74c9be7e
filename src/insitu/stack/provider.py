"""The services of one process: built from the settings, and wired to each other or to peers elsewhere."""

import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.settings.sections import Settings
from insitu.stack.infrastructure import on_a_cluster, on_this_machine
from insitu.stack.locking import close_folders, folder_lock
from insitu.stack.objects import open_blobs, open_logs
from insitu.stack.offers import (
    FUNDED,
    curators,
    gateway_configuration,
    image_contents,
    keyring,
    offered_containers,
    provider_signer,
)
from insitu.stack.parts import gateway_info, open_chain
from insitu.stack.peers import Actor, Peers
from insitu.stack.sources import open_sources
from insitu.stack.stores import open_agreements, open_catalog

if TYPE_CHECKING:
    from insitu.adapters.chain.client import EvmChain
    from insitu.gateway.service import GatewayDesk, GatewayService
    from insitu.marketplace.service import Marketplace
    from insitu.metadata.pools import PendingLimits, Pools
    from insitu.metadata.service import MetadataService
    from insitu.operator.engine import Engine
    from insitu.operator.service import OperatorService
    from insitu.ports.keys import Signer
    from insitu.ports.peers import GatewayPeer, OperatorPeer

logger = logging.getLogger("insitu.stack.provider")

MEET_AGAIN = 1.0
"""Seconds."""


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
    service_key: str
    chain: "EvmChain | None" = None
    metadata: "MetadataService | None" = None
    gateway: "GatewayService | None" = None
    operator: "OperatorService | None" = None
    marketplace: "Marketplace | None" = None
    executing: "OperatorPeer | None" = None
    engine: "Engine | None" = None
    attend: "Callable[[Engine], Coroutine[None, None, None]] | None" = None
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
        pools.awaits_gateway = True
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
    from insitu.adapters.keys.secrets import service_key

    async with AsyncExitStack() as stack:
        services = Services(settings, public_url, "")
        if actors != {"marketplace"}:  # pages alone keep nothing here
            close_folders(settings.folder)
            await stack.enter_async_context(folder_lock(settings.folder.lock, patience))
            services.service_key = service_key(settings.folder.keys / "service.key")
        await _Builder(services, stack, actors).build()
        yield services


class _Builder:
    """Builds the services in the order of need: chain, metadata, the gateway's desk, operator, gateway."""

    def __init__(self, services: Services, stack: AsyncExitStack, actors: frozenset[Actor]) -> None:
        self._services = services
        self._settings = services.settings
        self._stack = stack
        self._actors = actors
        self._catalogue_url = (services.settings.metadata.url or services.public_url).rstrip("/")
        self._peers = Peers(services.settings, stack, public_url=services.public_url, service_key=services.service_key)

    async def build(self) -> None:
        services, actors = self._services, self._actors
        if actors & {"metadata", "gateway"}:
            services.chain = await self._open_chain()
        if "metadata" in actors:
            services.metadata = await self._build_metadata()
        desk = await self._build_desk() if "gateway" in actors else None
        if "operator" in actors:
            await self._build_operator(desk.peer if desk is not None else self._peers.gateway())
        if desk is not None:
            from insitu.gateway.service import GatewayService

            services.executing = services.operator or self._peers.operator()
            services.gateway = GatewayService(desk, services.executing)
        if "marketplace" in actors:
            from insitu.stack.marketplace import open_marketplace

            services.marketplace = open_marketplace(services, self._catalogue_url, self._stack)

    async def _open_chain(self) -> "EvmChain":
        settings = self._settings
        if not settings.chain.embedded:
            chain = open_chain(settings)
            self._stack.push_async_callback(chain.close)
            await chain.verify()
            return chain
        from insitu.adapters.chain.embedded import EmbeddedChain
        from insitu.adapters.keys.dev import dev_signer
        from insitu.stack.earlier import close_earlier

        funded = [dev_signer(name).address for name in FUNDED]
        embedded = await EmbeddedChain.start(
            settings.folder.chain, dev_signer("deployer"), port=settings.chain.embedded_port, funded=funded
        )
        self._stack.push_async_callback(embedded.close)
        self._services.announcements.append(f"development chain {embedded.agreements.chain_id} at {embedded.url}")
        self._services.announcements += await close_earlier(settings, embedded, self._signer)
        return embedded

    async def _build_metadata(self) -> "MetadataService":
        from insitu.adapters.clock import SystemClock
        from insitu.metadata.service import MetadataService

        settings = self._settings
        return MetadataService(
            catalog=await open_catalog(settings, self._stack),
            chain=self._chain,
            clock=SystemClock(),
            public_url=self._catalogue_url,
            confirmations=settings.chain.depth,
            pending_lifetime=settings.metadata.pending_lifetime,
            page_size=settings.metadata.page_size,
            limits=self._pending_limits(),
            curators=curators(settings, self._catalogue_url),
        )

    def _pending_limits(self) -> "PendingLimits":
        from insitu.metadata.pools import PendingLimits

        chosen = self._settings.metadata
        gateways = [read_address(account) for account in chosen.gateways]
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

    async def _build_desk(self) -> "GatewayDesk":
        from insitu.adapters.clock import SystemClock
        from insitu.api.metadata_v1 import DDO
        from insitu.gateway.ports import GatewayPorts
        from insitu.gateway.service import GatewayDesk

        settings, services = self._settings, self._services
        metadata_url = self._catalogue_url + DDO + "/{did}"
        ports = GatewayPorts(
            configuration=gateway_configuration(settings, services.public_url, metadata_url),
            chain=self._chain,
            signer=self._signer,
            metadata=self._peers.metadata(services.metadata),
            agreements=await open_agreements(settings, self._stack),
            blobs=open_blobs(settings),
            sources=open_sources(settings),
            clock=SystemClock(),
            containers=partial(offered_containers, settings),
            image_contents=partial(image_contents, settings),
        )
        return GatewayDesk(ports, keyring(settings))

    async def _build_operator(self, gateway: "GatewayPeer") -> None:
        from insitu.adapters.clock import SystemClock
        from insitu.domain.deadlines import Rules
        from insitu.operator.engine import Engine, Parts
        from insitu.operator.service import OperatorService

        settings, services = self._settings, self._services
        if settings.operator.runtime == "kubernetes":
            place = await on_a_cluster(settings, services.public_url, self._stack)
        else:
            # A process that runs the development chain, whose keys everybody knows, sells to nobody.
            alone = services.chain is not None and settings.chain.embedded
            place = await on_this_machine(settings, gateway, self._stack, for_strangers=not alone)
        clock, logs = SystemClock(), await open_logs(settings, self._stack)
        parts = Parts(
            executions=place.executions,
            logs=logs,
            runtime=place.runtime,
            gateway=gateway,
            clock=clock,
            rules=Rules(
                attempts=settings.operator.attempts,
                configure_seconds=settings.operator.configure_deadline,
                publish_seconds=settings.operator.publish_deadline,
                queue_seconds=settings.operator.queue_deadline,
            ),
            capacity=place.capacity,
            resync=timedelta(seconds=settings.operator.resync),
            retention=timedelta(seconds=settings.operator.retention),
        )
        services.engine = Engine(parts)
        services.attend = place.attend
        services.operator = OperatorService(
            executions=place.executions, logs=logs, engine=services.engine, clock=clock, capacity=place.capacity
        )

    @cached_property
    def _signer(self) -> "Signer":
        return provider_signer(self._settings)  # a key file takes a second to open

    @property
    def _chain(self) -> "EvmChain":
        if self._services.chain is None:
            raise InsituError("InternalError", "the chain must be opened before the services that need it")
        return self._services.chain
