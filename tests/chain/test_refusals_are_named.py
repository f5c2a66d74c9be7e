"""What a contract reverts with becomes an error of the table, and so does anything else that a node answers."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.chain.refusals import NodeError, refusal_of
from insitu.domain.canonical import keccak256
from insitu.domain.errors import ERRORS, InsituError, class_of
from insitu.domain.ids import read_address
from tests.chain.vendored import CONTRACTS, abi_of, abi_type, signature

RENAMED = {
    "AccessControlBadConfirmation": "ContractRejected",
    "AccessControlEnforcedDefaultAdminDelay": "NotTimedOut",
    "AccessControlEnforcedDefaultAdminRules": "ContractRejected",
    "AccessControlInvalidDefaultAdmin": "ContractRejected",
    "AccessControlUnauthorizedAccount": "CallerMismatch",
    "ECDSAInvalidSignature": "ContractRejected",
    "ECDSAInvalidSignatureLength": "ContractRejected",
    "ECDSAInvalidSignatureS": "ContractRejected",
    "ERC20ExceededCap": "ContractRejected",
    "ERC20InsufficientAllowance": "AllowanceTooLow",
    "ERC20InsufficientBalance": "InsufficientFunds",
    "ERC20InvalidApprover": "ContractRejected",
    "ERC20InvalidCap": "ContractRejected",
    "ERC20InvalidReceiver": "ContractRejected",
    "ERC20InvalidSender": "ContractRejected",
    "ERC20InvalidSpender": "ContractRejected",
    "ERC2612ExpiredSignature": "PermitExpired",
    "ERC2612InvalidSigner": "PermitInvalid",
    "InvalidAccountNonce": "ContractRejected",
    "InvalidShortString": "ContractRejected",
    "InvalidSignature": "SignatureMismatch",
    "OwnableInvalidOwner": "ContractRejected",
    "OwnableUnauthorizedAccount": "CallerMismatch",
    "ReentrancyGuardReentrantCall": "ContractRejected",
    "SafeCastOverflowedUintDowncast": "ContractRejected",
    "SafeERC20FailedOperation": "ContractRejected",
    "StringTooLong": "ContractRejected",
}
"""Errors of OpenZeppelin's parts, and the one error of ours whose code has another name. Every
other code has the name of its error."""

SIDES = {
    ("actual", "expected"),
    ("actual", "maximum"),
    ("allowance", "needed"),
    ("amounts", "receivers"),
    ("balance", "needed"),
    ("charge", "left"),
    ("increasedSupply", "cap"),
    ("received", "expected"),
    ("signer", "owner"),
    ("time", "deadline"),
    ("time", "earliest"),
}
"""How errors name what is, and what it was compared with."""


def custom_errors() -> list[dict[str, Any]]:
    """Every error of every ABI, once."""
    entries = (entry for name in CONTRACTS for entry in abi_of(name) if entry["type"] == "error")
    return list({signature(entry): entry for entry in entries}.values())


def sample(kind: str, position: int) -> Any:
    """A value of the type that differs from the values of other positions."""
    if kind.startswith("uint"):
        return 7 + position
    if kind == "address":
        return read_address("0x" + f"{0xA0 + position:02x}" * 20)
    return f"text {position}" if kind == "string" else bytes([0x10 + position]) * 32


@pytest.mark.parametrize("entry", custom_errors(), ids=lambda entry: str(entry["name"]))
def test_a_custom_error_becomes_a_code_of_ours_with_both_sides(entry: dict[str, Any]) -> None:
    names = [parameter["name"] for parameter in entry["inputs"]]
    types = [abi_type(parameter) for parameter in entry["inputs"]]
    values = [sample(kind, position) for position, kind in enumerate(types)]
    shown = ["0x" + value.hex() if isinstance(value, bytes) else str(value) for value in values]
    error = refusal_of(keccak256(signature(entry).encode())[:4] + encode(types, values))
    assert error.code == RENAMED.get(entry["name"], entry["name"])
    assert error.detail == f"{entry['name']}({', '.join(map('='.join, zip(names, shown, strict=True)))})"
    assert error.context["arguments"] == dict(zip(names, shown, strict=True))
    sides = [pair for pair in SIDES if set(pair) <= set(names)]
    assert len(sides) <= 1
    for actual, expected in sides:
        assert error.context["actual"] == shown[names.index(actual)]
        assert error.context["expected"] == shown[names.index(expected)]
    if not sides:
        assert not {"actual", "expected"} & error.context.keys()


def test_every_error_that_compares_two_values_is_known_to_do_so() -> None:
    """One value alone, or values that name the agreement, the asset and the account, are not a comparison."""
    subjects = {"agreementId", "account", "bits", "condition", "currentNonce", "did", "index", "neededRole", "owner"}
    subjects |= {"provider", "receiver", "sender", "spender", "template", "value"}
    left = {
        entry["name"]: rest
        for entry in custom_errors()
        for names in [{parameter["name"] for parameter in entry["inputs"]}]
        for rest in [names - subjects]
        if len(rest) > 1 and not any(set(pair) <= names for pair in SIDES)
    }
    assert not left


def test_numbers_of_states_and_conditions_have_their_names_behind_them() -> None:
    selector = keccak256(b"ConditionNotInState(bytes32,uint8,uint8,uint8)")[:4]
    error = refusal_of(selector + encode(["bytes32", "uint8", "uint8", "uint8"], [bytes(32), 2, 3, 1]))
    assert error.detail.endswith("condition=2 escrow, actual=3 Aborted, expected=1 Unfulfilled)")
    assert (error.context["actual"], error.context["expected"]) == ("3", "1"), "programs get the numbers"
    selector = keccak256(b"TemplateNotInState(address,uint8,uint8)")[:4]
    error = refusal_of(selector + encode(["address", "uint8", "uint8"], ["0x" + "11" * 20, 3, 1]))
    assert error.detail.endswith("actual=3 Revoked, expected=1 Proposed)")


def test_a_reason_in_words_is_shown() -> None:
    data = bytes.fromhex("08c379a0") + encode(["string"], ["not today"])
    assert (refusal_of(data).code, refusal_of(data).detail) == ("ContractRejected", "not today")


def test_a_panic_shows_its_number() -> None:
    data = bytes.fromhex("4e487b71") + encode(["uint256"], [17])
    assert "panic 17" in refusal_of(data).detail


@given(data=st.binary(max_size=200))
def test_any_data_is_translated(data: bytes) -> None:
    assert refusal_of(data).code in ERRORS


@given(data=st.data())
def test_a_known_error_with_any_arguments_is_translated(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(custom_errors()))
    body = data.draw(st.binary(max_size=300))
    assert refusal_of(keccak256(signature(entry).encode())[:4] + body).code in ERRORS


@given(message=st.text(max_size=100), data=st.binary(max_size=100))
def test_any_answer_of_a_node_is_translated(message: str, data: bytes) -> None:
    error = NodeError("eth_call", message, data)
    assert isinstance(error, InsituError)
    assert error.code in ERRORS
    assert isinstance(error, class_of(error.code))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Insufficient funds for gas * price + value", "InsufficientFunds"),
        ("execution reverted", "ContractRejected"),
        ("rate limit exceeded", "ChainUnavailable"),
    ],
)
def test_words_of_nodes_that_matter_are_understood(message: str, code: str) -> None:
    assert NodeError("eth_call", message, b"").code == code
