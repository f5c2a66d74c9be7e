"""A receipt proves itself: signature, canonical form, agreement id, execution id, subject, charge, output."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.dsse import envelope_digest, pre_authentication_encoding, read_envelope, seal
from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge, Phase, Reason
from insitu.domain.ids import workflow_execution_id
from insitu.domain.merkle import FileDigest, files_root, output_root
from insitu.domain.receipt import (
    ChargePart,
    PhasePart,
    Statement,
    make_statement,
    parse_statement,
    receipt_hash,
    verify_receipt,
)
from tests.domain.documents import OWNER, PROVIDER, STRANGER, terms, vector
from tests.domain.receipts import BEGIN, FILES, SALT, predicate, signed
from tests.domain.strategies import json_values, mutated

FAILED = Reason(code="AlgorithmFailed", message="exit code 1")
BROKEN = Reason(code="InfrastructureFailed", message="the disk is gone")


def refusal(envelope: Any) -> str:
    with pytest.raises(InsituError) as caught:
        verify_receipt(envelope)
    assert caught.value.code == "ReceiptInvalid"
    return caught.value.detail


def test_a_receipt_that_the_provider_signed_holds() -> None:
    envelope = signed(predicate())
    verified = verify_receipt(read_envelope(json.loads(envelope.model_dump_json())))
    assert verified.signer == PROVIDER.address
    assert verified.statement == make_statement(predicate())
    assert verified.receipt_hash == receipt_hash(base64.b64decode(envelope.payload))
    assert len(verified.checked) >= 8


def test_the_receipt_of_the_vectors_holds() -> None:
    case = vector("receipt")
    verified = verify_receipt(read_envelope(case["envelope"]))
    assert verified.receipt_hash == case["receiptHash"]
    assert verified.signer == case["signer"]
    assert base64.b64decode(case["envelope"]["payload"]).decode() == case["payload"]
    assert envelope_digest(case["payload"].encode()).hex() == case["digest"]


def test_the_encoding_is_that_of_the_dsse_specification() -> None:
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_times_have_milliseconds_and_unknown_figures_are_null_with_a_reason() -> None:
    stated = json.loads(make_statement(predicate()).payload)
    stage = stated["predicate"]["stages"][0]
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stage["startedAt"] == "2026-01-02T03:04:06.678Z"
    assert stage["usage"]["outputBytes"] is None
    assert stage["usage"]["unavailable"]["outputBytes"]
    assert stated["predicate"]["charge"]["amount"] == "13"


def test_reading_a_payload_gives_the_statement_back() -> None:
    statement = make_statement(predicate())
    assert parse_statement(statement.payload) == statement
    assert parse_statement(statement.payload).payload == statement.payload


def test_a_receipt_of_anybody_else_is_refused() -> None:
    assert "the provider" in refusal(signed(predicate(), signer=STRANGER))


def test_a_signature_under_another_name_is_refused() -> None:
    envelope = signed(predicate())
    named = envelope.signatures[0].model_copy(update={"keyid": OWNER.address})
    assert "not by" in refusal(envelope.model_copy(update={"signatures": (named,)}))
    with pytest.raises(InsituError, match="SignatureMismatch"):
        seal(b"{}", STRANGER.sign(envelope_digest(b"{}")), PROVIDER.address)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"number": 1}, "execution id"),
        ({"workflow_execution_id": workflow_execution_id("00" * 32, 0)}, "execution id"),  # type: ignore[arg-type]
        ({"charge": ChargePart(rule=Charge.FULL, amount=14)}, "charge"),
        ({"charge": ChargePart(rule=Charge.FULL, amount=5)}, "charge"),
        ({"charge": ChargePart(rule=Charge.NEVER, amount=0)}, "charge"),
        ({"outcome": Phase.FAILED, "reason": FAILED}, "charge"),
        ({"outcome": Phase.FAILED, "reason": BROKEN, "charge": ChargePart(rule=Charge.NEVER, amount=13)}, "charge"),
        ({"output": None}, "published"),
        (
            {
                "outcome": Phase.FAILED,
                "reason": None,
                "output": None,
                "charge": ChargePart(rule=Charge.NEVER, amount=0),
            },
            "published",
        ),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(changes: dict[str, Any], check: str) -> None:
    assert check in refusal(signed(predicate(**changes)))


def test_other_terms_than_the_agreements_are_refused() -> None:
    part = predicate().agreement
    for other in (terms(timeout=1), terms(amounts=(3, 11)), terms(workflow_id="0x" + "45" * 32)):
        changed = part.model_copy(update={"terms": other})
        assert "digest of its terms" in refusal(signed(predicate(agreement=changed)))
    elsewhere = part.model_copy(update={"chain_id": 1})
    assert "digest of its terms" in refusal(signed(predicate(agreement=elsewhere)))


def test_a_workflow_that_is_not_that_of_the_terms_is_refused() -> None:
    assert "workflow" in refusal(signed(predicate(workflow_did="did:nv:" + "6" * 64)))
    assert "workflow" in refusal(signed(predicate(workflow_checksum="66" * 32)))


def test_another_first_data_set_than_that_of_the_terms_is_refused() -> None:
    [stage] = predicate().stages
    [only] = stage.inputs
    other = stage.model_copy(update={"inputs": (only.model_copy(update={"did": "did:nv:" + "6" * 64}),)})
    assert "data set" in refusal(signed(predicate(stages=(other,))))
    assert "data set" in refusal(signed(predicate(stages=())))


def test_a_subject_that_is_not_the_output_is_refused() -> None:
    statement = make_statement(predicate())
    other = statement.subject[0].model_copy(update={"digest": {"sha256": "00" * 32}})
    assert "subject" in refusal(signed(statement.model_copy(update={"subject": (other,)})))


@pytest.mark.parametrize(
    ("reason", "charge"),
    [
        (FAILED, ChargePart(rule=Charge.IF_NONE_SUCCEEDS, amount=13)),
        (FAILED, ChargePart(rule=Charge.IF_NONE_SUCCEEDS, amount=0)),
        (BROKEN, ChargePart(rule=Charge.NEVER, amount=0)),
    ],
)
def test_a_failed_execution_has_a_receipt_about_its_workflow(reason: Reason, charge: ChargePart) -> None:
    stated = predicate(outcome=Phase.FAILED, reason=reason, charge=charge, output=None)
    verified = verify_receipt(signed(stated))
    assert verified.statement.subject[0].digest == {"sha3_256": stated.workflow_checksum}


def test_a_stop_by_an_owner_may_cost_something_only_if_log_text_may_have_been_delivered() -> None:
    ran = (PhasePart(phase=Phase.REGISTERED, at=BEGIN), PhasePart(phase=Phase.EXECUTING, at=BEGIN))
    charge = ChargePart(rule=Charge.IF_NONE_SUCCEEDS, amount=13)
    reason = Reason(code="StoppedByOwner", message="stopped by the owner")
    stated = predicate(outcome=Phase.STOPPED, reason=reason, charge=charge, output=None)
    verify_receipt(signed(stated.model_copy(update={"phases": ran})))
    verify_receipt(signed(stated.model_copy(update={"charge": ChargePart(rule=Charge.NEVER, amount=0)})))
    assert "charge" in refusal(signed(stated))
    silent = stated.policy.model_copy(update={"output": stated.policy.output.model_copy(update={"logs": "none"})})
    assert "charge" in refusal(signed(stated.model_copy(update={"phases": ran, "policy": silent})))


def test_a_later_success_costs_nothing() -> None:
    verify_receipt(signed(predicate(charge=ChargePart(rule=Charge.FULL, amount=0))))


NOTHING = Reason(code="NothingDelivered", message="neither a file nor log text was delivered")
FREE = ChargePart(rule=Charge.NEVER, amount=0)


def test_a_success_that_delivered_nothing_is_free_and_states_no_file() -> None:
    full = predicate().output
    assert full is not None
    empty = full.model_copy(update={"files": 0, "bytes": 0, "root": output_root([])})
    verified = verify_receipt(signed(predicate(reason=NOTHING, charge=FREE, output=empty)))
    assert verified.statement.predicate.reason == NOTHING
    assert "published" in refusal(signed(predicate(reason=NOTHING, charge=FREE)))
    charged = ChargePart(rule=Charge.NEVER, amount=13)
    for wrong in (charged, ChargePart(rule=Charge.FULL, amount=13), ChargePart(rule=Charge.FULL, amount=0)):
        assert "charge" in refusal(signed(predicate(reason=NOTHING, charge=wrong, output=empty)))


def test_a_payload_in_another_layout_is_refused() -> None:
    loose = json.dumps(json.loads(make_statement(predicate()).payload), indent=1).encode()
    assert "canonical" in refusal(seal(loose, PROVIDER.sign(envelope_digest(loose)), PROVIDER.address))


def test_a_payload_of_another_type_is_refused() -> None:
    payload = make_statement(predicate()).payload
    envelope = seal(payload, PROVIDER.sign(envelope_digest(payload, "text/plain")), PROVIDER.address, "text/plain")
    assert "type" in refusal(envelope)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_survives(position: int, bit: int) -> None:
    envelope = signed(predicate())
    payload = bytearray(base64.b64decode(envelope.payload))
    payload[position % len(payload)] ^= 1 << bit
    changed = envelope.model_copy(update={"payload": base64.b64encode(payload).decode()})
    refusal(changed)


@given(mutated(json.loads(make_statement(predicate()).payload)) | json_values)
def test_a_payload_of_any_shape_is_a_receipt_or_refused(value: Any) -> None:
    payload = json.dumps(value, separators=(",", ":")).encode()
    try:
        assert isinstance(parse_statement(payload), Statement)
        verify_receipt(seal(payload, PROVIDER.sign(envelope_digest(payload)), PROVIDER.address))
    except InsituError as error:
        assert error.code == "ReceiptInvalid"


@given(mutated(json.loads(signed(predicate()).model_dump_json())) | json_values)
def test_an_envelope_of_any_shape_is_read_or_refused(value: Any) -> None:
    try:
        verify_receipt(read_envelope(value))
    except InsituError as error:
        assert error.code == "ReceiptInvalid"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_receipt_or_refused(payload: bytes) -> None:
    with pytest.raises(InsituError, match="ReceiptInvalid"):
        parse_statement(payload)


files = st.lists(
    st.builds(FileDigest, st.text(max_size=8), st.just("ab" * 32) | st.just("cd" * 32), st.integers(0, 2**60)),
    max_size=20,
    unique_by=lambda file: file.name,
)


@given(files, st.randoms())
def test_the_root_of_an_output_does_not_depend_on_the_order_of_finding(some: list[FileDigest], shuffle: Any) -> None:
    shuffled = list(some)
    shuffle.shuffle(shuffled)
    assert output_root(shuffled) == output_root(some)


@given(files, files)
def test_different_files_have_different_roots(some: list[FileDigest], other: list[FileDigest]) -> None:
    assert (output_root(some) == output_root(other)) == (sorted(some, key=str) == sorted(other, key=str))


@given(files)
def test_a_salt_hides_what_a_root_stands_for(some: list[FileDigest]) -> None:
    assert not some or files_root(some, SALT) != files_root(some)


@pytest.mark.parametrize("case", vector("roots"))
def test_roots_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    listed = [FileDigest(file["name"], file["sha256"], int(file["size"])) for file in case["files"]]
    assert files_root(listed, bytes.fromhex(case["salt"])) == case["root"]
    assert len(FILES) == 2
