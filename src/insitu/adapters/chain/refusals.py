"""What a node or a contract answers when it refuses, as errors of the one table.

A custom error of the contracts becomes the code of the same name, its arguments (both sides of the comparison) in the
detail. Errors of the token that a person can mend have codes of our own; those of OpenZeppelin's other parts become
``ContractRejected``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from insitu.adapters.chain.contracts import DEPLOYED, abi_type, artifact
from insitu.domain.canonical import keccak256
from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.ids import read_address

__all__ = ["NodeError", "refusal_of"]

_PANIC = bytes.fromhex("4e487b71")
_REVERT_TEXT = bytes.fromhex("08c379a0")
_TOKEN = {
    "ERC20InsufficientAllowance": "AllowanceTooLow",
    "ERC20InsufficientBalance": "InsufficientFunds",
    "ERC2612ExpiredSignature": "PermitExpired",
    "ERC2612InvalidSigner": "PermitInvalid",
}
"""The token's errors are OpenZeppelin's; what they mean here has names of our own."""


class NodeError(InsituError):
    """An error answer of the node, translated; ``message`` and ``data`` are what the node said."""

    def __init__(self, method: str, message: str, data: bytes) -> None:
        error = _translated(method, message, data)
        super().__init__(error.code, error.detail)
        self.context = error.context
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class _CustomError:
    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]


def refusal_of(data: bytes) -> InsituError:
    """Translate the data that a contract reverted with."""
    selector, body = data[:4], data[4:]
    if selector == _REVERT_TEXT:
        return InsituError("ContractRejected", _first(body, "string", "reverted"))
    if selector == _PANIC:
        return InsituError("ContractRejected", f"panic {_first(body, 'uint256', '?')} in the contract")
    known = _custom_errors().get(selector)
    if known is None:
        return InsituError("ContractRejected", f"reverted with {data[:68].hex() or 'no data'}")
    return _of_custom(known, body)


def _of_custom(error: _CustomError, body: bytes) -> InsituError:
    try:
        values = [_shown(value) for value in decode(error.types, body)]
    except (DecodingError, OverflowError):
        return InsituError("ContractRejected", f"{error.name} with arguments that do not fit")
    named = dict(zip(error.parameters, values, strict=True))
    detail = f"{error.name}({', '.join(f'{name}={value}' for name, value in named.items())})"
    if error.name in _TOKEN:
        return InsituError(_TOKEN[error.name], detail, arguments=named)
    if error.name not in ERRORS:
        return InsituError("ContractRejected", detail, contractError=error.name, arguments=named)
    return InsituError(error.name, detail, arguments=named)


def _shown(value: Any) -> object:
    """Show an argument: bytes as hexadecimal, addresses in the case of EIP-55, numbers as digits."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return read_address(value)
    return str(value)


def _first(body: bytes, kind: str, otherwise: str) -> str:
    try:
        return str(decode([kind], body)[0])[:500]
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return otherwise


@cache
def _custom_errors() -> Mapping[bytes, _CustomError]:
    found = {}
    for name in DEPLOYED:
        for entry in artifact(name).abi:
            if entry["type"] != "error":
                continue
            types = tuple(map(abi_type, entry["inputs"]))
            selector = keccak256(f"{entry['name']}({','.join(types)})".encode())[:4]
            found[selector] = _CustomError(entry["name"], tuple(p["name"] for p in entry["inputs"]), types)
    return found


def _translated(method: str, message: str, data: bytes) -> InsituError:
    if data:
        return refusal_of(data)
    lowered = message.lower()
    if "insufficient funds" in lowered:
        return InsituError("InsufficientFunds", "the account cannot pay for the gas of this transaction")
    if "revert" in lowered:
        return InsituError("ContractRejected", message[:500])
    return InsituError("ChainUnavailable", f"the node refused {method}: {message[:300]}")
