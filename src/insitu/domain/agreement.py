"""Service agreements: terms, their id, their state on chain, their deadlines (C2–C5, E1).

The id of an agreement *is* the EIP-712 digest of its terms. Other terms have another id, so terms need not be stored on
chain: hashing them again authenticates them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, ClassVar

from pydantic import Field

from insitu.domain.ids import Address, AgreementId
from insitu.domain.typed_data import SigningDomain, encoded_hash
from insitu.domain.wire import Account, Amount, WireModel

Bytes32 = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
_Uint40 = Annotated[int, Field(ge=0, lt=2**40)]
_Uint32 = Annotated[int, Field(ge=0, lt=2**32)]

TERMS_TYPE = (
    "Terms(bytes32 seed,bytes32 did,bytes32 inputsHash,bytes32 workflowId,bytes32 workflowHash,address consumer,"
    "address provider,uint32 serviceIndex,uint40 deadline,uint32 grantTimeout,uint32 timeout,uint32 settleTimeout,"
    "uint256[] amounts,address[] receivers)"
)
SETTLEMENT_TYPE = "Settlement(bytes32 agreementId,uint32 index,uint128 charge,bytes32 receiptHash,bool last)"
DOMAIN_NAME = "ServiceExecutionTemplate"


class Terms(WireModel):
    """What the consumer signs and pays for; the member order is that of the contract's struct.

    Attributes
    ----------
    seed
        The random part of the serviceAgreementId (C2).
    did
        The first input of the workflow.
    inputs_hash
        Which version of every input is bought (:func:`insitu.domain.inputs_hash.inputs_hash`).
    workflow_hash
        On-chain checksum of the workflow's version.
    service_index
        The serviceDefinitionId.
    deadline
        Create and lock no later than this time, in seconds since 1970.
    grant_timeout, timeout, settle_timeout
        Seconds, all counted from the lock.
    amounts, receivers
        Base units of the token and the accounts they go to, at most 8; ``receivers[0]`` gets the rounding rest.
    """

    encoded_type: ClassVar[str] = TERMS_TYPE

    seed: Bytes32
    did: Bytes32
    inputs_hash: Bytes32
    workflow_id: Bytes32
    workflow_hash: Bytes32
    consumer: Account
    provider: Account
    service_index: _Uint32
    deadline: _Uint40
    grant_timeout: _Uint32
    timeout: _Uint32
    settle_timeout: _Uint32
    amounts: tuple[Amount, ...] = ()
    receivers: tuple[Account, ...] = ()

    @property
    def total(self) -> int:
        """The full price in base units of the token."""
        return sum(self.amounts)

    def as_tuple(self) -> tuple[object, ...]:
        """Return the struct as contract calls take it."""
        return tuple(getattr(self, name) for name in type(self).model_fields)


class TermsV1(Terms):
    """Terms of the contracts before ADR 0115, which only receipts of that time still carry.

    ``inputs_hash`` is in them ``ddoHash``: the on-chain checksum of the first input alone.
    """

    encoded_type: ClassVar[str] = TERMS_TYPE.replace("inputsHash", "ddoHash")

    inputs_hash: Bytes32 = Field(alias="ddoHash")


class Settlement(WireModel):
    """The settlement of one execution: ``index`` is the execution's number, ``receipt_hash`` commits its receipt."""

    index: _Uint32
    charge: Annotated[Amount, Field(lt=2**128)]
    receipt_hash: Bytes32
    last: bool = False

    def as_tuple(self) -> tuple[object, ...]:
        """Return the struct as contract calls take it."""
        return (self.index, self.charge, self.receipt_hash, self.last)


class SignedSettlement(WireModel):
    """A settlement that anybody may send, because it carries the provider's signature (E10)."""

    terms: TermsV1 | Terms
    settlement: Settlement
    signature: str
    """0x and 130 hexadecimal digits: 65 bytes r ‖ s ‖ v of the settlement's digest."""


@dataclass(frozen=True, slots=True)
class AgreementDomain:
    """Where an agreement is: the EIP-712 domain of one template contract on one chain."""

    chain_id: int
    contract: Address

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the 32 bytes to sign (EIP-712)."""
        return SigningDomain(DOMAIN_NAME, self.chain_id, self.contract).digest(struct_hash)


def terms_digest(terms: Terms, domain: AgreementDomain) -> bytes:
    """Return the EIP-712 digest of the terms: what the consumer signs (C3)."""
    return domain.digest(encoded_hash(terms.encoded_type, terms.as_tuple()))


def agreement_id(terms: Terms, domain: AgreementDomain) -> AgreementId:
    """Return the serviceAgreementId of the terms."""
    return AgreementId(terms_digest(terms, domain).hex())


def settlement_digest(agreement: AgreementId, settlement: Settlement, domain: AgreementDomain) -> bytes:
    """Return the EIP-712 digest that the provider signs so that anybody may release the payment."""
    return domain.digest(encoded_hash(SETTLEMENT_TYPE, ("0x" + agreement, *settlement.as_tuple())))


class ConditionState(IntEnum):
    """State of a condition, as the contracts number them."""

    UNINITIALIZED = 0
    UNFULFILLED = 1
    FULFILLED = 2
    ABORTED = 3


@dataclass(frozen=True, slots=True)
class AgreementState:
    """An agreement on chain, decoded from its one word of storage (contracts/docs).

    ``start`` is the time of creation until the payment is locked, then the time of the lock, in seconds since 1970.
    """

    settled: int
    start: int
    lock: ConditionState
    compute: ConditionState
    escrow: ConditionState
    closed: bool

    @property
    def exists(self) -> bool:
        """True once the agreement was created."""
        return self.lock is not ConditionState.UNINITIALIZED

    @property
    def locked(self) -> bool:
        """True once the payment is in escrow, and after that."""
        return self.lock is ConditionState.FULFILLED

    @property
    def granted(self) -> bool:
        """True once the provider has granted."""
        return self.compute is ConditionState.FULFILLED

    @property
    def refunded(self) -> bool:
        """True once the money went back, by refusal, timeout or cancellation."""
        return self.escrow is ConditionState.ABORTED

    def permits(self, terms: Terms, now: int) -> bool:
        """Return whether executions may start: granted, not closed, not refunded, before start + timeout (E1)."""
        return self.granted and not self.closed and not self.refunded and now < self.start + terms.timeout

    def grant_ends(self, terms: Terms) -> int:
        """Return when anybody may refund an agreement that was not granted, in seconds since 1970."""
        return self.start + terms.grant_timeout

    def execution_ends(self, terms: Terms) -> int:
        """Return from when on no execution may start."""
        return self.start + terms.timeout

    def settlement_ends(self, terms: Terms) -> int:
        """Return from when on nothing can be settled and anybody may refund what is left."""
        return self.start + terms.timeout + terms.settle_timeout

    def settling_is_over(self, terms: Terms, now: int) -> bool:
        """Return whether nothing more can be settled: refunded, closed, or too late to lock, grant or settle.

        If the chain lost a lock or a grant in a reorganisation, it gets it again as long as there is time.
        """
        if self.refunded or self.closed:
            return True
        if not self.locked:
            return now > terms.deadline
        return now >= (self.settlement_ends(terms) if self.granted else self.grant_ends(terms))

    def execution_ends_at(self, terms: Terms) -> datetime:
        """Return :meth:`execution_ends` as an aware time."""
        return datetime.fromtimestamp(self.execution_ends(terms), UTC)
