"""`insitu keys rotate` gives a gateway a new key for file lists, and earlier lists still open."""

import json
from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.domain import exit_codes
from insitu.domain.service import File
from insitu.gateway.files.encrypter import Encrypter
from insitu.settings.reading import read_settings
from insitu.stack.offers import keyring
from tests.domain.documents import OWNER

DID = "did:nv:" + "ab" * 32
FILES = (File.read({"index": 0, "url": "file:///srv/a.csv", "contentType": "text/csv"}),)


def gateway(home: Path) -> Encrypter:
    """Start what seals and opens lists in a gateway with this data folder."""
    return Encrypter(keyring=keyring(read_settings({}, {}, home)), chain_id=31337)


def test_after_a_rotation_earlier_lists_open_and_new_ones_have_the_new_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = gateway(tmp_path)
    early = running.seal(DID, OWNER.address, FILES)
    assert run(["--home", str(tmp_path), "keys", "rotate", "--json"]) == exit_codes.OK
    path = tmp_path / "keys" / "files.keys"
    assert json.loads(capsys.readouterr().out) == {"path": str(path), "current": 2, "versions": [2, 1]}
    restarted = gateway(tmp_path)
    late = restarted.seal(DID, OWNER.address, FILES)
    assert (early.split(".")[1], late.split(".")[1]) == ("1", "2")
    assert restarted.open(early, DID, OWNER.address) == restarted.open(late, DID, OWNER.address)
    between = running.seal(DID, OWNER.address, FILES)
    assert restarted.open(between, DID, OWNER.address), "what was sealed before the restart"


def test_a_person_reads_that_the_gateway_has_to_restart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway(tmp_path)
    assert run(["--home", str(tmp_path), "keys", "rotate"]) == exit_codes.OK
    shown = capsys.readouterr()
    assert "versions 2, 1" in shown.out
    assert "Restart the gateway" in shown.err


def test_a_folder_without_a_gateway_is_refused_and_gets_no_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path), "keys", "rotate", "--json"]) == exit_codes.NOT_FOUND
    assert json.loads(capsys.readouterr().err)["code"] == "KeyNotFound"
    assert not (tmp_path / "keys").exists()
