"""Translate the refusals of a node or a contract into errors of our table.

A custom error of the contracts becomes the code of the same name; only ``InvalidSignature`` becomes our
``SignatureMismatch``. Errors of OpenZeppelin's parts that a person can fix have our own codes, and the others are
``ContractRejected``. Detail and context have all arguments, and if the error
compares two values, the context has both as ``actual`` and ``expected``.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from typing_extensions import override

from insitu.adapters.chain.abi import CustomError
from insitu.adapters.chain.contracts import DEPLOYED, abi_of
from insitu.domain.agreement import ConditionState
from insitu.domain.errors import ERRORS, InsituError, class_of

_PANIC = bytes.fromhex("4e487b71")
_REVERT_TEXT = bytes.fromhex("08c379a0")
_CODES = {
    "AccessControlEnforcedDefaultAdminDelay": "NotTimedOut",
    "AccessControlUnauthorizedAccount": "CallerMismatch",
    "ERC20InsufficientAllowance": "AllowanceTooLow",
    "ERC20InsufficientBalance": "InsufficientFunds",
    "ERC2612ExpiredSignature": "PermitExpired",
    "ERC2612InvalidSigner": "PermitInvalid",
    "InvalidSignature": "SignatureMismatch",
    "OwnableUnauthorizedAccount": "CallerMismatch",
}
"""Errors whose code has another name: ours for a signature, and OpenZeppelin's that a person can fix."""

_TOO_MUCH_GAS = {
    "eth_estimateGas": ("gas required exceeds", "out of gas", "outofgas"),
    "eth_sendRawTransaction": ("gas limit", "intrinsic gas too high"),
}
"""How nodes say that a transaction fits into no block. It never will, so nobody tries again."""

_SIDES = (
    ("actual", "expected"),
    ("actual", "maximum"),
    ("time", "deadline"),
    ("time", "earliest"),
    ("charge", "left"),
    ("received", "expected"),
    ("amounts", "receivers"),
    ("allowance", "needed"),
    ("balance", "needed"),
    ("increasedSupply", "cap"),
    ("signer", "owner"),
)
"""The names in Solidity's errors for the two sides of a comparison: the value, and what it was compared with."""

_CONDITION_STATES = tuple(state.name.capitalize() for state in ConditionState)
_TEMPLATE_STATES = ("Uninitialized", "Proposed", "Approved", "Revoked")
_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ConditionNotInState": {
        "condition": ("lock", "compute", "escrow"),
        "actual": _CONDITION_STATES,
        "expected": _CONDITION_STATES,
    },
    "TemplateNotInState": {"actual": _TEMPLATE_STATES, "expected": _TEMPLATE_STATES},
}
"""The words for the numbers of Solidity's enumerations, by error and argument."""


class NodeError(InsituError):
    """An error answer of the node, also of its code's class. ``message`` and ``data`` are the node's."""

    def __new__(cls, method: str, message: str, data: bytes) -> Self:
        """Make an error that both ``except NodeError`` and ``except`` with the class of its code catch."""
        code = _translate(method, message, data).code
        return super().__new__(_of_node(code), code)  # type: ignore[return-value]  # of a subclass

    def __init__(self, method: str, message: str, data: bytes) -> None:
        error = _translate(method, message, data)
        super().__init__(error.code, error.detail)
        self.context = error.context
        self.method = method
        self.message = message
        self.data = data

    @override
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...], dict[str, object]]:
        return NodeError, (self.method, self.message, self.data), self.__dict__


@cache
def _of_node(code: str) -> type[NodeError]:
    return type("NodeError", (NodeError, class_of(code)), {"__module__": __name__})


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


def _of_custom(error: CustomError, body: bytes) -> InsituError:
    try:
        arguments = {name: _show(value) for name, value in error.arguments(body).items()}
    except InsituError:
        return InsituError("ContractRejected", f"{error.name} with arguments that do not fit")
    detail = f"{error.name}({', '.join(_describe(error.name, name, value) for name, value in arguments.items())})"
    code = _CODES.get(error.name, error.name)
    refusal = InsituError(code if code in ERRORS else "ContractRejected", detail, arguments=arguments)
    refusal.context.update(_sides(arguments))
    if code not in ERRORS:
        refusal.context["contractError"] = error.name
    return refusal


def _describe(error: str, name: str, value: str) -> str:
    """Return an argument for people: a number that stands for a state or a condition is followed by its name."""
    words = _WORDS.get(error, {}).get(name, ())
    word = words[int(value)] if words and int(value) < len(words) else ""
    return f"{name}={value} {word}".rstrip()


def _sides(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return both sides of the failed comparison, under the names that all our errors use."""
    for actual, expected in _SIDES:
        if actual in arguments and expected in arguments:
            return {"actual": arguments[actual], "expected": arguments[expected]}
    return {}


def _show(value: object) -> str:
    """Show an argument: bytes as hexadecimal, addresses in the case of EIP-55, numbers as digits."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _first(body: bytes, kind: str, otherwise: str) -> str:
    try:
        return str(decode([kind], body)[0])[:500]
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return otherwise


@cache
def _custom_errors() -> Mapping[bytes, CustomError]:
    """Return every custom error by selector; cached at the first refusal because it reads all ABIs."""
    return {error.selector: error for name in DEPLOYED for error in abi_of(name).errors}


def _translate(method: str, message: str, data: bytes) -> InsituError:
    if data:
        return refusal_of(data)
    lowered = message.lower()
    if "insufficient funds" in lowered:
        return InsituError("InsufficientFunds", "the account cannot pay for the gas of this transaction")
    if "revert" in lowered or any(words in lowered for words in _TOO_MUCH_GAS.get(method, ())):
        return InsituError("ContractRejected", message[:500])
    return InsituError("ChainUnavailable", f"the node refused {method}: {message[:300]}")
