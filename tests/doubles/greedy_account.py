"""A contract account that accepts every signature. To code that a transaction runs it takes as much gas as it is told.

A node that is only asked sees none of this: it asks without a sender, so ``tx.origin`` is zero.
"""

from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.ids import Address, read_address
from insitu.ports.keys import Signer

__all__ = ["NEARLY_A_BLOCK", "deploy_greedy_account", "take"]

_CODE = "602b8060095f395ff33660211160235732156012576000600054525b631626ba7e60e01b60005260206000f35b60003560005500"
"""Up to 32 bytes set slot 0. Other calls touch the byte of memory that slot 0 names, unless ``tx.origin`` is zero."""
NEARLY_A_BLOCK = 116_000 * 32
"""The byte of memory that costs 26.6 million gas."""


async def deploy_greedy_account(url: str, sender: Signer) -> Address:
    """Deploy an account that takes nothing yet."""
    async with JsonRpc(url) as rpc:
        chain_id = number(await rpc.call("eth_chainId"))
        mined = await Transactions(rpc, chain_id, None).send(None, bytes.fromhex(_CODE), sender)
        receipt = await rpc.call("eth_getTransactionReceipt", mined.hash)
        return read_address(str(member(receipt, "contractAddress")))


async def take(url: str, account: Address, byte: int, sender: Signer) -> None:
    """Let the account touch this byte of memory from now on."""
    async with JsonRpc(url) as rpc:
        chain_id = number(await rpc.call("eth_chainId"))
        await Transactions(rpc, chain_id, None).send(account, byte.to_bytes(32, "big"), sender)
