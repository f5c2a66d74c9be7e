"""The gateway: everything that its routes offer, composed from small services."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import anyio
from pydantic import JsonValue

from insitu.api.gateway_v1 import ExecutionList, ExecutionView, GatewayInfo
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason
from insitu.domain.image_contents import ImageContents
from insitu.gateway.agreements.agreement_follower import Follower
from insitu.gateway.agreements.assessor import Assessor
from insitu.gateway.agreements.free_gas_limiter import FreeGas
from insitu.gateway.agreements.granter import Granting
from insitu.gateway.agreements.offerer import Offering
from insitu.gateway.agreements.permission_checker import Permission
from insitu.gateway.agreements.quoter import Quoting
from insitu.gateway.agreements.relayer import Relaying
from insitu.gateway.agreements.terms_checker import Acceptance
from insitu.gateway.configuration import GatewayConfiguration, Keyring
from insitu.gateway.executions.execution_finder import Access, Seen
from insitu.gateway.executions.executor import Executing
from insitu.gateway.executions.planner import Planner
from insitu.gateway.executions.presenter import Views
from insitu.gateway.executions.registrar import Registrar
from insitu.gateway.executions.streamer import Streams
from insitu.gateway.executions.ticket_taker import TicketDesk
from insitu.gateway.files.encrypter import Sealing
from insitu.gateway.files.file_server import Files
from insitu.gateway.files.lineage_checker import Lineage
from insitu.gateway.files.list_reader import Lists
from insitu.gateway.files.source_opener import FileSources
from insitu.gateway.files.upload_receiver import Uploads
from insitu.gateway.outbox.dispatcher import Outbox
from insitu.gateway.outbox.effects import Effects
from insitu.gateway.outbox.transaction_sender import Transactions
from insitu.gateway.results.asset_maker import ResultAssets
from insitu.gateway.results.finisher import Finishing
from insitu.gateway.results.receipt_maker import Receipts
from insitu.gateway.results.settler import Settling
from insitu.gateway.results.sweeper import Sweeper
from insitu.gateway.sign_in.authenticator import Caller, Tokens
from insitu.gateway.sign_in.ticket_issuer import Tickets
from insitu.gateway.wakeups import Wakeups
from insitu.ports.agreements import Agreements
from insitu.ports.blobs import Blobs
from insitu.ports.chain import Chain
from insitu.ports.clock import Clock
from insitu.ports.keys import Signer
from insitu.ports.peers import MetadataPeer, OperatorPeer
from insitu.ports.sources import Sources
from insitu.sdk.resolving import Resolver

__all__ = ["GatewayDesk", "GatewayPorts", "GatewayService", "OfferedContainers"]

logger = logging.getLogger("insitu.gateway")

START_AGAIN = 1.0
"""Seconds."""

CONTRACTS = (
    "DIDRegistry",
    "NeverminedToken",
    "ServiceExecutionTemplate",
    "TemplateStoreManager",
)


class Worker(Protocol):
    """Something that works until it is cancelled."""

    async def run(self) -> None:
        """Work; what is done is stored, so that starting again is harmless."""
        ...


async def _keep_working(worker: Worker) -> None:
    """Start a worker again that a defect or a failed disk has ended: the others need it, and its work is stored."""
    while True:
        try:
            await worker.run()
        except Exception:
            logger.exception("%s ended and is started again", type(worker).__name__)
        await anyio.sleep(START_AGAIN)


OfferedContainers = Callable[[], Awaitable[tuple[dict[str, JsonValue], ...]]]
"""Returns the images that publishers may choose from now, in the form of ``supportedContainers``."""


KnownContents = Callable[[], Awaitable[dict[str, ImageContents]]]
"""Returns what is in the images of this machine, by digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPorts:
    """The gateway's neighbours, but for the operator."""

    chain: Chain
    signer: Signer
    metadata: MetadataPeer
    agreements: Agreements
    blobs: Blobs
    sources: Sources
    clock: Clock
    containers: OfferedContainers
    image_contents: KnownContents


class GatewayDesk:
    """The part of the gateway that needs no operator; ``peer`` is what an operator is built on."""

    def __init__(self, ports: GatewayPorts, keyring: Keyring, configuration: GatewayConfiguration) -> None:
        self.ports = ports
        self.configuration = configuration
        self.wakeups = Wakeups(ports.clock)
        self.resolver = Resolver(ports.chain, ports.metadata)
        self.sealing = Sealing(keyring, ports.chain.agreements.chain_id)
        self.lists = Lists(self.sealing, Lineage(ports.chain, self.resolver, ports.metadata))
        self.sources = FileSources(configuration, ports.signer.address, ports.agreements, ports.blobs, ports.sources)
        self.uploads = Uploads(
            configuration, ports.chain, ports.agreements, ports.blobs, self.resolver, self.lists, ports.clock
        )
        self.files = Files(ports.blobs, self.resolver, self.sealing, self.lists, self.sources, self.uploads)
        self.settling = Settling(ports.signer, ports.chain)
        self.finishing = Finishing(
            configuration,
            ports.agreements,
            ResultAssets(ports.signer, self.sealing, ports.blobs, ports.clock, configuration.metadata_url),
            Receipts(ports.signer, ports.chain, configuration.version),
            self.settling,
            ports.clock,
            self.wakeups,
        )
        self.tokens = Tokens(keyring, configuration, ports.agreements, ports.clock)
        self.tickets = Tickets(keyring, ports.agreements, ports.clock, configuration.late_after)
        self.peer = TicketDesk(ports.agreements, ports.blobs, self.tickets, self.files, self.finishing, self.wakeups)


class GatewayService:
    """What consumers, owners and the provider ask of the gateway, and the work that goes on without being asked.

    Attributes
    ----------
    tokens, quoting, offering, relaying, executing, access, views, streams, files
        The services behind the routes.
    peer
        The gateway as the operator's neighbour.
    """

    def __init__(self, desk: GatewayDesk, operator: OperatorPeer) -> None:
        ports, configuration = desk.ports, desk.configuration
        self.configuration = configuration
        self.clock = ports.clock
        self.peer = desk.peer
        self.tokens = desk.tokens
        self.files = desk.files
        self.uploads = desk.uploads
        self._ports = ports
        self._operator = operator
        self._finishing = desk.finishing
        provider = ports.signer.address
        assessor = Assessor(
            configuration,
            provider,
            ports.chain,
            desk.resolver,
            ports.metadata,
            desk.lists,
            desk.sources,
            operator,
        )
        permission = Permission(provider, ports.chain, ports.agreements, ports.clock)
        registrar = Registrar(
            ports.agreements,
            operator,
            desk.tickets,
            desk.finishing,
            ports.clock,
            desk.wakeups,
            configuration.late_after,
        )
        free_gas = FreeGas(configuration, provider, ports.chain, ports.agreements, ports.clock)
        acceptance = Acceptance(configuration, ports.agreements, assessor, free_gas, ports.clock)
        self.offering = Offering(ports.signer, ports.chain, acceptance, permission)
        self.relaying = Relaying(
            configuration,
            provider,
            ports.chain,
            ports.agreements,
            acceptance,
            permission,
            ports.clock,
            desk.wakeups,
        )
        self.quoting = Quoting(assessor, acceptance, desk.resolver, ports.signer)
        self.executing = Executing(
            ports.agreements, permission, assessor, Planner(desk.sources), registrar, free_gas, ports.clock
        )
        self.access = Access(provider, ports.agreements, ports.chain, ports.clock)
        self.views = Views(operator, ports.agreements)
        self.streams = Streams(ports.agreements, operator, desk.wakeups)
        self.follower = Follower(
            provider, configuration.confirmations, ports.chain, ports.agreements, ports.clock, desk.wakeups
        )
        self.granting = Granting(
            configuration,
            ports.chain,
            ports.agreements,
            acceptance,
            permission,
            operator,
            ports.clock,
            desk.wakeups,
        )
        effects = Effects(ports.agreements, ports.signer, ports.clock)
        self.outbox = Outbox(
            ports.agreements,
            ports.chain,
            ports.metadata,
            effects,
            desk.finishing,
            Transactions(
                configuration.confirmations,
                ports.chain,
                ports.signer,
                ports.agreements,
                effects,
                ports.clock,
                desk.wakeups,
            ),
            ports.clock,
            desk.wakeups,
        )
        self.registrar = registrar
        retention = timedelta(seconds=configuration.result_retention)
        self.sweeper = Sweeper(
            ports.agreements, permission, desk.settling, ports.blobs, ports.clock, desk.wakeups, retention
        )

    async def run(self) -> None:
        """Follow the chain, grant, send, register and sweep until cancelled; what is interrupted goes on next time.

        Of several gateways on one memory one does so; the others wait, and answer requests.
        """
        await self._ports.agreements.work_alone(self._work)

    async def _work(self) -> None:
        async with anyio.create_task_group() as group:
            for worker in (self.follower, self.granting, self.outbox, self.registrar, self.sweeper, self.uploads):
                group.start_soon(_keep_working, worker)

    async def info(self) -> GatewayInfo:
        """Return what the root tells: who this gateway is, and which chain and contracts it uses."""
        chain, configuration = self._ports.chain, self.configuration
        return GatewayInfo(
            version=configuration.version,
            provider_address=self._ports.signer.address,
            public_url=configuration.public_url,
            chain_id=chain.agreements.chain_id,
            contracts={name: chain.contract(name) for name in CONTRACTS},
            relay=configuration.relay,
            metadata_url=configuration.metadata_url,
            supported_containers=await self._ports.containers(),
            image_contents=await self._ports.image_contents(),
            supported_servers=configuration.servers,
        )

    async def status(self, caller: Caller, agreement: str, execution: str) -> ExecutionView:
        """Return one execution to whoever has a role in it."""
        return await self.views.execution(await self.access.see(caller, agreement, execution))

    async def list(self, caller: Caller, agreement: str | None, limit: int) -> ExecutionList:
        """Return the executions that the caller may see, newest first."""
        seen = await self.access.list(caller, agreement, limit)
        return ExecutionList(executions=tuple([await self.views.execution(one) for one in seen]))

    async def stop(self, caller: Caller, agreement: str, execution: str) -> ExecutionView:
        """Ask for the end of an execution; an ended one stays as it is."""
        seen = await self.access.see(caller, agreement, execution)
        if seen.execution.live:
            await self._stop(seen)
            seen = await self.access.see(caller, agreement, execution)
        return await self.views.execution(seen)

    async def _stop(self, seen: Seen) -> None:
        execution = seen.execution
        try:
            await self._operator.stop(execution.agreement_id, execution.execution_id, seen.role)
        except InsituError as error:
            if error.code != "ExecutionUnknown" or execution.acknowledged:
                raise
            # The operator has never had it, so there is nothing to end but the record.
            reason = Reason(code=f"StoppedBy{seen.role.capitalize()}", message=f"stopped by the {seen.role}")
            await self._finishing.end(execution, Phase.STOPPED, reason)
