"""`validate`, `did verify` and `verify` work on files alone: no key, no chain, no network."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from insitu.cli.app import run
from insitu.domain import exit_codes

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


def document(position: int = 0) -> dict[str, Any]:
    """A signed document of the vectors."""
    found: dict[str, Any] = json.loads((VECTORS / "documents.json").read_text("utf-8"))[position]["document"]
    return found


def written(path: Path, value: object) -> str:
    path.write_text(json.dumps(value), "utf-8")
    return str(path)


def test_a_valid_document_is_called_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", written(tmp_path / "ddo.json", document()), "--json"]) == exit_codes.OK
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"valid": True, "did": document()["id"], "type": "dataset"}


def test_every_violation_is_reported_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = document()
    broken["id"] = "did:nv:12345"
    broken["service"][0]["attributes"]["main"].pop("name")
    assert run(["validate", written(tmp_path / "ddo.json", broken)]) == exit_codes.INVALID
    printed = capsys.readouterr().err
    assert "/id: " in printed
    assert "/service/0/attributes/main/name: " in printed


def test_a_document_can_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = io.TextIOWrapper(io.BytesIO(json.dumps(document()).encode()))
    monkeypatch.setattr(sys, "stdin", typed)
    assert run(["validate", "-"]) == exit_codes.OK
    assert capsys.readouterr().out.startswith("valid: dataset did:nv:")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{'single': 'quotes'}", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[]", "InvalidDocument"),
    ],
)
def test_what_is_not_a_document_is_refused_with_a_reason(
    text: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert run(["validate", str(path)]) == exit_codes.INVALID
    assert code in capsys.readouterr().err


def test_a_signed_document_fits_our_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["did", "verify", written(tmp_path / "ddo.json", document())]) == exit_codes.OK
    assert "the document is what its publisher signed" in capsys.readouterr().out


def test_a_changed_document_is_not_to_be_relied_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = document()
    changed["service"][0]["attributes"]["main"]["name"] = "another name"
    assert run(["did", "verify", written(tmp_path / "ddo.json", changed), "--json"]) == exit_codes.INVALID
    printed = json.loads(capsys.readouterr().out)
    assert not printed["holds"]
    assert printed["services"]["0"] is None


def test_what_publishing_needs_comes_after_what_the_document_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = document()
    older["id"] = older["id"].replace("did:nv:", "did:op:")
    older["service"][0]["attributes"]["main"].pop("name")
    assert run(["validate", written(tmp_path / "ddo.json", older)]) == exit_codes.INVALID
    first, second, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("dataset, did:op:")
    assert "written by" in first
    assert second == "error InvalidDocument: 2 rules are broken"
    assert "did:op: is the older method" in rest[0]


def test_no_problem_is_reported_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = document()
    broken["service"][0]["attributes"]["main"].pop("name")
    assert run(["validate", written(tmp_path / "ddo.json", broken)]) == exit_codes.INVALID
    printed = capsys.readouterr().err
    assert "error InvalidDocument: /service/0/attributes/main/name: an asset needs a name (Required)" in printed
    assert printed.count("(Required)") == 1


def test_a_main_with_urls_is_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, main = written(tmp_path / "ddo.json", document()), document()["service"][0]["attributes"]["main"]
    assert run(["did", "verify", path, "--main", written(tmp_path / "main.json", main)]) == exit_codes.OK
    assert run(["did", "verify", path, "--main", written(tmp_path / "list.json", [])]) == exit_codes.INVALID
    assert "does not contain a JSON object" in capsys.readouterr().err


def receipt() -> dict[str, Any]:
    """A signed receipt of the vectors."""
    receipts: list[dict[str, Any]] = json.loads((VECTORS / "receipt.json").read_text("utf-8"))
    return next(found for found in receipts if found["name"] == "v2: succeeded")


def test_a_receipt_is_checked_from_its_envelope_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "receipt.json", receipt()["envelope"])
    assert run(["verify", path]) == exit_codes.OK
    printed = capsys.readouterr().out
    assert "the receipt is valid" in printed
    assert receipt()["signer"] in printed
    assert receipt()["receiptHash"] in printed


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "ReceiptUnreadable"),
        ([], "ReceiptUnreadable"),
        ("text", "ReceiptUnreadable"),
        ({"envelope": {}}, "ReceiptInvalid"),
    ],
)
def test_what_is_not_a_receipt_does_not_hold(
    value: object, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", written(tmp_path / "receipt.json", value), "--json"]) == exit_codes.INVALID
    assert json.loads(capsys.readouterr().err)["code"] == code
