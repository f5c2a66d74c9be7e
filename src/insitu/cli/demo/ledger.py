"""What the chain says about one purchase: its transactions in order, read from events alone."""

from dataclasses import dataclass

import anyio

from insitu.domain.ids import AgreementId
from insitu.domain.ledger import (
    AgreementCreated,
    ComputeFulfilled,
    DidProviderAdded,
    DidProviderRemoved,
    DidRegistered,
    DidTransferred,
    EscrowFulfilled,
    LedgerEvent,
    LockFulfilled,
    PaymentReleased,
)
from insitu.ports.chain import Chain

PATIENCE = 60.0

_NAMES: dict[type, str] = {
    AgreementCreated: "AgreementCreated",
    LockFulfilled: "LockReward.Fulfilled",
    ComputeFulfilled: "ComputeExecution.Fulfilled",
    DidRegistered: "DIDAttributeRegistered",
    DidTransferred: "DIDOwnershipTransferred",
    PaymentReleased: "PaymentReleased",
    EscrowFulfilled: "EscrowReward.Fulfilled",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction: its hash, its events, and the gas it used."""

    transaction: str
    events: tuple[str, ...]
    gas: int


async def transactions_of(chain: Chain, agreement: AgreementId, result: str) -> tuple[Entry, ...]:
    """Return the transactions of an agreement and of its result, once the payment is released.

    Raises ``TimeoutError`` if it is not released in time.
    """
    found: dict[str, list[str]] = {}
    wanted = {EscrowFulfilled, DidTransferred}
    with anyio.fail_after(PATIENCE):
        async for block in chain.follow(()):
            for logged in block.events:
                if _belongs(logged.event, agreement, result):
                    found.setdefault(logged.transaction, []).append(_NAMES.get(type(logged.event), "?"))
                    wanted.discard(type(logged.event))
            if not wanted:
                break
    entries = []
    for transaction, names in found.items():
        mined = await chain.outcome(transaction)
        entries.append(Entry(transaction, tuple(names), mined.gas if mined is not None else 0))
    return tuple(entries)


def _belongs(event: LedgerEvent, agreement: AgreementId, result: str) -> bool:
    if isinstance(event, DidRegistered | DidTransferred):
        return event.did == result
    if isinstance(event, DidProviderAdded | DidProviderRemoved):
        return False
    return event.agreement_id == agreement
