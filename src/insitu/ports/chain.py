"""The chain: the ledger of DIDs and agreements, to read, follow and write.

Views are called at ``pending``, so that a fresh transaction counts and the time is the next block's. When a contract
refuses a call, an ``InsituError`` with the name of the contract's error as its code is raised.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from insitu.domain.agreement import AgreementDomain, AgreementState, Terms
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import AgreementCreated, Call, DidRecord, DidRegistered, LedgerEvent, PaymentReleased, Permit
from insitu.ports.keys import Signer


@dataclass(frozen=True, slots=True)
class Cursor:
    """A block as a place in the chain: its number and its hash (0x and 64 digits)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and the transaction it was part of."""

    event: LedgerEvent
    transaction: str
    log_index: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block that the follower yields.

    Attributes
    ----------
    cursor
        Store it in the transaction that stores what the events mean.
    timestamp
        Seconds since 1970.
    events
        In the order of the chain.
    rolled_back_to
        Set on the first block after a reorganisation: everything above this cursor did not happen.
    """

    cursor: Cursor
    timestamp: int
    events: Sequence[Logged]
    rolled_back_to: Cursor | None = None


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to send. It is kept until it is confirmed, because sending it again is harmless."""

    hash: str
    raw: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Mined:
    """A mined transaction: its ``block``, the ``gas`` it used, and ``confirmations``, the blocks on top of it + 1.

    ``cost`` is what its sender paid for it in wei, or None when the node does not say.
    """

    hash: str
    block: Cursor
    gas: int
    ok: bool
    confirmations: int
    events: Sequence[Logged] = ()
    error: str | None = None
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The payment token, for display only: amounts are always base units."""

    address: Address
    name: str
    symbol: str
    decimals: int


class Chain(Protocol):
    """One EVM chain with the contracts of one deployments file."""

    @property
    def agreements(self) -> AgreementDomain:
        """The EIP-712 domain of the agreement contract: chain id and address of the ServiceExecutionTemplate."""
        ...

    def contract(self, name: str) -> Address:
        """Return the address of a contract by its specification name. Raises ``ContractMismatch``."""
        ...

    def abi(self, contract: str) -> Sequence[Mapping[str, JsonValue]]:
        """Return the ABI of a contract by its specification name. Raises ``ContractMismatch``."""
        ...

    async def read(self, method: str, parameters: Sequence[JsonValue]) -> Mapping[str, JsonValue]:
        """Pass a JSON-RPC call on to the node; the caller has made sure that it only reads.

        The answer has ``result``, or ``error`` with ``code``, ``message`` and the ``data`` of a contract that refused.
        Raises ``ChainUnavailable``.
        """
        ...

    async def verify(self) -> None:
        """Check the code hashes, the token, and that the template is approved. Raises ``ContractMismatch``."""
        ...

    async def time(self, block: int | None = None) -> int:
        """Return the time of a mined block in seconds since 1970, by default of the next block.

        The latter is never earlier than the newest block's.
        """
        ...

    async def token(self) -> TokenInfo:
        """Describe the payment token."""
        ...

    async def balance(self, account: Address) -> int:
        """Return the account's token balance in base units."""
        ...

    async def native_balance(self, account: Address) -> int:
        """Return what the account can pay for gas, in wei."""
        ...

    async def allowance(self, owner: Address, spender: Address) -> int:
        """Return how many base units ``owner`` allows ``spender`` to spend."""
        ...

    async def did_record(self, did: str) -> DidRecord | None:
        """Return the registry's record of ``did:nv:…``, or None when it is not registered."""
        ...

    async def registration(self, did: str, checksum: str, block: int) -> DidRegistered | None:
        """Return the event that registered a version with this on-chain checksum in this block, or None.

        One log query: who states a version states its block. If there are several, the newest counts.
        """
        ...

    def registrations(self, did: str) -> AsyncIterator[DidRegistered]:
        """Yield the registrations of a DID, from the current version back, at most the newest 1,000.

        Each names the block of the one before. Raises ``ChainUnavailable`` if the node does not have one of them.
        """
        ...

    async def is_provider(self, did: str, account: Address) -> bool:
        """Return whether the account is owner or provider of the DID."""
        ...

    async def providers(self, did: str) -> Mapping[Address, bool]:
        """Return every account that an owner ever let provide the DID, and whether it still may, by the events."""
        ...

    async def agreement(self, agreement_id: AgreementId) -> AgreementState:
        """Return the state of an agreement (all zero when there is none)."""
        ...

    async def find_terms(self, agreement_id: AgreementId) -> Terms | None:
        """Return the terms from the AgreementCreated event, so that knowing the id is enough."""
        ...

    async def find_agreements(self, consumer: Address) -> tuple[AgreementCreated, ...]:
        """Return the agreements that a consumer created, newest first."""
        ...

    async def find_settlements(self, agreement_id: AgreementId) -> tuple[PaymentReleased, ...]:
        """Return the settlements of an agreement, newest first, with the receipts' committed hashes."""
        ...

    async def check_permissions(self, terms: Terms, consumer: Address, workflow_id: str) -> bool:
        """Call the contract's view of that name (E1)."""
        ...

    async def has_code(self, account: Address) -> bool:
        """Return whether a contract is at an address, so that its account has no key of its own."""
        ...

    async def signed_by(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Return whether an account signed a digest of 32 bytes, as the contracts judge it.

        If there is code at the address, its ``isValidSignature`` decides (ERC-1271), within bounds of gas and time;
        otherwise the account that recovery finds. Signatures that stay valid offline, such as receipts, are not judged
        here. Raises ``ChainUnavailable``.
        """
        ...

    async def permit(self, signer: Signer, spender: Address, amount: int, deadline: int) -> Permit | None:
        """Sign an allowance for ``amount`` base units (ERC-2612), or return None for the account of a contract.

        Tokens recover the signer of a permit, so a contract account has to approve the amount by a transaction.
        """
        ...

    async def transact(self, call: Call, signer: Signer) -> Mined:
        """Send a call and wait until it is mined. For clients, which have no outbox.

        Raises the contract's refusal, ``InsufficientFunds``, ``TransactionUnconfirmed``, ``ChainUnavailable``.
        """
        ...

    async def estimate(self, call: Call, sender: Address) -> int:
        """Return the most that sending a call would cost, in wei. Nothing is sent, and no key is needed.

        Raises the contract's refusal if the call would fail now, ``ContractRejected`` if it may need more gas than its
        ``most_gas`` or than a block has, and ``ChainUnavailable``.
        """
        ...

    async def next_nonce(self, account: Address) -> int:
        """Return the account's next nonce, counting pending transactions."""
        ...

    async def sign(self, call: Call, signer: Signer, nonce: int) -> SignedTransaction:
        """Encode, estimate and sign a call without sending it; the outbox stores it first.

        Raises what :meth:`estimate` raises.
        """
        ...

    async def broadcast(self, transaction: SignedTransaction) -> None:
        """Send a signed transaction. Sending a known one is not an error."""
        ...

    async def outcome(self, transaction_hash: str) -> Mined | None:
        """Return where a transaction was mined, or None if it is not mined yet."""
        ...

    def follow(self, after: Sequence[Cursor], confirmations: int = 0) -> AsyncIterator[Block]:
        """Yield every block with its events after the newest cursor of ``after`` that the chain still knows.

        ``after`` holds the last cursors, newest first (empty: from the deployment on). If the chain does not know the
        newest, the first block has ``rolled_back_to``; if nothing is above that cursor yet, this is its own block once
        more, without events. Blocks without events are yielded too, at least the newest of a batch. The iterator
        reconnects by itself and never ends; cancel it.
        """
        ...

    async def close(self) -> None:
        """Close the connections. An embedded chain saves its state and stops."""
        ...


async def require_record(chain: Chain, did: str) -> DidRecord:
    """Return the registry's record of a DID. Raises ``InvalidDID``, ``AssetNotFound``, ``ChainUnavailable``."""
    record = await chain.did_record(str(Did.parse(did)))
    if record is None:
        raise InsituError("AssetNotFound", f"{did} is not registered on chain", did=did)
    return record
