"""What owners, consumers and gateways sign besides what goes to a contract: the digests (vectors)."""

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from insitu.domain.approvals import APPROVAL_TYPES, approval_digest, approvals_domain
from insitu.domain.catalogue_requests import CATALOGUE_TYPES, catalogue_digest, catalogues_domain, is_listed_by_default
from insitu.domain.registry_requests import registry_domain
from insitu.domain.signatures import recover_address
from insitu.domain.typed_data import SigningDomain
from tests.domain.documents import vector

APPROVALS, CATALOGUES = vector("approvals"), vector("catalogue-requests")
CASES: list[dict[str, Any]] = [*APPROVALS["cases"], *CATALOGUES["cases"]]


def domain_of(case: dict[str, Any]) -> SigningDomain:
    make = approvals_domain if case["kind"] in APPROVAL_TYPES else catalogues_domain
    return make(APPROVALS["chainId"], APPROVALS["registry"])


def digest_of(case: dict[str, Any], domain: SigningDomain | None = None, **changes: Any) -> str:
    digest = approval_digest if case["kind"] in APPROVAL_TYPES else catalogue_digest
    return "0x" + digest(case["kind"], case["members"] | changes, domain or domain_of(case)).hex()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["kind"])
def test_a_digest_and_its_signer_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    assert digest_of(case) == case["digest"]
    assert recover_address(bytes.fromhex(case["digest"][2:]), case["signature"]) == case["signer"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["kind"])
def test_a_wallet_computes_the_same_digest(case: dict[str, Any]) -> None:
    members = [member.split() for member in ({**APPROVAL_TYPES, **CATALOGUE_TYPES})[case["kind"]].split(",")]
    signed = domain_of(case)
    domain = {"name": signed.name, "version": "1", "chainId": signed.chain_id, "verifyingContract": signed.contract}
    types = {case["kind"]: [{"name": name, "type": type_} for type_, name in members]}
    message = encode_typed_data(domain, types, case["members"])
    assert keccak(b"\x19" + message.version + message.header + message.body).hex() == case["digest"][2:]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["kind"])
def test_every_member_the_chain_and_the_registry_change_the_digest(case: dict[str, Any]) -> None:
    found = {case["digest"]}
    for name, value in case["members"].items():
        other = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1:] != "1" else "2")
        found.add(digest_of(case, **{name: other}))
    name, registry = domain_of(case).name, APPROVALS["registry"]
    found.add(digest_of(case, registry_domain(31337, registry)))
    found.add(digest_of(case, SigningDomain(name, 1, registry)))
    found.add(digest_of(case, SigningDomain(name, 31337, "0x" + "12" * 20)))
    assert len(found) == len(case["members"]) + 4


def test_the_types_are_those_of_the_vectors() -> None:
    assert APPROVALS["types"] == APPROVAL_TYPES
    assert CATALOGUES["types"] == CATALOGUE_TYPES
    assert {case["kind"] for case in CASES} == {*APPROVAL_TYPES, *CATALOGUE_TYPES}


@pytest.mark.parametrize("case", CATALOGUES["listedByDefault"], ids=lambda case: str(case["main"].get("type")))
def test_data_sets_are_listed_at_first_and_nothing_else(case: dict[str, Any]) -> None:
    assert is_listed_by_default(case["main"]) is case["listed"]


@pytest.mark.parametrize("changes", [{"purpose": None}, {"more": 1}])
def test_a_struct_has_exactly_its_members(changes: dict[str, Any]) -> None:
    members = {name: value for name, value in (CASES[0]["members"] | changes).items() if value is not None}
    with pytest.raises(KeyError):
        approval_digest("ApprovalRequest", members, domain_of(CASES[0]))
