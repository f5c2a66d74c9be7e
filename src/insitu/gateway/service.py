"""The gateway: a list of what it does, and who does it."""

import logging
from typing import Protocol

import anyio

from insitu.api.gateway_v1 import GatewayInfo
from insitu.gateway.agreements.agreement_follower import AgreementFollower
from insitu.gateway.agreements.budget_reader import BudgetReader
from insitu.gateway.agreements.granter import Granter
from insitu.gateway.agreements.offerer import Offerer
from insitu.gateway.agreements.quoter import Quoter
from insitu.gateway.agreements.registry_relayer import RegistryRelayer
from insitu.gateway.agreements.relayer import Relayer
from insitu.gateway.assembly import Assembly
from insitu.gateway.configuration import Keyring
from insitu.gateway.executions.agreement_lister import AgreementLister
from insitu.gateway.executions.bookkeeper import Bookkeeper
from insitu.gateway.executions.execution_finder import ExecutionFinder
from insitu.gateway.executions.executor import Executor
from insitu.gateway.executions.pauser import Pauser
from insitu.gateway.executions.presenter import Presenter
from insitu.gateway.executions.registrar import Registrar
from insitu.gateway.executions.stopper import Stopper
from insitu.gateway.executions.streamer import Streamer
from insitu.gateway.executions.ticket_taker import TicketTaker
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.file_server import FileServer
from insitu.gateway.files.folder_lister import FolderLister
from insitu.gateway.files.list_reader import ListReader
from insitu.gateway.files.list_writer import ListWriter
from insitu.gateway.files.publication_finder import PublicationFinder
from insitu.gateway.files.source_opener import SourceOpener
from insitu.gateway.files.upload_receiver import UploadReceiver
from insitu.gateway.outbox.dispatcher import Dispatcher
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.reading.chain_reader import CONTRACTS, ChainReader
from insitu.gateway.results.closer import Closer
from insitu.gateway.results.sweeper import Sweeper
from insitu.gateway.sign_in.authenticator import Authenticator
from insitu.gateway.sign_in.ticket_issuer import TicketIssuer
from insitu.ports.peers import OperatorPeer

logger = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds."""


class GatewayDesk:
    """What the gateway does without an operator. An operator is built on its ``peer``."""

    def __init__(self, ports: GatewayPorts, keyring: Keyring) -> None:
        self.ports = ports
        self.encrypter = Encrypter(keyring=keyring, chain_id=ports.chain.agreements.chain_id)
        self.agents = Assembly({GatewayPorts: ports, Keyring: keyring, Encrypter: self.encrypter})

        # Answer the operator and its pods; for that, open files and end executions.
        self.ticket_issuer = self.agents.of(TicketIssuer)
        self.list_reader = self.agents.of(ListReader)
        self.source_opener = self.agents.of(SourceOpener)
        self.peer = self.agents.of(TicketTaker)


MOST_PAUSED = 1000
"""Paused data sets that everybody is told of."""


class GatewayService:
    """What the gateway does for consumers, owners and the provider, and the work that goes on unasked."""

    def __init__(self, desk: GatewayDesk, operator: OperatorPeer) -> None:
        agents = desk.agents.joined_by({OperatorPeer: operator})
        self.ports = desk.ports
        self.peer = desk.peer
        self.authenticator = agents.of(Authenticator)
        self.chain_reader = agents.of(ChainReader)
        self.budget_reader = agents.of(BudgetReader)

        # List the provider's folders, seal lists of files, receive uploads, serve downloads.
        self.upload_receiver = agents.of(UploadReceiver)
        self.folder_lister = agents.of(FolderLister)
        self.list_writer = agents.of(ListWriter)
        self.publication_finder = agents.of(PublicationFinder)
        self.file_server = agents.of(FileServer)

        # Judge agreements: quote, offer, relay and grant. Close them early.
        self.agreement_follower = agents.of(AgreementFollower)
        self.quoter = agents.of(Quoter)
        self.offerer = agents.of(Offerer)
        self.relayer = agents.of(Relayer)
        self.registry_relayer = agents.of(RegistryRelayer)
        self.granter = agents.of(Granter)
        self.closer = agents.of(Closer)

        # Start executions, show them and stop them.
        self.registrar = agents.of(Registrar)
        self.executor = agents.of(Executor)
        self.execution_finder = agents.of(ExecutionFinder)
        self.agreement_lister = agents.of(AgreementLister)
        self.bookkeeper = agents.of(Bookkeeper)
        self.presenter = agents.of(Presenter)
        self.streamer = agents.of(Streamer)
        self.stopper = agents.of(Stopper)
        self.pauser = agents.of(Pauser)

        # Settle what time alone brings about, and carry out everything that happens outside.
        self.sweeper = agents.of(Sweeper)
        self.dispatcher = agents.of(Dispatcher)

    async def run(self) -> None:
        """Follow the chain, grant, send, register and sweep until cancelled; interrupted work goes on next time.

        If several gateways share one memory, one of them does this; the others wait, and answer requests.
        """
        await self.ports.agreements.work_alone(self._work)

    async def _work(self) -> None:
        workers = (
            self.agreement_follower,
            self.granter,
            self.dispatcher,
            self.registrar,
            self.sweeper,
            self.pauser,
            self.upload_receiver,
        )
        async with anyio.create_task_group() as group:
            for worker in workers:
                group.start_soon(_keep_working, worker)

    async def info(self) -> GatewayInfo:
        """Return who this gateway is, and which chain and contracts it uses."""
        chain, configuration = self.ports.chain, self.ports.configuration
        return GatewayInfo(
            version=configuration.version,
            provider_address=self.ports.provider,
            public_url=configuration.public_url,
            chain_id=chain.agreements.chain_id,
            contracts={name: chain.contract(name) for name in CONTRACTS},
            relay=configuration.relay,
            metadata_url=configuration.metadata_url,
            supported_containers=await self.ports.containers(),
            image_contents=await self.ports.image_contents(),
            supported_servers=configuration.servers,
            paused=tuple(sorted(await self.ports.agreements.paused())[:MOST_PAUSED]),
        )


class Worker(Protocol):
    """Something that works until it is cancelled."""

    async def run(self) -> None:
        """Work; everything done is stored, so starting again is harmless."""
        ...


async def _keep_working(worker: Worker) -> None:
    """Restart a worker after a defect or a failed disk: the others need it, and its work is stored."""
    while True:
        try:
            await worker.run()
        except Exception:
            logger.exception("%s stopped and is restarted", type(worker).__name__)
        await anyio.sleep(RESTART_PAUSE)
