"""Changes of what the gateway keeps. Those that are given together happen together, or none of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from insitu.domain.agreement import SignedSettlement, Terms
from insitu.domain.execution import Reason, Transition
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.ports.agreement_records import OutboxItem, Standing, StoredTransaction, Upload
from insitu.ports.chain import Cursor

__all__ = [
    "Acknowledge",
    "AddEvent",
    "AddTransition",
    "AddUpload",
    "Attach",
    "Attend",
    "Change",
    "Complete",
    "Confirm",
    "DecideCharge",
    "Detach",
    "Enqueue",
    "GiveUp",
    "Judge",
    "MarkLost",
    "MarkMined",
    "MarkUnmined",
    "MoveCursor",
    "NameUploads",
    "NoteRegistered",
    "NoteSettled",
    "Postpone",
    "Release",
    "Remember",
    "RollBack",
    "Spend",
    "Touch",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One of the changes below."""


@dataclass(frozen=True, slots=True)
class MoveCursor(Change):
    """The chain was read up to here. The newest 256 cursors are kept."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class RollBack(Change):
    """Everything above this block did not happen.

    Later cursors go; agreements that were touched later need attention again; transactions that were mined later are
    not mined any more, confirmed ones included.
    """

    to: Cursor


@dataclass(frozen=True, slots=True)
class Remember(Change):
    """An agreement exists; known ones stay as they are."""

    agreement_id: AgreementId
    terms: Terms


@dataclass(frozen=True, slots=True)
class Touch(Change):
    """Something happened to a known agreement at this block; unknown ones are ignored."""

    agreement_id: AgreementId
    block: int


@dataclass(frozen=True, slots=True)
class Attend(Change):
    """What happened up to ``attention`` is dealt with; with ``again`` it is looked at again then."""

    agreement_id: AgreementId
    attention: int
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judge(Change):
    """Change what is remembered of an agreement; None leaves a member as it is, but for ``reason``."""

    agreement_id: AgreementId
    standing: Standing
    at: datetime
    reason: Reason | None = None
    versions: Mapping[str, str] | None = None
    max_executions: int | None = None
    start: int | None = None


@dataclass(frozen=True, slots=True)
class MarkLost(Change):
    """The lock is missing since then, or is there again (None)."""

    agreement_id: AgreementId
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Acknowledge(Change):
    """The operator has the execution."""

    execution_id: ExecutionId


@dataclass(frozen=True, slots=True)
class AddTransition(Change):
    """An execution changed its phase; a known sequence is ignored. It makes a ``phase`` event."""

    execution_id: ExecutionId
    transition: Transition


@dataclass(frozen=True, slots=True)
class AddEvent(Change):
    """Number an event of an execution; one with the same ``once`` is there only once."""

    execution_id: ExecutionId
    type: str
    at: datetime
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    once: str = ""


@dataclass(frozen=True, slots=True)
class DecideCharge(Change):
    """What the execution costs, and the signed settlement; a decided one stays."""

    execution_id: ExecutionId
    charge: int
    settlement: SignedSettlement


@dataclass(frozen=True, slots=True)
class NoteRegistered(Change):
    """The result's DID is registered for the consumer."""

    execution_id: ExecutionId
    transaction: str


@dataclass(frozen=True, slots=True)
class NoteSettled(Change):
    """The receipt is committed on chain, whoever sent it."""

    execution_id: ExecutionId
    transaction: str


@dataclass(frozen=True, slots=True)
class Enqueue(Change):
    """Want an effect. A waiting item stays as it is; with ``again`` a done or given-up one is wanted once more."""

    item: OutboxItem
    again: bool = False


@dataclass(frozen=True, slots=True)
class Postpone(Change):
    """Try an item again then; the reason is kept and the attempt counted."""

    key: str
    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Complete(Change):
    """The effect is there. Harmless again."""

    key: str


@dataclass(frozen=True, slots=True)
class GiveUp(Change):
    """The effect cannot be reached any more; what waits for it is given up with it."""

    key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Attach(Change):
    """Keep a signed transaction and the items that it carries, before it is sent for the first time."""

    transaction: StoredTransaction


@dataclass(frozen=True, slots=True)
class MarkMined(Change):
    """The transaction is in this block."""

    hash: str
    block: Cursor


@dataclass(frozen=True, slots=True)
class Spend(Change):
    """The transaction was mined, with success or (``ok`` False) not, and cost so much wei; it is counted once.

    Its items share it: that takes the place of what was reserved for them, once all is done.
    """

    hash: str
    cost: int
    ok: bool


@dataclass(frozen=True, slots=True)
class MarkUnmined(Change):
    """The transaction is in no block any more."""

    hash: str


@dataclass(frozen=True, slots=True)
class Confirm(Change):
    """The transaction is deep enough; it is no longer looked at unless the chain rolls back."""

    hash: str


@dataclass(frozen=True, slots=True)
class Detach(Change):
    """The transaction will never count: forget it; its unfinished items are due again at ``until``."""

    hash: str
    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class AddUpload(Change):
    """Somebody uploaded a file; it takes the place that was reserved for it."""

    upload: Upload


@dataclass(frozen=True, slots=True)
class NameUploads(Change):
    """A list of files that is sealed for a DID names these uploads of an account; those of others are left out.

    With ``needed`` the DID is registered: they count as the account's from now on, and not as those of strangers.
    Raises ``InvalidRequest`` where too many lists name one of them.
    """

    did: str
    owner: Address
    upload_ids: tuple[str, ...]
    at: datetime
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Release(Change):
    """A promised purchase will not be sent: it counts no more, unless a transaction was signed for it."""

    agreement_id: AgreementId
