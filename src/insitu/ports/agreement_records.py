"""What the gateway keeps: agreements, executions, frozen outcomes, outbox items, transactions, uploads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue

from insitu.domain.agreement import SignedSettlement, Terms
from insitu.domain.execution import ENDED, Charge, Phase, Reason, StageRecord, Transition
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.domain.policy import Verdict
from insitu.domain.wire import Time, WireModel
from insitu.ports.chain import Cursor


class Standing(StrEnum):
    """Where an agreement stands with this gateway. The chain decides; this is what the gateway remembers of it."""

    CREATED = "created"
    """Known, and nothing is decided yet."""
    RELAYING = "relaying"
    """Accepted: the outbox sends the consumer's purchase together with the grant."""
    GRANTING = "granting"
    GRANTED = "granted"
    REFUSING = "refusing"
    REFUSED = "refused"
    DECLINED = "declined"
    """Neither granted nor refused on chain: the lock is too small to pay for a refusal, or a quota is used up."""
    REFUNDED = "refunded"
    CLOSED = "closed"
    """Ended by its last settlement."""
    LOST = "lost"
    """The chain no longer knows its payment."""


@dataclass(frozen=True, slots=True)
class KnownAgreement:
    """An agreement whose provider is this gateway.

    Attributes
    ----------
    versions
        DID → on-chain checksum of every input when the agreement was granted; empty before.
    max_executions
        What the effective policy allowed when it was granted; 0 before.
    start
        Time of the lock in seconds since 1970; 0 while unknown.
    attention
        Counts what happened to it on chain.
    lost_since
        When the lock was first missing while an execution was running.
    closing
        Whether it is being closed or was closed, so that nothing starts any more.
    """

    agreement_id: AgreementId
    terms: Terms
    standing: Standing = Standing.CREATED
    reason: Reason | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    max_executions: int = 0
    start: int = 0
    attention: int = 1
    lost_since: datetime | None = None
    closing: bool = False


class SourceReference(WireModel):
    """What a plan's ``Fetch`` reference means: a file of one version of an asset. No URL is stored.

    ``block`` registered the version; 0 in older plans. ``sealer`` is the account proved to have sealed this version's
    list of files; None when the list is public.
    """

    did: str
    checksum: str
    block: int = 0
    index: int
    sealer: Address | None = None


class Dossier(WireModel):
    """What the gateway remembers of an execution besides its plan.

    Attributes
    ----------
    workflow, services
        For the registration with the operator, also after a restart.
    versions
        DID → on-chain checksum of every input and algorithm at exec.
    salt
        The agreement's secret, 64 hexadecimal digits: the salts in its receipts are derived from it.
    fetches
        Reference → file.
    names
        DID → what its owner called it, of the workflow, every input and algorithm; for people.
    """

    workflow: dict[str, JsonValue]
    services: dict[str, dict[str, JsonValue]]
    versions: dict[str, str]
    verdict: Verdict
    salt: str
    fetches: dict[str, SourceReference] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)


class FrozenFile(WireModel):
    """A file of a result. Only its owner sees ``path``."""

    index: int
    path: str
    content_type: str
    size: int
    sha256: str


class FrozenResult(WireModel):
    """The new asset, exactly as it will be published and registered.

    ``seed`` and ``checksum`` are 64 hexadecimal digits for the registry, and ``url`` contains ``{did}``. ``left_out``
    counts the files and folders that were left out because their names begin with a dot or there was no room for log
    text.
    """

    did: str
    document: dict[str, JsonValue]
    seed: str
    checksum: str
    url: str
    files: tuple[FrozenFile, ...]
    left_out: int = 0


class Frozen(WireModel):
    """The outcome of an execution, decided once and for all.

    ``envelope`` is the signed receipt and ``receipt_hash`` (0x…) what the contract commits to. ``delivered`` says
    whether anything of the algorithm reached the consumer; in an earlier release's outcomes it counts as delivered.
    ``free_seconds`` is the compute that counts as free if its agreement pays the provider nothing.
    """

    outcome: Transition
    records: tuple[StageRecord, ...]
    rule: Charge
    delivered: bool = True
    free_seconds: int = 0
    receipt_hash: str
    envelope: dict[str, JsonValue]
    result: FrozenResult | None = None
    expires_at: Time


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """An execution as the gateway knows it.

    Attributes
    ----------
    acknowledged
        True once the operator has it.
    charge
        Base units; None until it is decided.
    registration
        Transaction that registered the result's DID for the consumer.
    settlement_transaction
        Transaction that committed the receipt, no matter who sent it.
    given_up
        Why its result can never be registered or its payment never settled.
    """

    plan: ExecutionPlan
    dossier: Dossier
    created_at: datetime
    acknowledged: bool = False
    history: tuple[Transition, ...] = ()
    frozen: Frozen | None = None
    charge: int | None = None
    settlement: SignedSettlement | None = None
    registration: str | None = None
    settlement_transaction: str | None = None
    given_up: Reason | None = None

    @property
    def execution_id(self) -> ExecutionId:
        """The plan's workflowExecutionId."""
        return self.plan.workflow_execution_id

    @property
    def agreement_id(self) -> AgreementId:
        """The plan's serviceAgreementId."""
        return self.plan.service_agreement_id

    @property
    def live(self) -> bool:
        """True until its outcome is frozen. Until then no other execution of the agreement may start."""
        return self.frozen is None

    @property
    def phase(self) -> Phase:
        """The phase as callers see it: Publishing until the result's DID is registered."""
        if self.frozen is None:
            reached = [transition.phase for transition in self.history if transition.phase not in ENDED]
            return reached[-1] if reached else Phase.REGISTERED
        if self.frozen.outcome.phase is Phase.SUCCEEDED and self.registration is None:
            return Phase.PUBLISHING
        return self.frozen.outcome.phase


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request that may be repeated: the caller's key and a hash of the body."""

    caller: Address
    key: str
    fingerprint: str


class ItemKind(StrEnum):
    """What an outbox item does."""

    GRANT = "grant"
    REFUSE = "refuse"
    PUBLISH = "publish"
    REGISTER = "register"
    SETTLE = "settle"
    DERIVED = "derived"
    """States the provenance of a result."""
    RELAY = "relay"
    """Sends a consumer's signed purchase together with the grant."""
    REQUEST = "request"
    """Sends an owner's signed request to the registry. Its ``agreement_id`` is the digest that was signed."""
    CLOSE = "close"
    """Returns the price of an agreement with its last settlement."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One thing to do in the outside world, which takes effect exactly once.

    Attributes
    ----------
    key
        Names the effect, so that it exists once: ``grant:<agreement>``, ``settle:<execution>``.
    after
        Key of the item that must be done first.
    not_before
        When it is due, or due again.
    batch
        May share a transaction with others of its kind.
    transaction
        Hash of the transaction that carries it, if there is one.
    reason
        Why the last attempt failed.
    state
        Whether it is still to be done; ``given up`` can be asked for again.
    """

    key: str
    kind: ItemKind
    agreement_id: AgreementId
    not_before: datetime
    execution_id: ExecutionId | None = None
    payload: Mapping[str, JsonValue] = field(default_factory=dict)
    after: str | None = None
    batch: bool = False
    attempts: int = 0
    transaction: str | None = None
    reason: Reason | None = None
    state: Literal["waiting", "done", "given up"] = "waiting"


@dataclass(frozen=True, slots=True)
class Relay:
    """A purchase that this gateway has promised to send.

    Attributes
    ----------
    seed
        The seed of the terms. The same seed from the same consumer means the same purchase.
    cost
        The most that sending it can cost, in wei; replaced by what it did cost.
    """

    agreement_id: AgreementId
    consumer: Address
    seed: str
    cost: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RegistryRelay:
    """A signed request to the registry that this gateway has promised to send.

    Attributes
    ----------
    item
        The item that sends it.
    account
        Who signed it.
    updated
        The DIDs whose documents it updates.
    cost
        As in :class:`Relay`.
    """

    item: OutboxItem
    account: Address
    updated: tuple[str, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What may be promised in 24 hours: purchases of one consumer, and the cost in wei of all that strangers ask for.

    ``updates`` is how many updates of one asset may be promised to strangers, ``revisions`` to others and to consumers
    under whose agreement executions may start.
    A stranger is an account whose charged executions have not yet paid the provider back for what was sent for it.
    ``coin_price`` is how many base units of the token are worth one coin (10^18 wei); with 0 everybody is a stranger.
    """

    purchases: int
    cost: int
    coin_price: int = 0
    updates: int = 4
    revisions: int = 100


@dataclass(frozen=True, slots=True)
class FreeExecution:
    """What costs its consumer nothing, an execution or a close: the gas to reserve, and the budget of all strangers.

    Attributes
    ----------
    cost
        The most gas it can take, in wei.
    budget
        Wei in 24 hours; None for no limit.
    coin_price
        As in :class:`RelayLimits`.
    """

    cost: int
    budget: int | None
    coin_price: int = 0


@dataclass(frozen=True, slots=True)
class Relayed:
    """What was promised since some moment: purchases of one consumer, and the cost in wei of all that strangers asked.

    The cost includes signed requests to the registry.
    """

    purchases: int
    cost: int


@dataclass(frozen=True, slots=True)
class GasLeft:
    """What is left for strangers of a budget of gas, in wei; below zero if the operator lowered the budget.

    ``again`` is when as much is left as was asked for, if it is not now and time alone brings it back.
    """

    left: int
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transaction of the provider's key that is not confirmed yet; ``block`` is where it was seen mined."""

    hash: str
    raw: bytes
    nonce: int
    signed_at: datetime
    items: tuple[str, ...] = ()
    block: Cursor | None = None


class WalletSession(WireModel):
    """What one signature of a wallet opened. Access tokens name it; another token renews it, once.

    Attributes
    ----------
    session_id, secret
        SHA-256 of the two halves of the renewing token: the same in every token of the session, and new in each.
    operations, restrictions
        What its access tokens are for. Nothing is added later.
    digest, signature
        What the wallet signed, in hexadecimal digits. A renewal judges it again, so a contract account can end it.
    idle_until
        When it is over unless it is renewed before; never later than ``ends_at``.
    """

    session_id: str
    secret: str
    account: Address
    operations: tuple[str, ...]
    restrictions: dict[str, str]
    digest: str
    signature: str
    idle_until: Time
    ends_at: Time


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: a blob that its uploader may name in lists of files. It has no digest while it is received."""

    upload_id: str
    owner: Address
    sha256: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How many bytes uploads may take, including those being received.

    Attributes
    ----------
    holder
        Whose share it is: an account or, for strangers, the network of a client.
    share
        For the holder.
    stranger, strangers
        Whether the holder is a stranger, and the limit for all strangers together.
    total
        For everybody together.
    """

    holder: str
    share: int
    stranger: bool
    strangers: int
    total: int


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event of an execution. ``sequence`` counts from 1, without gaps; ``number`` counts those of all executions."""

    sequence: int
    type: str
    at: datetime
    data: Mapping[str, JsonValue]
    execution_id: ExecutionId
    number: int
