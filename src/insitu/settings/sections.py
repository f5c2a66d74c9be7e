"""The sections of the settings: names, defaults, units, and what each value means.

The string below an attribute documents it; the reference page is generated from these strings.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from insitu.domain.hosts import is_loopback
from insitu.settings.folder import DataFolder
from insitu.settings.places import Place

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[int, Field(ge=0, le=366 * 24 * 3600)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,39}$")]
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")]

Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, Field(union_mode="left_to_right")]

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
MIB = 1024 * 1024


def _https_unless_loopback(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https, because tokens are sent over it; http is only for this machine")
    return value.rstrip("/")


def _require_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be http:// or https:// with a host and without a path")
    if parts.username is not None or parts.query:
        raise ValueError("must not contain keys: they belong in object_store.credentials_file")
    return value.rstrip("/")


class Section(BaseModel):
    """A frozen group of settings. Unknown names are refused when settings are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ServerSettings(Section):
    """Where this process listens, and the address at which others reach it."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: Port = 8030
    """TCP port to bind; 0 picks a free one."""
    user: str | None = None
    """User that answers HTTP when root starts this; the engine stays root. Default: the user insitu, if it exists."""
    public_url: Annotated[str, AfterValidator(_https_unless_loopback)] | None = None
    """Address that DDOs and tokens name; must be https unless it is this machine. Default: http://<host>:<port>."""
    proxies: tuple[Network, ...] = ()
    """Addresses or networks (CIDR) of reverse proxies in front of this process that are trusted to report a client's
    address. Default: none; the address that connects is the client's."""
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    """Header in which the proxies report it. They must set or extend it themselves; no other header is read."""


class ChainSettings(Section):
    """The EVM chain that keeps DIDs, agreements and money."""

    rpc_url: str | None = None
    """JSON-RPC address of a node. Default: an embedded development chain, started as a child process."""
    embedded_port: Port = 8545
    """TCP port of the embedded chain on 127.0.0.1; 0 picks a free one."""
    expose_known_keys: bool = False
    """Let other machines reach a provider on the embedded chain. The keys of that chain are public: anyone who reaches
    the provider can pay, publish and grant in anybody's name, and read the files in the data roots."""
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
        """The number of confirmations that applies, in blocks."""
        if self.confirmations is not None:
            return self.confirmations
        return 0 if self.embedded else 5


class ContainerOffer(Section):
    """An image that new compute services allow by default."""

    image: str
    """Repository, e.g. ``insitu/python``."""
    tag: str
    """For people only; the checksum decides."""
    checksum: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Digest of the manifest."""


class ServerOffer(Section):
    """A machine size that new compute services offer by default."""

    server_id: str
    """Name in workflows (``serverId``)."""
    server_type: str = ""
    """For people only (``serverType``)."""
    price: Amount = "0"
    """What the gateway gets for each agreement, in base units of the token."""
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
    """Accounts whose data sets may name files on this machine (``file:``, ``pvc:``), and who see the names of all files
    below ``data_roots``."""
    data_roots: tuple[Path, ...] = ()
    """Folders that ``file:`` URLs may point into."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names and networks (CIDR) that files may be fetched from although they are private or loopback."""
    allow_private_targets: bool = False
    """Allow fetching from all private and loopback addresses; for development only."""
    free_grants_per_day: Annotated[int, Field(ge=0)] = 100
    """Free agreements granted to one consumer in 24 hours."""
    chain_reads: bool = True
    """Let pages read the contracts through this gateway's node, without a token."""
    relay: bool = True
    """Pay the gas for what others sign: purchases, and requests to the registry."""
    relays_per_day: Annotated[int, Field(ge=0)] = 20
    """Purchases sent for one consumer in 24 hours."""
    relay_budget: Annotated[int, Field(ge=0)] = 10**17
    """Wei that the purchases and registry requests of all strangers together may cost in 24 hours. An account is no
    longer a stranger once its charged executions have paid this provider for what was sent for it."""
    free_gas_budget: Annotated[int, Field(ge=0)] | None = None
    """Wei that strangers' executions without a charge may cost in 24 hours, all together, for registering the result
    and settling. Default: 10^17; no limit on the embedded chain, whose coin is worth nothing."""
    free_compute_per_agreement: PositiveInt | None = None
    """Seconds of compute in 24 hours that may pay nothing to you or the accounts in ``gateway.creators``, under one
    agreement. Default: 6 times the longest ``max_execution_time`` of ``gateway.servers``; no limit on the embedded
    chain."""
    free_compute_per_consumer: PositiveInt | None = None
    """The same for one consumer. Default: 12 times; no limit on the embedded chain."""
    free_compute_of_strangers: PositiveInt | None = None
    """The same for all strangers together, separately for agreements that can pay you and for others. Default: 48
    times; no limit on the embedded chain. Here a stranger is an account whose charged executions have not paid you what
    was spent for it and ``metadata.stake``."""
    coin_price: Amount = str(10**21)
    """Base units of the token that are worth one coin (10^18 wei), to compare what an account has paid with the gas
    that was spent for it. With 0 everybody is a stranger."""
    blobs: Place | None = None
    """Where results and uploads are stored: a folder, or a prefix in a bucket (``s3://bucket/results``, ``gs://…``,
    ``az://…``) that several gateways can share. Default: blobs/ in the data folder."""
    result_retention: Seconds = 30 * DAY
    """Seconds for which results can be downloaded."""
    token_lifetime: Annotated[int, Field(ge=60, le=DAY)] = 10 * MINUTE
    """Seconds for which an access token is valid; one of a session for at most 30 minutes."""
    marketplaces: tuple[Origin, ...] = ()
    """Origins of pages, such as ``https://market.example``, on which wallets may sign in here with a message of
    ERC-4361. The gateway's own origin need not be listed."""
    containers: tuple[ContainerOffer, ...] = ()
    """Default ``supportedContainers`` of new compute services."""
    servers: tuple[ServerOffer, ...] = (ServerOffer(server_id="small", server_type="small"),)
    """Default ``supportedServers`` of new compute services."""
    url: str | None = None
    """Address of a gateway in another process. Default: the gateway of this process."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` URL for agreements and receipts. Default: SQLite, gateway.db."""


class OperatorSettings(Section):
    """How executions share this machine or cluster, and how long each phase may take."""

    runtime: Literal["oci", "kubernetes"] = "oci"
    """Where algorithms run."""
    cpu: PositiveFloat | None = None
    """Cores for all executions together. Default: 80 % of the machine's; must be set on a cluster."""
    memory: PositiveInt | None = None
    """Bytes of memory for all executions together. Default: 80 % of the machine's; must be set on a cluster."""
    disk: PositiveInt | None = None
    """Bytes of output for all executions together. Default: 80 % of what is free in the data folder; must be set on a
    cluster."""
    allow_unlimited: bool | None = None
    """Run algorithms even if this machine cannot limit their memory, for instance without root; receipts say so. Only
    for algorithms you trust. Default: on if the embedded chain runs in this process, so that nobody pays real money."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """How often a stage is started before its execution ends as ``Interrupted``."""
    stop_grace: NonNegativeFloat = 5.0
    """Seconds between asking an algorithm to stop and killing it."""
    queue_deadline: Seconds = HOUR
    """Seconds that an execution may wait for capacity."""
    configure_deadline: Seconds = 10 * MINUTE
    """Seconds for fetching and checking the inputs, algorithm and image of one stage."""
    publish_deadline: Seconds = 10 * MINUTE
    """Seconds for publishing and registering the result."""
    resync: PositiveFloat = 30.0
    """Seconds between checks of all executions; a safety net, because changes normally wake the engine."""
    log_bytes: PositiveInt = 16 * MIB
    """Bytes of log kept for one stage; an algorithm that writes more is stopped."""
    retention: Annotated[int, Field(ge=HOUR, le=100 * 366 * DAY)] = 30 * DAY
    """Seconds for which records and logs of ended executions are kept. The gateway keeps agreements and receipts."""
    logs: Place | None = None
    """Where the logs of algorithms are stored: a folder, or a prefix in a bucket (``s3://bucket/logs``) that replicas
    of an operator share. Default: logs/ in the data folder."""
    url: str | None = None
    """Address of an operator in another process; ``unix:/path`` for a socket. Default: the operator of this process."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` URL for executions, unless on a cluster. Default: SQLite, operator.db."""


class ClusterSettings(Section):
    """The Kubernetes cluster that executions run on if ``operator.runtime`` is ``kubernetes``."""

    kubeconfig: Path | None = None
    """File with address and credentials. Default: the service account of the pod this runs in, or KUBECONFIG."""
    namespace: str = "insitu-executions"
    """Namespace of executions, for their records, pods and volumes and nothing else."""
    image: Annotated[str, Field(pattern=r"^\S+@sha256:[0-9a-f]{64}$")] | None = None
    """The project's own image for the Configuration and the Publishing Pod: ``registry/repository@sha256:…``."""
    registry: str | None = None
    """Prefix for the name of an algorithm's image that names no registry itself, e.g. ``ghcr.io/us``."""
    registries: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")], ...] | None = None
    """Registries to ask for an image's digest before an execution is accepted, each ``https://host[:port]``, or
    ``http://…`` without TLS. Default: the one of ``registry``. With ``[]``, and for any other registry, a missing image
    shows only at the pull."""
    gateway_url: str | None = None
    """Address at which pods find the gateway. Default: ``gateway.url``, or this process if others can reach it."""
    storage_class: str | None = None
    """StorageClass of the volumes, which must enforce their size. Default: the cluster's default class."""
    runtime_class: str | None = None
    """RuntimeClass of Compute Pods, e.g. one without network, gVisor or Kata. Default: the cluster's runtime."""
    node_selector: tuple[Annotated[str, Field(pattern=r"^[^=\s]+=[^=\s]*$")], ...] = ()
    """Labels of the nodes for Compute Pods, each ``name=value``."""
    gpu_resource: str = "nvidia.com/gpu"
    """Name of the Kubernetes resource for a device."""
    pending_deadline: Annotated[int, Field(ge=1, le=DAY)] = 5 * MINUTE
    """Seconds after which a pod that cannot be scheduled or started is given up."""
    node_loss: Annotated[int, Field(ge=1, le=DAY)] = 30
    """Seconds after which a pod on a node that does not respond is given up."""


class MetadataSettings(Section):
    """The catalogue."""

    pending_lifetime: Seconds = HOUR
    """Seconds after which a DDO that never appeared on chain is dropped."""
    gateways: tuple[Address, ...] = ()
    """Accounts of gateways that publish here; nothing limits their waiting results. The gateway of this process and
    that of ``gateway.url`` are always included."""
    stake: Annotated[int, Field(ge=0)] = 10**16
    """Wei. Documents of an account that holds this much, or has registered an asset itself, wait in a pool of their
    own; all others share a pool for strangers. For uploads (``limits``) the same applies, but only holding counts."""
    pending_per_creator: PositiveInt = 100
    """Documents that may wait for the chain, of one account that is not a stranger."""
    pending_creators: PositiveInt = 10_000
    """Documents that may wait, of all these accounts together."""
    pending_per_network: PositiveInt = 100
    """Documents that may wait, of strangers in one network (IPv4 /24, IPv6 /48)."""
    pending_strangers: PositiveInt = 2_000
    """Documents that may wait, of all strangers together."""
    pending_share_bytes: PositiveInt = 4 * MIB
    """Bytes of waiting documents, of one such account or one network of strangers."""
    pending_bytes: PositiveInt = 64 * MIB
    """Bytes of waiting documents in each of the two pools."""
    curators: tuple[Address, ...] = ()
    """Accounts that may hide assets from the lists of this catalogue, or feature them, for a public reason. On the
    embedded chain and a loopback address, the provider's development account may if none is named."""
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    """Largest number of results on one page of a search."""
    url: str | None = None
    """Address of the metadata service, as everybody calls it and as registrations on chain name it; the service itself
    takes it as its own. Default: the metadata service of this process, at its public address."""
    database_url_file: Path | None = None
    """Secret file with the ``postgresql://`` URL for the catalogue. Default: SQLite, metadata.db."""


class MarketplaceSettings(Section):
    """The pages for people."""

    name: Annotated[str, Field(min_length=1, max_length=60)] = "insitu"
    """What the pages call this marketplace, unless the theme has a name."""
    theme: Path | None = None
    """Folder with `theme.toml` (name, logo, colours, texts) for these pages. Default: their own."""
    gateways: tuple[Origin, ...] = ()
    """Origins, as browsers call them, of the gateways at which people sign in on these pages; each must name this
    marketplace in its ``gateway.marketplaces``. The gateway of this process is always included. Default: that one, or
    that of ``gateway.url``."""


class ObjectStoreSettings(Section):
    """How to reach buckets: those of ``gateway.blobs`` and ``operator.logs``, and those of files in data sets."""

    endpoint: Annotated[str, AfterValidator(_require_address)] | None = None
    """Address of a store other than the cloud's own (MinIO, Ceph …): ``https://…``. Default: the cloud's."""
    region: str | None = None
    """Region of the buckets. Default: AWS_REGION, or us-east-1."""
    account: str | None = None
    """Storage account on Azure. Default: AZURE_STORAGE_ACCOUNT_NAME."""
    credentials_file: Path | None = None
    """Secret file: for ``s3`` a shared AWS credentials file (``[default]``), for ``gs`` a service account (JSON), for
    ``az`` an account key. Default: the platform's environment, or the identity of the machine or service account."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust in addition to the public ones."""


class LimitSettings(Section):
    """Limits on what callers can send."""

    body_bytes: PositiveInt = MIB
    """Bytes of a JSON body."""
    upload_bytes: PositiveInt = 64 * MIB
    """Bytes of an uploaded algorithm."""
    uploads_per_account: PositiveInt = 1024 * MIB
    """Bytes of uploads kept for one account that holds ``metadata.stake``. An upload that no registered asset names is
    deleted after a day."""
    uploads_per_network: PositiveInt = 128 * MIB
    """The same for all other accounts in one network of clients (IPv4 /24, IPv6 /48)."""
    uploads_of_strangers: PositiveInt = 1024 * MIB
    """The same for all these other accounts together."""
    uploads_total: PositiveInt = 16 * 1024 * MIB
    """Bytes of all uploads together."""
    free_disk: Annotated[int, Field(ge=0)] = 512 * MIB
    """Bytes that uploads leave free on the disk of ``gateway.blobs`` if it is a folder."""
    connections: PositiveInt = 2000
    """Connections at the same time; fewer if this process may not open twice as many files (`ulimit -Hn`)."""


class Settings(Section):
    """Everything that can be set, by section."""

    home: Path
    """The data folder. Set only by INSITU_HOME or ``--home``, because config.toml is in it."""
    server: ServerSettings = ServerSettings()
    chain: ChainSettings = ChainSettings()
    gateway: GatewaySettings = GatewaySettings()
    operator: OperatorSettings = OperatorSettings()
    cluster: ClusterSettings = ClusterSettings()
    metadata: MetadataSettings = MetadataSettings()
    marketplace: MarketplaceSettings = MarketplaceSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    limits: LimitSettings = LimitSettings()

    @property
    def folder(self) -> DataFolder:
        """The layout below ``home``."""
        return DataFolder(self.home)

    @property
    def public_url(self) -> str:
        """The address at which others reach this process, without a trailing slash."""
        if self.server.public_url is not None:
            return self.server.public_url
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return f"http://{host}:{self.server.port}"

    @property
    def deployments(self) -> Path:
        """The file with the contracts' addresses."""
        return self.chain.deployments or self.folder.deployments
