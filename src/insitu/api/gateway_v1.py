"""The gateway's public surface: addresses, requests and answers (C8, E9, E10; design §4)."""

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from insitu.domain.agreement import SignedSettlement, Terms
from insitu.domain.amount import Amount
from insitu.domain.execution import Phase, Transition, Usage
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.image_contents import ImageContents
from insitu.domain.purchase import SignatureText, SignedPermit
from insitu.domain.wire import Price, Time, WireModel, WireRequest

BASE = "/api/v1/gateway/services"
TICKETS = "/api/v1/gateway/tickets"
TICKET_PROGRESS = TICKETS + "/progress"
TICKET_FILES = TICKETS + "/files"
TICKET_OUTPUTS = TICKETS + "/outputs"
TICKET_FINISH = TICKETS + "/finish"
"""For pods and the operator, with ``Authorization: Bearer <ticket>``: POST transitions, GET ``/{reference}``, PUT
``/{sha256}``, POST the report."""

EXEC_ALIASES = ("/exec", "/execute", "/compute/exec")
"""The specification writes both /exec and /execute; all do the same (C8)."""

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""grant_type of RFC 7523."""

Operation = Literal["exec", "compute", "download", "encrypt", "upload"]
"""Last part of a token's audience: ``<public_url>/api/v1/gateway/services/<operation>``."""


class GatewayInfo(WireModel):
    """Answer of the root: who this gateway is and which chain and contracts it uses."""

    software: str = "insitu gateway"
    version: str
    provider_address: Address
    public_url: str
    chain_id: int
    contracts: dict[str, Address]
    relay: bool = False
    """Whether it sends purchases of consumers who sign them (``POST agreements``)."""
    metadata_url: str
    """Where this gateway's provider publishes; the url with ``{did}`` that goes on chain."""
    supported_containers: tuple[dict[str, JsonValue], ...] = ()
    """Images of this machine, in the form of ``supportedContainers``, for publishers to choose from."""
    image_contents: dict[str, ImageContents] = Field(default_factory=dict)
    """What is in the images that this machine has, by digest."""
    supported_servers: tuple[dict[str, JsonValue], ...] = ()
    """Servers that fit this machine, in the form of ``supportedServers``."""


class AccessToken(WireModel):
    """Answer of ``POST oauth/token`` (RFC 6749 §5.1; its member names are snake_case)."""

    access_token: str = Field(alias="access_token")
    token_type: str = Field(default="Bearer", alias="token_type")
    expires_in: int = Field(alias="expires_in")
    """Seconds."""


class CheckRequest(WireRequest):
    """``POST check``: may this consumer run this workflow, on which server, for how much? Needs no token.

    Either ``workflow_did`` names it, or it is not published yet and ``workflow`` is what ``main.workflow`` would be.
    There a stage without ``transformation.id`` runs an algorithm that the consumer has not published either.
    """

    consumer: Address
    workflow_did: str | None = None
    workflow: dict[str, JsonValue] | None = None
    service_index: int | None = None
    """serviceDefinitionId of the first input's compute service; None takes its only one."""

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


class Quote(WireModel):
    """Answer of ``check``: everything that the terms need but seed and deadline.

    Attributes
    ----------
    allowed
        False with ``reasons`` where the workflow would be refused.
    did, ddo_hash, workflow_did, workflow_hash
        The agreement's DID (the first input) and the on-chain checksums of the versions. A workflow that is not
        published has neither DID nor checksum, and cannot be bought.
    deadline_seconds
        How long after now the agreement must be created and locked.
    """

    allowed: bool
    reasons: tuple[VerdictReason, ...] = ()
    did: str
    ddo_hash: str
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


class PurchaseRequest(WireRequest):
    """``POST agreements``: send this purchase for its consumer, and grant it in the same transaction (C3–C7).

    Needs no token: the signature says who buys. The same again answers how it stands.
    """

    terms: Terms
    signature: SignatureText
    """The consumer's, of the EIP-712 digest of the terms, which is the serviceAgreementId."""
    permit: SignedPermit | None = None
    """Allowance of the token for the escrow (ERC-2612); None where there is one, or nothing to pay."""


class Purchase(WireModel):
    """Answer of ``agreements``: how a purchase stands.

    ``status`` is ``sent`` while this gateway's transaction is on its way, else what the chain says.
    """

    service_agreement_id: AgreementId
    status: Literal["sent", "locked", "granted", "refunded"]
    transaction: str | None = None
    """This gateway's; None where it is not signed yet, or where somebody else had sent the purchase."""


class OfferRequest(WireRequest):
    """``POST offers``: would the provider grant these terms, at once and in writing? Needs no token."""

    terms: Terms


class Offer(WireModel):
    """Answer of ``offers``: with it the consumer's one transaction creates, locks and is granted.

    It is the provider's signature of the EIP-712 digest of the terms, and good until their deadline.
    """

    service_agreement_id: AgreementId
    signature: SignatureText


class ExecRequest(WireRequest):
    """``POST exec``. With the header ``Idempotency-Key`` a retry returns the first answer."""

    service_agreement_id: str
    workflow_did: str | None = None
    """Compared with the agreement's where given."""


class ExecAccepted(WireModel):
    """Answer of ``exec``."""

    service_agreement_id: AgreementId
    workflow_execution_id: ExecutionId
    number: int
    workflow_id: str
    """The same as workflowExecutionId, under the name that older clients read."""


class ReasonView(WireModel):
    """A reason with its next step."""

    code: str
    message: str
    next_step: str


class StageView(WireModel):
    """How one stage of an execution went, or is going."""

    index: int
    stage_type: str = ""
    image: str = ""
    attempt: int = 0
    state: Literal["waiting", "running", "ended", "failed"] = "waiting"
    started_at: Time | None = None
    ended_at: Time | None = None
    exit_code: int | None = None
    usage: Usage = Usage()


class ExecutionView(WireModel):
    """What consumer, owner and provider see of an execution."""

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
    """Files and folders that the result does not have: their names begin with a point, or log text has no room."""
    receipt_hash: str | None = None
    charge: Price | None = None
    """What is charged for this execution; None until it is decided."""
    settled: bool = False
    settlement_transaction: str | None = None
    alarm: ReasonView | None = None
    """Why its result will never be registered, or its payment never settled."""


class ExecutionList(WireModel):
    """Answer of ``GET compute/executions``, newest first."""

    executions: tuple[ExecutionView, ...]


class EventView(WireModel):
    """An event of an execution; its ``sequence`` is the SSE id.

    ``type`` is ``phase``, ``result`` (the new asset's DID, E9), ``settled`` (E10), ``refunded``,
    ``alarm`` (what was to follow never will) or ``end``.
    """

    sequence: int
    type: str
    at: Time
    data: dict[str, JsonValue] = Field(default_factory=dict)


class LogView(WireModel):
    """A piece of captured output; the SSE id is ``<stage>:<attempt>:<end offset>``."""

    stage: int
    attempt: int
    offset: int
    text: str
    """UTF-8; a byte that is none is replaced."""
    notice: bool = False
    """True for the last piece where the gateway, and not the algorithm, says why no more comes."""


class ReceiptView(WireModel):
    """The signed receipt and what releases the payment (E8, E10)."""

    receipt_hash: str
    envelope: dict[str, JsonValue]
    """DSSE envelope of the in-toto statement."""
    settlement: SignedSettlement | None = None
    settled: bool = False
    transaction: str | None = None


class ResultFile(WireModel):
    """A file of a result: name and path are told to its owner only."""

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
    """``POST progress`` of a ticket: transitions of its execution; known sequences are ignored."""

    workflow_execution_id: ExecutionId
    transitions: tuple[Transition, ...] = Field(max_length=10_000)


class EncryptRequest(WireRequest):
    """``POST encrypt``: seal the list of files with their urls for versions of one DID, with the rights of the caller.

    Attributes
    ----------
    checksum
        Index of a service → SHA3-256 of its ``main``, as in ``proof.checksum``; the DID must derive from it and the
        caller. Not needed by the DID's on-chain owner.
    """

    did: str
    checksum: dict[str, str] | None = Field(default=None, max_length=100)
    files: tuple[dict[str, JsonValue], ...] = Field(max_length=10_000)


class Encrypted(WireModel):
    """The sealed list, and the list as it may be public (no url, no name)."""

    encrypted_files: str
    files: tuple[dict[str, JsonValue], ...]


class Uploaded(WireModel):
    """Answer of ``POST upload``: a url that only this gateway opens."""

    url: str
    sha256: str
    size: int
