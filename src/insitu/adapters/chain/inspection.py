"""Check everything that has to be right about a deployment, part by part, and say how to fix what is wrong.

``verify_deployment`` stops at the first thing that would make money unsafe; this reports everything, for a person.
"""

from collections.abc import AsyncIterator, Awaitable

from insitu.adapters.chain.bindings import nevermined_token as erc20
from insitu.adapters.chain.bindings import template_store_manager as templates
from insitu.adapters.chain.bytecode import WIRES, check_chain, check_code, check_wire, read_view
from insitu.adapters.chain.contracts import DEPLOYED, TEMPLATE, invoke
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.ownership import MINTER_ROLE, Ownership, minters_of, ownerships
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.errors import InsituError, Unavailable
from insitu.domain.finding import Finding
from insitu.domain.ids import Address

_NOBODY = Address("0x" + "0" * 40)
_TEMPLATE_STATES = ("neither proposed nor approved", "proposed, but not approved", "approved", "revoked")
_APPROVED, _REVOKED = 2, 3

_USE_THE_RIGHT_FILE = "use the deployments file of this chain and version, or run insitu chain deploy"


async def inspect_deployment(rpc: JsonRpc, deployments: Deployments) -> tuple[Finding, ...]:
    """Check chain, code, wiring, template and roles. Problems are returned, not raised.

    Raises ``ChainUnavailable`` if the node does not answer.
    """
    chain = await _examine(
        "chain", check_chain(rpc, deployments), "set chain.rpc_url to a node of the chain in the file"
    )
    if chain.state != "ok":
        return (chain,)
    return (chain, *[found async for found in _parts(rpc, deployments)])


async def _parts(rpc: JsonRpc, deployments: Deployments) -> AsyncIterator[Finding]:
    ours = set()
    for name in DEPLOYED:
        if deployments.external_token and name in {"NeverminedToken", "Dispenser"}:
            continue
        found = await _code(rpc, deployments, name)
        ours |= {name} if found.state == "ok" else set()
        yield found
    if TEMPLATE in ours:
        for name, view in WIRES.items():
            part = f"{view.function.name} of the template"
            yield await _examine(part, check_wire(rpc, deployments, name), _USE_THE_RIGHT_FILE)
    if "TemplateStoreManager" in ours:
        yield await _approval(rpc, deployments)
    if deployments.external_token:
        yield await _examine(
            "external token", _symbol(rpc, deployments), "name an ERC-20 token with --token, and deploy"
        )
    # A contract that is not ours may return any owner.
    looked_at = deployments.model_copy(
        update={"contracts": {name: deployments.contracts[name] for name in deployments.contracts if name in ours}}
    )
    async for found in _roles(rpc, looked_at):
        yield found


async def _examine(part: str, look: Awaitable[str], next_step: str) -> Finding:
    """Return the finding of a check that returns a detail or raises."""
    try:
        return Finding(part, "ok", await look)
    except Unavailable:
        raise
    except InsituError as error:
        return Finding(part, "failed", error.detail, next_step)


async def _code(rpc: JsonRpc, deployments: Deployments, name: str) -> Finding:
    async def compare() -> str:
        address = deployments.address(name)
        digest = await check_code(rpc, name, address)
        return f"{address}, keccak256 {digest}"

    return await _examine(f"code of {name}", compare(), _USE_THE_RIGHT_FILE)


async def _approval(rpc: JsonRpc, deployments: Deployments) -> Finding:
    store, template = deployments.address("TemplateStoreManager"), deployments.contracts.get(TEMPLATE, _NOBODY)
    state = await read_view(rpc, store, templates.get_template_state(template))
    detail = f"{template} is {_TEMPLATE_STATES[state]} in {store}"
    if state == _APPROVED:
        return Finding("template", "ok", detail)
    if state == _REVOKED:
        step = "existing agreements go on; to sell again, deploy to new addresses: a revoked template stays revoked"
        return Finding("template", "failed", detail, step)
    owner = await read_view(rpc, store, templates.owner())
    step = f"let {owner}, the owner of the store, approve it; if that is the deployer, run insitu chain deploy"
    return Finding("template", "failed", detail, step)


async def _symbol(rpc: JsonRpc, deployments: Deployments) -> str:
    token = deployments.address("NeverminedToken")
    symbol = await read_view(rpc, token, erc20.symbol())
    decimals = await read_view(rpc, token, erc20.decimals())
    return f"{token}, {symbol} with {decimals} decimals; its roles are up to its owner"


async def _roles(rpc: JsonRpc, deployments: Deployments) -> AsyncIterator[Finding]:
    """Check owners and minters of the contracts whose code is ours."""
    held = deployments.model_copy(update={"external_token": "NeverminedToken" not in deployments.contracts})
    found = await ownerships(rpc, held)
    for ownership in found:
        yield _owner(ownership, deployments.owner)
    if "Dispenser" in deployments.contracts and not held.external_token:
        yield await _dispenser_token(rpc, deployments)
        yield await _dispenser_mints(rpc, deployments)
    for ownership in found:
        if ownership.contract == "NeverminedToken":
            yield await _others_mint(rpc, deployments, ownership.owner)


def _owner(found: Ownership, expected: Address | None) -> Finding:
    """Compare the owner of a contract with the one in the deployments file."""
    part = f"owner of {found.contract}"
    if found.owner == _NOBODY:
        step = "nothing; if its rights are needed again, deploy to new addresses"
        return Finding(part, "warning", "it has been given up for good", step)
    offered = "" if found.offered == _NOBODY else f", offered to {found.offered}"
    if found.offered != _NOBODY and expected in {None, found.owner, found.offered}:
        step = f"accept it with the key of {found.offered}: insitu chain accept-ownership --account NAME"
        return Finding(part, "warning", found.owner + offered, step)
    if expected is not None and found.owner != expected:
        detail = f"{found.owner}{offered}, but the deployments file says {expected}"
        step = f"let {found.owner} hand it over, or correct the file if this owner is right"
        return Finding(part, "failed", detail, step)
    return Finding(part, "ok", found.owner)


async def _dispenser_token(rpc: JsonRpc, deployments: Deployments) -> Finding:
    token = deployments.address("NeverminedToken")
    found = await read_view(rpc, deployments.address("Dispenser"), invoke("Dispenser", "token"))
    if found != token:
        return Finding("token of the Dispenser", "failed", f"{found}, not {token}", _USE_THE_RIGHT_FILE)
    return Finding("token of the Dispenser", "ok", found)


async def _dispenser_mints(rpc: JsonRpc, deployments: Deployments) -> Finding:
    token, minter = deployments.address("NeverminedToken"), deployments.address("Dispenser")
    if await read_view(rpc, token, erc20.has_role(MINTER_ROLE, minter)):
        return Finding("minter", "ok", f"the Dispenser, {minter}, may mint")
    admin = await read_view(rpc, token, erc20.default_admin())
    step = f"let {admin}, the token's admin, grant it the role; if that is the deployer, run insitu chain deploy"
    return Finding("minter", "failed", f"the Dispenser, {minter}, may not mint", step)


async def _others_mint(rpc: JsonRpc, deployments: Deployments, admin: Address) -> Finding:
    known = {admin, deployments.contracts.get("Dispenser", _NOBODY)}
    others = sorted(await minters_of(rpc, deployments) - known)
    if not others:
        return Finding("other minters", "ok", "none")
    step = f"let {admin}, the token's admin, revoke the role from every account that should not mint"
    return Finding("other minters", "warning", ", ".join(others), step)
