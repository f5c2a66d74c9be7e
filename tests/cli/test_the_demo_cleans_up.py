"""`insitu demo --clean` deletes what demos keep, and nothing else."""

import fcntl
import sys
from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.cli.demo.narrator import called
from insitu.settings.folder import DataFolder
from insitu.stack.locking import close_folders


def kept(home: Path) -> None:
    for name in ("images/sha256/ab", "data/airline-office", "chain", "keys"):
        (home / name).mkdir(parents=True)
    for name in ("demo.log", "port", "gateway.db", "gateway.db-wal", "images/sha256/ab/big"):
        (home / name).write_bytes(b"x" * 5000)


def test_everything_of_a_demo_is_deleted_and_its_size_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path / "demo")
    close_folders(DataFolder(tmp_path / "demo"))
    assert (tmp_path / "demo" / ".gitignore").exists()
    assert run(["--home", str(tmp_path / "demo"), "demo", "--clean"]) == 0
    assert not (tmp_path / "demo").exists()
    printed = capsys.readouterr().out
    assert " kB in " in printed
    assert printed.startswith("deleted ")
    assert printed.endswith("demo\n")
    assert run(["--home", str(tmp_path / "demo"), "demo", "--clean"]) == 0, "again is harmless"


def test_what_somebody_put_there_stays(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / ".gitignore").write_text("*.aux\n")
    (tmp_path / "runs").symlink_to(tmp_path.parent)
    assert run(["--home", str(tmp_path), "demo", "--clean"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "thesis.txt"]
    assert tmp_path.parent.exists(), "no link is followed"


def test_a_folder_in_which_a_demo_plays_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(["--home", str(tmp_path), "demo", "--clean"]) == 0
    assert "kept " in capsys.readouterr().out
    assert (tmp_path / "demo.log").exists()


def test_an_option_that_does_nothing_beside_it_is_refused(tmp_path: Path) -> None:
    kept(tmp_path)
    assert run(["--home", str(tmp_path), "demo", "--clean", "--open"]) == 2
    assert (tmp_path / "demo.log").exists()


def test_its_hints_name_the_program_as_this_terminal_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "insitu"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [".venv/bin/insitu", "demo"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called() == "insitu"
    program.unlink()
    assert called() == ".venv/bin/insitu"
