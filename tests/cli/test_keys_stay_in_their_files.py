"""Keys are made, imported and listed; a secret is never printed and never on a command line."""

import io
import json
import sys
from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.domain import exit_codes

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
ADDRESS = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"


@pytest.fixture(autouse=True)
def quick_and_unattended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the environment, and a light work factor, because these keys hold nothing."""
    from insitu.adapters.keys import keystore

    monkeypatch.setenv("INSITU_KEY_PASSWORD", "a password of these tests")
    monkeypatch.setattr(keystore.Keystore.__init__, "__defaults__", (keystore.LIGHT,))


def test_a_new_key_is_listed_and_its_file_is_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "keys", "create", "alice", "--json"]) == exit_codes.OK
    made = json.loads(capsys.readouterr().out)
    assert Path(made["path"]).stat().st_mode & 0o777 == 0o600
    assert run(["--home", str(tmp_path), "keys", "ls", "--json"]) == exit_codes.OK
    listed = json.loads(capsys.readouterr().out)
    assert {"name": "alice", "address": made["address"], "kind": "file"} in listed
    assert {"name": "consumer", "address": ADDRESS, "kind": "development"} in listed


def test_digits_are_imported_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"0x{SECRET}\n".encode())))
    assert run(["--home", str(tmp_path), "keys", "import", "me", "-"]) == exit_codes.OK
    printed = capsys.readouterr()
    assert ADDRESS in printed.out
    assert SECRET not in printed.out + printed.err
    assert SECRET not in "".join(path.read_text() for path in tmp_path.rglob("*.json"))


def test_a_key_file_of_another_wallet_is_imported_with_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path / "one"), "keys", "create", "alice", "--json"]) == exit_codes.OK
    made = json.loads(capsys.readouterr().out)
    assert run(["--home", str(tmp_path / "two"), "keys", "import", "same", made["path"], "--json"]) == exit_codes.OK
    assert json.loads(capsys.readouterr().out)["address"] == made["address"]


def test_a_wrong_password_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path), "keys", "create", "alice", "--json"]) == exit_codes.OK
    path = json.loads(capsys.readouterr().out)["path"]
    monkeypatch.setenv("INSITU_KEY_PASSWORD", "another")
    assert run(["--home", str(tmp_path), "keys", "import", "copy", path, "--json"]) == exit_codes.NOT_ALLOWED
    assert json.loads(capsys.readouterr().err)["code"] == "KeyPasswordWrong"


@pytest.mark.parametrize("content", [b"", b"0x12", b"\xff\xfe", b"{}"])
def test_what_is_not_a_key_is_refused_without_being_repeated(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key.txt"
    file.write_bytes(content)
    assert run(["--home", str(tmp_path), "keys", "import", "me", str(file), "--json"]) != exit_codes.OK
    assert json.loads(capsys.readouterr().err)["code"] == "KeyInvalid"


def test_without_a_terminal_a_password_has_to_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INSITU_KEY_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(["--home", str(tmp_path), "keys", "create", "alice"]) == exit_codes.NOT_ALLOWED
    assert "--password-file or set INSITU_KEY_PASSWORD" in capsys.readouterr().err


def test_several_keys_ask_for_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("alice", "bob"):
        assert run(["--home", str(tmp_path), "keys", "create", name]) == exit_codes.OK
    assert run(["--home", str(tmp_path), "agreements"]) == exit_codes.CONFLICT
    printed = capsys.readouterr().err
    assert "several keys: alice, bob" in printed
    assert "--account NAME" in printed
