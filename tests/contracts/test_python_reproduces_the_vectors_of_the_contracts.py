"""The domain computes the same ids, digests and signatures as the contracts (C2–C5, E10)."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from insitu.domain.agreement import (
    AgreementDomain,
    Settlement,
    Terms,
    agreement_id,
    settlement_digest,
    terms_digest,
)
from insitu.domain.canonical import keccak256
from insitu.domain.did import hash_did
from insitu.domain.ids import Address, AgreementId, read_address
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationItem,
    RegistrationBatch,
    Transfer,
    UpdateItem,
    UpdateBatch,
    registry_domain,
)

VECTORS = Path(__file__).parents[1] / "vectors"
SIGNED = json.loads((VECTORS / "eip712.json").read_text())
IDS = json.loads((VECTORS / "ids.json").read_text())


def domain(vector: dict[str, Any]) -> AgreementDomain:
    return AgreementDomain(vector["chainId"], read_address(vector["verifyingContract"]))


def settlement(vector: dict[str, Any]) -> Settlement:
    return Settlement.model_validate({name: vector[name] for name in ("index", "charge", "receiptHash", "last")})


def request(kind: str, message: dict[str, Any]) -> RegistrationBatch | UpdateBatch | Transfer | ProviderChange:
    deadline, changes = message["deadline"], message.get("changes", 0)
    if kind == "Registrations":
        return RegistrationBatch(
            read_address(message["creator"]), [registration(item) for item in message["items"]], deadline
        )
    if kind == "Updates":
        return UpdateBatch(read_address(message["owner"]), [update(item) for item in message["items"]], deadline)
    did = raw(message["did"])
    if kind == "Transfer":
        return Transfer(did, read_address(message["newOwner"]), changes, deadline)
    return ProviderChange(did, read_address(message["provider"]), message["allowed"], changes, deadline)


def registration(item: dict[str, Any]) -> RegistrationItem:
    providers: tuple[Address, ...] = tuple(read_address(account) for account in item["providers"])
    return RegistrationItem(raw(item["didSeed"]), raw(item["checksum"]), providers, item["url"])


def update(item: dict[str, Any]) -> UpdateItem:
    return UpdateItem(raw(item["did"]), raw(item["checksum"]), item["url"], item["version"])


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.parametrize("vector", SIGNED["agreements"])
def test_an_agreement_has_the_id_that_the_contracts_compute(vector: dict[str, Any]) -> None:
    assert "0x" + agreement_id(Terms.model_validate(vector["terms"]), domain(vector)) == vector["agreementId"]


@pytest.mark.parametrize("vector", SIGNED["agreements"])
def test_the_consumers_signature_of_the_terms_is_the_one_of_the_contracts(vector: dict[str, Any]) -> None:
    digest = terms_digest(Terms.model_validate(vector["terms"]), domain(vector))
    signed = Account.unsafe_sign_hash(digest, vector["consumerKey"])
    assert "0x" + signed.signature.hex() == vector["consumerSignature"]


@pytest.mark.parametrize("vector", SIGNED["settlements"])
def test_a_settlement_has_the_digest_that_the_contracts_compute(vector: dict[str, Any]) -> None:
    digest = settlement_digest(AgreementId(vector["agreementId"][2:]), settlement(vector), domain(vector))
    assert "0x" + digest.hex() == vector["digest"]
    signed = Account.unsafe_sign_hash(digest, vector["providerKey"])
    assert "0x" + signed.signature.hex() == vector["providerSignature"]


@pytest.mark.parametrize("vector", SIGNED["requests"], ids=lambda vector: str(vector["primaryType"]))
def test_the_digest_of_a_request_to_the_registry_is_the_contracts(vector: dict[str, Any]) -> None:
    where = registry_domain(vector["chainId"], read_address(vector["verifyingContract"]))
    digest = request(vector["primaryType"], vector["message"]).digest(where)
    assert "0x" + digest.hex() == vector["digest"]
    assert "0x" + Account.unsafe_sign_hash(digest, vector["key"]).signature.hex() == vector["signature"]


@pytest.mark.parametrize("vector", IDS["conditions"])
def test_the_id_of_a_condition_derives_from_agreement_contract_and_condition(vector: dict[str, Any]) -> None:
    words = [vector["agreementId"], vector["verifyingContract"], hex(vector["condition"])]
    encoded = b"".join(bytes.fromhex(word[2:].rjust(64, "0")) for word in words)
    assert "0x" + keccak256(encoded).hex() == vector["conditionId"]


@pytest.mark.parametrize("vector", IDS["dids"])
def test_a_did_derives_from_seed_and_creator_as_in_the_registry(vector: dict[str, Any]) -> None:
    found = hash_did(bytes.fromhex(vector["didSeed"][2:]), read_address(vector["creator"]))
    assert bytes(found).hex() == vector["did"][2:]
