"""Logs of our contracts, read as events of the domain.

A log is untrusted: the address says which contract wrote it, and a caller chose some of its values (the url of a DID).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from insitu.adapters.chain.contracts import abi_type, artifact
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.rpc import items, member, number, raw_bytes
from insitu.domain.agreement import Terms
from insitu.domain.canonical import keccak256
from insitu.domain.did import PREFIX
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, read_address
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

__all__ = ["EventReader", "event_topic", "terms_of"]

_Fields = Mapping[str, Any]


def _agreement(fields: _Fields) -> AgreementId:
    return AgreementId(fields["agreementId"].hex())


def _did(fields: _Fields) -> str:
    return PREFIX + str(fields["did"].hex())


def _word(value: bytes) -> str:
    return "0x" + value.hex()


def _registered(f: _Fields) -> LedgerEvent:
    url = f["value"].decode("utf-8", "replace")
    return DidRegistered(_did(f), read_address(f["owner"]), f["checksum"].hex(), url, f["version"])


def _transferred(f: _Fields) -> LedgerEvent:
    return DidTransferred(_did(f), read_address(f["previousOwner"]), read_address(f["newOwner"]))


def _created(f: _Fields) -> LedgerEvent:
    return AgreementCreated(_agreement(f), terms_of(f["terms"]))


def _locked(f: _Fields) -> LedgerEvent:
    return LockFulfilled(_agreement(f), _did(f), read_address(f["provider"]), f["amount"])


def _granted(f: _Fields) -> LedgerEvent:
    return ComputeFulfilled(_agreement(f), _did(f), read_address(f["consumer"]), f["expiresAt"])


def _refused(f: _Fields) -> LedgerEvent:
    return ComputeRefused(_agreement(f), _did(f), read_address(f["consumer"]))


def _timed_out(f: _Fields) -> LedgerEvent:
    return ComputeTimedOut(_agreement(f), _did(f), read_address(f["consumer"]))


def _released(f: _Fields) -> LedgerEvent:
    return PaymentReleased(_agreement(f), f["index"], f["charge"], _word(f["receiptHash"]), f["last"])


def _paid(f: _Fields) -> LedgerEvent:
    return EscrowFulfilled(_agreement(f), f["settled"], f["refunded"])


def _aborted(f: _Fields) -> LedgerEvent:
    return EscrowAborted(_agreement(f), f["settled"], f["refunded"])


_READ: Mapping[tuple[str, str], Callable[[_Fields], LedgerEvent]] = {
    ("DIDRegistry", "DIDAttributeRegistered"): _registered,
    ("DIDRegistry", "DIDOwnershipTransferred"): _transferred,
    ("AgreementStoreManager", "AgreementCreated"): _created,
    ("LockRewardCondition", "Fulfilled"): _locked,
    ("ComputeExecutionCondition", "Fulfilled"): _granted,
    ("ComputeExecutionCondition", "Refused"): _refused,
    ("EscrowReward", "TimedOut"): _timed_out,
    ("EscrowReward", "PaymentReleased"): _released,
    ("EscrowReward", "Fulfilled"): _paid,
    ("EscrowReward", "Aborted"): _aborted,
}


def terms_of(values: Sequence[Any]) -> Terms:
    """Read the terms from the contract's struct."""
    return Terms.model_validate(dict(zip(Terms.model_fields, map(_member, values), strict=True)))


def _member(value: Any) -> object:
    if isinstance(value, bytes):
        return _word(value)
    if isinstance(value, str):
        return read_address(value)
    if isinstance(value, tuple | list):
        return tuple(_member(one) for one in value)
    return value


@dataclass(frozen=True, slots=True)
class _Event:
    """How one event is laid out: indexed values are topics, the others follow each other in the data."""

    topic: bytes
    indexed: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    read: Callable[[_Fields], LedgerEvent]

    def fields(self, topics: Sequence[bytes], data: bytes) -> _Fields:
        values = dict(zip(self.names, decode(self.types, data), strict=True))
        for (name, kind), topic in zip(self.indexed, topics, strict=True):
            values[name] = decode([kind], topic)[0]
        return values


class EventReader:
    """Reads the logs of one deployment.

    Attributes
    ----------
    addresses
        The contracts whose logs matter, as filters of JSON-RPC take them.
    """

    def __init__(self, deployments: Deployments) -> None:
        self._events = {
            (deployments.address(contract).lower(), event.topic): event
            for (contract, name), read in _READ.items()
            for event in [_event(contract, name, read)]
        }
        self.addresses: tuple[Address, ...] = tuple(sorted({Address(address) for address, _ in self._events}))

    def read(self, logs: object) -> tuple[Logged, ...]:
        """Return the events among the logs of JSON-RPC, in their order. Other logs are left out.

        Raises ``ContractMismatch`` for a log of our contracts that doesn't fit, ``ChainUnavailable`` for no logs.
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
        event = self._events.get((str(member(log, "address")).lower(), topics[0])) if topics else None
        if event is None:
            return None
        try:
            return event.read(event.fields(topics[1:], raw_bytes(member(log, "data"))))
        except (DecodingError, OverflowError, ValueError):
            detail = f"a log of {member(log, 'address')} does not fit the ABI of our contracts"
            raise InsituError("ContractMismatch", detail) from None


def event_topic(contract: str, name: str) -> str:
    """Return the first topic (0x…) of an event, for filters."""
    return _word(_topic(_entry(contract, name)))


def _entry(contract: str, name: str) -> dict[str, Any]:
    return next(e for e in artifact(contract).abi if e["type"] == "event" and e["name"] == name)


def _topic(entry: Mapping[str, Any]) -> bytes:
    return keccak256(f"{entry['name']}({','.join(map(abi_type, entry['inputs']))})".encode())


def _event(contract: str, name: str, read: Callable[[_Fields], LedgerEvent]) -> _Event:
    entry = _entry(contract, name)
    plain = [p for p in entry["inputs"] if not p["indexed"]]
    return _Event(
        topic=_topic(entry),
        indexed=tuple((p["name"], abi_type(p)) for p in entry["inputs"] if p["indexed"]),
        names=tuple(p["name"] for p in plain),
        # A string may hold anything, so it is read as bytes and decoded with replacements.
        types=tuple(abi_type(p).replace("string", "bytes") for p in plain),
        read=read,
    )
