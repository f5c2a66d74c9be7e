"""A contract account on a real chain: two owners sign for it, as for a Safe (``contracts/test/support/Safe.sol``)."""

import json
from dataclasses import dataclass
from pathlib import Path

from eth_abi.abi import encode

from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address, read_address
from insitu.domain.typed_data import SigningDomain
from insitu.ports.keys import Signer

__all__ = ["Safe", "deploy_safe"]

_CREATION = json.loads(Path(__file__).with_name("safe.json").read_text())["bytecode"]
_MESSAGE = keccak256(b"SafeMessage(bytes32 hash)")
_CALL = keccak256(b"SafeCall(address to,bytes data,uint256 nonce)")


@dataclass(frozen=True)
class Safe:
    """A signer whose account is a contract. It signs digests, and has no key for transactions."""

    address: Address
    chain_id: int
    url: str
    owners: tuple[Signer, Signer]
    signed: list[bytes]
    """Every digest that it signed, in order."""

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signatures of both owners: 130 bytes."""
        self.signed.append(digest)
        return self._sign(keccak256(encode(["bytes32", "bytes32"], [_MESSAGE, digest])))

    def sign_transaction(self, transaction: dict[str, object]) -> bytes:
        """Fail: a contract sends no transactions."""
        raise AssertionError("a contract account cannot sign a transaction")

    async def execute(self, to: Address, data: bytes, sender: Signer) -> None:
        """Let the account make a call that its owners sign and anybody sends."""
        async with JsonRpc(self.url) as rpc:
            count = number(await rpc.call("eth_call", {"to": self.address, "data": _selector("nonce()")}, "latest"))
            struct = encode(["bytes32", "address", "bytes32", "uint256"], [_CALL, to, keccak256(data), count])
            arguments = encode(["address", "bytes", "bytes"], [to, data, self._sign(keccak256(struct))])
            call = bytes.fromhex(_selector("execute(address,bytes,bytes)")[2:]) + arguments
            await Transactions(rpc, self.chain_id, None).send(self.address, call, sender)

    async def close(self) -> None:
        """Withdraw every signature that the account has made. The first owner sends it."""
        async with JsonRpc(self.url) as rpc:
            call = bytes.fromhex(_selector("close()")[2:])
            await Transactions(rpc, self.chain_id, None).send(self.address, call, self.owners[0])

    def _sign(self, struct_hash: bytes) -> bytes:
        digest = SigningDomain("Safe", self.chain_id, self.address).digest(struct_hash)
        return b"".join(owner.sign_digest(digest) for owner in self.owners)


async def deploy_safe(url: str, owners: tuple[Signer, Signer]) -> Safe:
    """Deploy a contract account of two owners; the first pays."""
    async with JsonRpc(url) as rpc:
        chain_id = number(await rpc.call("eth_chainId"))
        code = bytes.fromhex(_CREATION[2:]) + encode(["address", "address"], [owner.address for owner in owners])
        mined = await Transactions(rpc, chain_id, None).send(None, code, owners[0])
        receipt = await rpc.call("eth_getTransactionReceipt", mined.hash)
        return Safe(read_address(str(member(receipt, "contractAddress"))), chain_id, url, owners, [])


def _selector(signature: str) -> str:
    return "0x" + keccak256(signature.encode())[:4].hex()
