"""The terms buy a version of every input: one hash, the same in every language. Old receipts keep their old terms."""

import json
from typing import Any

import pytest

from insitu.domain.agreement import SignedSettlement, Terms, TermsV1, agreement_id
from insitu.domain.inputs_hash import inputs_hash
from tests.domain.documents import DOMAIN, terms, vector


@pytest.mark.parametrize("case", vector("inputs-hash"), ids=lambda case: case["name"])
def test_the_hash_is_that_of_the_vectors(case: Any) -> None:
    versions = [(read["did"], read["checksum"]) for read in case["inputs"]]
    assert inputs_hash(versions) == case["inputsHash"]


def test_a_checksum_has_one_form_in_the_hash() -> None:
    did = "did:nv:" + "a1" * 32
    assert inputs_hash([(did, "0x" + "AB" * 32)]) == inputs_hash([(did, "ab" * 32)])


def test_each_list_of_versions_has_its_own_hash() -> None:
    assert len({case["inputsHash"] for case in vector("inputs-hash")}) == len(vector("inputs-hash"))


def test_old_terms_keep_the_id_that_the_old_contract_gave_them() -> None:
    agreement = json.loads(vector("receipt")[0]["payload"])["predicate"]["agreement"]
    old = TermsV1.model_validate(agreement["terms"])
    assert agreement_id(old, DOMAIN) == agreement["serviceAgreementId"]
    assert agreement_id(terms(), DOMAIN) != agreement["serviceAgreementId"]


def test_a_settlement_is_read_with_old_and_with_new_terms() -> None:
    agreement = json.loads(vector("receipt")[0]["payload"])["predicate"]["agreement"]
    settlement = {"index": 0, "charge": "13", "receiptHash": "0x" + "11" * 32}
    for agreed, kind in ((agreement["terms"], TermsV1), (terms().model_dump(mode="json"), Terms)):
        signed = SignedSettlement.model_validate({"terms": agreed, "settlement": settlement, "signature": "0x"})
        assert type(signed.terms) is kind
        assert signed.model_dump(mode="json")["terms"] == agreed
