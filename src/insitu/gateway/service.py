"""The gateway: a list of what it does, and who does it."""

import logging
from typing import Protocol

import anyio

from insitu.api.gateway_v1 import GatewayInfo
from insitu.gateway.agreements.agreement_follower import AgreementFollower
from insitu.gateway.agreements.assessor import Assessor
from insitu.gateway.agreements.free_gas_limiter import FreeGasLimiter
from insitu.gateway.agreements.granter import Granter
from insitu.gateway.agreements.offerer import Offerer
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.quoter import Quoter
from insitu.gateway.agreements.registry_relayer import RegistryRelayer
from insitu.gateway.agreements.relayer import Relayer
from insitu.gateway.agreements.request_checker import RequestChecker
from insitu.gateway.agreements.revision_checker import RevisionChecker
from insitu.gateway.agreements.terms_checker import TermsChecker
from insitu.gateway.agreements.version_keeper import VersionKeeper
from insitu.gateway.configuration import Keyring
from insitu.gateway.executions.agreement_lister import AgreementLister
from insitu.gateway.executions.execution_finder import ExecutionFinder
from insitu.gateway.executions.executor import Executor
from insitu.gateway.executions.pauser import Pauser
from insitu.gateway.executions.planner import Planner
from insitu.gateway.executions.presenter import Presenter
from insitu.gateway.executions.registrar import Registrar
from insitu.gateway.executions.stopper import Stopper
from insitu.gateway.executions.streamer import Streamer
from insitu.gateway.executions.ticket_taker import TicketTaker
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.file_server import FileServer
from insitu.gateway.files.lineage_checker import LineageChecker
from insitu.gateway.files.list_reader import ListReader
from insitu.gateway.files.list_writer import ListWriter
from insitu.gateway.files.publication_finder import PublicationFinder
from insitu.gateway.files.source_opener import SourceOpener
from insitu.gateway.files.upload_receiver import UploadReceiver
from insitu.gateway.outbox.dispatcher import Dispatcher
from insitu.gateway.outbox.item_interpreter import ItemInterpreter
from insitu.gateway.outbox.refusal_judge import RefusalJudge
from insitu.gateway.outbox.transaction_sender import TransactionSender
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.reading.chain_reader import CONTRACTS, ChainReader
from insitu.gateway.results.asset_maker import AssetMaker
from insitu.gateway.results.closer import Closer
from insitu.gateway.results.finisher import Finisher
from insitu.gateway.results.receipt_maker import ReceiptMaker
from insitu.gateway.results.settler import Settler
from insitu.gateway.results.sweeper import Sweeper
from insitu.gateway.sign_in.assertion_reader import AssertionReader
from insitu.gateway.sign_in.authenticator import Authenticator
from insitu.gateway.sign_in.message_reader import MessageReader
from insitu.gateway.sign_in.session_keeper import SessionKeeper
from insitu.gateway.sign_in.ticket_issuer import TicketIssuer
from insitu.ports.peers import OperatorPeer

logger = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds."""


class GatewayDesk:
    """What the gateway does without an operator. An operator is built on its ``peer``."""

    def __init__(self, ports: GatewayPorts, keyring: Keyring) -> None:
        self.ports = ports

        # Sign in.
        self.authenticator = Authenticator(
            ports=ports,
            keyring=keyring,
            assertion_reader=AssertionReader(ports=ports),
            message_reader=MessageReader(ports=ports),
            session_keeper=SessionKeeper(ports=ports),
        )
        self.ticket_issuer = TicketIssuer(ports=ports, keyring=keyring)

        # Seal and read lists of files, receive uploads, serve downloads.
        self.encrypter = Encrypter(keyring=keyring, chain_id=ports.chain.agreements.chain_id)
        self.list_reader = ListReader(encrypter=self.encrypter, lineage_checker=LineageChecker(ports=ports))
        self.source_opener = SourceOpener(ports=ports)
        self.upload_receiver = UploadReceiver(ports=ports, list_reader=self.list_reader)
        self.list_writer = ListWriter(
            ports=ports,
            encrypter=self.encrypter,
            source_opener=self.source_opener,
            upload_receiver=self.upload_receiver,
        )
        self.file_server = FileServer(ports=ports, list_reader=self.list_reader, source_opener=self.source_opener)

        # End an execution: its result, its receipt and its settlement.
        self.settler = Settler(ports=ports)
        self.finisher = Finisher(
            ports=ports,
            asset_maker=AssetMaker(ports=ports, encrypter=self.encrypter),
            receipt_maker=ReceiptMaker(ports=ports),
            settler=self.settler,
        )

        # Answer the operator and its pods.
        self.peer = TicketTaker(
            ports=ports, ticket_issuer=self.ticket_issuer, file_server=self.file_server, finisher=self.finisher
        )


class GatewayService:
    """What the gateway does for consumers, owners and the provider, and the work that goes on unasked."""

    def __init__(self, desk: GatewayDesk, operator: OperatorPeer) -> None:
        ports = desk.ports
        self.ports = ports
        self.peer = desk.peer
        self.authenticator = desk.authenticator
        self.chain_reader = ChainReader(ports=ports)
        self.upload_receiver = desk.upload_receiver
        self.list_writer = desk.list_writer
        self.publication_finder = PublicationFinder(ports=ports)
        self.file_server = desk.file_server

        # Judge agreements: quote, offer, relay and grant.
        version_keeper = VersionKeeper(ports=ports)
        assessor = Assessor(
            ports=ports, list_reader=desk.list_reader, source_opener=desk.source_opener, operator=operator
        )
        free_gas_limiter = FreeGasLimiter(ports=ports)
        terms_checker = TermsChecker(
            ports=ports, version_keeper=version_keeper, assessor=assessor, free_gas_limiter=free_gas_limiter
        )
        permission_checker = PermissionChecker(ports=ports)
        self.agreement_follower = AgreementFollower(ports=ports)
        revision_checker = RevisionChecker(ports=ports)
        self.quoter = Quoter(
            ports=ports,
            version_keeper=version_keeper,
            assessor=assessor,
            terms_checker=terms_checker,
            permission_checker=permission_checker,
            revision_checker=revision_checker,
        )
        self.offerer = Offerer(ports=ports, terms_checker=terms_checker, permission_checker=permission_checker)
        self.relayer = Relayer(ports=ports, terms_checker=terms_checker, permission_checker=permission_checker)
        request_checker = RequestChecker(ports=ports)
        self.registry_relayer = RegistryRelayer(
            ports=ports, permission_checker=permission_checker, request_checker=request_checker
        )
        self.granter = Granter(
            ports=ports, terms_checker=terms_checker, permission_checker=permission_checker, operator=operator
        )

        # Close agreements early.
        self.closer = Closer(
            ports=ports,
            permission_checker=permission_checker,
            free_gas_limiter=free_gas_limiter,
            settler=desk.settler,
        )

        # Start executions, show them and stop them.
        self.registrar = Registrar(
            ports=ports, ticket_issuer=desk.ticket_issuer, finisher=desk.finisher, operator=operator
        )
        self.executor = Executor(
            ports=ports,
            permission_checker=permission_checker,
            revision_checker=revision_checker,
            version_keeper=version_keeper,
            assessor=assessor,
            planner=Planner(source_opener=desk.source_opener),
            registrar=self.registrar,
            free_gas_limiter=free_gas_limiter,
        )
        self.execution_finder = ExecutionFinder(ports=ports)
        self.agreement_lister = AgreementLister(ports=ports)
        self.presenter = Presenter(ports=ports, operator=operator)
        self.streamer = Streamer(ports=ports, operator=operator, execution_finder=self.execution_finder)
        self.stopper = Stopper(operator=operator, execution_finder=self.execution_finder, finisher=desk.finisher)

        self.pauser = Pauser(
            ports=ports, permission_checker=permission_checker, stopper=self.stopper, closer=self.closer
        )

        # Settle what time alone brings about, and carry out everything that happens outside.
        self.sweeper = Sweeper(ports=ports, permission_checker=permission_checker, settler=desk.settler)
        item_interpreter = ItemInterpreter(ports=ports)
        self.dispatcher = Dispatcher(
            ports=ports,
            item_interpreter=item_interpreter,
            finisher=desk.finisher,
            transaction_sender=TransactionSender(ports=ports, item_interpreter=item_interpreter),
            request_checker=request_checker,
            refusal_judge=RefusalJudge(ports=ports, item_interpreter=item_interpreter),
        )

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
