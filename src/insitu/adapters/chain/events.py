"""Read the logs of our contracts as events of the domain.

A log is untrusted: its address shows which contract wrote it, and a caller chose some of its values (the url of a DID).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insitu.adapters.chain.abi import Log
from insitu.adapters.chain.contracts import log_of
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.rpc import items, member, number, raw_bytes
from insitu.domain.agreement import Terms
from insitu.domain.did import PREFIX
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import (
    AgreementCreated,
    ComputeFulfilled,
    ComputeRefused,
    ComputeTimedOut,
    DidProviderAdded,
    DidProviderRemoved,
    DidRegistered,
    DidTransferred,
    EscrowAborted,
    EscrowFulfilled,
    LedgerEvent,
    LockFulfilled,
    PaymentReleased,
)
from insitu.ports.chain import Logged


def domain_terms(values: Sequence[Any]) -> Terms:
    """Return terms as the domain writes them; they come from the chain, so they are checked again."""
    members = zip(Terms.model_fields, values, strict=True)
    return Terms.model_validate({name: "0x" + v.hex() if isinstance(v, bytes) else v for name, v in members})


_AS_WRITTEN: Mapping[str, Callable[[Any], object]] = {
    "agreementId": lambda word: AgreementId(word.hex()),
    "checksum": bytes.hex,
    "did": lambda word: PREFIX + word.hex(),
    "receiptHash": lambda word: "0x" + word.hex(),
    "terms": domain_terms,
}
"""How the domain writes a parameter; the others stay as they are."""


@dataclass(frozen=True, slots=True)
class _EventReading:
    """An event of a contract, and the domain's, with the parameters that its members are, in their order.

    The parameter ``block`` is not written by the contract: it is the number of the log's block.
    """

    contract: str
    event: str
    kind: Callable[..., LedgerEvent]
    parameters: tuple[str, ...]

    @property
    def log(self) -> Log:
        return log_of(self.contract, self.event)

    def read(self, log: object, topics: list[bytes]) -> LedgerEvent:
        values = self.log.values(topics, raw_bytes(member(log, "data")))
        if "block" in self.parameters:
            values["block"] = number(member(log, "blockNumber"))
        return self.kind(*(_AS_WRITTEN.get(name, _same)(values[name]) for name in self.parameters))


def _same(value: Any) -> object:
    return value


_REGISTRATION = ("did", "owner", "checksum", "value", "version", "previousBlock", "block")
_SUMS = ("agreementId", "settled", "refunded")
_PARTIES = ("agreementId", "did", "consumer")
_READINGS = (
    _EventReading("DIDRegistry", "DIDAttributeRegistered", DidRegistered, _REGISTRATION),
    _EventReading("DIDRegistry", "DIDOwnershipTransferred", DidTransferred, ("did", "previousOwner", "newOwner")),
    _EventReading("DIDRegistry", "DIDProviderAdded", DidProviderAdded, ("did", "provider")),
    _EventReading("DIDRegistry", "DIDProviderRemoved", DidProviderRemoved, ("did", "provider")),
    _EventReading("AgreementStoreManager", "AgreementCreated", AgreementCreated, ("agreementId", "terms")),
    _EventReading("LockRewardCondition", "Fulfilled", LockFulfilled, ("agreementId", "did", "provider", "amount")),
    _EventReading("ComputeExecutionCondition", "Fulfilled", ComputeFulfilled, (*_PARTIES, "expiresAt")),
    _EventReading("ComputeExecutionCondition", "Refused", ComputeRefused, _PARTIES),
    _EventReading("ComputeExecutionCondition", "TimedOut", ComputeTimedOut, _PARTIES),
    _EventReading(
        "EscrowReward", "PaymentReleased", PaymentReleased, ("agreementId", "index", "charge", "receiptHash", "last")
    ),
    _EventReading("EscrowReward", "Fulfilled", EscrowFulfilled, _SUMS),
    _EventReading("EscrowReward", "Aborted", EscrowAborted, _SUMS),
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
            (deployments.address(reading.contract).lower(), reading.log.topic): reading for reading in _READINGS
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
            return reading.read(log, topics)
        except ValueError:
            # Terms with values that our contracts refuse.
            detail = f"a log of {member(log, 'address')} does not fit the ABI of our contracts"
            raise InsituError("ContractMismatch", detail) from None


def event_topic(contract: str, event: str) -> str:
    """Return the first topic (0x…) of an event, for filters."""
    return "0x" + log_of(contract, event).topic.hex()
