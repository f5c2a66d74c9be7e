"""Deployment of the contracts to any EVM chain, resumable after an interruption at any moment.

The order is fixed, so that on an empty chain the same deployer gets the same addresses again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from insitu.adapters.chain.bytecode import check_code, read_view, verify_deployment
from insitu.adapters.chain.contracts import TEMPLATE, artifact, encode_call
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.journal import Journal
from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.ledger import Call
from insitu.ports.chain import Mined
from insitu.ports.keys import Signer

__all__ = ["MINTER_ROLE", "DeploymentPlan", "accept_ownership", "deploy"]

MINTER_ROLE = keccak256(b"minter")
_PROPOSED, _APPROVED = 1, 2
_STILL_OPEN = frozenset({"ChainUnavailable", "InsufficientFunds", "TransactionUnconfirmed"})
"""Errors after which a noted transaction can still be mined."""

_OWNED = ("TemplateStoreManager", "Dispenser")


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What to deploy.

    Parameters
    ----------
    token
        An ERC-20 token to pay in; None deploys our NeverminedToken and its Dispenser.
    owner
        Who shall own what has an owner (template store, Dispenser, token). Ownership is offered at the end; the owner
        takes it with :func:`accept_ownership`. None: the deployer keeps it.
    """

    token: Address | None = None
    owner: Address | None = None


async def deploy(
    rpc: JsonRpc, signer: Signer, journal: Path, plan: DeploymentPlan, say: Callable[[str], None]
) -> Deployments:
    """Deploy, wire, approve, offer ownership, verify; steps that are done already are skipped.

    Parameters
    ----------
    signer
        The deployer; pays, and is the first owner.
    journal
        A file that remembers transactions; the same file resumes.
    say
        Told each step in a line for people.

    Raises ``InsufficientFunds``, ``TransactionFailed``, ``ContractMismatch``, ``ChainUnavailable``.
    """
    chain_id = number(await rpc.call("eth_chainId"))
    deployment = _Deployment(rpc, signer, Journal(journal, chain_id, signer.address), chain_id, say)
    return await deployment.carry_out(plan)


async def accept_ownership(rpc: JsonRpc, deployments: Deployments, signer: Signer) -> tuple[str, ...]:
    """Take the ownership that is offered to this account; returns the names of the contracts that it now owns."""
    transactions = Transactions(rpc, deployments.chain_id, None)
    taken = []
    for name in _OWNED:
        if name not in deployments.contracts:
            continue
        address = deployments.address(name)
        pending = (await read_view(rpc, address, name, "pendingOwner"))[0]
        if read_address(pending) == signer.address:
            await transactions.send(address, encode_call(Call(name, "acceptOwnership", ())), signer)
            taken.append(name)
    if not deployments.external_token:
        address = deployments.address("NeverminedToken")
        pending, _ = await read_view(rpc, address, "NeverminedToken", "pendingDefaultAdmin")
        if read_address(pending) == signer.address:
            data = encode_call(Call("NeverminedToken", "acceptDefaultAdminTransfer", ()))
            await transactions.send(address, data, signer)
            taken.append("NeverminedToken")
    return tuple(taken)


class _Deployment:
    """One run of :func:`deploy`."""

    def __init__(
        self, rpc: JsonRpc, signer: Signer, journal: Journal, chain_id: int, say: Callable[[str], None]
    ) -> None:
        self._rpc = rpc
        self._signer = signer
        self._journal = journal
        self._chain_id = chain_id
        self._say = say
        self._transactions = Transactions(rpc, chain_id, None)
        self._blocks: list[int] = []

    async def carry_out(self, plan: DeploymentPlan) -> Deployments:
        me = self._signer.address
        contracts = {"NeverminedToken": plan.token or await self._create("NeverminedToken", me)}
        if plan.token is None:
            contracts["Dispenser"] = await self._create("Dispenser", contracts["NeverminedToken"], me)
            await self._let_mint(contracts["NeverminedToken"], contracts["Dispenser"])
        contracts["DIDRegistry"] = await self._create("DIDRegistry")
        contracts["TemplateStoreManager"] = store = await self._create("TemplateStoreManager", me)
        wires = (contracts["NeverminedToken"], contracts["DIDRegistry"], store)
        contracts[TEMPLATE] = await self._create(TEMPLATE, *wires)
        await self._approve(store, contracts[TEMPLATE])
        found = Deployments(
            chain_id=self._chain_id,
            block=min(self._blocks),
            contracts=contracts,
            external_token=plan.token is not None,
        )
        await verify_deployment(self._rpc, found)
        if plan.owner is not None and plan.owner != me:
            await self._offer(found, plan.owner)
        return found

    async def _create(self, name: str, *arguments: object) -> Address:
        """Deploy a contract, once, and check what is found at its address."""
        mined = await self._sent(f"deploy {name}", None, artifact(name).creation(arguments))
        receipt = await self._rpc.call("eth_getTransactionReceipt", mined.hash)
        address = read_address(str(member(receipt, "contractAddress")))
        await check_code(self._rpc, name, address)
        self._blocks.append(mined.block.number)
        return address

    async def _let_mint(self, token: Address, dispenser: Address) -> None:
        if not (await read_view(self._rpc, token, "NeverminedToken", "hasRole", MINTER_ROLE, dispenser))[0]:
            await self._called(token, Call("NeverminedToken", "grantRole", (MINTER_ROLE, dispenser)))

    async def _approve(self, store: Address, template: Address) -> None:
        """Propose and approve the template, whichever of it is missing."""
        (state,) = await read_view(self._rpc, store, "TemplateStoreManager", "getTemplateState", template)
        if state < _PROPOSED:
            await self._called(store, Call("TemplateStoreManager", "proposeTemplate", (template,)))
        if state < _APPROVED:
            await self._called(store, Call("TemplateStoreManager", "approveTemplate", (template,)))

    async def _offer(self, deployments: Deployments, owner: Address) -> None:
        """Start the two-step transfer of all that has an owner."""
        for name in _OWNED:
            if name not in deployments.contracts:
                continue
            address = deployments.address(name)
            holders = {
                read_address((await read_view(self._rpc, address, name, view))[0]) for view in ("owner", "pendingOwner")
            }
            if owner not in holders:
                await self._called(address, Call(name, "transferOwnership", (owner,)))
        if not deployments.external_token:
            await self._offer_token(deployments.address("NeverminedToken"), owner)

    async def _offer_token(self, token: Address, owner: Address) -> None:
        (admin,) = await read_view(self._rpc, token, "NeverminedToken", "defaultAdmin")
        pending, _ = await read_view(self._rpc, token, "NeverminedToken", "pendingDefaultAdmin")
        if owner not in {read_address(admin), read_address(pending)}:
            await self._called(token, Call("NeverminedToken", "beginDefaultAdminTransfer", (owner,)))

    async def _called(self, address: Address, call: Call) -> None:
        await self._sent(f"{call.function} of {call.contract}", address, encode_call(call))

    async def _sent(self, step: str, to: Address | None, data: bytes) -> Mined:
        """Carry out a step: what the journal has is sent again (harmless), else it is signed, noted, sent."""
        noted = self._journal.transaction(step, data)
        if noted is not None:
            try:
                return await self._transactions.finish(noted)
            except InsituError as error:
                if error.code in _STILL_OPEN:
                    raise
                self._journal.forget(step)
        nonce = await self._transactions.next_nonce(self._signer.address)
        signed = await self._transactions.sign(to, data, self._signer, nonce)
        self._journal.write(step, data, signed)
        mined = await self._transactions.finish(signed)
        self._say(f"{step}: block {mined.block.number}, {mined.gas} gas")
        return mined
