"""The gateway's memory: terms, cursor, outbox, idempotency keys, executions, receipts, events (design §9).

Each method is one transaction; what it changed is durable when it returns. One contract suite
(tests/ports/agreements) runs over every adapter.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import (
    Dossier,
    EventRecord,
    FreeExecution,
    Frozen,
    Idempotency,
    KnownAgreement,
    OutboxItem,
    Relay,
    Relayed,
    RelayLimits,
    StoredExecution,
    StoredTransaction,
    Upload,
    UploadLimits,
)
from insitu.ports.chain import Cursor

__all__ = ["Agreements"]


class Agreements(Protocol):
    """Everything that the gateway must not forget."""

    async def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes in order, all of them or none."""
        ...

    async def cursors(self) -> tuple[Cursor, ...]:
        """Return the newest cursors, newest first."""
        ...

    async def agreement(self, agreement_id: AgreementId) -> KnownAgreement | None:
        """Return an agreement, or None where it is not known."""
        ...

    async def needing_attention(self, now: datetime, limit: int = 100) -> tuple[KnownAgreement, ...]:
        """Return agreements to which something happened that is not dealt with, or that are to be seen again by now."""
        ...

    async def next_attention(self) -> datetime | None:
        """Return when the next agreement is to be seen again."""
        ...

    async def free_grants(self, consumer: Address, since: datetime) -> int:
        """Count the free agreements of a consumer that were judged as relaying, granting or granted since then."""
        ...

    async def relayed(self, consumer: Address, since: datetime) -> Relayed:
        """Count the purchases of a consumer that were promised since then, and add up what all strangers' cost.

        Each cost is rounded up to gwei.
        """
        ...

    async def require_free_gas(self, free: FreeExecution, consumer: Address, now: datetime) -> None:
        """Raise ``FreeGasExhausted`` where the consumer is a stranger and ``free`` would go beyond the day's budget."""
        ...

    async def promise(self, relay: Relay, limits: RelayLimits, changes: Iterable[Change]) -> bool:
        """Promise to send a purchase, with the changes that follow from it; tell whether that is new.

        Nothing changes where the purchase is on its way or was made: the agreement stands otherwise than created,
        declined or lost. Raises ``AgreementExists`` where another purchase of the consumer with the same seed is on its
        way or was made; ``RelayLimitReached``, ``RelayExhausted`` by what was promised in the day before.
        """
        ...

    async def unsettled(self, ended_before: int, limit: int = 100) -> tuple[KnownAgreement, ...]:
        """Return granted agreements with start + timeout up to then and an ended execution without a decided charge."""
        ...

    async def start(
        self,
        agreement_id: AgreementId,
        at: datetime,
        limit: int,
        draft: Callable[[int], tuple[ExecutionPlan, Dossier]],
        idempotency: Idempotency | None = None,
        free: FreeExecution | None = None,
    ) -> tuple[StoredExecution, bool]:
        """Allot the next number and store key, execution and plan; return the execution and whether it is new.

        The same idempotency key returns the first answer. Raises ``IdempotencyConflict`` (same key, other body),
        ``ExecutionInProgress`` (another one is live), ``ExecutionLimitReached`` (``limit`` numbers are used up).
        With ``free`` its gas is reserved; raises ``FreeGasExhausted`` where the day's budget of strangers is used up.
        ``draft`` is called with the number and must be pure: it is called anew if another transaction is in the way.
        """
        ...

    async def repeated(self, idempotency: Idempotency) -> StoredExecution | None:
        """Return what the same request started before, or None. Raises ``IdempotencyConflict``."""
        ...

    async def execution(self, execution_id: ExecutionId) -> StoredExecution | None:
        """Return an execution with its history, or None."""
        ...

    async def executions(
        self,
        *,
        agreement_id: AgreementId | None = None,
        consumer: Address | None = None,
        input_dids: Sequence[str] | None = None,
        limit: int = 1000,
        charging: bool = False,
    ) -> tuple[StoredExecution, ...]:
        """List executions, newest first: of the agreement, of the consumer, or that read one of the data sets.

        With ``charging`` only ended ones whose charge is open or more than nothing: few, however many there were.
        """
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
        """Store the outcome and the changes that follow from it, unless one is stored; return what is stored, and
        whether it is this one. Raises ``ExecutionUnknown``.

        With ``instead_of`` (the hash of its receipt) a stored outcome gives way to this one, with all that was still to
        follow from it, as long as nothing of it is on chain or on its way there.
        """
        ...

    async def events(self, execution_id: ExecutionId, after: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        """Return the events of an execution with a greater sequence, in order."""
        ...

    async def due(self, now: datetime, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return items that are due, carried by no transaction, and wait for no other; oldest first."""
        ...

    async def batchable(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return items that may share a transaction, were never tried, and wait for nothing but their time."""
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next item is due that waits for no other and is carried by no transaction."""
        ...

    async def item(self, key: str) -> OutboxItem | None:
        """Return an item in any state."""
        ...

    async def given_up(self, limit: int = 100) -> tuple[OutboxItem, ...]:
        """Return what an execution has left undone for ever, newest first; statements of provenance do not count."""
        ...

    async def in_flight(self) -> tuple[StoredTransaction, ...]:
        """Return the transactions that are not confirmed, in the order of their nonces."""
        ...

    async def use_assertion(self, issuer: Address, jti: str, expires: datetime, now: datetime) -> None:
        """Note an assertion's id until it expires. Raises ``TokenReused``."""
        ...

    async def upload(self, upload_id: str) -> Upload | None:
        """Return an upload that was received, or None."""
        ...

    async def reserve_upload(self, upload: Upload, least: int, limits: UploadLimits) -> int:
        """Keep room for an upload of up to ``size`` bytes, and return for how many there is, at least ``least``.

        Raises ``UploadShareUsed``, ``UploadsFull``.
        """
        ...

    async def unnamed_uploads(self, before: datetime, limit: int = 100) -> tuple[tuple[Upload, tuple[str, ...]], ...]:
        """Return uploads from before a moment that no list names which was sealed since, each with the DIDs of others.

        Those of earlier releases, of which no DID is known, are not among them.
        """
        ...

    async def uses(self, did: str) -> bool:
        """Tell whether an agreement or an execution here has a version of the asset."""
        ...

    async def remove_uploads(self, upload_ids: Sequence[str], before: datetime) -> tuple[str, ...]:
        """Forget uploads, but for those that a list names which was sealed since; return blobs that nothing needs."""
        ...

    async def expired_results(self, now: datetime, limit: int = 100) -> tuple[StoredExecution, ...]:
        """Return executions whose result is kept no longer and whose files were not removed yet."""
        ...

    async def results_removed(self, execution_id: ExecutionId) -> tuple[str, ...]:
        """Note that a result's files are gone and return the SHA-256 of those that no kept result or upload needs."""
        ...

    async def needless_blobs(self, digests: Sequence[str]) -> tuple[str, ...]:
        """Return those of some blobs, at most 500, that no kept result and no upload needs."""
        ...

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while no other gateway on the same memory does, and return when it returns.

        For what goes on without requests: the chain is followed, and the outbox carried out, by one. Others wait; one
        takes over when it ends, however it ends. Where the turn cannot be held any more, for the memory was away,
        ``work`` is cancelled, and begun again at the next turn.
        """
        ...
