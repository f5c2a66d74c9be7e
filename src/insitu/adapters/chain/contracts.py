"""The vendored contracts: their code, and the domain's calls encoded by the bindings.

Each name of the specification has one ABI and so one module of bindings. Five names share the address of the
ServiceExecutionTemplate; because each has its own ABI, ``fulfill`` and ``Fulfilled`` are unique within it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import ModuleType

from insitu.adapters.chain.abi import CustomError, Function
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call

__all__ = ["DEPLOYED", "TEMPLATE", "Artifact", "artifact", "contract_address_name", "custom_errors", "encode_call"]

TEMPLATE = "ServiceExecutionTemplate"

DEPLOYED = ("DIDRegistry", "TemplateStoreManager", TEMPLATE, "NeverminedToken", "Dispenser")
"""The contracts that have their own code."""

_AT_TEMPLATE = (
    "AgreementStoreManager",
    "ConditionStoreManager",
    "LockRewardCondition",
    "ComputeExecutionCondition",
    "EscrowReward",
)

_BINDINGS = {
    "DIDRegistry": "did_registry",
    "TemplateStoreManager": "template_store_manager",
    TEMPLATE: "service_execution_template",
    "NeverminedToken": "nevermined_token",
    "Dispenser": "dispenser",
    "AgreementStoreManager": "agreement_store_manager",
    "ConditionStoreManager": "condition_store_manager",
    "LockRewardCondition": "lock_reward_condition",
    "ComputeExecutionCondition": "compute_execution_condition",
    "EscrowReward": "escrow_reward",
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """The code of a contract.

    Attributes
    ----------
    bytecode, deployed_bytecode
        The code that creates the contract, before the constructor's arguments, and the code at its address afterwards.
    immutables
        (start, length) in bytes of the parts of the deployed code that the constructor fills.
    """

    name: str
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]

    def masked(self, code: bytes) -> bytes:
        """Return deployed code with the immutable parts blanked, so that it can be compared with the artifact's."""
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(len(masked[start : start + length]))
        return bytes(masked)


def contract_address_name(name: str) -> str:
    """Return the name under which the deployments file has the address of a specification name."""
    return TEMPLATE if name in _AT_TEMPLATE else name


def encode_call(call: Call) -> bytes:
    """Return the call data of one of the domain's calls.

    Raises ``ContractMismatch`` for a contract that is not ours, ``InternalError`` if its ABI does not have exactly one
    function of the name or if the arguments do not fit.
    """
    found = [function for function in _functions(call.contract) if function.name == call.function]
    if len(found) != 1:
        raise InsituError("InternalError", f"{call.contract} has no single function {call.function}")
    return found[0](*call.arguments).data


def custom_errors(name: str) -> Sequence[CustomError]:
    """Return the custom errors of a contract."""
    errors: Sequence[CustomError] = _binding(name).ERRORS
    return errors


@cache
def artifact(name: str) -> Artifact:
    """Read the vendored code of a deployed contract. Raises ``ContractMismatch`` for another name."""
    if name not in DEPLOYED:
        raise InsituError("ContractMismatch", f"there is no contract called {name[:60]!r} that has its own code")
    resource = files("insitu.adapters.chain") / "artifacts" / f"{name}.json"
    document = json.loads(resource.read_text("utf-8"))
    return Artifact(
        name=name,
        bytecode=_hex(document["bytecode"]),
        deployed_bytecode=_hex(document["deployedBytecode"]),
        immutables=tuple((r["start"], r["length"]) for r in document["immutableReferences"]),
    )


def _functions(name: str) -> Sequence[Function[object]]:
    functions: Sequence[Function[object]] = _binding(name).FUNCTIONS
    return functions


def _binding(name: str) -> ModuleType:
    """Return the bindings of a contract; they are loaded only when they are used."""
    if name not in _BINDINGS:
        raise InsituError("ContractMismatch", f"there is no contract called {name[:60]!r}")
    return import_module(f"insitu.adapters.chain.bindings.{_BINDINGS[name]}")


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
