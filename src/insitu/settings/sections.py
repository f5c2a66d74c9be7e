"""The sections of the settings: names, defaults, units, and what each value means.

The string under an attribute is its documentation; the reference page is generated from it.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from insitu.settings.folder import DataFolder
from insitu.settings.places import Place

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[int, Field(ge=0, le=366 * 24 * 3600)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,39}$")]

Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, Field(union_mode="left_to_right")]

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
MIB = 1024 * 1024


class Section(BaseModel):
    """A frozen group of settings; unknown names are refused when they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ServerSettings(Section):
    """Where this process listens, and the address under which others reach it."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: Port = 8030
    """TCP port to bind; 0 takes any free one."""
    user: str | None = None
    """Who answers HTTP where root starts this; the engine stays root. Default: the user insitu, if there is one."""
    public_url: str | None = None
    """The address that DDOs and tokens name; https unless it is this machine. Default: http://<host>:<port>."""
    proxies: tuple[Network, ...] = ()
    """Addresses or networks (CIDR) of reverse proxies in front of this process, whose word about a client's address
    counts. Default: none, and the client is whoever connects."""
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    """The header in which the proxies say so. They must set or extend it themselves; no other one is read."""

    @field_validator("public_url")
    @classmethod
    def _https_unless_loopback(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http or https url")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https, because tokens travel over it; http is for this machine only")
        return value.rstrip("/")


class ChainSettings(Section):
    """The EVM chain that keeps DIDs, agreements and money."""

    rpc_url: str | None = None
    """JSON-RPC address of a node. Default: an embedded development chain, started as a child process."""
    embedded_port: Port = 8545
    """TCP port of the embedded chain on 127.0.0.1; 0 takes any free one."""
    expose_known_keys: bool = False
    """Whether others than this machine may reach a provider on the embedded chain. Its keys are known to everybody: who
    reaches it can pay, publish and grant in anybody's name, and have the files of the data roots."""
    confirmations: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Blocks to wait before an event counts. Default: 0 on the embedded chain, 5 elsewhere."""
    deployments: Path | None = None
    """JSON file with the contracts' addresses. Default: chain/deployments.json in the data folder."""

    @property
    def embedded(self) -> bool:
        """Whether this process runs the chain itself."""
        return self.rpc_url is None

    @property
    def depth(self) -> int:
        """Confirmations that are in force, in blocks."""
        if self.confirmations is not None:
            return self.confirmations
        return 0 if self.embedded else 5


class ContainerOffer(Section):
    """An image that new compute services allow unless their publisher says otherwise."""

    image: str
    """Repository, e.g. ``insitu/python``."""
    tag: str
    """For people; the checksum decides."""
    checksum: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Digest of the manifest."""


class ServerOffer(Section):
    """A size of machine that new compute services offer unless their publisher says otherwise."""

    server_id: str
    """Name in workflows (``serverId``)."""
    server_type: str = ""
    """For people (``serverType``)."""
    price: Amount = "0"
    """Paid to the gateway for each agreement, in base units of the token."""
    cpu: PositiveFloat = 1
    """Cores."""
    gpu: Annotated[int, Field(ge=0)] = 0
    """Devices."""
    memory: PositiveInt = 1_000_000_000
    """Bytes."""
    disk: PositiveInt = 2_000_000_000
    """Bytes of output and logs."""
    max_execution_time: PositiveInt = HOUR
    """Seconds for all stages of one execution together."""


class GatewaySettings(Section):
    """What the gateway accepts, opens and keeps."""

    creators: tuple[Address, ...] = ()
    """Accounts whose data sets may name files of this machine (``file:``, ``pvc:``)."""
    data_roots: tuple[Path, ...] = ()
    """Folders below which ``file:`` urls may point."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names and networks (CIDR) that are fetched although they are private or loopback."""
    allow_private_targets: bool = False
    """Fetch from private and loopback addresses in general; for development."""
    free_grants_per_day: Annotated[int, Field(ge=0)] = 100
    """Free agreements that one consumer is granted in 24 hours."""
    relay: bool = True
    """Send the purchases of consumers who sign them and cannot pay for gas, with the provider's coin."""
    relays_per_day: Annotated[int, Field(ge=0)] = 20
    """Purchases that are sent for one consumer in 24 hours."""
    relay_budget: Annotated[int, Field(ge=0)] = 10**17
    """Wei that purchases of strangers may cost at most in 24 hours, all together. Not in it are accounts whose charged
    executions have paid this provider for what was sent for them."""
    free_gas_budget: Annotated[int, Field(ge=0)] | None = None
    """Wei that executions of strangers without a charge may take in 24 hours, all together: registration of the result,
    settlement. Default: 10^17; no limit on the embedded chain, whose coin is worth nothing."""
    coin_price: Amount = str(10**21)
    """Base units of the token that are worth one coin (10^18 wei), to compare what an account has paid with the gas
    that was sent for it. With 0 everybody is a stranger."""
    blobs: Place | None = None
    """Results and uploads: a folder, or a prefix of a bucket, ``s3://bucket/results``, ``gs://…``, ``az://…``, which
    several gateways share. Default: blobs/ in the data folder."""
    result_retention: Seconds = 30 * DAY
    """Seconds for which results are kept for download."""
    token_lifetime: Annotated[int, Field(ge=60, le=DAY)] = 10 * MINUTE
    """Seconds for which an access token is valid."""
    containers: tuple[ContainerOffer, ...] = ()
    """Default ``supportedContainers`` of new compute services."""
    servers: tuple[ServerOffer, ...] = (ServerOffer(server_id="small", server_type="small"),)
    """Default ``supportedServers`` of new compute services."""
    url: str | None = None
    """Address of a gateway in another process, for the parts that call one. Default: the object in this process."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` url of agreements and receipts. Default: SQLite, gateway.db."""


class OperatorSettings(Section):
    """How executions share this machine or cluster, and how long each phase may take."""

    runtime: Literal["oci", "kubernetes"] = "oci"
    """Where algorithms run."""
    cpu: PositiveFloat | None = None
    """Cores for all executions together. Default: the machine's less 20 %; on a cluster it has to be set."""
    memory: PositiveInt | None = None
    """Bytes of memory for all executions together. Default: as for cores."""
    disk: PositiveInt | None = None
    """Bytes of output for all executions together. Default: free in the data folder less 20 %; as for cores."""
    allow_unlimited: bool | None = None
    """Run algorithms although this machine cannot limit their memory, as without root; receipts say so. For algorithms
    that you trust. Default: only where the embedded chain runs in the same process, so that nobody buys with money."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """Starts of one stage before its execution is given up as ``Interrupted``."""
    stop_grace: NonNegativeFloat = 5.0
    """Seconds between asking an algorithm to end and killing it."""
    queue_deadline: Seconds = HOUR
    """Seconds that an execution may wait for capacity."""
    configure_deadline: Seconds = 10 * MINUTE
    """Seconds for fetching and checking inputs, algorithm and image of one stage."""
    publish_deadline: Seconds = 10 * MINUTE
    """Seconds for publishing and registering the result."""
    resync: PositiveFloat = 30.0
    """Seconds between two looks at everything; wake-ups make it a safety net."""
    log_bytes: PositiveInt = 16 * MIB
    """Bytes of log that are kept for one stage; an algorithm that writes more is stopped."""
    retention: Annotated[int, Field(ge=HOUR, le=100 * 366 * DAY)] = 30 * DAY
    """Seconds for which records and logs of ended executions are kept; agreements and receipts stay at the gateway."""
    logs: Place | None = None
    """What algorithms print: a folder, or a prefix of a bucket, ``s3://bucket/logs``, which replicas of an operator
    share. Default: logs/ in the data folder."""
    url: str | None = None
    """Address of an operator in another process, ``unix:/path`` for a socket. Default: the object in this process."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` url of executions, but on a cluster. Default: SQLite, operator.db."""


class ClusterSettings(Section):
    """The Kubernetes cluster that executions run on, where ``operator.runtime`` is ``kubernetes``."""

    kubeconfig: Path | None = None
    """File with address and credentials. Default: the service account of the pod that this runs in, or KUBECONFIG."""
    namespace: str = "insitu-executions"
    """Namespace of executions: their records, pods and volumes, and nothing else."""
    image: Annotated[str, Field(pattern=r"^\S+@sha256:[0-9a-f]{64}$")] | None = None
    """The project's own image for the Configuration and the Publishing Pod: ``registry/repository@sha256:…``."""
    registry: str | None = None
    """What stands before the name of an algorithm's image that names no registry itself, e.g. ``ghcr.io/us``."""
    registries: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")], ...] | None = None
    """Registries that are asked for an image's digest before an execution is taken, each ``https://host[:port]``, or
    ``http://…`` without TLS. Default: the one of ``registry``. Of all others only the pull tells; ``[]`` asks none."""
    gateway_url: str | None = None
    """Where pods find the gateway. Default: ``gateway.url``, or this process where others can reach it."""
    storage_class: str | None = None
    """Makes the volumes, and must enforce their size. Default: the cluster's."""
    runtime_class: str | None = None
    """RuntimeClass of Compute Pods: one without network, gVisor, Kata. Default: the cluster's runtime."""
    node_selector: tuple[Annotated[str, Field(pattern=r"^[^=\s]+=[^=\s]*$")], ...] = ()
    """Labels of the nodes for Compute Pods, each ``name=value``."""
    gpu_resource: str = "nvidia.com/gpu"
    """Name of the resource that a device is."""
    pending_deadline: Annotated[int, Field(ge=1, le=DAY)] = 5 * MINUTE
    """Seconds after which a pod that cannot be scheduled or started is given up."""
    node_loss: Annotated[int, Field(ge=1, le=DAY)] = 30
    """Seconds after which a pod on a node that does not answer is given up."""


class MetadataSettings(Section):
    """The catalogue."""

    pending_lifetime: Seconds = HOUR
    """Seconds after which a DDO that never appeared on chain is dropped."""
    gateways: tuple[Address, ...] = ()
    """Accounts of gateways that publish here: their results wait behind nobody. The gateway of this process is one, and
    so is that of ``gateway.url``."""
    stake: Annotated[int, Field(ge=0)] = 10**16
    """Wei. Documents of an account that holds so much, or has registered an asset itself, wait in a pool of their own;
    those of all others share one for strangers. For uploads (``limits``) it is the same, but only holding counts."""
    pending_per_creator: PositiveInt = 100
    """Documents of one account of the first kind that may wait for the chain."""
    pending_creators: PositiveInt = 10_000
    """Documents of all these accounts that may wait."""
    pending_per_network: PositiveInt = 100
    """Documents of strangers from one network (IPv4 /24, IPv6 /48) that may wait."""
    pending_strangers: PositiveInt = 2_000
    """Documents of all strangers that may wait."""
    pending_share_bytes: PositiveInt = 4 * MIB
    """Bytes of waiting documents of one such account, or of one network of strangers."""
    pending_bytes: PositiveInt = 64 * MIB
    """Bytes of waiting documents in either of the two pools."""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    """Largest number of results in one page of a search."""
    url: str | None = None
    """Address of a metadata service in another process. Default: the object in this process."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` url of the catalogue. Default: SQLite, metadata.db."""


class ObjectStoreSettings(Section):
    """How buckets are reached: those of ``gateway.blobs`` and ``operator.logs``, and of files in data sets."""

    endpoint: str | None = None
    """Address of a store that is not the cloud's own (MinIO, Ceph …): ``https://…``. Default: the cloud's."""
    region: str | None = None
    """Region of the buckets. Default: AWS_REGION, else us-east-1."""
    account: str | None = None
    """Storage account on Azure. Default: AZURE_STORAGE_ACCOUNT_NAME."""
    credentials_file: Path | None = None
    """Secret file: for ``s3`` a shared credentials file of AWS (``[default]``), for ``gs`` a service account (JSON),
    for ``az`` an account key. Default: the platform's environment, or the identity of machine or service account."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust beside the public ones."""

    @field_validator("endpoint")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("must be http:// or https:// with a host, and without a path")
        if parts.username is not None or parts.query:
            raise ValueError("must hold no keys: they belong into object_store.credentials_file")
        return value.rstrip("/")


class LimitSettings(Section):
    """Bounds on what a caller can send."""

    body_bytes: PositiveInt = MIB
    """Bytes of a JSON body."""
    upload_bytes: PositiveInt = 64 * MIB
    """Bytes of an uploaded algorithm."""
    uploads_per_account: PositiveInt = 1024 * MIB
    """Bytes of uploads that are kept for one account that holds ``metadata.stake``. What no registered asset names is
    dropped after a day."""
    uploads_per_network: PositiveInt = 128 * MIB
    """The same for all other accounts in one network of clients (IPv4 /24, IPv6 /48)."""
    uploads_of_strangers: PositiveInt = 1024 * MIB
    """The same for all these other accounts together."""
    uploads_total: PositiveInt = 16 * 1024 * MIB
    """Bytes of all uploads that are kept."""
    free_disk: Annotated[int, Field(ge=0)] = 512 * MIB
    """Bytes that uploads leave free on the disk of ``gateway.blobs``, where it is a folder."""
    connections: PositiveInt = 2000
    """Connections at the same time; fewer where this process may not open twice as many files (`ulimit -Hn`)."""


class Settings(Section):
    """Everything that can be set; see the sections."""

    home: Path
    """The data folder. Only from INSITU_HOME or ``--home``, because config.toml lies in it."""
    server: ServerSettings = ServerSettings()
    chain: ChainSettings = ChainSettings()
    gateway: GatewaySettings = GatewaySettings()
    operator: OperatorSettings = OperatorSettings()
    cluster: ClusterSettings = ClusterSettings()
    metadata: MetadataSettings = MetadataSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    limits: LimitSettings = LimitSettings()

    @property
    def folder(self) -> DataFolder:
        """Where each thing lies below ``home``."""
        return DataFolder(self.home)

    @property
    def public_url(self) -> str:
        """The address under which this process is reached, without a slash at the end."""
        if self.server.public_url is not None:
            return self.server.public_url
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return f"http://{host}:{self.server.port}"

    @property
    def deployments(self) -> Path:
        """The file with the contracts' addresses."""
        return self.chain.deployments or self.folder.deployments


def is_loopback(host: str) -> bool:
    """Whether a host of a url names this machine, without asking DNS."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
