"""Every function, event and error of every ABI is read with its types; what is bound of them is typed, and used."""

import dataclasses
import inspect
import re
from collections import Counter
from importlib import import_module
from types import FunctionType
from typing import Any, get_args

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.chain.abi import Function, Invocation
from insitu.adapters.chain.bindings import did_registry, nevermined_token, structs
from insitu.adapters.chain.contracts import abi_of, constructor_arguments, contract_address_name, encode_call, invoke
from insitu.adapters.chain.events import _READINGS
from insitu.domain import ledger
from insitu.domain.agreement import Settlement, Terms
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import Call, Permit
from tests.architecture.sources import modules
from tests.chain import vendored
from tests.chain.vendored import CONTRACTS, abi_type, signature

MODULES = {
    "AgreementStoreManager": "agreement_store_manager",
    "DIDRegistry": "did_registry",
    "NeverminedToken": "nevermined_token",
    "TemplateStoreManager": "template_store_manager",
}
ACCOUNT = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
WORD = b"\x12" * 32
TERMS = Terms.model_validate(
    dict.fromkeys(("seed", "did", "inputs_hash", "workflow_id", "workflow_hash"), "0x" + WORD.hex())
    | dict.fromkeys(("consumer", "provider"), ACCOUNT)
    | dict.fromkeys(("service_index", "deadline", "grant_timeout", "timeout", "settle_timeout"), 1)
    | {"amounts": (3, 4), "receivers": (ACCOUNT, ACCOUNT)}
)
SETTLEMENT = Settlement(index=1, charge=2, receipt_hash="0x" + WORD.hex())


def entries(contract: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in vendored.abi_of(contract) if entry["type"] == kind]


def selector(entry: dict[str, Any]) -> bytes:
    return keccak256(signature(entry).encode())[:4]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_function_is_read_with_its_types(contract: str) -> None:
    found = {function.selector: function for function in abi_of(contract).functions}
    written = {selector(entry): entry for entry in entries(contract, "function")}
    assert found.keys() == written.keys()
    for code, function in found.items():
        assert function.name == written[code]["name"]
        assert [kind.name for kind in function.inputs] == [abi_type(one) for one in written[code]["inputs"]]
        assert [kind.name for kind in function.outputs] == [abi_type(output) for output in written[code]["outputs"]]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_event_is_read_with_its_types(contract: str) -> None:
    found = {log.topic: log for log in abi_of(contract).logs}
    written = {keccak256(signature(entry).encode()): entry for entry in entries(contract, "event")}
    assert found.keys() == written.keys()
    for topic, log in found.items():
        parameters = [(name, kind.name, indexed) for name, kind, indexed in log.parameters]
        assert parameters == [(one["name"], abi_type(one), one["indexed"]) for one in written[topic]["inputs"]]
        assert log.name == written[topic]["name"]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_custom_error_is_read_with_its_types(contract: str) -> None:
    found = {error.selector: error for error in abi_of(contract).errors}
    written = {selector(entry): entry for entry in entries(contract, "error")}
    assert found.keys() == written.keys()
    for code, error in found.items():
        assert error.name == written[code]["name"]
        parameters = [(name, kind.name) for name, kind in error.parameters]
        assert parameters == [(one["name"], abi_type(one)) for one in written[code]["inputs"]]


def members_of(contract: str, kind: type = object) -> dict[str, Any]:
    """What the module of a contract writes down itself, by name."""
    module = import_module(f"insitu.adapters.chain.bindings.{MODULES[contract]}")
    members = {name: member for name, member in vars(module).items() if isinstance(member, kind)}
    return {name: one for name, one in members.items() if getattr(one, "__module__", "") == module.__name__}


@pytest.mark.parametrize("contract", MODULES)
def test_every_function_that_is_bound_has_typed_arguments_and_results(contract: str) -> None:
    functions = members_of(contract, FunctionType)
    for function in functions.values():
        hints = inspect.get_annotations(function, eval_str=True)
        parameters = inspect.signature(function).parameters
        assert hints.keys() == {*parameters, "return"}
        assert "Any" not in str(hints)
        made = function(*parameters)
        assert isinstance(made, Invocation)
        assert made.arguments == tuple(parameters)
        assert made.function in abi_of(contract).functions
        assert len(made.function.inputs) == len(parameters)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_nothing_hides_behind_the_hash_of_an_indexed_value(contract: str) -> None:
    for entry in entries(contract, "event"):
        assert all(
            re.fullmatch(r"bytes32|address|bool|uint\d+", one["type"]) for one in entry["inputs"] if one["indexed"]
        )


def test_every_event_of_the_domain_is_read_once_with_all_its_members() -> None:
    assert Counter(reading.kind for reading in _READINGS) == Counter(get_args(ledger.LedgerEvent))
    for reading in _READINGS:
        assert {*reading.parameters} - {"block"} <= {name for name, _, _ in reading.log.parameters}
        assert isinstance(reading.kind, type)
        assert len(reading.parameters) == len(dataclasses.fields(reading.kind))


def test_every_member_that_is_bound_is_used() -> None:
    sources = "\n".join(path.read_text() for path in modules() if path.parent.name != "bindings")
    for contract in MODULES:
        for name in members_of(contract):
            assert re.search(rf"\b{name}\b", sources), (
                f"nobody uses {contract}'s {name}; take it out of scripts/bindings"
            )


CALLS = [
    ledger.register_attribute(WORD, WORD, [ACCOUNT], "http://example.org"),
    ledger.register_attribute_for(WORD, WORD, [ACCOUNT], "http://example.org", ACCOUNT),
    ledger.update_attribute(WORD, WORD, "http://example.org"),
    ledger.transfer_ownership(WORD, ACCOUNT),
    ledger.create_and_lock(TERMS, b"signature", Permit(1, 2, 27, WORD, WORD)),
    ledger.create_lock_grant(TERMS, b"signature", None, b"offer"),
    ledger.grant(TERMS),
    ledger.refuse(TERMS),
    ledger.settle(TERMS, SETTLEMENT, b"signature"),
    ledger.settle_batch([(TERMS, [SETTLEMENT, SETTLEMENT])]),
    ledger.cancel(TERMS),
    ledger.refund(TERMS),
    ledger.used(WORD, WORD, ACCOUNT, WORD, "attributes"),
    ledger.was_derived_from(WORD, WORD, WORD, ACCOUNT, WORD, "attributes"),
    ledger.was_associated_with(WORD, WORD, ACCOUNT, WORD, "attributes"),
    ledger.use_permit(ACCOUNT, ACCOUNT, Permit(1, 2, 27, WORD, WORD)),
]


def plain(value: Any) -> Any:
    """A value as eth-abi takes it: bytes where the domain writes digits."""
    if isinstance(value, str) and value.startswith("0x") and len(value) == 66:
        return bytes.fromhex(value[2:])
    return type(value)(map(plain, value)) if isinstance(value, tuple | list) and type(value) in {tuple, list} else value


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.contract}.{call.function}")
def test_every_call_of_the_domain_is_encoded_by_the_bindings(call: Call) -> None:
    (entry,) = [one for one in entries(call.contract, "function") if one["name"] == call.function]
    types = [abi_type(one) for one in entry["inputs"]]
    assert encode_call(call) == selector(entry) + encode(types, plain(call.arguments))


def test_every_call_of_the_domain_is_in_the_list_above() -> None:
    makers = {
        name
        for name, member in vars(ledger).items()
        if inspect.isfunction(member) and inspect.get_annotations(member).get("return") is Call
    }
    assert len(CALLS) == len(makers)


def test_what_the_abi_does_not_have_is_refused() -> None:
    for call, code in [
        (Call("EscrowReward", "steal", ()), "InternalError"),
        (Call("ServiceExecutionTemplate", "fulfill", ()), "InternalError"),  # three of them: none is meant
        (Call("EscrowReward", "withdraw", ()), "InternalError"),
        (Call("EscrowReward", "withdraw", ("nobody",)), "InternalError"),
        (Call("DIDRegistry", "transferDIDOwnership", (WORD + b"x", ACCOUNT)), "InternalError"),
        (Call("Bank", "withdraw", (ACCOUNT,)), "ContractMismatch"),
    ]:
        with pytest.raises(InsituError, match=code):
            encode_call(call)


def test_constructors_take_what_the_abi_says() -> None:
    assert constructor_arguments("Dispenser", ACCOUNT, ACCOUNT) == encode(["address", "address"], [ACCOUNT, ACCOUNT])


def test_parts_of_the_template_share_its_address() -> None:
    assert contract_address_name("EscrowReward") == "ServiceExecutionTemplate"
    assert contract_address_name("Dispenser") == "Dispenser"


def test_results_are_read_as_python_values() -> None:
    register = did_registry.get_did_register(WORD)
    answer = encode(["(address,uint40,uint24,uint32,bytes32)"], [(ACCOUNT.lower(), 5, 1, 2, WORD)])
    assert register.result(answer) == structs.Register(ACCOUNT, 5, 1, 2, WORD)
    pending = nevermined_token.pending_default_admin()
    assert pending.result(encode(["address", "uint48"], [ACCOUNT, 9])) == (ACCOUNT, 9)
    assert nevermined_token.name().result(encode(["bytes"], [b"caf\xe9"])) == "caf\ufffd"


@given(st.binary(max_size=200))
def test_any_answer_is_read_or_refused(answer: bytes) -> None:
    for view in (did_registry.get_did_register(WORD), nevermined_token.name(), invoke("NeverminedToken", "owner")):
        try:
            view.result(answer)
        except InsituError as error:
            assert error.code == "ContractMismatch"


@given(st.lists(st.binary(max_size=40), max_size=5), st.binary(max_size=300))
def test_any_log_is_read_or_refused(topics: list[bytes], data: bytes) -> None:
    for log in [*abi_of("DIDRegistry").logs, *abi_of("EscrowReward").logs]:
        try:
            log.values([log.topic, *topics], data)
        except InsituError as error:
            assert error.code == "ContractMismatch"


def test_a_function_is_called_with_the_values_that_it_was_bound_to() -> None:
    bound = Function("f", b"\0\0\0\1", (), ())()
    assert bound.data == b"\0\0\0\1"
