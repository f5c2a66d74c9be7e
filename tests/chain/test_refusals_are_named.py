"""What a contract reverts with becomes an error of the table; whatever a node answers, nothing else escapes."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.chain.contracts import DEPLOYED, abi_type, artifact
from insitu.adapters.chain.refusals import NodeError, refusal_of
from insitu.domain.canonical import keccak256
from insitu.domain.errors import ERRORS, InsituError

SAMPLES: dict[str, Any] = {
    "bytes32": b"\x12" * 32,
    "address": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "string": "text",
}
TOKEN = {
    "ERC20InsufficientAllowance": "AllowanceTooLow",
    "ERC20InsufficientBalance": "InsufficientFunds",
    "ERC2612ExpiredSignature": "PermitExpired",
    "ERC2612InvalidSigner": "PermitInvalid",
}


def custom_errors() -> list[tuple[str, dict[str, Any]]]:
    return [(name, entry) for name in DEPLOYED for entry in artifact(name).abi if entry["type"] == "error"]


@pytest.mark.parametrize(("contract", "entry"), custom_errors(), ids=lambda value: str(value)[:30])
def test_a_custom_error_keeps_its_name_and_arguments(contract: str, entry: dict[str, Any]) -> None:
    types = [abi_type(parameter) for parameter in entry["inputs"]]
    values = [SAMPLES.get(kind, 7) for kind in types]
    selector = keccak256(f"{entry['name']}({','.join(types)})".encode())[:4]
    error = refusal_of(selector + encode(types, values))
    assert error.code in {entry["name"], TOKEN.get(entry["name"], "ContractRejected")}
    assert entry["name"] in error.detail
    shown = {parameter["name"] for parameter in entry["inputs"]}
    assert set(error.context["arguments"]) == shown  # type: ignore[call-overload]
    if "address" in types:
        assert SAMPLES["address"] in error.detail


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
    _, entry = data.draw(st.sampled_from(custom_errors()))
    types = ",".join(abi_type(parameter) for parameter in entry["inputs"])
    body = data.draw(st.binary(max_size=300))
    assert refusal_of(keccak256(f"{entry['name']}({types})".encode())[:4] + body).code in ERRORS


@given(message=st.text(max_size=100), data=st.binary(max_size=100))
def test_any_answer_of_a_node_is_translated(message: str, data: bytes) -> None:
    error = NodeError("eth_call", message, data)
    assert isinstance(error, InsituError)
    assert error.code in ERRORS


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
