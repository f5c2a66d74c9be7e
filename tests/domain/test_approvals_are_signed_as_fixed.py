"""Requests for approval, approvals, revocations and owners' actions: the digests that are signed (vectors)."""

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from insitu.domain.approvals import APPROVAL_TYPES, approval_digest, approvals_domain
from insitu.domain.registry_requests import registry_domain
from insitu.domain.signatures import recover_address
from tests.domain.documents import vector

VECTORS = vector("approvals")
DOMAIN = approvals_domain(VECTORS["chainId"], VECTORS["registry"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["kind"])
def test_a_digest_and_its_signer_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    digest = approval_digest(case["kind"], case["members"], DOMAIN)
    assert "0x" + digest.hex() == case["digest"]
    assert recover_address(digest, case["signature"]) == case["signer"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["kind"])
def test_a_wallet_computes_the_same_digest(case: dict[str, Any]) -> None:
    members = [member.split() for member in APPROVAL_TYPES[case["kind"]].split(",")]
    domain = {"name": DOMAIN.name, "version": "1", "chainId": DOMAIN.chain_id, "verifyingContract": DOMAIN.contract}
    types = {case["kind"]: [{"name": name, "type": type_} for type_, name in members]}
    message = encode_typed_data(domain, types, case["members"])
    assert keccak(b"\x19" + message.version + message.header + message.body).hex() == case["digest"][2:]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["kind"])
def test_every_member_and_the_registry_change_the_digest(case: dict[str, Any]) -> None:
    found = {case["digest"]}
    for name, value in case["members"].items():
        other = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] != "1" else "2")
        found.add("0x" + approval_digest(case["kind"], case["members"] | {name: other}, DOMAIN).hex())
    found.add("0x" + approval_digest(case["kind"], case["members"], registry_domain(31337, DOMAIN.contract)).hex())
    assert len(found) == len(case["members"]) + 2


def test_the_types_are_those_of_the_vectors() -> None:
    assert VECTORS["types"] == APPROVAL_TYPES


@pytest.mark.parametrize("changes", [{"purpose": None}, {"more": 1}])
def test_a_struct_has_exactly_its_members(changes: dict[str, Any]) -> None:
    members = {name: value for name, value in (VECTORS["cases"][0]["members"] | changes).items() if value is not None}
    with pytest.raises(KeyError):
        approval_digest("ApprovalRequest", members, DOMAIN)
