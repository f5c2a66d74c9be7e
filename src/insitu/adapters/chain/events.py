"""Read the logs of our contracts as events of the domain.

A log is untrusted: its address shows which contract wrote it, and a caller chose some of its values (the url of a DID).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from insitu.adapters.chain.abi import Event
from insitu.adapters.chain.bindings import agreement_store_manager as agreements
from insitu.adapters.chain.bindings import compute_execution_condition as compute
from insitu.adapters.chain.bindings import did_registry as registry
from insitu.adapters.chain.bindings import escrow_reward as escrow
from insitu.adapters.chain.bindings import lock_reward_condition as lock
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.rpc import items, member, number, raw_bytes
from insitu.adapters.chain.terms import domain_terms
from insitu.domain.did import PREFIX
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import (
    AgreementCreated,
    ComputeFulfilled,
    ComputeRefused,
    ComputeTimedOut,
    DidRegistered,
    DidTransferred,
    EscrowAborted,
    EscrowFulfilled,
    LedgerEvent,
    LockFulfilled,
    PaymentReleased,
)
from insitu.ports.chain import Logged

__all__ = ["EventReader", "event_topic"]

E = TypeVar("E", bound=Event)


def _agreement(word: bytes) -> AgreementId:
    return AgreementId(word.hex())


def _did(word: bytes) -> str:
    return PREFIX + word.hex()


def _registered(found: registry.DIDAttributeRegistered) -> LedgerEvent:
    version = found.version, found.previous_block
    # A log names its block beside what the contract wrote, so the reader fills it in.
    return DidRegistered(_did(found.did), found.owner, found.checksum.hex(), found.value, *version, block=0)


def _transferred(found: registry.DIDOwnershipTransferred) -> LedgerEvent:
    return DidTransferred(_did(found.did), found.previous_owner, found.new_owner)


def _created(found: agreements.AgreementCreated) -> LedgerEvent:
    return AgreementCreated(_agreement(found.agreement_id), domain_terms(found.terms))


def _locked(found: lock.Fulfilled) -> LedgerEvent:
    return LockFulfilled(_agreement(found.agreement_id), _did(found.did), found.provider, found.amount)


def _granted(found: compute.Fulfilled) -> LedgerEvent:
    return ComputeFulfilled(_agreement(found.agreement_id), _did(found.did), found.consumer, found.expires_at)


def _refused(found: compute.Refused) -> LedgerEvent:
    return ComputeRefused(_agreement(found.agreement_id), _did(found.did), found.consumer)


def _timed_out(found: compute.TimedOut) -> LedgerEvent:
    return ComputeTimedOut(_agreement(found.agreement_id), _did(found.did), found.consumer)


def _released(found: escrow.PaymentReleased) -> LedgerEvent:
    receipt = "0x" + found.receipt_hash.hex()
    return PaymentReleased(_agreement(found.agreement_id), found.index, found.charge, receipt, found.last)


def _paid(found: escrow.Fulfilled) -> LedgerEvent:
    return EscrowFulfilled(_agreement(found.agreement_id), found.settled, found.refunded)


def _aborted(found: escrow.Aborted) -> LedgerEvent:
    return EscrowAborted(_agreement(found.agreement_id), found.settled, found.refunded)


@dataclass(frozen=True, slots=True)
class _EventReading(Generic[E]):
    """An event of a contract, and its translation to the domain."""

    contract: str
    kind: type[E]
    translate: Callable[[E], LedgerEvent]

    def read(self, topics: list[bytes], data: bytes) -> LedgerEvent:
        return self.translate(self.kind.read(topics, data))


_READINGS: tuple[_EventReading[Any], ...] = (
    _EventReading("DIDRegistry", registry.DIDAttributeRegistered, _registered),
    _EventReading("DIDRegistry", registry.DIDOwnershipTransferred, _transferred),
    _EventReading("AgreementStoreManager", agreements.AgreementCreated, _created),
    _EventReading("LockRewardCondition", lock.Fulfilled, _locked),
    _EventReading("ComputeExecutionCondition", compute.Fulfilled, _granted),
    _EventReading("ComputeExecutionCondition", compute.Refused, _refused),
    _EventReading("ComputeExecutionCondition", compute.TimedOut, _timed_out),
    _EventReading("EscrowReward", escrow.PaymentReleased, _released),
    _EventReading("EscrowReward", escrow.Fulfilled, _paid),
    _EventReading("EscrowReward", escrow.Aborted, _aborted),
)


class EventReader:
    """Reads the logs of one deployment.

    Attributes
    ----------
    addresses
        The contracts whose logs matter, as JSON-RPC filters take them.
    """

    def __init__(self, deployments: Deployments) -> None:
        self._readings = {
            (deployments.address(reading.contract).lower(), reading.kind.LOG.topic): reading for reading in _READINGS
        }
        self.addresses: tuple[Address, ...] = tuple(sorted({Address(address) for address, _ in self._readings}))

    def read(self, logs: object) -> tuple[Logged, ...]:
        """Return the events among JSON-RPC logs, in their order. Other logs are left out.

        Raises ``ContractMismatch`` for a log of our contracts that does not fit, ``ChainUnavailable`` if ``logs`` is
        not a list.
        """
        found = []
        for log in items(logs):
            event = self._read(log)
            if event is not None:
                place = number(member(log, "logIndex"))
                found.append(Logged(event, str(member(log, "transactionHash")), place))
        return tuple(found)

    def _read(self, log: object) -> LedgerEvent | None:
        topics = [raw_bytes(topic) for topic in items(member(log, "topics"))]
        reading = self._readings.get((str(member(log, "address")).lower(), topics[0])) if topics else None
        if reading is None:
            return None
        try:
            event = reading.read(topics, raw_bytes(member(log, "data")))
            return (
                replace(event, block=number(member(log, "blockNumber"))) if isinstance(event, DidRegistered) else event
            )
        except ValueError:
            # Terms with values that our contracts refuse.
            detail = f"a log of {member(log, 'address')} does not fit the ABI of our contracts"
            raise InsituError("ContractMismatch", detail) from None


def event_topic(kind: type[Event]) -> str:
    """Return the first topic (0x…) of an event, for filters."""
    return "0x" + kind.LOG.topic.hex()
