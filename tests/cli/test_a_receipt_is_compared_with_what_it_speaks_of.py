"""`verify` believes only what a signature covers, and compares a receipt with account, files and chain."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from insitu.cli.app import run
from insitu.domain import exit_codes
from insitu.domain.agreement import AgreementState, ConditionState, Settlement, SignedSettlement
from insitu.domain.agreement import settlement_digest as digest_of
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered, PaymentReleased
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.receipt import receipt_hash
from insitu.domain.receipt_opening import Opening
from insitu.sdk.receipts import verify_on_chain
from tests.domain.documents import CONSUMER, DOMAIN, PROVIDER, STRANGER, state_of_word, vector
from tests.domain.receipts import AGREEMENT, BEGIN, OPENED, WITHHELD, WORKFLOW, agreed, hidden, predicate, signed

OTHER_TERMS = agreed(timeout=1).model_dump(mode="json", by_alias=True)


def view(**settlement: Any) -> dict[str, Any]:
    """A receipt as the gateway gives it, with its settlement; keyword arguments replace what the settlement says."""
    envelope = signed(predicate())
    digest = receipt_hash(envelope.payload_bytes())
    account = settlement.pop("signer", PROVIDER)
    paid = Settlement(**({"index": 0, "charge": 13, "receipt_hash": digest} | settlement))
    signature = "0x" + account.sign(digest_of(AGREEMENT, paid, DOMAIN)).hex()
    released = SignedSettlement(terms=agreed(), settlement=paid, signature=signature)
    return {
        "receiptHash": digest,
        "envelope": envelope.model_dump(mode="json", by_alias=True),
        "settlement": released.model_dump(mode="json", by_alias=True),
        "settled": False,
        "transaction": None,
    }


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """``insitu verify`` on a receipt in a file; returns the exit code and what was printed."""

    def call(receipt: Any, *options: str) -> tuple[int, str]:
        path = tmp_path / "receipt.json"
        path.write_text(json.dumps(receipt), "utf-8")
        code = run(["verify", str(path), *options])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def test_a_receipt_as_the_gateway_gives_it_holds(verify: Callable[..., tuple[int, str]]) -> None:
    code, printed = verify(view())
    assert code == exit_codes.OK
    assert "the provider signed the settlement" in printed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"receiptHash": "0x" + "00" * 32}, "hash"),
        ({"receiptHash": None}, "gateway"),
        ({"settlement": {}}, "gateway"),
        ({"settlement": view(index=1)["settlement"]}, "execution"),
        ({"settlement": view(charge=14)["settlement"]}, "charges"),
        ({"settlement": view(receipt_hash="0x" + "00" * 32)["settlement"]}, "this receipt"),
        ({"settlement": view(signer=STRANGER)["settlement"]}, "provider signed"),
        ({"settlement": view()["settlement"] | {"signature": "0x" + "ff" * 65}}, "signature"),
        ({"settlement": view()["settlement"] | {"terms": OTHER_TERMS}}, "same agreement"),
    ],
)
def test_what_stands_beside_the_signed_receipt_must_fit_it(
    changes: dict[str, Any], said: str, verify: Callable[..., tuple[int, str]]
) -> None:
    code, printed = verify(view() | changes)
    assert code == exit_codes.INVALID
    assert "ReceiptInvalid" in printed
    assert said in printed


def test_the_account_that_is_named_must_have_signed_it(verify: Callable[..., tuple[int, str]]) -> None:
    code, printed = verify(view(), "--provider", PROVIDER.address.lower())
    assert code == exit_codes.OK
    assert "to require a certain provider" not in printed
    code, printed = verify(view(), "--provider", STRANGER.address)
    assert code == exit_codes.INVALID
    assert STRANGER.address in printed
    code, printed = verify(view(), "--provider", "0x12")
    assert code == exit_codes.INVALID
    assert "InvalidId" in printed or "address" in printed


def test_the_files_that_came_must_be_those_of_the_receipt(
    verify: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    (folder / "plots").mkdir(parents=True)
    contents = {"table.csv": b"a,b\n", "plots/a.png": b"no picture"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    files = [FileDigest(name, hashlib.sha256(text).hexdigest(), len(text)) for name, text in contents.items()]
    output = predicate().output
    assert output is not None
    stated = output.model_copy(update={"root": output_root(files), "bytes": 14})
    delivered = predicate().delivered.model_copy(update={"bytes": 14})
    receipt = signed(predicate(output=stated, delivered=delivered)).model_dump(mode="json", by_alias=True)
    assert verify(receipt, "--files", str(folder))[0] == exit_codes.OK
    (folder / "table.csv").write_bytes(b"a,c\n")
    code, printed = verify(receipt, "--files", str(folder))
    assert code == exit_codes.INVALID
    assert "2 files" in printed
    assert verify(receipt, "--files", str(folder / "none"))[0] == exit_codes.NOT_FOUND


def ledger(**changes: Any) -> Any:
    """A chain that knows the agreement, has settled it with the receipt of ``view``, and registered the result."""
    done = ConditionState.FULFILLED
    granted = AgreementState(settled=13, start=1, lock=done, compute=done, escrow=done, closed=False)
    digest = str(view()["receiptHash"])
    answers = {
        "find_terms": agreed(),
        "agreement": granted,
        "find_settlements": (PaymentReleased(AGREEMENT, 0, 13, digest),),
        "did_record": SimpleNamespace(),
    } | changes

    def answering(answer: Any) -> Any:
        async def answered(_: str) -> Any:
            return answer

        return answered

    return SimpleNamespace(agreements=DOMAIN, **{name: answering(answer) for name, answer in answers.items()})


async def test_a_receipt_is_what_the_chain_says() -> None:
    found = await verify_on_chain(view(), ledger())
    assert {"its hash is the one on chain", "the result is registered"} <= set(found.checked)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"find_settlements": ()}, "ReceiptNotCommitted"),
        ({"find_settlements": (PaymentReleased(AGREEMENT, 1, 13, str(view()["receiptHash"])),)}, "ReceiptNotCommitted"),
        ({"find_settlements": (PaymentReleased(AGREEMENT, 0, 13, "0x" + "00" * 32),)}, "ReceiptInvalid"),
        ({"find_settlements": (PaymentReleased(AGREEMENT, 0, 14, str(view()["receiptHash"])),)}, "ReceiptInvalid"),
        ({"find_terms": None}, "ReceiptInvalid"),
        ({"find_terms": agreed(timeout=1)}, "ReceiptInvalid"),
        ({"did_record": None}, "ReceiptInvalid"),
        ({"agreement": state_of_word(0)}, "ReceiptInvalid"),
    ],
)
async def test_a_receipt_that_the_chain_does_not_support_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InsituError) as refused:
        await verify_on_chain(view(), ledger(**changes))
    assert refused.value.code == code


BOUGHT, RAN = "55" * 32, "66" * 32


def registered(version: int, checksum: str, owner: str = CONSUMER.address, block: int = 1) -> DidRegistered:
    return DidRegistered(WORKFLOW, Address(owner), checksum, "", version, 0, block)


@pytest.mark.parametrize(
    ("events", "holds"),
    [
        ([registered(2, RAN), registered(1, BOUGHT)], True),
        ([registered(3, "77" * 32), registered(2, RAN), registered(1, BOUGHT)], True),
        ([registered(2, RAN, STRANGER.address), registered(1, BOUGHT)], False),
        ([registered(2, BOUGHT), registered(1, RAN)], False),
        ([registered(2, RAN, block=2), registered(1, BOUGHT)], False),
        ([registered(1, BOUGHT)], False),
        ([registered(2, RAN)], False),
        ([], False),
    ],
    ids=["theirs", "not the newest", "a stranger's", "older", "after the start", "unknown", "unknown terms", "nothing"],
)
async def test_a_revision_is_the_consumers_later_version(events: list[DidRegistered], holds: bool) -> None:
    async def registrations(_: str) -> AsyncIterator[DidRegistered]:
        for event in events:
            yield event

    async def time(block: int) -> int:
        return int(BEGIN.timestamp()) + (0 if block == 1 else 61)

    receipt = signed(predicate(workflow_checksum=RAN, revision_of=BOUGHT))
    digest = receipt_hash(receipt.payload_bytes())
    chain = ledger(find_settlements=(PaymentReleased(AGREEMENT, 0, 13, digest),))
    chain.registrations, chain.time = registrations, time
    envelope = receipt.model_dump(mode="json", by_alias=True)
    if holds:
        await verify_on_chain(envelope, chain)
    else:
        with pytest.raises(InsituError, match="registered the version that ran"):
            await verify_on_chain(envelope, chain)


async def test_a_receipt_of_another_chain_is_refused() -> None:
    elsewhere = ledger()
    elsewhere.agreements = replace(DOMAIN, chain_id=1)
    with pytest.raises(InsituError, match="ReceiptElsewhere"):
        await verify_on_chain(view(), elsewhere)


def test_what_an_owner_or_the_provider_opens_must_be_what_the_receipt_commits_to(
    verify: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    receipt = signed(hidden(predicate())).model_dump(mode="json", by_alias=True)
    path = tmp_path / "opening.json"
    right = Opening(inputs=(OPENED,), withheld=WITHHELD)
    path.write_text(right.model_dump_json(by_alias=True))
    assert verify(receipt, "--opening", str(path))[0] == exit_codes.OK
    path.write_text(right.model_dump_json(by_alias=True).replace("table.csv", "other.csv"))
    code, printed = verify(receipt, "--opening", str(path))
    assert code == exit_codes.INVALID
    assert "are those of stage 0" in printed
    for nonsense in ('{"surprise": 1}', right.model_dump_json(by_alias=True).replace(OPENED.salt, "no salt")):
        path.write_text(nonsense)
        code, printed = verify(receipt, "--opening", str(path))
        assert (code, "not an opening" in printed) == (exit_codes.INVALID, True)


def test_receipts_of_the_first_form_hold_and_cannot_be_opened(
    verify: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    receipt = vector("receipt")[0]
    assert receipt["form"] == "v1"
    assert verify(receipt)[0] == exit_codes.OK
    path = tmp_path / "opening.json"
    for opening in (Opening(withheld=WITHHELD), Opening(inputs=(OPENED.model_copy(update={"salt": "00" * 32}),))):
        path.write_text(opening.model_dump_json(by_alias=True))
        assert verify(receipt, "--opening", str(path))[0] == exit_codes.INVALID
