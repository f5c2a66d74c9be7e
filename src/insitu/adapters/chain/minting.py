"""Mint tokens for the accounts of a development chain."""

from collections.abc import Sequence

from insitu.adapters.chain.bindings import nevermined_token as erc20
from insitu.adapters.chain.bytecode import read_view
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.ownership import MINTER_ROLE
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.keys import Signer


async def mint_up_to(
    rpc: JsonRpc, deployments: Deployments, minter: Signer, accounts: Sequence[Address], least: int
) -> dict[Address, int]:
    """Raise each account to ``least`` base units; return what was minted for each.

    An account that already has that much gets nothing, so repeating the call after an interruption does the rest.

    Raises ``CallerMismatch`` when the signer may not mint or the token is somebody else's, ``InsufficientFunds``,
    ``TransactionUnconfirmed``, ``ChainUnavailable``.
    """
    token = deployments.address("NeverminedToken")
    if deployments.external_token or not await read_view(rpc, token, erc20.has_role(MINTER_ROLE, minter.address)):
        raise InsituError("CallerMismatch", f"{minter.address} may not mint the token {token}")
    transactions = Transactions(rpc, deployments.chain_id, None)
    minted: dict[Address, int] = {}
    for account in accounts:
        lacking = least - await read_view(rpc, token, erc20.balance_of(account))
        if lacking > 0:
            await transactions.send(token, erc20.mint(account, lacking).data, minter)
            minted[account] = lacking
    return minted
