"""Where a provider has an image with Java, a source file or a jar needs no more words than a Python script."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.provider import Provider, provider
from tests.parts import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.needs("java", "oci", "chain", "root", "docs")]

WORDS = "one two\nthree\n"
PYTHON = "open('/mnt/output/count.txt', 'w').write('counted by Python')\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider with two images, of which the first in the alphabet has only Java."""
    with provider(tmp_path_factory.mktemp("java")) as started:
        started.person("owner").succeeds("image", "build", "--java")
        (started.data / "words.txt").write_text(WORDS)
        yield started


@pytest.fixture(scope="module")
def data(running: Provider) -> str:
    path = running.data / "words.txt"
    return running.person("owner").succeeds("publish", path, "--price", "3", "--allow-any", "--name", "words").line


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The algorithm of the page for authors."""
    page = (ROOT / "docs/how-to/write-an-algorithm-in-java.md").read_text("utf-8")
    (shown,) = re.findall(r"(?ms)^```java\n(.*?)^```$", page)
    file = tmp_path_factory.mktemp("source") / "Count.java"
    file.write_text(shown)
    return file


def counted(running: Provider, algorithm: Path, data: str, results: Path) -> str:
    """Run an algorithm without saying how it is started, or in which image; return what it wrote."""
    running.person("consumer").succeeds("run", algorithm, "--on", data, "--yes", "--output", results)
    (found,) = results.rglob("count.txt")
    return found.read_text()


def test_a_source_file_runs(running: Provider, data: str, source: Path, tmp_path: Path) -> None:
    assert counted(running, source, data, tmp_path / "results") == "3\n"


def test_a_jar_runs(running: Provider, data: str, source: Path, tmp_path: Path) -> None:
    shutil.copy(source, tmp_path)
    subprocess.run(["javac", "--release", "17", "-d", "classes", "Count.java"], cwd=tmp_path, check=True)
    subprocess.run(["jar", "cfe", "count.jar", "Count", "-C", "classes", "."], cwd=tmp_path, check=True)
    assert counted(running, tmp_path / "count.jar", data, tmp_path / "results") == "3\n"


def test_a_python_script_still_runs_in_the_image_of_python(running: Provider, data: str, tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(PYTHON)
    assert counted(running, tmp_path / "count.py", data, tmp_path / "results") == "counted by Python"
