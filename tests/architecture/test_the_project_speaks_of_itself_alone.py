"""No committed file names the machine on which it was written, and the version is stated once."""

import re
import tomllib
from pathlib import Path

import pytest

import insitu
from tests.architecture.sources import ROOT, committed, name

# A home folder of somebody's machine; `/proc/1/root` and `<root>/home` are other things.
HOME_PATH = re.compile(r"(?<![\w<>{}\]/.:$*-])/(?:home/[a-z]|root/|Users/[A-Za-z]|work/[a-z])")
SKIPPED = {".png", ".gif", ".svg", ".lock"}


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in committed():
        if path.suffix in SKIPPED or path == Path(__file__):
            continue
        try:
            found.append((path, path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_committed_file_names_a_home_folder() -> None:
    named = [f"{name(path)}: {found.group()}" for path, text in texts() for found in HOME_PATH.finditer(text)]
    assert not named


def test_no_unfinished_work_is_marked_in_the_sources() -> None:
    mark = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    sources = [(path, text) for path, text in texts() if path.suffix in {".py", ".sol", ".js", ".java", ".sh"}]
    assert not [name(path) for path, text in sources if mark.search(text) and "architecture" not in path.parts]


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == insitu.__version__


@pytest.mark.needs("docs")
def test_the_change_log_has_the_version_on_top() -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] in {"Unreleased", insitu.__version__}
