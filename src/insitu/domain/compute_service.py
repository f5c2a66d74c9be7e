"""The compute service: who computes, in which containers, on which servers, at what price, and under which rules."""

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field
from typing_extensions import override

from insitu.domain.agreement_times import AgreementTimes, agreement_times
from insitu.domain.conditions import AgreementTemplate
from insitu.domain.document import Document, Whole
from insitu.domain.errors import InsituError
from insitu.domain.money import DocumentAmount
from insitu.domain.plan import Limits
from insitu.domain.policy import Policy
from insitu.domain.service import COMPUTE, Service, sha256_of
from insitu.domain.units import parse_bytes, parse_cores, parse_count

Quantity = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
"""A quantity as documents write it: a string, or a bare number in older ones."""


class Container(Document):
    """A container image: its name, a tag for people, and a checksum (digest of the manifest) for machines."""

    image: str | None = None
    tag: str | None = None
    checksum: str | None = None

    @property
    def digest(self) -> str | None:
        """``sha256:`` and 64 lower-case hex digits; None if the checksum is missing or not a SHA-256."""
        digits = sha256_of(self.checksum)
        return f"sha256:{digits}" if digits else None

    @override
    def __str__(self) -> str:
        return f"{self.image}:{self.tag}@{self.checksum}"


class Server(Document):
    """A server that an execution may run on. ``max_execution_time`` is in seconds, for all stages together."""

    server_id: str | None = Field(
        default=None, validation_alias=AliasChoices("serverId", "containerId"), serialization_alias="serverId"
    )
    server_type: str | None = Field(
        default=None, validation_alias=AliasChoices("serverType", "typeContainer"), serialization_alias="serverType"
    )
    price: DocumentAmount = 0
    cpu: Quantity = "1"
    gpu: Quantity = "0"
    memory: Quantity = "1gb"
    disk: Quantity = "1gb"
    max_execution_time: Whole = 0

    @property
    def millicores(self) -> int:
        """Thousandths of a core. Raises ``InvalidQuantity``."""
        return parse_cores(self.cpu)

    @property
    def gpus(self) -> int:
        """Number of graphics processors. Raises ``InvalidQuantity``."""
        return parse_count(self.gpu)

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory. Raises ``InvalidQuantity``."""
        return parse_bytes(self.memory)

    @property
    def disk_bytes(self) -> int:
        """Bytes of disk. Raises ``InvalidQuantity``."""
        return parse_bytes(self.disk)

    def limits(self) -> Limits:
        """Return what the server grants, for the plan. Raises ``InvalidQuantity``."""
        return Limits(
            server_id=self.server_id or "",
            cpu_millis=self.millicores,
            memory_bytes=self.memory_bytes,
            disk_bytes=self.disk_bytes,
            gpu=self.gpus,
            max_execution_seconds=self.max_execution_time,
        )


class ComputeCluster(Document):
    """Where the infrastructure says it runs. Only informative: nothing connects to it."""

    type: str | None = None
    url: str | None = None


class Environment(Document):
    """What may run, and on what. Without supported containers nothing may run."""

    cluster: ComputeCluster | None = None
    supported_containers: tuple[Container, ...] = ()
    supported_servers: tuple[Server, ...] = ()


class Provider(Document):
    """Who provides the infrastructure."""

    type: str | None = None
    description: str | None = None
    environment: Environment = Environment()


class ComputeService(Document):
    """``main`` of a compute service. ``price`` is in base units of the token, ``timeout`` in seconds."""

    name: str | None = None
    creator: str | None = None
    date_published: str | None = None
    price: DocumentAmount = 0
    timeout: Whole = 0
    provider: Provider = Provider()
    service_agreement_template: AgreementTemplate | None = None
    policy: Policy = Policy()

    @property
    def containers(self) -> tuple[Container, ...]:
        """The container images that may run. If there are none, nothing may run."""
        return self.provider.environment.supported_containers

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers on offer."""
        return self.provider.environment.supported_servers

    @property
    def longest_execution(self) -> int:
        """The largest maxExecutionTime of the servers, in seconds."""
        return max((server.max_execution_time for server in self.servers), default=0)

    def times(self) -> AgreementTimes:
        """Return the times of an agreement on this service. Raises what :func:`agreement_times` raises."""
        template = self.service_agreement_template or AgreementTemplate()
        return agreement_times(self.timeout, template, self.longest_execution)


def read_compute_service(service: Service, pointer: str = "") -> ComputeService:
    """Return the typed ``main`` of a service of type compute, with the agreement template from older places too.

    ``pointer`` says where the service is in its document. Raises ``ServiceNotFound`` if it is of another type, and
    ``InvalidDocument`` with pointers.
    """
    if service.type != COMPUTE:
        raise InsituError("ServiceNotFound", f"service {service.index} is of type {service.type}, not compute")
    main = dict(service.main)
    if "serviceAgreementTemplate" not in main and service.agreement_template is not None:
        main["serviceAgreementTemplate"] = service.agreement_template
    return ComputeService.read(main, f"{pointer}/attributes/main")
