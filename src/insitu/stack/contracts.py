"""The contracts on a chain: deploy, inspect, take over; and mint the tokens of a development chain."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings

if TYPE_CHECKING:
    from insitu.adapters.chain.deployments import Deployments
    from insitu.domain.finding import Finding
    from insitu.domain.ids import Address
    from insitu.ports.keys import Signer


async def inspect_contracts(settings: Settings) -> tuple[dict[str, str], tuple["Finding", ...]]:
    """Inspect code, wiring, template and roles of the contracts; return their addresses and the findings.

    Raises ``ContractMismatch`` if there is no deployments file, ``ChainUnavailable``.
    """
    from insitu.adapters.chain.inspection import inspect_deployment
    from insitu.adapters.chain.rpc import JsonRpc

    deployments, url = find_contracts(settings)
    async with JsonRpc(url) as rpc:
        return dict(deployments.contracts), await inspect_deployment(rpc, deployments)


async def accept_contracts(settings: Settings, signer: "Signer") -> tuple[str, ...]:
    """Accept the contracts that are offered to an account; return their names, or none if it already owns them all.

    Raises ``CallerMismatch`` if nothing is offered to it and it owns nothing.
    """
    from insitu.adapters.chain.ownership import accept_ownership, ownerships
    from insitu.adapters.chain.rpc import JsonRpc

    deployments, url = find_contracts(settings)
    async with JsonRpc(url) as rpc:
        taken = await accept_ownership(rpc, deployments, signer)
        held = await ownerships(rpc, deployments)
    offers = [f"{owned.contract} to {owned.offered}" for owned in held if int(owned.offered, 16)]
    if taken or (not offers and all(owned.owner == signer.address for owned in held)):
        return taken
    detail = f"nothing is offered to {signer.address}; offers: {', '.join(offers) or 'none'}"
    raise InsituError("CallerMismatch", detail)


async def deploy_contracts(
    settings: Settings,
    signer: "Signer",
    *,
    token: "Address | None" = None,
    owner: "Address | None" = None,
    say: Callable[[str], None],
) -> dict[str, str]:
    """Deploy the contracts to the chain of the settings and write the deployments file; resume where it stopped."""
    from insitu.adapters.chain.deploy import DeploymentPlan, deploy
    from insitu.adapters.chain.rpc import JsonRpc

    if settings.chain.rpc_url is None:
        raise InsituError("SettingsInvalid", "chain.rpc_url, which says where to deploy, is not set")
    journal = settings.deployments.with_suffix(".journal")
    async with JsonRpc(settings.chain.rpc_url) as rpc:
        found = await deploy(rpc, signer, journal, DeploymentPlan(token=token, owner=owner), say)
    found.write(settings.deployments)
    return dict(found.contracts)


async def fund_accounts(
    settings: Settings, minter: "Signer", accounts: "Sequence[Address]", tokens: str
) -> "dict[Address, int]":
    """Mint until each account has an amount of tokens, as a person types it; return the minted base units by account.

    Raises ``InvalidAmount``, ``CallerMismatch`` if the signer may not mint.
    """
    from insitu.adapters.chain.bindings import nevermined_token
    from insitu.adapters.chain.bytecode import read_view
    from insitu.adapters.chain.minting import mint_up_to
    from insitu.adapters.chain.rpc import JsonRpc
    from insitu.domain.money import amount_of_display

    deployments, url = find_contracts(settings)
    async with JsonRpc(url) as rpc:
        decimals = await read_view(rpc, deployments.address("NeverminedToken"), nevermined_token.decimals())
        return await mint_up_to(rpc, deployments, minter, accounts, amount_of_display(tokens, decimals))


def find_contracts(settings: Settings) -> tuple["Deployments", str]:
    """Return the contracts of the deployments file, and the address of a node of their chain.

    Raises ``ContractMismatch`` if there is no deployments file, ``ChainUnavailable`` if nothing names a node.
    """
    from insitu.adapters.chain.deployments import Deployments

    deployments = Deployments.read(settings.deployments)
    url = settings.chain.rpc_url or deployments.rpc_url
    if url is None:
        detail = f"{settings.deployments} does not say where the chain is; set chain.rpc_url"
        raise InsituError("ChainUnavailable", detail)
    return deployments, url
