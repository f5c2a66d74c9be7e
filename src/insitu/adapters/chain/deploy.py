"""Deploy the contracts to any EVM chain; a deployment can be resumed after any interruption.

The order is fixed, so the same deployer always gets the same addresses on an empty chain.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.bindings import nevermined_token as erc20
from insitu.adapters.chain.bindings import template_store_manager as templates
from insitu.adapters.chain.bytecode import check_code, read_view, verify_deployment
from insitu.adapters.chain.contracts import TEMPLATE, artifact, constructor_arguments, invoke
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.journal import Journal
from insitu.adapters.chain.ownership import MINTER_ROLE, OWNED
from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.ports.chain import Mined
from insitu.ports.keys import Signer

_PROPOSED, _APPROVED = 1, 2
_STILL_OPEN = frozenset({"ChainUnavailable", "InsufficientFunds", "TransactionUnconfirmed"})
"""Errors after which a recorded transaction may still be mined."""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What to deploy.

    Parameters
    ----------
    token
        An ERC-20 token to pay in; None deploys our NeverminedToken and its Dispenser.
    owner
        The account that should own template store, Dispenser and token. Ownership is offered at the end, and the owner
        accepts it with ``accept_ownership``. None: the deployer keeps it.
    """

    token: Address | None = None
    owner: Address | None = None


async def deploy(
    rpc: JsonRpc, signer: Signer, journal: Path, plan: DeploymentPlan, say: Callable[[str], None]
) -> Deployments:
    """Deploy, wire, approve, verify and offer ownership; steps that are already done are skipped.

    Parameters
    ----------
    signer
        The deployer, which pays and is the first owner.
    journal
        The file that records transactions; the same file resumes a deployment.
    say
        Called with a line for people after each step.

    Raises ``InsufficientFunds``, ``TransactionFailed``, ``ContractMismatch``, ``ChainUnavailable``.
    """
    chain_id = number(await rpc.call("eth_chainId"))
    deployment = _Deployment(rpc, signer, Journal(journal, chain_id, signer.address), chain_id, say)
    return await deployment.carry_out(plan)


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
        token = contracts["NeverminedToken"]
        if plan.token is None:
            contracts["Dispenser"] = await self._create("Dispenser", token, me)
            await self._let_mint(token, contracts["Dispenser"])
        contracts["DIDRegistry"] = registry = await self._create("DIDRegistry")
        contracts["TemplateStoreManager"] = store = await self._create("TemplateStoreManager", me)
        contracts[TEMPLATE] = await self._create(TEMPLATE, token, registry, store)
        await self._approve(store, contracts[TEMPLATE])
        owner = plan.owner
        if owner is None:
            owner = await read_view(self._rpc, store, templates.owner())
        found = Deployments(
            chain_id=self._chain_id,
            block=min(self._blocks),
            contracts=contracts,
            external_token=plan.token is not None,
            owner=owner,
        )
        await verify_deployment(self._rpc, found)
        if plan.owner is not None and plan.owner != me:
            await self._offer(found, plan.owner)
        return found

    async def _create(self, name: str, *arguments: Address) -> Address:
        """Deploy a contract once, and check the code at its address."""
        code = artifact(name).bytecode + constructor_arguments(name, *arguments)
        mined = await self._carry_out_step(f"deploy {name}", None, code)
        receipt = await self._rpc.call("eth_getTransactionReceipt", mined.hash)
        address = read_address(str(member(receipt, "contractAddress")))
        await check_code(self._rpc, name, address)
        self._blocks.append(mined.block.number)
        return address

    async def _let_mint(self, token: Address, minter: Address) -> None:
        async def missing() -> bool:
            return not await read_view(self._rpc, token, erc20.has_role(MINTER_ROLE, minter))

        await self._call(token, "NeverminedToken", erc20.grant_role(MINTER_ROLE, minter), missing)

    async def _approve(self, store: Address, template: Address) -> None:
        """Propose and approve the template, as far as that is not done."""

        async def unproposed() -> bool:
            return await read_view(self._rpc, store, templates.get_template_state(template)) < _PROPOSED

        async def unapproved() -> bool:
            return await read_view(self._rpc, store, templates.get_template_state(template)) < _APPROVED

        await self._call(store, "TemplateStoreManager", templates.propose_template(template), unproposed)
        await self._call(store, "TemplateStoreManager", templates.approve_template(template), unapproved)

    async def _offer(self, deployments: Deployments, owner: Address) -> None:
        """Start the two-step transfer of every owned contract; the deployer gives up its other rights."""
        for name in OWNED:
            if name in deployments.contracts:
                await self._offer_contract(name, deployments.address(name), owner)
        if not deployments.external_token:
            await self._offer_token(deployments.address("NeverminedToken"), owner)

    async def _offer_contract(self, name: str, address: Address, owner: Address) -> None:
        async def missing() -> bool:
            views = invoke(name, "owner"), invoke(name, "pendingOwner")
            return owner not in [await read_view(self._rpc, address, view) for view in views]

        await self._call(address, name, invoke(name, "transferOwnership", owner), missing)

    async def _offer_token(self, token: Address, owner: Address) -> None:
        me = self._signer.address

        async def missing() -> bool:
            pending, _ = await read_view(self._rpc, token, erc20.pending_default_admin())
            return owner not in {pending, await read_view(self._rpc, token, erc20.default_admin())}

        async def mints() -> bool:
            return await read_view(self._rpc, token, erc20.has_role(MINTER_ROLE, me))

        await self._call(token, "NeverminedToken", erc20.begin_default_admin_transfer(owner), missing)
        await self._call(token, "NeverminedToken", erc20.renounce_role(MINTER_ROLE, me), mints)

    async def _call(
        self, address: Address, contract: str, call: Invocation[None], missing: Callable[[], Awaitable[bool]]
    ) -> None:
        """Call a contract if the effect of the call is missing."""
        if not await missing():
            return
        step = f"{call.function.name} of {contract}"
        recorded = self._journal.transaction(step, call.data)
        if recorded is not None and await self._transactions.outcome(recorded.hash) is not None:
            # It was mined: just now, or long ago and somebody has undone its effect since.
            if not await missing():
                return
            self._journal.forget(step)
        await self._carry_out_step(step, address, call.data)

    async def _carry_out_step(self, step: str, to: Address | None, data: bytes) -> Mined:
        """Carry out a step: send the recorded transaction again, which is harmless, or sign, record and send one."""
        recorded = self._journal.transaction(step, data)
        if recorded is not None:
            try:
                return await self._transactions.finish(recorded)
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
