"""C3. The CONSUMER signs templateId, condition types, value hashes, timeouts and the id: one digest of the terms."""

import pytest

from insitu.domain.agreement import AgreementDomain, Terms, terms_digest
from insitu.domain.ids import read_address

HERE = AgreementDomain(31337, read_address("0x" + "11" * 20))
WORD, OTHER_WORD = "0x" + "aa" * 32, "0x" + "bb" * 32
ACCOUNT, OTHER_ACCOUNT = read_address("0x" + "22" * 20), read_address("0x" + "33" * 20)
TERMS = Terms(
    seed=WORD,
    did=WORD,
    inputs_hash=WORD,
    workflow_id=WORD,
    workflow_hash=WORD,
    consumer=ACCOUNT,
    provider=ACCOUNT,
    service_index=1,
    deadline=1,
    grant_timeout=1,
    timeout=1,
    settle_timeout=1,
    amounts=(1,),
    receivers=(ACCOUNT,),
)
CHANGES = {
    **dict.fromkeys(("seed", "did", "inputs_hash", "workflow_id", "workflow_hash"), OTHER_WORD),
    **dict.fromkeys(("consumer", "provider"), OTHER_ACCOUNT),
    **dict.fromkeys(("service_index", "deadline", "grant_timeout", "timeout", "settle_timeout"), 2),
    "amounts": (2,),
    "receivers": (OTHER_ACCOUNT,),
}


def test_every_term_has_a_change_here() -> None:
    assert set(CHANGES) == set(Terms.model_fields)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_any_term_changes_what_is_signed(name: str) -> None:
    changed = TERMS.model_copy(update={name: CHANGES[name]})
    assert terms_digest(changed, HERE) != terms_digest(TERMS, HERE)


@pytest.mark.parametrize(
    "elsewhere", [AgreementDomain(1, HERE.contract), AgreementDomain(HERE.chain_id, OTHER_ACCOUNT)]
)
def test_the_template_and_the_chain_are_signed_too(elsewhere: AgreementDomain) -> None:
    assert terms_digest(TERMS, elsewhere) != terms_digest(TERMS, HERE)
