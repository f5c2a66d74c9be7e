"""The owners and minters of the deployed contracts, and the transfer of ownership in two steps.

The steps are those of OpenZeppelin's Ownable2Step and AccessControlDefaultAdminRules. Three contracts have an owner:
the store of templates, the Dispenser, and the token, whose owner is its default admin.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from insitu.adapters.chain.bindings import nevermined_token as erc20
from insitu.adapters.chain.bytecode import read_view
from insitu.adapters.chain.contracts import invoke, log_of
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.history import all_logs
from insitu.adapters.chain.rpc import JsonRpc, items, member, raw_bytes
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address
from insitu.ports.keys import Signer

MINTER_ROLE = keccak256(b"minter")

OWNED = ("TemplateStoreManager", "Dispenser")
"""The contracts that use Ownable2Step; the token has the same steps under other names."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """The owner of a contract, and the account it is offered to; the zero address for none."""

    contract: str
    owner: Address
    offered: Address


async def ownerships(rpc: JsonRpc, deployments: Deployments) -> tuple[Ownership, ...]:
    """Return the ownership of a deployment's contracts; an external token is not looked at."""
    found = []
    for name in OWNED:
        if name in deployments.contracts:
            address = deployments.address(name)
            owner = await read_view(rpc, address, invoke(name, "owner"))
            found.append(Ownership(name, owner, await read_view(rpc, address, invoke(name, "pendingOwner"))))
    if not deployments.external_token:
        token = deployments.address("NeverminedToken")
        admin = await read_view(rpc, token, erc20.default_admin())
        offered, _ = await read_view(rpc, token, erc20.pending_default_admin())
        found.append(Ownership("NeverminedToken", admin, offered))
    return tuple(found)


async def accept_ownership(rpc: JsonRpc, deployments: Deployments, signer: Signer) -> tuple[str, ...]:
    """Accept every ownership that is offered to this account; return the names of the contracts.

    Raises the contract's refusal, ``InsufficientFunds``, ``TransactionUnconfirmed``, ``ChainUnavailable``. Calling it
    again after an interruption accepts the rest.
    """
    transactions = Transactions(rpc, deployments.chain_id, None)
    found = await ownerships(rpc, deployments)
    offered = [ownership.contract for ownership in found if ownership.offered == signer.address]
    for name in offered:
        call = invoke(name, "acceptOwnership") if name in OWNED else erc20.accept_default_admin_transfer()
        await transactions.send(deployments.address(name), call.data, signer)
    return tuple(offered)


async def minters_of(rpc: JsonRpc, deployments: Deployments) -> frozenset[Address]:
    """Return the accounts that may mint, found in the token's events because no view lists them."""
    token = deployments.address("NeverminedToken")
    found: dict[Address, tuple[int, bool]] = {}
    for name, granted in (("RoleGranted", True), ("RoleRevoked", False)):
        event = log_of("NeverminedToken", name)
        for log in await all_logs(rpc, token, ["0x" + event.topic.hex(), "0x" + MINTER_ROLE.hex()], deployments.block):
            words = [raw_bytes(word) for word in items(member(log, "topics"))]
            account = event.values(words, raw_bytes(member(log, "data")))["account"]
            found[account] = max(found.get(account, (-1, False)), (_place(log), granted))
    return frozenset(account for account, (_, granted) in found.items() if granted)


def _place(log: Mapping[str, object]) -> int:
    """Return a number that orders logs as they happened: by block, then within it."""
    return int(str(log["blockNumber"]), 16) << 32 | int(str(log["logIndex"]), 16)
