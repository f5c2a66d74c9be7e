"""The vendored contracts: their code, their ABIs, and the domain's calls encoded by them.

Each name of the specification has one ABI. Five names share the address of the ServiceExecutionTemplate; because each
has its own ABI, ``fulfill`` and ``Fulfilled`` are unique within it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from insitu.adapters.chain.abi import Abi, Invocation, Log, encode_arguments, read_abi
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call

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
    return invoke(call.contract, call.function, *call.arguments).data


def invoke(contract: str, function: str, *arguments: object) -> Invocation[Any]:
    """Bind the arguments of a contract's function; the generated functions that call this declare their types.

    Raises as :func:`encode_call`, but for the arguments, which are not read yet.
    """
    found = [known for known in abi_of(contract).functions if known.name == function]
    if len(found) != 1:
        raise InsituError("InternalError", f"{contract} has no single function {function}")
    return found[0](*arguments)


def log_of(contract: str, event: str) -> Log:
    """Return how a contract writes an event to the log."""
    return next(log for log in abi_of(contract).logs if log.name == event)


def constructor_arguments(contract: str, *arguments: object) -> bytes:
    """Return the bytes after the bytecode in the transaction that creates a contract. Raises ``InternalError``."""
    return encode_arguments(f"constructor of {contract}", abi_of(contract).constructor, arguments)


@cache
def abi_of(name: str) -> Abi:
    """Read the ABI of a contract. Raises ``ContractMismatch`` for a name that is not ours."""
    return read_abi(vendored_abi(name))


def vendored_abi(name: str) -> list[Any]:
    """Return the ABI as the compiler wrote it. Raises ``ContractMismatch`` for a name that is not ours."""
    if name not in (*DEPLOYED, *_AT_TEMPLATE):
        raise InsituError("ContractMismatch", f"there is no contract called {name[:60]!r}")
    abi: list[Any] = _document(name)["abi"]
    return abi


@cache
def artifact(name: str) -> Artifact:
    """Read the vendored code of a deployed contract. Raises ``ContractMismatch`` for another name."""
    if name not in DEPLOYED:
        raise InsituError("ContractMismatch", f"there is no contract called {name[:60]!r} that has its own code")
    document = _document(name)
    return Artifact(
        name=name,
        bytecode=_hex(document["bytecode"]),
        deployed_bytecode=_hex(document["deployedBytecode"]),
        immutables=tuple((r["start"], r["length"]) for r in document["immutableReferences"]),
    )


def _document(name: str) -> dict[str, Any]:
    vendored = files("insitu.adapters.chain") / "artifacts" / f"{name}.json"
    document: dict[str, Any] = json.loads(vendored.read_text("utf-8"))
    return document


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
