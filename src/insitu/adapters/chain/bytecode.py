"""Check that the contracts of a deployments file are ours: their code, their wiring, and the template's state."""

from typing import TypeVar

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.bindings import agreement_store_manager, template_store_manager
from insitu.adapters.chain.contracts import DEPLOYED, TEMPLATE, artifact
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc, number, raw_bytes
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError, Unavailable
from insitu.domain.ids import Address

T = TypeVar("T")

WIRES = {
    "NeverminedToken": agreement_store_manager.token(),
    "DIDRegistry": agreement_store_manager.did_registry(),
    "TemplateStoreManager": agreement_store_manager.template_store(),
}
"""The contracts that the template points to forever, and the view that returns each address."""

_EARLIER = frozenset({"492fdfbdda988ac134f7bce25baabd041e158a610e492d1730730ce281214faa"})
"""keccak256 of registries that earlier releases deployed (ADR 0141)."""


async def verify_deployment(rpc: JsonRpc, deployments: Deployments) -> None:
    """Check chain, code, wiring, and that the template is approved.

    Raises ``ContractMismatch`` with both sides, ``TemplateNotApproved``.
    """
    await check_chain(rpc, deployments)
    for name in DEPLOYED:
        if name in deployments.contracts and not (name == "NeverminedToken" and deployments.external_token):
            await check_code(rpc, name, deployments.address(name))
    for name in WIRES:
        await check_wire(rpc, deployments, name)
    store, template = deployments.address("TemplateStoreManager"), deployments.address(TEMPLATE)
    if not await read_view(rpc, store, template_store_manager.is_template_approved(template)):
        raise InsituError("TemplateNotApproved", f"{template} is not approved by {store}")


async def check_chain(rpc: JsonRpc, deployments: Deployments) -> str:
    """Compare the node's chain with the deployment's; return a description. Raises ``ContractMismatch``."""
    chain_id = number(await rpc.call("eth_chainId"))
    if chain_id != deployments.chain_id:
        detail = f"the node is on chain {chain_id}, the deployments file on chain {deployments.chain_id}"
        raise InsituError("ContractMismatch", detail, actual=chain_id, expected=deployments.chain_id)
    return f"{chain_id} at {rpc.host}"


async def check_wire(rpc: JsonRpc, deployments: Deployments, name: str) -> Address:
    """Check that the template points to a contract of the deployment. Raises ``ContractMismatch``."""
    view, expected = WIRES[name], deployments.address(name)
    found = await read_view(rpc, deployments.address(TEMPLATE), view)
    if found != expected:
        detail = f"the template's {view.function.name} is {found}, not {expected}"
        raise InsituError("ContractMismatch", detail, actual=found, expected=expected)
    return found


async def check_code(rpc: JsonRpc, name: str, address: Address) -> str:
    """Compare the code at an address with the vendored code, without immutable members; return its keccak256.

    Raises ``ContractMismatch``.
    """
    code = raw_bytes(await rpc.call("eth_getCode", address, "latest"))
    expected = artifact(name)
    if not code:
        raise InsituError("ContractMismatch", f"there is no code at {address}, where {name} should be")
    actual_hash = keccak256(expected.masked(code)).hex()
    expected_hash = keccak256(expected.masked(expected.deployed_bytecode)).hex()
    if actual_hash != expected_hash:
        detail = f"the code of {name} at {address} hashes to {actual_hash}, not {expected_hash}"
        if keccak256(code).hex() in _EARLIER:
            step = "end what it sold with that release, then run insitu chain deploy, and publish again"
            detail = f"the {name} at {address} is of an earlier release: {step}"
        raise InsituError("ContractMismatch", detail, actual=actual_hash, expected=expected_hash)
    return actual_hash


async def read_view(rpc: JsonRpc, address: Address, view: Invocation[T], block: str = "pending") -> T:
    """Call a view of a contract.

    Raises the contract's refusal, ``ContractMismatch`` if the answer does not fit, ``ChainUnavailable``.
    """
    request = {"to": address, "data": "0x" + view.data.hex()}
    try:
        answer = await rpc.call("eth_call", request, block)
    except NodeError as error:
        if block == "pending" and isinstance(error, Unavailable):
            # Some nodes have no pending state; then the latest block has to do.
            return await read_view(rpc, address, view, block="latest")
        raise
    return view.result(raw_bytes(answer))
