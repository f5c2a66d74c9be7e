"""A receipt proves itself: signature, canonical form, agreement id, execution id, subject, charge, output."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.canonical import canonical_json
from insitu.domain.dsse import envelope_digest, pre_authentication_encoding, read_envelope, seal
from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge, Phase, Reason
from insitu.domain.ids import workflow_execution_id
from insitu.domain.merkle import FileDigest, files_root, output_root
from insitu.domain.receipt import (
    BoughtInput,
    DeliveredPart,
    Statement,
    make_statement,
    parse_statement,
    receipt_hash,
    verify_receipt,
)
from insitu.domain.receipt_opening import Opening, opening_checks, salt_for
from insitu.domain.receipt_parts import ChargePart, PhasePart
from tests.domain.documents import OWNER, PROVIDER, STRANGER, vector
from tests.domain.receipts import (
    BEGIN,
    DATA,
    FILES,
    OPENED,
    SALT,
    WITHHELD,
    agreed,
    ended,
    hidden,
    predicate,
    signed,
)
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


@pytest.mark.parametrize("case", vector("receipt"), ids=lambda case: case["name"])
def test_receipts_of_the_vectors_hold_or_are_refused(case: dict[str, Any]) -> None:
    envelope = read_envelope(case["envelope"])
    assert base64.b64decode(case["envelope"]["payload"]).decode() == case["payload"]
    assert envelope_digest(case["payload"].encode()).hex() == case["digest"]
    assert receipt_hash(case["payload"].encode()) == case["receiptHash"]
    if case["refused"] is not None:
        assert case["refused"] in refusal(envelope)
        return
    verified = verify_receipt(envelope)
    assert verified.receipt_hash == case["receiptHash"]
    assert verified.signer == case["signer"]
    assert verified.statement.predicate_type.endswith(case["form"])


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
        ({"charge": ChargePart(rule=Charge.FULL, amount=14)}, "amount"),
        ({"charge": ChargePart(rule=Charge.FULL, amount=5)}, "amount"),
        ({"charge": ChargePart(rule=Charge.NEVER, amount=0)}, "charge"),
        ({"outcome": Phase.FAILED, "reason": FAILED}, "published"),
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
    for other in (agreed(timeout=1), agreed(amounts=(3, 11)), agreed(workflow_id="0x" + "45" * 32)):
        changed = part.model_copy(update={"terms": other})
        assert "digest of its terms" in refusal(signed(predicate(agreement=changed)))
    elsewhere = part.model_copy(update={"chain_id": 1})
    assert "digest of its terms" in refusal(signed(predicate(agreement=elsewhere)))


def test_a_workflow_that_is_not_that_of_the_terms_is_refused() -> None:
    assert "workflow" in refusal(signed(predicate(workflow_did="did:nv:" + "6" * 64)))
    assert "workflow" in refusal(signed(predicate(workflow_checksum="66" * 32)))


def test_data_sets_or_versions_that_are_not_those_of_the_terms_are_refused() -> None:
    other = "did:nv:" + "6" * 64
    [stage] = predicate().stages
    [only] = stage.inputs
    swapped = stage.model_copy(update={"inputs": (only.model_copy(update={"did": other}),)})
    more = stage.model_copy(update={"inputs": (only, only.model_copy(update={"position": 2, "did": other}))})
    for stages in ((swapped,), (more,), ()):
        assert "read the data sets" in refusal(signed(predicate(stages=stages)))
    for bought in ((DATA, "66" * 32), (other, "33" * 32)):
        listed = (BoughtInput(did=bought[0], checksum=bought[1]),)
        assert "versions of the data sets" in refusal(signed(predicate(bought=listed)))


def test_the_data_that_ran_may_be_a_newer_version_than_the_one_that_was_bought() -> None:
    [stage] = predicate().stages
    newer = stage.model_copy(update={"inputs": (stage.inputs[0].model_copy(update={"checksum": "77" * 32}),)})
    verify_receipt(signed(predicate(stages=(newer,))))


def test_another_version_of_the_workflow_is_a_revision_that_names_the_one_in_the_terms() -> None:
    verify_receipt(signed(predicate(workflow_checksum="66" * 32, revision_of="55" * 32)))
    for ran, named in (("66" * 32, "77" * 32), ("55" * 32, "55" * 32), ("55" * 32, "66" * 32)):
        assert "version of the workflow" in refusal(signed(predicate(workflow_checksum=ran, revision_of=named)))
    foreign = predicate(workflow_did="did:nv:" + "6" * 64, workflow_checksum="66" * 32, revision_of="55" * 32)
    assert "workflow is that of the terms" in refusal(signed(foreign))


def test_it_ended_in_the_phase_that_it_states_last() -> None:
    stated = predicate().phases
    for phases in (stated[:-1], (*stated, stated[0])):
        assert "phase" in refusal(signed(predicate(phases=phases)))
    refusal(signed(predicate(phases=())))


def test_parameters_belong_to_a_stage() -> None:
    verify_receipt(signed(predicate(parameters={"0": {"threshold": 0.5, "quick": True}})))
    assert "parameters" in refusal(signed(predicate(parameters={"1": {"threshold": 0.5}})))


def test_limits_that_nothing_enforced_are_listed() -> None:
    software = predicate().software.model_copy(update={"enforcement": {"memory": "none", "cpu": "none", "pids": "x"}})
    assert "limits" in refusal(signed(predicate(software=software)))
    verify_receipt(signed(predicate(software=software, not_enforced=("cpu", "memory"))))
    assert "limits" in refusal(signed(predicate(not_enforced=("memory",))))


@pytest.mark.parametrize("member", ["inspection", "decisions", "ledger", "surprise"])
@pytest.mark.parametrize("part", ["", "agreement", "charge", "delivered"])
def test_a_receipt_that_says_what_this_version_cannot_judge_is_refused(member: str, part: str) -> None:
    stated = json.loads(make_statement(predicate()).payload)
    (stated["predicate"][part] if part else stated["predicate"])[member] = {"by": "somebody"}
    payload = canonical_json(stated)
    assert "receipt" in refusal(seal(payload, PROVIDER.sign(envelope_digest(payload)), PROVIDER.address))


def test_a_subject_that_is_not_the_output_is_refused() -> None:
    statement = make_statement(predicate())
    other = statement.subject[0].model_copy(update={"digest": {"sha256": "00" * 32}})
    assert "subject" in refusal(signed(statement.model_copy(update={"subject": (other,)})))


@pytest.mark.parametrize(
    ("reason", "amount"), [(FAILED, 13), (FAILED, 0), (BROKEN, 0)], ids=["charged", "another was charged", "free"]
)
def test_a_failed_execution_has_a_receipt_about_its_workflow(reason: Reason, amount: int) -> None:
    stated = ended(Phase.FAILED, reason)
    stated = stated.model_copy(update={"charge": stated.charge.model_copy(update={"amount": amount})})
    verified = verify_receipt(signed(stated))
    assert verified.statement.subject[0].digest == {"sha3_256": stated.workflow_checksum}


def test_a_stop_by_an_owner_costs_something_only_if_log_text_was_delivered() -> None:
    reason = Reason(code="StoppedByOwner", message="stopped by the owner")
    silent, heard = ended(Phase.STOPPED, reason), ended(Phase.STOPPED, reason, log_bytes=7)
    assert (silent.charge.rule, heard.charge.rule) == (Charge.NEVER, Charge.IF_NONE_SUCCEEDS)
    for stated, other in ((silent, heard), (heard, silent)):
        verify_receipt(signed(stated))
        assert "charge follows" in refusal(signed(stated.model_copy(update={"charge": other.charge})))


def test_log_text_that_the_rules_do_not_let_out_was_not_delivered() -> None:
    too_much = predicate().delivered.model_copy(update={"log_bytes": 1001})
    assert "delivered" in refusal(signed(predicate(delivered=too_much)))
    never_ran = (PhasePart(phase=Phase.REGISTERED, at=BEGIN), PhasePart(phase=Phase.FAILED, at=BEGIN))
    assert "delivered" in refusal(signed(ended(Phase.FAILED, BROKEN, log_bytes=1, phases=never_ran)))
    silent = hidden(predicate())
    heard = silent.model_copy(update={"delivered": silent.delivered.model_copy(update={"log_bytes": 1})})
    assert "delivered" in refusal(signed(heard))
    lines = predicate().delivered.model_copy(update={"log_lines": 41})
    assert "delivered" in refusal(signed(predicate(delivered=lines)))


def test_what_was_delivered_is_the_output() -> None:
    for wrong in ({"files": 1}, {"bytes": 1}):
        assert "delivered" in refusal(signed(predicate(delivered=predicate().delivered.model_copy(update=wrong))))


def test_where_logs_are_not_let_out_one_hash_stands_for_the_details() -> None:
    silent = hidden(ended(Phase.FAILED, FAILED))
    verify_receipt(signed(silent))
    assert "left out" in refusal(signed(silent.model_copy(update={"withheld": None})))
    assert "left out" in refusal(signed(predicate(withheld=WITHHELD.digest)))
    [stage] = silent.stages
    for leak in ({"exit_code": 3}, {"usage": predicate().stages[0].usage}, {"reason": FAILED}):
        leaking = silent.model_copy(update={"stages": (stage.model_copy(update=leak),)})
        assert "left out" in refusal(signed(leaking))
    assert "left out" in refusal(signed(silent.model_copy(update={"reason": FAILED})))


def test_an_opening_is_what_the_receipt_commits_to() -> None:
    silent = hidden(predicate())
    right = Opening(inputs=(OPENED,), withheld=WITHHELD)
    assert all(holds for _, holds in opening_checks(silent, right))
    other_file = OPENED.model_copy(update={"files": (OPENED.files[0].model_copy(update={"sha256": "cd" * 32}),)})
    other_exit = WITHHELD.model_copy(update={"stages": (WITHHELD.stages[0].model_copy(update={"exit_code": 0}),)})
    for wrong in (
        Opening(inputs=(other_file,)),
        Opening(inputs=(OPENED.model_copy(update={"stage": 1}),)),
        Opening(inputs=(OPENED.model_copy(update={"did": "did:nv:" + "6" * 64}),)),
        Opening(withheld=other_exit),
    ):
        assert not all(holds for _, holds in opening_checks(silent, wrong))


def test_salts_differ_by_secret_and_purpose() -> None:
    salts = {
        salt_for(secret, *purpose)
        for secret in ("00" * 32, "11" * 32)
        for purpose in (("input", "a"), ("input", "b"), ("input", "a", "b"), ("withheld", "a"))
    }
    assert len(salts) == 8


CODES = ("AlgorithmFailed", "InfrastructureFailed", "OutputRejected", "StoppedByConsumer", "StoppedByOwner")
BY_OTHERS = ("AlgorithmChanged", "ConfigurationFailed", "InputChanged")


@given(
    st.sampled_from([Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED]),
    st.sampled_from((*CODES, *BY_OTHERS, "MemoryLimitExceeded", "NothingDelivered", "TimeLimitExceeded")),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from(["charged", "free"]),
    st.sampled_from(list(Charge)),
    st.sampled_from([0, 5, 13]),
)
def test_the_charge_follows_from_what_is_stated(
    outcome: Phase, code: str, log_bytes: int, files: int, failures: Any, rule: Charge, amount: int
) -> None:
    """Of all rules and amounts, exactly those hold that a reader would derive from the sentences of ADR 0125."""
    succeeded, nothing = outcome is Phase.SUCCEEDED, not log_bytes and not files
    output = predicate().output
    assert output is not None
    stated = predicate(
        outcome=outcome,
        phases=(PhasePart(phase=Phase.EXECUTING, at=BEGIN), PhasePart(phase=outcome, at=BEGIN)),
        reason=Reason(code=code, message="…") if not succeeded or nothing else None,
        output=output.model_copy(update={"files": files, "bytes": files}) if succeeded else None,
        delivered=DeliveredPart(files=files if succeeded else 0, bytes=files if succeeded else 0, log_bytes=log_bytes),
        charge=ChargePart(rule=rule, amount=amount),
        failures=failures,
    )
    never_free = code in ("OutputRejected", "StoppedByConsumer", "TimeLimitExceeded")
    algorithms = code in ("AlgorithmFailed", "MemoryLimitExceeded")
    heard = log_bytes > 0 and code in ("StoppedByOwner", *BY_OTHERS)
    if succeeded:
        expected = Charge.NEVER if nothing else Charge.FULL
        consistent = not nothing or code == "NothingDelivered"
    else:
        risk = never_free or heard or (algorithms and failures == "charged")
        expected = Charge.IF_NONE_SUCCEEDS if risk else Charge.NEVER
        consistent = code != "NothingDelivered"
    if consistent and rule is expected and amount in ((0,) if rule is Charge.NEVER else (0, 13)):
        verify_receipt(signed(stated))
    else:
        refusal(signed(stated))


def test_a_later_success_costs_nothing() -> None:
    verify_receipt(signed(predicate(charge=ChargePart(rule=Charge.FULL, amount=0))))


NOTHING = Reason(code="NothingDelivered", message="neither a file nor log text was delivered")
FREE = ChargePart(rule=Charge.NEVER, amount=0)


def test_a_success_that_delivered_nothing_is_free_and_states_no_file() -> None:
    full = predicate().output
    assert full is not None
    empty = full.model_copy(update={"files": 0, "bytes": 0, "root": output_root([])})
    silent = DeliveredPart(files=0, bytes=0, log_bytes=0, log_lines=0)
    stated = predicate(reason=NOTHING, charge=FREE, output=empty, delivered=silent)
    verified = verify_receipt(signed(stated))
    assert verified.statement.predicate.reason == NOTHING
    assert "published" in refusal(signed(predicate(reason=NOTHING, charge=FREE)))
    assert "published" in refusal(signed(stated.model_copy(update={"reason": None})))
    heard = stated.model_copy(update={"delivered": silent.model_copy(update={"log_bytes": 1})})
    assert "published" in refusal(signed(heard)), "log text was delivered, so it is charged"
    for rule, amount, check in ((Charge.NEVER, 13, "amount"), (Charge.FULL, 13, "charge"), (Charge.FULL, 0, "charge")):
        wrong = stated.model_copy(update={"charge": ChargePart(rule=rule, amount=amount)})
        assert check in refusal(signed(wrong))


def test_a_payload_in_another_layout_is_refused() -> None:
    loose = json.dumps(json.loads(make_statement(predicate()).payload), indent=1).encode()
    assert "canonical" in refusal(seal(loose, PROVIDER.sign(envelope_digest(loose)), PROVIDER.address))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (("terms", "consumer"), "0xzz"),
        (("terms", "provider"), "0x" + "1" * 39),
        (("terms", "receivers"), ["0x"]),
        (("contract",), "0x" + "g" * 40),
        (("chainId",), -1),
        (("chainId",), 2**256),
    ],
)
def test_a_signed_receipt_of_an_impossible_account_or_chain_is_refused(member: tuple[str, ...], value: object) -> None:
    stated = json.loads(make_statement(predicate()).payload)
    part = stated["predicate"]["agreement"]
    for name in member[:-1]:
        part = part[name]
    assert member[-1] in part
    part[member[-1]] = value
    payload = json.dumps(stated, separators=(",", ":"), sort_keys=True).encode()
    refusal(seal(payload, PROVIDER.sign(envelope_digest(payload)), PROVIDER.address))


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
