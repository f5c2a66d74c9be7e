"""``EvmChain``: the chain port over any EVM node that speaks JSON-RPC."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TypeVar

import anyio
from pydantic import JsonValue
from typing_extensions import override

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.bindings import agreement_store_manager
from insitu.adapters.chain.bindings import did_registry as registry
from insitu.adapters.chain.bindings import nevermined_token as erc20
from insitu.adapters.chain.bytecode import read_view, verify_deployment
from insitu.adapters.chain.contracts import TEMPLATE, encode_call, invoke, vendored_abi
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.follower import Follower
from insitu.adapters.chain.headers import header, newest_header
from insitu.adapters.chain.heads import Heads
from insitu.adapters.chain.history import all_logs, find_logs
from insitu.adapters.chain.permits import sign_permit
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.registrations import Registrations
from insitu.adapters.chain.rpc import JsonRpc, member, number, raw_bytes
from insitu.adapters.chain.signed_by import signed_by
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.agreement import AgreementDomain, AgreementState, ConditionState, Terms
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import (
    AgreementCreated,
    Call,
    DidProviderAdded,
    DidProviderRemoved,
    DidRecord,
    DidRegistered,
    LedgerEvent,
    PaymentReleased,
    Permit,
)
from insitu.ports.chain import Block, Cursor, Mined, SignedTransaction, TokenInfo
from insitu.ports.keys import Signer
from insitu.waiting import Backoff

T = TypeVar("T")

_POLL = 1.0
"""Seconds between two checks for new blocks at a node that does not push them."""

_DELEGATION = bytes.fromhex("ef0100")
"""How the code of an account begins whose key still signs, but which runs the code of a contract (EIP-7702)."""

_LOOK, _LOOKS = Backoff(0.005, 0.2), 7
"""Between looks for the event of a record, half a second in all; and their number after the first."""

_GRACE = 30.0
"""Seconds for which one of several nodes behind the same address may lag."""


class EvmChain:
    """One EVM chain with the contracts of one deployments file.

    Parameters
    ----------
    rpc_url
        JSON-RPC address, http or https. New blocks are pushed if a websocket answers at the same address.
    deployments
        The addresses of the contracts.
    patience
        Seconds until :meth:`transact` gives up waiting.
    grace
        Seconds for which the node may lag behind what it returned before.
    """

    def __init__(
        self,
        rpc_url: str,
        deployments: Deployments,
        *,
        patience: float = 180,
        grace: float = _GRACE,
        poll: float = _POLL,
    ) -> None:
        self.deployments = deployments
        self._rpc = JsonRpc(rpc_url)
        self._events = EventReader(deployments)
        self._registrations = Registrations(self._rpc, self._events, deployments.address("DIDRegistry"))
        self._transactions = Transactions(self._rpc, deployments.chain_id, self._events, patience)
        self._heads = Heads(rpc_url, poll)
        self._grace = grace
        self._token: TokenInfo | None = None

    @property
    def agreements(self) -> AgreementDomain:
        """The EIP-712 domain of the agreement contract."""
        return self.deployments.domain

    def contract(self, name: str) -> Address:
        """Return the address of a contract by its specification name. Raises ``ContractMismatch``."""
        return self.deployments.address(name)

    def abi(self, contract: str) -> Sequence[Mapping[str, JsonValue]]:
        """Return the ABI of a contract by its specification name. Raises ``ContractMismatch``."""
        return vendored_abi(contract)

    async def read(self, method: str, parameters: Sequence[JsonValue]) -> Mapping[str, JsonValue]:
        """Pass a call on to the node."""
        try:
            return {"result": await self._rpc.call(method, *parameters)}
        except NodeError as error:
            return {"error": {"code": 3, "message": error.message[:1000], "data": "0x" + error.data.hex()}}

    async def verify(self) -> None:
        """Check chain id, code, wiring, template. Raises ``ContractMismatch``, ``TemplateNotApproved``."""
        await verify_deployment(self._rpc, self.deployments)

    async def time(self, block: int | None = None) -> int:
        """Return the time of a mined block in seconds since 1970, by default of the next block."""
        if block is not None:
            found = await header(self._rpc, block)
            if found is None:
                raise InsituError("ChainUnavailable", f"{self._rpc.host} has no block {block}")
            return found.timestamp
        request = self._rpc.call("eth_getBlockByNumber", "pending", False)
        mined, pending = await asyncio.gather(newest_header(self._rpc), request)
        newest = mined.timestamp
        return newest if pending is None else max(newest, number(member(pending, "timestamp")))

    async def token(self) -> TokenInfo:
        """Describe the payment token."""
        if self._token is None:
            self._token = TokenInfo(
                address=self.contract("NeverminedToken"),
                name=await self._view("NeverminedToken", erc20.name()),
                symbol=await self._view("NeverminedToken", erc20.symbol()),
                decimals=await self._view("NeverminedToken", erc20.decimals()),
            )
        return self._token

    async def balance(self, account: Address) -> int:
        """Return the account's tokens in base units."""
        return await self._view("NeverminedToken", erc20.balance_of(account))

    async def native_balance(self, account: Address) -> int:
        """Return what the account has to pay for gas, in wei."""
        return number(await self._rpc.call("eth_getBalance", account, "latest"))

    async def allowance(self, owner: Address, spender: Address) -> int:
        """Return what the spender may take, in base units."""
        return await self._view("NeverminedToken", erc20.allowance(owner, spender))

    async def did_record(self, did: str) -> DidRecord | None:
        """Return the registry's record, with url and registrant from the event in the block that it names."""
        look = 0
        while True:
            # A pending registration has no event yet, so only mined ones are asked for.
            found = await self._view("DIDRegistry", registry.get_did_register(bytes(Did.parse(did))), block="latest")
            if not found.version:
                return None
            checksum, block = found.checksum.hex(), found.block_number
            event = await self._event_of(did, block, found.version, checksum, found.owner, last=look == _LOOKS)
            if event is not None:
                break
            await anyio.sleep(_LOOK.pause(look))
            look += 1
        return DidRecord(
            did,
            found.owner,
            checksum,
            event.url,
            found.version,
            event.owner,
            block,
            changes=found.changes,
            previous_block=event.previous_block,
        )

    async def _event_of(
        self, did: str, block: int, version: int, checksum: str, owner: Address, *, last: bool
    ) -> DidRegistered | None:
        """Return the event of a record, or None while a node that is adding the block may know only the record."""
        try:
            event = await self._registrations.current(did, block, version, checksum, owner)
        except NodeError:
            if last:
                raise
            return None
        if event is None and last:
            raise InsituError("ChainUnavailable", f"the node has no event of {did} in block {block}")
        return event

    async def registration(self, did: str, checksum: str, block: int) -> DidRegistered | None:
        """Return the event that registered a version with this checksum in a block, or None."""
        return await self._registrations.find(str(Did.parse(did)), checksum, block)

    async def registrations(self, did: str) -> AsyncIterator[DidRegistered]:
        """Yield the registrations of a DID, newest first."""
        record = await self.did_record(did)
        if record is not None:
            async for event in self._registrations.walk(did, record.version, record.block):
                yield event

    async def is_provider(self, did: str, account: Address) -> bool:
        """Return whether the account is owner or provider of the DID."""
        return await self._view("DIDRegistry", registry.is_did_provider(bytes(Did.parse(did)), account))

    async def providers(self, did: str) -> Mapping[Address, bool]:
        """Return the accounts that ever provided the DID besides its owners, and whether they still do."""
        topics, found = [None, "0x" + bytes(Did.parse(did)).hex()], dict[Address, bool]()
        for event in await self._past("DIDRegistry", topics):
            if isinstance(event, DidProviderAdded | DidProviderRemoved):
                found.setdefault(event.provider, isinstance(event, DidProviderAdded))
        return found

    async def agreement(self, agreement_id: AgreementId) -> AgreementState:
        """Return the state of an agreement, all zero if there is none."""
        view = agreement_store_manager.get_agreement(bytes.fromhex(agreement_id))
        found = await self._view("AgreementStoreManager", view)
        return AgreementState(
            settled=found.settled,
            start=found.start,
            lock=_condition(found.lock_reward),
            compute=_condition(found.compute_execution),
            escrow=_condition(found.escrow_reward),
            closed=found.closed,
        )

    async def find_terms(self, agreement_id: AgreementId) -> Terms | None:
        """Return the terms from the AgreementCreated event."""
        topics = [event_topic("AgreementStoreManager", "AgreementCreated"), "0x" + agreement_id]
        logs = await find_logs(self._rpc, self.contract(TEMPLATE), topics, self.deployments.block)
        for logged in self._events.read(logs):
            if isinstance(logged.event, AgreementCreated):
                return logged.event.terms
        return None

    async def find_agreements(
        self, consumer: Address | None, provider: Address | None = None
    ) -> tuple[AgreementCreated, ...]:
        """Return the agreements of a consumer, or of a provider, newest first."""
        parties = (None if account is None else _address_topic(account) for account in (consumer, provider))
        topics = [event_topic("AgreementStoreManager", "AgreementCreated"), None, *parties]
        found = await self._past(TEMPLATE, topics)
        return tuple(event for event in found if isinstance(event, AgreementCreated))

    async def find_settlements(self, agreement_id: AgreementId) -> tuple[PaymentReleased, ...]:
        """Return the settlements of an agreement, newest first."""
        found = await self._past(TEMPLATE, [event_topic("EscrowReward", "PaymentReleased"), "0x" + agreement_id])
        return tuple(event for event in found if isinstance(event, PaymentReleased))

    async def _past(self, contract: str, topics: list[str | None]) -> list[LedgerEvent]:
        logs = await all_logs(self._rpc, self.contract(contract), topics, self.deployments.block)
        return [logged.event for log in logs for logged in self._events.read([log])]

    async def check_permissions(self, terms: Terms, consumer: Address, workflow_id: str) -> bool:
        """E1: ask the contract's view."""
        contract, arguments = "ComputeExecutionCondition", (terms.as_tuple(), consumer, workflow_id)
        view: Invocation[bool] = invoke(contract, "checkPermissions", *arguments)
        return await self._view(contract, view)

    async def has_code(self, account: Address) -> bool:
        """Return whether a contract is at an address."""
        return bool(await self._code(account))

    async def signed_by(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Return whether an account signed a digest: ERC-1271 if it has code, otherwise recovery."""
        return await signed_by(self._rpc, account, digest, signature)

    async def permit(self, signer: Signer, spender: Address, amount: int, deadline: int) -> Permit | None:
        """Sign an allowance for ``amount`` base units (ERC-2612); None if a contract is at the signer's address."""
        code = await self._code(signer.address)
        if code and not code.startswith(_DELEGATION):
            return None
        nonce = await self._view("NeverminedToken", erc20.nonces(signer.address))
        separator = await self._view("NeverminedToken", erc20.domain_separator())
        return sign_permit(signer, spender, amount, deadline, nonce=nonce, separator=separator)

    async def transact(self, call: Call, signer: Signer) -> Mined:
        """Send a call and wait until it is mined."""
        to = self.contract(call.contract)
        return await self._transactions.send(to, encode_call(call), signer, call.most_gas)

    async def estimate(self, call: Call, sender: Address) -> int:
        """Return the most that sending a call would cost, in wei."""
        to = self.contract(call.contract)
        return await self._transactions.estimate(to, encode_call(call), sender, call.most_gas)

    async def next_nonce(self, account: Address) -> int:
        """Return the account's next nonce, pending transactions counted."""
        return await self._transactions.next_nonce(account)

    async def sign(self, call: Call, signer: Signer, nonce: int) -> SignedTransaction:
        """Encode, estimate and sign a call without sending it."""
        to = self.contract(call.contract)
        return await self._transactions.sign(to, encode_call(call), signer, nonce, call.most_gas)

    async def broadcast(self, transaction: SignedTransaction) -> None:
        """Send a signed transaction; it is not an error if the node already knows it."""
        await self._transactions.broadcast(transaction)

    async def outcome(self, transaction_hash: str) -> Mined | None:
        """Return how a transaction was mined, or None until it is."""
        return await self._transactions.outcome(transaction_hash)

    def follow(self, after: Sequence[Cursor], confirmations: int = 0) -> AsyncIterator[Block]:
        """Yield every block with its events; see the port."""
        start = max(0, self.deployments.block - 1)
        follower = Follower(self._rpc, self._events, self._heads, start=start, grace=self._grace)
        return follower.follow(after, confirmations)

    async def close(self) -> None:
        """Close the connections."""
        await self._heads.close()
        await self._rpc.close()

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._rpc.host}, chain {self.deployments.chain_id})"

    async def _code(self, account: Address) -> bytes:
        return raw_bytes(await self._rpc.call("eth_getCode", account, "latest"))

    async def _view(self, contract: str, view: Invocation[T], block: str = "pending") -> T:
        return await read_view(self._rpc, self.contract(contract), view, block=block)


def _address_topic(account: Address) -> str:
    """Return an address as an indexed parameter of a log: 32 bytes, left-padded."""
    return "0x" + account[2:].lower().rjust(64, "0")


def _condition(state: int) -> ConditionState:
    """Return a state by its number. Raises ``ContractMismatch`` for a number that our contracts do not use."""
    try:
        return ConditionState(state)
    except ValueError:
        raise InsituError("ContractMismatch", f"the contract says that a condition is in state {state}") from None
