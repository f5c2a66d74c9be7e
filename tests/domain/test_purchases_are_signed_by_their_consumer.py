"""A signed purchase belongs to its consumer, these terms, this chain and this contract, and is valid nowhere else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from insitu.domain.agreement import AgreementDomain, Terms, terms_digest
from insitu.domain.ids import Address
from insitu.domain.ledger import Permit
from insitu.domain.purchase import SignedPermit, SignedPurchase, call_signature
from tests.domain.documents import CONSUMER, OWNER, Account

DOMAIN = AgreementDomain(31337, Address("0x" + "5e" * 20))
TERMS = Terms(
    seed="0x" + "01" * 32,
    did="0x" + "02" * 32,
    inputs_hash="0x" + "03" * 32,
    workflow_id="0x" + "04" * 32,
    workflow_hash="0x" + "05" * 32,
    consumer=CONSUMER.address,
    provider=OWNER.address,
    service_index=4,
    deadline=1000,
    grant_timeout=600,
    timeout=86400,
    settle_timeout=4200,
    amounts=(10, 3),
    receivers=(OWNER.address, CONSUMER.address),
)
OTHER: dict[str, object] = {
    "seed": "0x" + "11" * 32,
    "did": "0x" + "12" * 32,
    "inputs_hash": "0x" + "13" * 32,
    "workflow_id": "0x" + "14" * 32,
    "workflow_hash": "0x" + "15" * 32,
    "consumer": OWNER.address,
    "provider": CONSUMER.address,
    "service_index": 5,
    "deadline": 1001,
    "grant_timeout": 601,
    "timeout": 86401,
    "settle_timeout": 4201,
    "amounts": (10, 4),
    "receivers": (CONSUMER.address, OWNER.address),
}


def signed(account: Account = CONSUMER, domain: AgreementDomain = DOMAIN) -> SignedPurchase:
    return SignedPurchase(terms=TERMS, signature="0x" + account.sign(terms_digest(TERMS, domain)).hex())


@pytest.mark.parametrize("member", list(Terms.model_fields))
def test_it_signs_every_term(member: str) -> None:
    changed = signed().model_copy(update={"terms": TERMS.model_copy(update={member: OTHER[member]})})
    assert changed.digest(DOMAIN) != signed().digest(DOMAIN)


@pytest.mark.parametrize("domain", [replace(DOMAIN, chain_id=1), replace(DOMAIN, contract=OWNER.address)])
def test_it_is_of_no_use_elsewhere(domain: AgreementDomain) -> None:
    assert signed().digest(domain) != signed().digest(DOMAIN)


def test_the_contract_gets_v_of_a_key_as_27_or_28_and_any_other_signature_as_it_is() -> None:
    whole = bytes.fromhex(signed().signature[2:])
    short = whole[:64] + bytes([whole[64] - 27])
    for raw, expected in ((whole, whole), (short, whole), (short * 2, short * 2), (b"\1" * 65, b"\1" * 65)):
        purchase = signed().model_copy(update={"signature": "0x" + raw.hex()})
        assert expected in purchase.call(DOMAIN).arguments


@pytest.mark.parametrize("size", [0, 64, 4097])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValidationError):
        SignedPurchase(terms=TERMS, signature="0x" + "00" * size)


permits = st.builds(
    Permit,
    value=st.integers(0, 2**256 - 1),
    deadline=st.integers(1, 2**64 - 1),
    v=st.sampled_from([27, 28]),
    r=st.binary(min_size=32, max_size=32),
    s=st.binary(min_size=32, max_size=32),
)


@given(permits)
def test_a_permit_survives_the_wire(permit: Permit) -> None:
    text = SignedPermit.of(permit).model_dump_json(by_alias=True)
    assert SignedPermit.model_validate_json(text).permit == permit


@given(st.binary(min_size=64, max_size=64), st.sampled_from([0, 1]))
def test_both_ways_to_write_v_are_one_call(halves: bytes, bit: int) -> None:
    short, long = (halves + bytes([v]) for v in (bit, 27 + bit))
    assert call_signature("0x" + short.hex()) == call_signature("0x" + long.hex()) == long


@pytest.mark.parametrize("deadline", [0, -1, 2**64])
def test_a_permit_needs_a_deadline(deadline: int) -> None:
    with pytest.raises(ValidationError):
        SignedPermit(value=1, deadline=deadline, signature="0x" + "11" * 65)
