"""What a consumer signs for a purchase that others send: the vector, ours, and another implementation of EIP-712."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from insitu.adapters.chain.permits import sign_permit
from insitu.adapters.keys.signer import LocalSigner
from insitu.api.gateway_v1 import PurchaseRequest
from insitu.domain.agreement import TERMS_TYPE, AgreementDomain, agreement_id, terms_digest
from insitu.domain.purchase import SignedPermit
from insitu.domain.signatures import recover_address

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "purchase.json"
PERMIT_TYPE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


@pytest.fixture(params=json.loads(VECTORS.read_text())["purchases"])
def case(request: pytest.FixtureRequest) -> Any:
    return request.param


def members(signature: str) -> list[dict[str, str]]:
    """The members of a struct from its EIP-712 type."""
    inner = signature[signature.index("(") + 1 : -1]
    return [dict(zip(("type", "name"), member.split(), strict=True)) for member in inner.split(",")]


def foreign_signature(
    case: Any, domain: dict[str, Any], name: str, signature: str, message: dict[str, Any]
) -> tuple[str, str]:
    """Another library encodes, hashes and signs the same typed data; return signature and signer."""
    encoded = encode_typed_data(domain, {name: members(signature)}, message)
    signed = Account.sign_message(encoded, case["consumerKey"])
    return "0x" + bytes(signed.signature).hex(), str(Account.recover_message(encoded, signature=signed.signature))


def test_our_signatures_are_those_of_the_vector(case: Any) -> None:
    request = PurchaseRequest.model_validate(case["request"])
    domain = AgreementDomain(case["chainId"], case["verifyingContract"])
    signer = LocalSigner(bytes.fromhex(case["consumerKey"][2:]))
    assert agreement_id(request.terms, domain) == case["agreementId"]
    assert "0x" + signer.sign_digest(terms_digest(request.terms, domain)).hex() == request.signature
    assert request.permit is not None
    separator = bytes.fromhex(case["token"]["domainSeparator"][2:])
    permit = sign_permit(
        signer,
        domain.contract,
        request.permit.value,
        request.permit.deadline,
        nonce=case["nonce"],
        separator=separator,
    )
    assert SignedPermit.of(permit) == request.permit
    assert recover_address(bytes.fromhex(case["permitDigest"][2:]), request.permit.signature) == signer.address
    assert request.model_dump(mode="json", by_alias=True) == case["request"]


def test_another_implementation_signs_the_same(case: Any) -> None:
    request = PurchaseRequest.model_validate(case["request"])
    terms = request.terms.model_dump(by_alias=True)
    terms |= {name: list(terms[name]) for name in ("amounts", "receivers")}
    where = {"chainId": case["chainId"], "version": "1"}
    template = where | {"name": "ServiceExecutionTemplate", "verifyingContract": case["verifyingContract"]}
    signature, signer = foreign_signature(case, template, "Terms", TERMS_TYPE, terms)
    assert (signature, signer) == (request.signature, request.terms.consumer)

    assert request.permit is not None
    token = where | {"name": case["token"]["name"], "verifyingContract": case["token"]["address"]}
    allowed = {
        "owner": request.terms.consumer,
        "spender": case["verifyingContract"],
        "value": request.permit.value,
        "nonce": case["nonce"],
        "deadline": request.permit.deadline,
    }
    signature, _ = foreign_signature(case, token, "Permit", PERMIT_TYPE, allowed)
    assert signature == request.permit.signature
