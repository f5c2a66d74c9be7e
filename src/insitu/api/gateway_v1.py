"""The gateway's public API: addresses, requests and answers (C8, E9, E10)."""

from typing import Literal, Self, get_args

from pydantic import Field, JsonValue, model_validator

from insitu.domain.agreement import SignedSettlement, Terms
from insitu.domain.amount import Amount
from insitu.domain.execution import Phase, Transition, Usage
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.image_contents import ImageContents
from insitu.domain.purchase import SignatureText, SignedPermit
from insitu.domain.wire import AccountSignature, Price, Time, WireModel, WireRequest

BASE = "/api/v1/gateway/services"
TICKETS = "/api/v1/gateway/tickets"
TICKET_PROGRESS = TICKETS + "/progress"
TICKET_FILES = TICKETS + "/files"
TICKET_OUTPUTS = TICKETS + "/outputs"
TICKET_FINISH = TICKETS + "/finish"
"""For pods and the operator, with ``Authorization: Bearer <ticket>``: POST transitions, GET ``/{reference}``, PUT
``/{sha256}``, POST the report."""

RPC = BASE + "/rpc"

STREAMS = (*(f"{BASE}/compute/{kind}" for kind in ("events", "logs", "stream")), BASE + "/download", TICKETS)
"""Addresses whose answers are streams, or files as they are."""

EXEC_ALIASES = ("/exec", "/execute", "/compute/exec")
"""The specification has both /exec and /execute; all of these do the same (C8)."""

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""grant_type of RFC 7523."""
ERC_4361 = "https://eips.ethereum.org/EIPS/eip-4361"
"""grant_type of a message that a browser wallet shows and signs."""
REFRESH = "refresh_token"
"""grant_type that renews a session (RFC 6749 §6)."""

Operation = Literal["exec", "compute", "download", "encrypt", "upload", "publish"]
"""Last part of a token's audience: ``<public_url>/api/v1/gateway/services/<operation>``."""
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


class GatewayInfo(WireModel):
    """Answer of the root: who this gateway is and which chain and contracts it uses."""

    software: str = "insitu gateway"
    version: str
    provider_address: Address
    public_url: str
    chain_id: int
    contracts: dict[str, Address]
    relay: bool = False
    """Whether it sends others' purchases (``POST agreements``) and requests to the registry (``POST requests``)."""
    metadata_url: str
    """Where this gateway's provider publishes: the URL with ``{did}`` that goes on chain."""
    supported_containers: tuple[dict[str, JsonValue], ...] = ()
    """This machine's images that publishers may choose from, in the form of ``supportedContainers``."""
    image_contents: dict[str, ImageContents] = Field(default_factory=dict)
    """What the images on this machine contain, by digest."""
    supported_servers: tuple[dict[str, JsonValue], ...] = ()
    """Servers that this machine can provide, in the form of ``supportedServers``."""
    paused: tuple[str, ...] = ()
    """DIDs of data sets on which nothing runs here for now, because their owners paused them; at most 1,000."""


class AccessToken(WireModel):
    """Answer of ``POST oauth/token`` (RFC 6749 §5.1; its member names are snake_case).

    A session has a ``refresh_token``. It renews the session once, and the answer has the next one. Using it again ends
    the session, because somebody else has it. ``refresh_expires_in`` is how long it can be used.
    """

    access_token: str = Field(alias="access_token")
    token_type: str = Field(default="Bearer", alias="token_type")
    expires_in: int = Field(alias="expires_in")
    """Seconds."""
    refresh_token: str | None = Field(default=None, alias="refresh_token")
    refresh_expires_in: int | None = Field(default=None, alias="refresh_expires_in")


class CheckRequest(WireRequest):
    """``POST check``: may this consumer run this workflow, on which server, at what price? Needs no token.

    Give either ``workflow_did``, or, if the workflow is not published yet, its future ``main.workflow`` as
    ``workflow``. In the latter, a stage without ``transformation.id`` runs an algorithm that is not published either.
    """

    consumer: Address
    workflow_did: str | None = None
    workflow: dict[str, JsonValue] | None = None
    service_index: int | None = None
    """serviceDefinitionId of the first input's compute service; None means its only one."""
    service_agreement_id: str | None = None
    """If given, the workflow is judged as a revision under this agreement, and nothing is bought."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.workflow_did is None) == (self.workflow is None):
            raise ValueError("either workflowDid or workflow is needed")
        return self


class VerdictReason(WireModel):
    """Why a workflow may not run: an error code, the asset that says so, and a sentence."""

    code: str
    did: str | None = None
    message: str
    next_step: str = ""


class Receiver(WireModel):
    """Who is paid how much, and for what."""

    address: Address
    amount: Price
    purpose: str = ""


class QuotedInput(WireModel):
    """An input of a workflow and the on-chain checksum of its version, 64 hexadecimal digits."""

    did: str
    checksum: str


class FreeCompute(WireModel):
    """How much compute that pays the provider nothing is left in these 24 hours, in seconds, by the tightest limit."""

    of: Literal["agreement", "consumer", "strangers"]
    """Whose limit it is. Strangers are all accounts together that have not paid this provider yet."""
    limit: int
    left: int


class Quote(WireModel):
    """Answer of ``check``: everything that the terms need, except seed and deadline.

    Attributes
    ----------
    allowed
        False, with ``reasons``, if the workflow would be refused.
    did, workflow_did, workflow_hash
        The agreement's DID (the first input), and the workflow with its on-chain checksum. A workflow that is not
        published has neither DID nor checksum, and cannot be bought.
    inputs, inputs_hash
        The current version of every registered input, in the workflow's order, and the hash of this list
        (``domain.inputs_hash``).
    deadline_seconds
        How soon from now the agreement must be created and locked.
    free_compute
        What is left for executions that may end without a charge; null if nothing limits them.
    """

    allowed: bool
    reasons: tuple[VerdictReason, ...] = ()
    did: str
    inputs_hash: str
    inputs: tuple[QuotedInput, ...] = ()
    workflow_did: str = ""
    workflow_hash: str = ""
    service_index: int
    provider: Address
    server: dict[str, JsonValue] = Field(default_factory=dict)
    price: Price = Amount.from_base_units(0)
    receivers: tuple[Receiver, ...] = ()
    deadline_seconds: int = 600
    grant_timeout: int = 600
    timeout: int = 86400
    settle_timeout: int = 90000
    free_compute: FreeCompute | None = None


class PurchaseRequest(WireRequest):
    """``POST agreements``: send this purchase for its consumer, and grant it in the same transaction (C3–C7).

    Needs no token: the signature says who buys. Repeating the request returns the state of the purchase.
    """

    terms: Terms
    signature: AccountSignature
    """The consumer's signature of the EIP-712 digest of the terms, which is the serviceAgreementId."""
    permit: SignedPermit | None = None
    """Token allowance for the escrow (ERC-2612); None if there already is one, or nothing to pay."""


class Purchase(WireModel):
    """Answer of ``agreements``: the state of a purchase.

    ``status`` is ``sent`` while this gateway's transaction is pending, otherwise what the chain says.
    """

    service_agreement_id: AgreementId
    status: Literal["sent", "locked", "granted", "refunded"]
    transaction: str | None = None
    """This gateway's transaction; None if it is not signed yet, or if somebody else sent the purchase."""


class RelayedRequest(WireModel):
    """Answer of ``requests``: ``done`` once the chain has the effect of the signed request, no matter who sent it.

    ``transaction`` is this gateway's; None if it is not signed yet, or if somebody else sent the request.
    """

    dids: tuple[str, ...]
    status: Literal["sent", "done"]
    transaction: str | None = None


class Closing(WireModel):
    """Answer of ``agreements/{agreement}/close``: what closing costs now, or where it stands.

    Attributes
    ----------
    status
        ``open``: it can be closed. ``closing``: nothing starts any more, and the provider sends what follows.
        ``closed`` and ``refunded``: the price went back. ``settled``: it is charged, and nothing is left to return.
    charge, returned
        What is charged for executions that failed at the consumer's risk, as at the agreement's end, and the rest.
    settlement
        For the consumer to send, if the provider has no gas left for it: it returns the price.
    """

    service_agreement_id: AgreementId
    status: Literal["open", "closing", "closed", "refunded", "settled"]
    charge: Price
    returned: Price
    settlement: SignedSettlement | None = None


class CloseRequest(WireRequest):
    """``POST agreements/{agreement}/close``; ``charge`` is what ``GET`` of the same address said, in base units."""

    charge: Price


class PausedAsset(WireModel):
    """Answer of ``PUT`` and ``DELETE pauses/{did}``: whether this gateway lets nothing run on a data set for now.

    ``here_alone`` says that this gateway's own account owns it, so that no entry of the registry stops another gateway.
    """

    did: str
    paused: bool
    here_alone: bool


class OfferRequest(WireRequest):
    """``POST offers``: would the provider grant these terms, immediately and in writing? Needs no token."""

    terms: Terms


class Offer(WireModel):
    """Answer of ``offers``: with it, a single transaction of the consumer creates, locks and grants the agreement.

    It is the provider's signature of the EIP-712 digest of the terms, valid until their deadline.
    """

    service_agreement_id: AgreementId
    signature: SignatureText


class ExecRequest(WireRequest):
    """``POST exec``. With the header ``Idempotency-Key`` a retry returns the first answer."""

    service_agreement_id: str
    workflow_did: str | None = None
    """If given, it must be the agreement's."""
    workflow_checksum: str | None = None
    """On-chain checksum of the version to run: a revision, or by default the version in the terms."""
    parameters: dict[str, dict[str, str | int | float | bool]] = Field(default_factory=dict)
    """Index of a stage → name → value, where the owners of the data allow that name."""


class ExecAccepted(WireModel):
    """Answer of ``exec``."""

    service_agreement_id: AgreementId
    workflow_execution_id: ExecutionId
    number: int
    workflow_id: str
    """The same as workflowExecutionId, under the name that older clients expect."""


class ReasonView(WireModel):
    """A reason with its next step."""

    code: str
    message: str
    next_step: str


class StageView(WireModel):
    """How a stage of an execution went, or is going."""

    index: int
    stage_type: str = ""
    image: str = ""
    attempt: int = 0
    state: Literal["waiting", "running", "ended", "failed"] = "waiting"
    started_at: Time | None = None
    ended_at: Time | None = None
    exit_code: int | None = None
    usage: Usage = Usage()


Role = Literal["consumer", "owner", "provider"]

Action = Literal["stop", "logs", "receipt", "opening", "result"]
"""What a caller may do with an execution now: stop it, read its logs, its receipt or what opens that, and download."""


class ExecutionView(WireModel):
    """What consumer, owner and provider can see of an execution.

    Attributes
    ----------
    role
        The caller's.
    actions
        What the caller may do with it now; the gateway decides again when asked.
    names
        DID → name of the workflow and of every input and algorithm when it began; empty for earlier executions.
    versions
        DID → on-chain checksum of every input and algorithm that it runs with.
    started_at, ended_at
        When it left the queue, and when its outcome was decided.
    """

    service_agreement_id: AgreementId
    workflow_execution_id: ExecutionId
    number: int
    consumer: Address
    did: str
    workflow_did: str
    phase: Phase
    reason: ReasonView | None = None
    position: int = 0
    created_at: Time
    history: tuple[Transition, ...] = ()
    stages: tuple[StageView, ...] = ()
    result_did: str | None = None
    left_out: int = 0
    """Files and folders missing from the result: their names begin with a dot, or log text had no room."""
    receipt_hash: str | None = None
    charge: Price | None = None
    """The charge for this execution; None until it is decided."""
    settled: bool = False
    settlement_transaction: str | None = None
    alarm: ReasonView | None = None
    """Why its result will never be registered, or its payment never settled."""
    role: Role = "consumer"
    actions: tuple[Action, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    started_at: Time | None = None
    ended_at: Time | None = None


class ExecutionList(WireModel):
    """Answer of ``GET compute/executions``, newest first."""

    executions: tuple[ExecutionView, ...]
    before: ExecutionId | None = None
    """Asks for the next page, as ``before``; None on the last one."""


class EventView(WireModel):
    """An event of an execution.

    ``type`` is ``phase``, ``result`` (the new asset's DID, E9), ``settled`` (E10), ``refunded``, ``alarm`` (something
    that should have followed never will) or ``end``.

    Attributes
    ----------
    sequence
        Counts the execution's events; the SSE id of its own streams.
    number
        Counts the events of all executions, also of those that the caller may not see; the SSE id of their stream.
    role
        The caller's.
    """

    sequence: int
    type: str
    at: Time
    data: dict[str, JsonValue] = Field(default_factory=dict)
    number: int
    service_agreement_id: AgreementId
    workflow_execution_id: ExecutionId
    role: Role


class LogView(WireModel):
    """A piece of captured output; the SSE id is ``<stage>:<attempt>:<end offset>``."""

    stage: int
    attempt: int
    offset: int
    text: str
    """UTF-8; invalid bytes are replaced."""
    notice: bool = False
    """True for the last piece, if it is the gateway's own explanation why no more follows."""


class ReceiptView(WireModel):
    """The signed receipt, and what releases the payment (E8, E10)."""

    receipt_hash: str
    envelope: dict[str, JsonValue]
    """DSSE envelope of the in-toto statement."""
    settlement: SignedSettlement | None = None
    settled: bool = False
    transaction: str | None = None


class ResultFile(WireModel):
    """A file of a result; only its owner learns its name and path."""

    index: int
    name: str
    content_type: str
    content_length: int
    checksum: str


class ResultView(WireModel):
    """The result of an execution: a new asset of the consumer."""

    did: str
    owner: Address
    files: tuple[ResultFile, ...]
    registered: bool
    transaction: str | None = None
    expires_at: Time


class Progress(WireRequest):
    """``POST progress`` of a ticket: transitions of its execution; sequences already known are ignored."""

    workflow_execution_id: ExecutionId
    transitions: tuple[Transition, ...] = Field(max_length=10_000)


class EncryptRequest(WireRequest):
    """``POST encrypt``: seal a list of files and their URLs for all versions of one DID, with the caller's rights.

    Attributes
    ----------
    checksum
        Index of a service → SHA3-256 of its ``main``, as in ``proof.checksum``; the DID must derive from it and the
        caller. The DID's on-chain owner does not need it.
    """

    did: str
    checksum: dict[str, str] | None = Field(default=None, max_length=100)
    files: tuple[dict[str, JsonValue], ...] = Field(max_length=10_000)


class Encrypted(WireModel):
    """The sealed list, and the list as it may be published (without URLs and names)."""

    encrypted_files: str
    files: tuple[dict[str, JsonValue], ...]


class Uploaded(WireModel):
    """Answer of ``POST upload``: a URL that only this gateway can open."""

    url: str
    sha256: str
    size: int
