"""A launcher that npm installed without its program is not an anvil: the check is to run it."""

import platform
from pathlib import Path

import pytest

import insitu
from insitu.adapters.chain.anvil import find_anvil
from insitu.domain.errors import InsituError


def launcher(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "anvil"
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a clone, whose PATH and home are in a folder."""
    monkeypatch.setattr(insitu, "__file__", str(tmp_path / "a" / "b" / "insitu" / "__init__.py"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_next_one_is_taken_if_one_does_not_run(elsewhere: Path) -> None:
    launcher(elsewhere / "bin", "#!/bin/sh\necho 'Error: cannot find module anvil-linux' >&2\nexit 1\n")
    good = launcher(elsewhere / "home" / ".foundry" / "bin", "#!/bin/sh\necho anvil 1.7.1\n")
    assert find_anvil() == good


def test_why_it_does_not_run_is_reported_with_the_line_that_installs_it(elsewhere: Path) -> None:
    launcher(elsewhere / "bin", "#!/bin/sh\necho 'Error: cannot find module anvil-linux' >&2\nexit 1\n")
    with pytest.raises(InsituError, match="ExtraMissing") as refused:
        find_anvil()
    assert "does not run (Error: cannot find module anvil-linux)" in refused.value.detail
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    assert f"npm install --global @foundry-rs/anvil-linux-{machine};" in refused.value.detail
