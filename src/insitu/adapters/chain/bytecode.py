"""Proof that the contracts of a deployments file are ours: their code, how they are wired, and the template's state."""

from typing import TypeVar

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.bindings import agreement_store_manager, template_store_manager
from insitu.adapters.chain.contracts import DEPLOYED, TEMPLATE, artifact
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc, number, raw_bytes
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address

__all__ = ["check_code", "read_view", "verify_deployment"]

T = TypeVar("T")

_WIRES = {
    "NeverminedToken": agreement_store_manager.token(),
    "DIDRegistry": agreement_store_manager.did_registry(),
    "TemplateStoreManager": agreement_store_manager.template_store(),
}
"""The contracts that the template points at for ever, and the view that says where."""


async def verify_deployment(rpc: JsonRpc, deployments: Deployments) -> None:
    """Check chain, code, wiring, and that the template is approved.

    Raises ``ContractMismatch`` with both sides, ``TemplateNotApproved``.
    """
    chain_id = number(await rpc.call("eth_chainId"))
    if chain_id != deployments.chain_id:
        detail = f"the node is on chain {chain_id}, the deployments file on chain {deployments.chain_id}"
        raise InsituError("ContractMismatch", detail, actual=chain_id, expected=deployments.chain_id)
    for name in DEPLOYED:
        if name in deployments.contracts and not (name == "NeverminedToken" and deployments.external_token):
            await check_code(rpc, name, deployments.address(name))
    template = deployments.address(TEMPLATE)
    for name, view in _WIRES.items():
        found = await read_view(rpc, template, view)
        if found != deployments.address(name):
            detail = f"the template's {view.function.name} is {found}, not {deployments.address(name)}"
            raise InsituError("ContractMismatch", detail, actual=found, expected=deployments.address(name))
    store = deployments.address("TemplateStoreManager")
    if not await read_view(rpc, store, template_store_manager.is_template_approved(template)):
        raise InsituError("TemplateNotApproved", f"{template} is not approved by {store}")


async def check_code(rpc: JsonRpc, name: str, address: Address) -> None:
    """Compare the code at an address with the vendored one, immutable members left out. Raises ``ContractMismatch``."""
    code = raw_bytes(await rpc.call("eth_getCode", address, "latest"))
    expected = artifact(name)
    if not code:
        raise InsituError("ContractMismatch", f"there is no code at {address}, where {name} should be")
    actual_hash = keccak256(expected.masked(code)).hex()
    expected_hash = keccak256(expected.masked(expected.deployed_bytecode)).hex()
    if actual_hash != expected_hash:
        detail = f"the code of {name} at {address} hashes to {actual_hash}, not {expected_hash}"
        raise InsituError("ContractMismatch", detail, actual=actual_hash, expected=expected_hash)


async def read_view(rpc: JsonRpc, address: Address, view: Invocation[T], block: str = "pending") -> T:
    """Ask a view of a contract.

    Raises the contract's refusal, ``ContractMismatch`` where the answer doesn't fit, ``ChainUnavailable``.
    """
    request = {"to": address, "data": "0x" + view.data.hex()}
    try:
        answer = await rpc.call("eth_call", request, block)
    except NodeError as error:
        if block == "pending" and error.code == "ChainUnavailable":
            # Some nodes have no pending state; what is mined is then the best there is.
            return await read_view(rpc, address, view, block="latest")
        raise
    return view.result(raw_bytes(answer))
