"""Transactions: their cost, signing, sending, and their outcome (EIP-155, EIP-1559)."""

from collections.abc import Mapping

import anyio

from insitu.adapters.chain.events import EventReader
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError, Unavailable
from insitu.domain.ids import Address
from insitu.domain.ledger import MOST_GAS
from insitu.ports.chain import Cursor, Mined, SignedTransaction
from insitu.ports.keys import Signer
from insitu.sdk.turns import turn
from insitu.waiting import Backoff, Pauses

_GAS_MARGIN = (5, 4)
"""Estimates are raised by a quarter, because the cost of a call depends on the state that it meets."""

_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown")
_NONCE_TAKEN = ("nonce too low", "replacement transaction underpriced", "oldnonce", "nonce has already been used")

_LOOK = Backoff(0.002, 1.0)
"""Between two questions for a receipt."""


class Transactions:
    """Writes to one chain.

    Parameters
    ----------
    rpc, chain_id
        The node, and the chain to sign for.
    events
        Reads the logs of receipts; None if nobody needs them.
    patience
        Seconds until :meth:`finish` gives up.
    """

    def __init__(self, rpc: JsonRpc, chain_id: int, events: EventReader | None, patience: float = 180) -> None:
        self._rpc = rpc
        self._chain_id = chain_id
        self._events = events
        self._patience = patience

    async def next_nonce(self, account: Address) -> int:
        """Return the account's next nonce, pending transactions counted."""
        return number(await self._rpc.call("eth_getTransactionCount", account, "pending"))

    async def sign(
        self, to: Address | None, data: bytes, signer: Signer, nonce: int, most_gas: int = MOST_GAS
    ) -> SignedTransaction:
        """Estimate and sign a transaction without value; ``to`` None creates a contract, whatever gas that needs.

        Raises the contract's refusal if it would fail now, ``ContractRejected`` if it may need more gas than
        ``most_gas`` or than a block has, ``InsufficientFunds`` if the account cannot pay for gas.
        """
        gas, fees = await self._cost(to, data, signer.address, most_gas)
        transaction: dict[str, object] = {
            "chainId": self._chain_id,
            "nonce": nonce,
            "value": 0,
            "data": data,
            "gas": gas,
            **fees,
        }
        if to is not None:
            transaction["to"] = to
        # The first time, loading the encoder of transactions takes half a second.
        raw = await anyio.to_thread.run_sync(signer.sign_transaction, transaction)
        return SignedTransaction("0x" + keccak256(raw).hex(), raw, nonce)

    async def estimate(self, to: Address | None, data: bytes, sender: Address, most_gas: int = MOST_GAS) -> int:
        """Return the most that sending would cost, in wei. Raises what :meth:`sign` raises."""
        gas, fees = await self._cost(to, data, sender, most_gas)
        return gas * fees.get("maxFeePerGas", fees.get("gasPrice", 0))

    async def broadcast(self, transaction: SignedTransaction) -> None:
        """Send a signed transaction. It is not an error if the node already knows it, waiting or mined.

        Raises ``TransactionFailed`` if another transaction took its nonce, ``InsufficientFunds``.
        """
        try:
            await self._rpc.call("eth_sendRawTransaction", "0x" + transaction.raw.hex())
        except NodeError as error:
            message = error.message.lower()
            if any(sign in message for sign in _KNOWN) or await self._is_known(transaction.hash):
                return
            if any(sign in message for sign in _NONCE_TAKEN):
                detail = f"another transaction took nonce {transaction.nonce}"
                raise InsituError("TransactionFailed", detail, transaction=transaction.hash, nonceTaken=True) from None
            raise

    async def outcome(self, transaction_hash: str) -> Mined | None:
        """Return how a transaction was mined, or None until it is."""
        receipt = await self._rpc.call("eth_getTransactionReceipt", transaction_hash)
        if receipt is None or member(receipt, "blockNumber") is None:
            return None
        newest = number(await self._rpc.call("eth_blockNumber"))
        block = Cursor(number(member(receipt, "blockNumber")), str(member(receipt, "blockHash")))
        ok, gas = number(member(receipt, "status")) == 1, number(member(receipt, "gasUsed"))
        price = receipt.get("effectiveGasPrice")
        return Mined(
            hash=transaction_hash,
            block=block,
            gas=gas,
            ok=ok,
            confirmations=max(1, newest - block.number + 1),
            events=self._events.read(member(receipt, "logs")) if self._events else (),
            error=None if ok else str(await self.reason(transaction_hash, block)),
            cost=gas * number(price) if price is not None else None,
        )

    async def finish(self, transaction: SignedTransaction) -> Mined:
        """Send a transaction and wait until it is mined.

        Raises the contract's refusal or ``TransactionFailed`` if it was mined and failed, ``TransactionUnconfirmed`` if
        it is not mined in time.
        """
        await self.broadcast(transaction)
        mined = None
        with anyio.move_on_after(self._patience):
            mined = await self._wait_until_mined(transaction.hash)
        if mined is None:
            detail = f"{transaction.hash} was not mined within {self._patience:g} s"
            raise InsituError("TransactionUnconfirmed", detail, transaction=transaction.hash)
        if not mined.ok:
            raise await self.reason(mined.hash, mined.block)
        return mined

    async def send(self, to: Address | None, data: bytes, signer: Signer, most_gas: int = MOST_GAS) -> Mined:
        """Sign, send and wait; transactions of one account take turns in this process.

        Another process that uses the same account may take the nonce first; then the next one is tried.
        """
        async with turn("transaction", self._chain_id, signer.address):
            for attempt in range(5):
                nonce = await self.next_nonce(signer.address)
                signed = await self.sign(to, data, signer, nonce, most_gas)
                try:
                    return await self.finish(signed)
                except InsituError as error:
                    if attempt == 4 or not error.context.get("nonceTaken"):
                        raise
        raise AssertionError("the last attempt returns or raises")

    async def reason(self, transaction_hash: str, block: Cursor) -> InsituError:
        """Return why a mined transaction failed, by repeating it on the state before its block, then after it."""
        mined = await self._rpc.call("eth_getTransactionByHash", transaction_hash)
        if mined is not None:
            request = {name: member(mined, name) for name in ("from", "to", "gas", "value")}
            request["data"] = member(mined, "input")
            for height in (block.number - 1, block.number):
                refusal = await self._refusal(request, height)
                if refusal is not None:
                    return InsituError(refusal.code, refusal.detail, transaction=transaction_hash)
        return InsituError("TransactionFailed", f"{transaction_hash} failed in block {block.number}")

    async def _refusal(self, request: Mapping[str, object], height: int) -> InsituError | None:
        try:
            await self._rpc.call("eth_call", request, hex(height))
        except NodeError as error:
            # A node without old states cannot tell; that is not the contract's refusal.
            return None if isinstance(error, Unavailable) else error
        return None

    async def _wait_until_mined(self, transaction_hash: str) -> Mined:
        pauses = Pauses(_LOOK)
        while True:
            mined = await self.outcome(transaction_hash)
            if mined is not None:
                return mined
            await anyio.sleep(pauses.next())

    async def _cost(
        self, to: Address | None, data: bytes, sender: Address, most_gas: int
    ) -> tuple[int, dict[str, int]]:
        """Return the gas to offer, and the fees.

        What no block has room for is refused here: once it is stored, its nonce would hold up all later transactions.
        """
        newest = await self._rpc.call("eth_getBlockByNumber", "latest", False)
        if not isinstance(newest, dict):
            raise InsituError("ChainUnavailable", f"{self._rpc.host} has no newest block")
        gas, limit = await self._gas(to, data, sender), number(member(newest, "gasLimit"))
        most = limit if to is None else min(most_gas, limit)
        if gas > most:
            raise InsituError("ContractRejected", f"the transaction may need {gas} gas, and at most {most} is allowed")
        return gas, await self._fees(newest)

    async def _gas(self, to: Address | None, data: bytes, sender: Address) -> int:
        request: dict[str, object] = {"from": sender, "data": "0x" + data.hex()}
        if to is not None:
            request["to"] = to
        used = number(await self._rpc.call("eth_estimateGas", request, "pending"))
        return used * _GAS_MARGIN[0] // _GAS_MARGIN[1]

    async def _is_known(self, transaction_hash: str) -> bool:
        return await self._rpc.call("eth_getTransactionByHash", transaction_hash) is not None

    async def _fees(self, newest: Mapping[str, object]) -> dict[str, int]:
        """Return the fees to offer: twice the base fee and the node's tip, or its gas price before EIP-1559."""
        if newest.get("baseFeePerGas") is None:
            return {"gasPrice": number(await self._rpc.call("eth_gasPrice"))}
        tip = number(await self._rpc.call("eth_maxPriorityFeePerGas"))
        return {
            "type": 2,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * number(newest["baseFeePerGas"]) + tip,
        }
