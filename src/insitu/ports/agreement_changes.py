"""Changes to what the gateway keeps. Changes that are applied together either all happen or none does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from insitu.domain.agreement import SignedSettlement, Terms
from insitu.domain.execution import Reason, Transition
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.ports.agreement_records import OutboxItem, Standing, StoredTransaction, Upload
from insitu.ports.chain import Cursor


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

    Later cursors are deleted, agreements that were touched later need attention again, and transactions that were
    mined later are no longer mined, even confirmed ones.
    """

    to: Cursor


@dataclass(frozen=True, slots=True)
class Remember(Change):
    """An agreement exists. A known one stays as it is."""

    agreement_id: AgreementId
    terms: Terms


@dataclass(frozen=True, slots=True)
class Touch(Change):
    """Something happened to an agreement at this block. Unknown agreements are ignored."""

    agreement_id: AgreementId
    block: int


@dataclass(frozen=True, slots=True)
class Attend(Change):
    """Everything that happened up to ``attention`` is dealt with; the agreement is looked at again at ``again``."""

    agreement_id: AgreementId
    attention: int
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judge(Change):
    """Change what is stored about an agreement. None leaves a member as it is, except ``reason``."""

    agreement_id: AgreementId
    standing: Standing
    at: datetime
    reason: Reason | None = None
    versions: Mapping[str, str] | None = None
    max_executions: int | None = None
    start: int | None = None


@dataclass(frozen=True, slots=True)
class KeepCopy(Change):
    """An agreement buys this version of a document, which ``block`` registered.

    A copy is kept until the latest ``needed_until`` of all agreements.
    """

    did: str
    checksum: str
    block: int
    document: Mapping[str, JsonValue]
    needed_until: datetime


@dataclass(frozen=True, slots=True)
class MarkLost(Change):
    """The lock has been missing since then, or is there again (None)."""

    agreement_id: AgreementId
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Acknowledge(Change):
    """The operator has the execution."""

    execution_id: ExecutionId


@dataclass(frozen=True, slots=True)
class AddTransition(Change):
    """An execution changed its phase, which makes a ``phase`` event. A known sequence is ignored."""

    execution_id: ExecutionId
    transition: Transition


@dataclass(frozen=True, slots=True)
class AddEvent(Change):
    """Add an event to an execution and number it. Only one event is kept for each ``once``."""

    execution_id: ExecutionId
    type: str
    at: datetime
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    once: str = ""


@dataclass(frozen=True, slots=True)
class DecideCharge(Change):
    """What the execution costs, and the signed settlement. A charge that is already decided stays."""

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
    """The receipt is committed on chain, no matter who sent it."""

    execution_id: ExecutionId
    transaction: str


@dataclass(frozen=True, slots=True)
class Enqueue(Change):
    """Ask for an effect. A waiting item stays as it is; ``again`` repeats one that is done or was given up."""

    item: OutboxItem
    again: bool = False


@dataclass(frozen=True, slots=True)
class Postpone(Change):
    """Try an item again at ``until``; the reason is stored and the attempt counted."""

    key: str
    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Complete(Change):
    """The effect is there. Completing it twice is harmless."""

    key: str


@dataclass(frozen=True, slots=True)
class GiveUp(Change):
    """The effect can no longer be reached. Items that wait for it are given up too."""

    key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Attach(Change):
    """Store a signed transaction and the items it carries, before it is sent for the first time."""

    transaction: StoredTransaction


@dataclass(frozen=True, slots=True)
class MarkMined(Change):
    """The transaction is in this block."""

    hash: str
    block: Cursor


@dataclass(frozen=True, slots=True)
class Spend(Change):
    """The transaction was mined, successfully or not, and cost so much wei. It is counted once.

    Its items share the cost. Once all are done, their shares replace what was reserved for them.
    """

    hash: str
    cost: int


@dataclass(frozen=True, slots=True)
class MarkUnmined(Change):
    """The transaction is no longer in a block."""

    hash: str


@dataclass(frozen=True, slots=True)
class Confirm(Change):
    """The transaction is deep enough, and is not looked at again unless the chain rolls back."""

    hash: str


@dataclass(frozen=True, slots=True)
class Detach(Change):
    """The transaction will never count: forget it. Its unfinished items are due again at ``until``."""

    hash: str
    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class AddUpload(Change):
    """Somebody uploaded a file. It replaces the room that was reserved for it."""

    upload: Upload


@dataclass(frozen=True, slots=True)
class NameUploads(Change):
    """A list of files sealed for a DID names these uploads of an account. Uploads of other accounts are left out.

    With ``needed`` the DID is registered: from now on they count against the account and not against strangers.
    Raises ``InvalidRequest`` when too many lists name one of them.
    """

    did: str
    owner: Address
    upload_ids: tuple[str, ...]
    at: datetime
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Release(Change):
    """A promised purchase will not be sent. It no longer counts, unless a transaction was signed for it."""

    agreement_id: AgreementId
