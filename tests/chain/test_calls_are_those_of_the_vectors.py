"""The call data of every call, and a signed transaction: ours, those of the vectors, and other libraries' are equal."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account

from insitu.adapters.chain.contracts import encode_call
from insitu.adapters.keys.signer import LocalSigner
from insitu.domain import ledger, registry_requests
from insitu.domain.agreement import Settlement, Terms
from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address
from insitu.domain.ledger import Call, Permit
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationBatch,
    RegistrationItem,
    Transfer,
    UpdateBatch,
    UpdateItem,
)

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
CASES: dict[str, Any] = json.loads((VECTORS / "calls.json").read_text("utf-8"))
SIGNED: dict[str, Any] = json.loads((VECTORS / "eip712.json").read_text("utf-8"))

TERMS = Terms.model_validate(SIGNED["agreements"][0]["terms"])
CONSUMER, PROVIDER = TERMS.consumer, TERMS.provider
SIGNATURE, OFFER = bytes(range(65)), bytes(range(65, 130))
PERMIT = Permit(10**19, 1_700_000_600, 27, bytes([1]) * 32, bytes([2]) * 32)
SETTLEMENT = Settlement(index=3, charge=7 * 10**18, receipt_hash="0x" + "ab" * 32, last=True)
DID, OTHER, STATEMENT, ACTIVITY = (bytes([digit]) * 32 for digit in (0xD1, 0xD2, 0x51, 0xAC))
SEED, CHECKSUM, URL = bytes([0x5E]) * 32, bytes([0xC5]) * 32, "https://metadata.example/ä/{did}"


def made() -> dict[str, Call]:
    """Every call that the domain can make, by the name of what makes it."""
    providers: tuple[Address, ...] = (PROVIDER,)
    deadline = 1_700_000_600
    return {
        "register_attribute": ledger.register_attribute(SEED, CHECKSUM, providers, URL),
        "register_attribute_for": ledger.register_attribute_for(SEED, CHECKSUM, (), URL, CONSUMER),
        "update_attribute": ledger.update_attribute(DID, CHECKSUM, URL),
        "transfer_ownership": ledger.transfer_ownership(DID, CONSUMER),
        "create_and_lock": ledger.create_and_lock(TERMS, SIGNATURE, PERMIT),
        "create_lock_grant": ledger.create_lock_grant(TERMS, SIGNATURE, PERMIT, OFFER),
        "grant": ledger.grant(TERMS),
        "refuse": ledger.refuse(TERMS),
        "settle": ledger.settle(TERMS, SETTLEMENT, SIGNATURE),
        "settle_batch": ledger.settle_batch([(TERMS, [SETTLEMENT, SETTLEMENT])]),
        "cancel": ledger.cancel(TERMS),
        "refund": ledger.refund(TERMS),
        "used": ledger.used(STATEMENT, DID, CONSUMER, ACTIVITY, "{}"),
        "was_derived_from": ledger.was_derived_from(STATEMENT, OTHER, DID, CONSUMER, ACTIVITY, "{}"),
        "was_associated_with": ledger.was_associated_with(STATEMENT, DID, CONSUMER, ACTIVITY, "{}"),
        "use_permit": ledger.use_permit(CONSUMER, PROVIDER, PERMIT),
        "RegistrationBatch": RegistrationBatch(
            CONSUMER, [RegistrationItem(SEED, CHECKSUM, providers, URL)], deadline
        ).call(SIGNATURE),
        "UpdateBatch": UpdateBatch(CONSUMER, [UpdateItem(DID, CHECKSUM, URL, 2)], deadline).call(SIGNATURE),
        "Transfer": Transfer(DID, PROVIDER, 3, deadline).call(SIGNATURE),
        "ProviderChange": ProviderChange(DID, PROVIDER, True, 4, deadline).call(SIGNATURE),
    }


def written(value: object) -> Any:
    """An argument as the vectors write it: bytes in hexadecimal digits, numbers as decimal text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read(value: Any, kind: str) -> Any:
    """An argument of the vectors as eth_abi takes it."""
    if kind.endswith("[]"):
        return [read(item, kind[:-2]) for item in value]
    if kind.startswith("("):
        return tuple(read(item, member) for item, member in zip(value, split(kind[1:-1]), strict=True))
    if kind.startswith("bytes"):
        return bytes.fromhex(value[2:])
    return int(value) if kind.startswith("uint") else value


def split(kinds: str) -> list[str]:
    """The types between commas that are in no inner brackets."""
    found, depth = [""], 0
    for character in kinds:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            found.append("")
        else:
            found[-1] += character
    return [kind for kind in found if kind]


def calls() -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES["calls"]])


def test_every_call_of_the_domain_has_a_vector() -> None:
    makers = {
        name
        for name, maker in inspect.getmembers(ledger, inspect.isfunction)
        if maker.__annotations__.get("return") is Call
    }
    makers |= {
        name for name, kind in inspect.getmembers(registry_requests, inspect.isclass) if hasattr(kind, "FUNCTION")
    }
    assert makers == {case["name"] for case in CASES["calls"]} == set(made())


@calls()
def test_our_call_data_is_that_of_the_vector(case: dict[str, Any]) -> None:
    call = made()[case["name"]]
    assert (call.contract, call.function) == (case["contract"], case["signature"].partition("(")[0])
    assert written(call.arguments) == case["arguments"]
    assert "0x" + encode_call(call).hex() == case["data"]


@calls()
def test_another_encoder_writes_the_same_call_data(case: dict[str, Any]) -> None:
    signature = case["signature"]
    kinds = split(signature[signature.index("(") + 1 : -1])
    arguments = [read(value, kind) for value, kind in zip(case["arguments"], kinds, strict=True)]
    assert case["data"] == "0x" + (keccak256(signature.encode())[:4] + encode(kinds, arguments)).hex()


@pytest.mark.parametrize("case", CASES["transactions"])
def test_a_transaction_is_signed_as_in_the_vector(case: dict[str, Any]) -> None:
    signer = LocalSigner(bytes.fromhex(case["key"][2:]))
    transaction = case["transaction"] | {"data": bytes.fromhex(case["transaction"]["data"][2:])}
    raw = signer.sign_transaction(transaction)
    assert ("0x" + raw.hex(), "0x" + keccak256(raw).hex()) == (case["raw"], case["hash"])
    assert Account.recover_transaction(raw) == signer.address == case["sender"]
