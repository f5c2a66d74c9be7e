"""The gateway's memory: terms, cursor, outbox, idempotency keys, executions, receipts, events.

Each method is one transaction, and what it changed is durable when it returns. One contract suite
(tests/ports/agreements) runs over every adapter.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

from pydantic import JsonValue

from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import (
    Dossier,
    EventRecord,
    FreeExecution,
    Frozen,
    GasLeft,
    Idempotency,
    KnownAgreement,
    OutboxItem,
    RegistryRelay,
    Relay,
    Relayed,
    RelayLimits,
    StoredExecution,
    StoredTransaction,
    Upload,
    UploadLimits,
    WalletSession,
)
from insitu.ports.bought_agreements import BoughtFilter, Earned, Used
from insitu.ports.chain import Cursor
from insitu.ports.free_compute import ComputeCaps, ComputeLeft

EVERY = 2**32
"""More executions than an agreement can have: who decides by all of them must see all of them."""


class ExecutionsWanted(TypedDict, total=False):
    """Which executions to list: those of the agreement, of the consumer, or that read one of the data sets.

    With ``charging`` only ended ones whose charge is undecided or above zero. They stay few over time.
    ``live`` asks for those without or with an outcome, ``reading`` for those that read one data set, and
    ``before`` for those that follow this one in the list.
    """

    agreement_id: AgreementId | None
    consumer: Address | None
    input_dids: Sequence[str] | None
    charging: bool
    live: bool | None
    reading: str | None
    before: ExecutionId | None


class Agreements(Protocol):
    """Everything that the gateway must not forget."""

    async def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes in order, all of them or none."""
        ...

    async def cursors(self) -> tuple[Cursor, ...]:
        """Return the newest cursors, newest first."""
        ...

    async def agreement(self, agreement_id: AgreementId) -> KnownAgreement | None:
        """Return an agreement, or None when it is not known."""
        ...

    async def copy(self, did: str, checksum: str) -> tuple[dict[str, JsonValue], int] | None:
        """Return the copy of a bought version with the block that registered it, or None if there is none.

        The checksum (64 digits) has to prove it.
        """
        ...

    async def remove_copies(self, before: datetime) -> None:
        """Delete the copies that no agreement needed any more at that moment."""
        ...

    async def needing_attention(self, now: datetime, limit: int = 100) -> tuple[KnownAgreement, ...]:
        """Return agreements with something that is not dealt with yet, or that are due to be looked at again."""
        ...

    async def next_attention(self) -> datetime | None:
        """Return when the next agreement is due to be looked at again."""
        ...

    async def free_grants(self, consumer: Address, since: datetime) -> int:
        """Count the free agreements of a consumer that became relaying, granting or granted since then."""
        ...

    async def relayed(self, consumer: Address, since: datetime) -> Relayed:
        """Count the purchases promised to a consumer since then, and add up the cost of all strangers' purchases.

        Each cost is rounded up to gwei.
        """
        ...

    async def require_free_gas(self, free: FreeExecution, consumer: Address, now: datetime) -> None:
        """Raise ``FreeGasExhausted`` if the consumer is a stranger and ``free`` would exceed the day's budget."""
        ...

    async def gas_left(self, *, free: bool, budget: int, cost: int, now: datetime) -> GasLeft:
        """Return what strangers have left of a day's budget, in wei, and when ``cost`` fits into it again.

        ``free`` asks for executions without a charge, otherwise for what is sent for purchases and requests.
        """
        ...

    async def compute_left(
        self, caps: ComputeCaps, consumer: Address, agreement_id: AgreementId | None, now: datetime
    ) -> ComputeLeft | None:
        """Return the cap of which least is left; None if none applies, or the agreement pays for what runs under it.

        An execution counts with its time limit until it ends, and for 24 hours with the seconds that it took.
        """
        ...

    async def promise(self, relay: Relay, limits: RelayLimits, changes: Iterable[Change]) -> bool:
        """Promise to send a purchase, apply the changes that follow from it, and return whether the promise is new.

        Nothing changes when the purchase is on its way or was made, which means that the agreement is not created,
        declined or lost. Raises ``AgreementExists`` when another purchase of the consumer with the same seed is on its
        way or was made, and ``RelayLimitReached`` or ``RelayExhausted`` when too much was promised within a day.
        """
        ...

    async def promise_request(self, relay: RegistryRelay, limits: RelayLimits, now: datetime) -> bool:
        """Promise to send a signed request to the registry, and return whether the promise is new.

        Nothing changes when it is on its way or done. Raises ``RelayExhausted`` when strangers were promised too much
        within a day, together with their purchases, and ``RelayLimitReached`` for one update of an asset too many.
        """
        ...

    async def unsettled(self, ended_before: int, limit: int = 100) -> tuple[KnownAgreement, ...]:
        """Return granted agreements with an ended execution, no decided charge, and start + timeout before then."""
        ...

    async def start(
        self,
        agreement_id: AgreementId,
        at: datetime,
        limit: int,
        draft: Callable[[int], tuple[ExecutionPlan, Dossier]],
        idempotency: Idempotency | None = None,
        free: FreeExecution | None = None,
        caps: ComputeCaps | None = None,
    ) -> tuple[StoredExecution, bool]:
        """Take the next number and store key, execution and plan. Return the execution and whether it is new.

        The same idempotency key returns the first answer. Raises ``IdempotencyConflict`` (same key, other body),
        ``AgreementClosing``, ``ExecutionInProgress`` (another one is live), ``ExecutionLimitReached`` (``limit``
        numbers are used up).
        With ``free`` its gas is reserved, and ``FreeGasExhausted`` is raised when the strangers' budget is used up.
        With ``caps`` its time limit is reserved, and ``FreeComputeExhausted`` is raised when nothing is left.
        ``draft`` is called with the number, and again if another transaction interferes, so it must be pure.
        """
        ...

    async def close(
        self,
        agreement_id: AgreementId,
        number: int,
        changes: Iterable[Change],
        free: tuple[FreeExecution, datetime] | None,
    ) -> None:
        """Mark an agreement as closing, and apply the changes that follow, before any of them is seen outside.

        ``number`` is the first that no execution has. Raises ``ExecutionInProgress`` if one has it by now, or if an
        execution is live, or its charge is decided and not settled. With ``free`` its gas is reserved once, at that
        time, or ``FreeGasExhausted`` is raised. Closing twice is harmless.
        """
        ...

    async def pause(self, did: str, stopping: bool | None) -> None:
        """Note that nothing runs on a data set for now, and whether what runs is stopped; None ends the pause.

        A pause that stops what runs keeps doing so when it is noted again.
        """
        ...

    async def paused(self) -> Mapping[str, bool]:
        """Return the paused data sets, and whether what runs on them is stopped."""
        ...

    async def returnable(self, did: str, now: int, limit: int = 20) -> tuple[KnownAgreement, ...]:
        """Return granted agreements on a data set whose price nothing can be charged to and is not on its way back.

        ``now`` is in seconds since 1970. Agreements under which nothing can start any more are left out.
        """
        ...

    async def purchases(self, wanted: BoughtFilter) -> tuple[tuple[KnownAgreement, Used], ...]:
        """List agreements, newest first, and what was used of each."""
        ...

    async def earned(self, account: Address, since: datetime, now: datetime) -> Earned:
        """Add up what an account was paid since a moment, as the gateway saw it on chain, and what waits for it."""
        ...

    async def open_on(self, dids: Sequence[str], now: datetime) -> Mapping[str, int]:
        """Return under how many agreements something may still start on each of the data sets."""
        ...

    async def repeated(self, idempotency: Idempotency) -> StoredExecution | None:
        """Return what the same request started before, or None. Raises ``IdempotencyConflict``."""
        ...

    async def execution(self, execution_id: ExecutionId) -> StoredExecution | None:
        """Return an execution with its history, or None."""
        ...

    async def executions(self, *, limit: int = 1000, **wanted: Unpack[ExecutionsWanted]) -> tuple[StoredExecution, ...]:
        """List executions, newest first."""
        ...

    async def live(self) -> tuple[StoredExecution, ...]:
        """Return the executions whose outcome is not frozen."""
        ...

    async def input_dids(self) -> tuple[str, ...]:
        """Return every data set that an execution has read."""
        ...

    async def freeze(
        self, execution_id: ExecutionId, frozen: Frozen, changes: Iterable[Change], *, instead_of: str | None = None
    ) -> tuple[StoredExecution, bool]:
        """Store the outcome and the changes that follow from it, unless an outcome is stored already.

        Return what is stored and whether it is this outcome. Raises ``ExecutionUnknown``. With ``instead_of`` (the hash
        of its receipt) this outcome replaces a stored one and all that was still to follow from it, as long as nothing
        of it is on chain or on its way there.
        """
        ...

    async def events(self, execution_id: ExecutionId, after: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        """Return the events of an execution with a greater sequence, in order."""
        ...

    async def all_events(
        self,
        after: int | None,
        consumer: Address | None = None,
        input_dids: Sequence[str] | None = None,
        until: int | None = None,
    ) -> tuple[int, tuple[EventRecord, ...]]:
        """Return the number of the last event that was looked at, and those of the listed executions, in order.

        Looks at the 1,000 events with the next greater numbers, up to ``until``; with None at none, and the number is
        the greatest.
        Nobody ever sees a number before all smaller ones. The executions are those of the consumer, or that read one of
        the data sets.
        """
        ...

    async def due(self, now: datetime, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return due items that no transaction carries and that wait for no other item, oldest first."""
        ...

    async def batchable(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return items that may share a transaction, were never tried, and only wait for their time."""
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next item is due that no transaction carries and that waits for no other item."""
        ...

    async def item(self, key: str) -> OutboxItem | None:
        """Return an item, whatever its state."""
        ...

    async def given_up(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return items of executions that were given up, newest first. Statements of provenance do not count."""
        ...

    async def in_flight(self) -> tuple[StoredTransaction, ...]:
        """Return the unconfirmed transactions, in the order of their nonces."""
        ...

    async def use_assertion(self, issuer: Address, jti: str, expires: datetime, now: datetime) -> None:
        """Remember an assertion's id until it expires. Raises ``TokenReused``."""
        ...

    async def open_session(self, session: WalletSession, now: datetime) -> None:
        """Store a new session. An account has at most 32; one more ends the one renewed least recently.

        Raises ``RequestFrequencyExceeded`` if all accounts together have 50,000.
        """
        ...

    async def session(self, session_id: str, now: datetime) -> WalletSession | None:
        """Return a session that has neither ended nor been idle too long, or None."""
        ...

    async def renew_session(self, renewed: WalletSession, spent: str) -> bool:
        """Store a renewed session if its ``secret`` is still ``spent``; otherwise end it and return False."""
        ...

    async def end_session(self, session_id: str) -> None:
        """End a session. Ending it again is harmless."""
        ...

    async def upload(self, upload_id: str) -> Upload | None:
        """Return an upload that was received, or None."""
        ...

    async def reserve_upload(self, upload: Upload, least: int, limits: UploadLimits) -> int:
        """Reserve room for an upload of up to ``size`` bytes, and return how many bytes fit, at least ``least``.

        Raises ``UploadShareUsed``, ``UploadsFull``.
        """
        ...

    async def unnamed_uploads(self, before: datetime, limit: int = 100) -> tuple[tuple[Upload, tuple[str, ...]], ...]:
        """Return uploads from before a moment that no list sealed since then names, each with the DIDs of older lists.

        Uploads of earlier releases, whose DIDs are unknown, are not included.
        """
        ...

    async def reads(self, did: str) -> bool:
        """Return whether an agreement or an execution here is on the data set. Cheap, because anybody can cause it."""
        ...

    async def uses(self, did: str) -> bool:
        """Return whether an agreement or an execution here uses a version of the asset."""
        ...

    async def remove_uploads(self, upload_ids: Sequence[str], before: datetime) -> tuple[str, ...]:
        """Forget uploads that no list sealed since then names, and return the blobs that nothing needs."""
        ...

    async def expired_results(self, now: datetime, limit: int = 100) -> tuple[StoredExecution, ...]:
        """Return executions whose result has expired and whose files were not removed yet."""
        ...

    async def results_removed(self, execution_id: ExecutionId) -> tuple[str, ...]:
        """Mark a result's files as removed and return the SHA-256 of those that no kept result or upload needs."""
        ...

    async def needless_blobs(self, digests: Sequence[str]) -> tuple[str, ...]:
        """Return which of these blobs, at most 500, no kept result and no upload needs."""
        ...

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while no other gateway with the same memory does, and return when it returns.

        For work without requests: only one gateway follows the chain and works through the outbox. The others wait,
        and one takes over when it ends for any reason. If the turn is lost because the memory was away, ``work`` is
        cancelled, and starts again at the next turn.
        """
        ...
