"""The vendored contract artifacts: calls encoded, results decoded (contract ABI specification, Solidity).

One ABI per name of the specification. Five names share the address of the ServiceExecutionTemplate; since each name
has its own ABI, ``fulfill`` and ``Fulfilled`` are unique in it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.grammar import ABIType, BasicType, TupleType, parse

from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call

__all__ = ["DEPLOYED", "TEMPLATE", "Artifact", "Function", "artifact", "contract_address_name", "encode_call"]

TEMPLATE = "ServiceExecutionTemplate"

DEPLOYED = ("DIDRegistry", "TemplateStoreManager", TEMPLATE, "NeverminedToken", "Dispenser")
"""The contracts that have code of their own."""

_AT_TEMPLATE = (
    "AgreementStoreManager",
    "ConditionStoreManager",
    "LockRewardCondition",
    "ComputeExecutionCondition",
    "EscrowReward",
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an ABI: 4 bytes of selector, and the types of what goes in and comes out."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, arguments: Sequence[object]) -> bytes:
        """Return the call data. Hexadecimal strings stand for bytes. Raises ``InternalError`` for misfits."""
        return self.selector + encode_arguments(self.name, self.inputs, arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Return the results. Raises ``ContractMismatch`` where the data don't fit the ABI."""
        from eth_abi.exceptions import DecodingError

        try:
            return decode(self.outputs, data)
        except (DecodingError, OverflowError, UnicodeDecodeError):
            detail = f"the answer to {self.name} has {len(data)} bytes that do not fit the ABI"
            raise InsituError("ContractMismatch", detail) from None


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is vendored of a contract. ABI-only ones have no code.

    Attributes
    ----------
    bytecode, deployed_bytecode
        What creates the contract, and what is at its address afterwards.
    immutables
        (start, length) in bytes of the places of the deployed code that the constructor fills in.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    functions: dict[str, Function]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]

    def function(self, name: str) -> Function:
        """Return a function by name. Raises ``InternalError`` where there is none, or several."""
        if name not in self.functions:
            raise InsituError("InternalError", f"{self.name} has no single function {name}")
        return self.functions[name]

    def masked(self, code: bytes) -> bytes:
        """Return deployed code with the immutable places blanked, so that it compares with the artifact's."""
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(len(masked[start : start + length]))
        return bytes(masked)

    def creation(self, arguments: Sequence[object]) -> bytes:
        """Return the data of the transaction that creates the contract with these constructor arguments."""
        constructor: dict[str, Any] = next((e for e in self.abi if e["type"] == "constructor"), {"inputs": ()})
        types = tuple(map(abi_type, constructor["inputs"]))
        return self.bytecode + encode_arguments(f"constructor of {self.name}", types, arguments)


def contract_address_name(name: str) -> str:
    """Return under which name of the deployments file a specification name has its address."""
    return TEMPLATE if name in _AT_TEMPLATE else name


def encode_call(call: Call) -> bytes:
    """Return the data of a call."""
    return artifact(call.contract).function(call.function).encode(call.arguments)


@cache
def artifact(name: str) -> Artifact:
    """Read a vendored artifact. Raises ``ContractMismatch`` for an unknown name."""
    if name not in DEPLOYED and name not in _AT_TEMPLATE:
        raise InsituError("ContractMismatch", f"there is no contract called {name[:60]!r}")
    resource = files("insitu.adapters.chain") / "artifacts" / f"{name}.json"
    document = json.loads(resource.read_text("utf-8"))
    return Artifact(
        name=name,
        abi=tuple(document["abi"]),
        functions=_functions(document["abi"]),
        bytecode=_hex(document.get("bytecode", "0x")),
        deployed_bytecode=_hex(document.get("deployedBytecode", "0x")),
        immutables=tuple((r["start"], r["length"]) for r in document.get("immutableReferences", ())),
    )


def _functions(abi: Sequence[dict[str, Any]]) -> dict[str, Function]:
    found: dict[str, Function] = {}
    overloaded = set()
    for entry in abi:
        if entry["type"] != "function":
            continue
        name = entry["name"]
        overloaded |= {name} & found.keys()
        inputs = tuple(map(abi_type, entry["inputs"]))
        selector = keccak256(f"{name}({','.join(inputs)})".encode())[:4]
        found[name] = Function(name, selector, inputs, tuple(map(abi_type, entry["outputs"])))
    return {name: function for name, function in found.items() if name not in overloaded}


def abi_type(parameter: dict[str, Any]) -> str:
    """Return the canonical type of an ABI parameter: a tuple as ``(uint256,address[])``."""
    written: str = parameter["type"]
    if not written.startswith("tuple"):
        return written
    members = ",".join(abi_type(component) for component in parameter["components"])
    return f"({members}){written.removeprefix('tuple')}"


def encode_arguments(what: str, types: Sequence[str], arguments: Sequence[object]) -> bytes:
    """Encode values of these types. Strings of bytes types are hexadecimal. Raises ``InternalError`` for misfits."""
    from eth_abi.exceptions import EncodingError

    if len(types) != len(arguments):
        raise InsituError("InternalError", f"{what} takes {len(types)} arguments, not {len(arguments)}")
    try:
        return encode(types, [_plain(_parsed(kind), value) for kind, value in zip(types, arguments, strict=True)])
    except (EncodingError, ValueError, TypeError) as error:
        raise InsituError("InternalError", f"{what}: {error}") from None


@cache
def _parsed(written: str) -> ABIType:
    kind: ABIType = parse(written)
    return kind


def _plain(kind: ABIType, value: Any) -> object:
    """Turn bytes that are written in hexadecimal into bytes, wherever the type asks for bytes."""
    if kind.is_array:
        return [_plain(kind.item_type, member) for member in value]
    if isinstance(kind, TupleType):
        return tuple(_plain(part, member) for part, member in zip(kind.components, value, strict=True))
    if isinstance(kind, BasicType) and kind.base == "bytes" and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
