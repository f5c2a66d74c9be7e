"""Commands for images: build, list, look up by name or digest, verify, export, import, remove."""

import json
from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.domain import exit_codes

pytestmark = [pytest.mark.slow, pytest.mark.needs("linux")]


def call(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    """Run a command of `image` that must succeed, and return what it answers."""
    assert run(["--home", str(home), "--json", "image", *arguments]) == exit_codes.OK
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_an_image_goes_from_one_machine_to_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    built = call(here, capsys, "build", "--tag", "one")
    assert isinstance(built, dict)
    assert call(here, capsys, "build", "--tag", "one") == built, "building again is the same image"
    assert call(here, capsys, "ls") == [built]
    assert call(here, capsys, "verify") == [built]

    imported = call(there, capsys, "import", str(here / "images"), "--name", "copied", "--tag", "two")
    assert isinstance(imported, dict)
    assert imported["checksum"] == built["checksum"], "the digest does not depend on the name"
    assert (imported["image"], imported["tag"]) == ("copied", "two")

    call(there, capsys, "rm", "copied:two")
    assert call(there, capsys, "ls") == []


def test_an_unknown_image_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "image", "rm", "nothing:here"]) == exit_codes.NOT_FOUND
    assert "→ List the images, then build, import or pull it." in capsys.readouterr().err


def test_an_archive_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "archive.tar"
    archive.write_bytes(b"no archive at all")
    assert run(["--home", str(tmp_path), "--json", "image", "import", str(archive)]) == exit_codes.INVALID
    assert json.loads(capsys.readouterr().err)["code"] == "ArchiveInvalid"
