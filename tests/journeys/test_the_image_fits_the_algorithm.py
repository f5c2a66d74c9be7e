"""Of several images, the one that has what the algorithm needs is used; if none has it, nobody pays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.oci.layouts import Layout, file, folder
from tests.journeys.provider import Provider, provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

COUNT = "import json\nprint('counted', json.dumps(1))\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider with two images, of which the first in the alphabet has no Python."""
    place = tmp_path_factory.mktemp("images")
    with provider(place) as started:
        layout = Layout(place / "layout")
        layout.index(layout.image((folder("opt"), folder("opt/bin"), file("opt/bin/java", mode=0o755))))
        started.person("owner").succeeds("image", "import", layout.root, "--name", "insitu/java", "--tag", "17")
        (started.data / "words.txt").write_text("one two\n")
        yield started


@pytest.fixture(scope="module")
def data(running: Provider) -> str:
    path = running.data / "words.txt"
    return running.person("owner").succeeds("publish", path, "--price", "3", "--allow-any", "--name", "words").line


def test_a_script_runs_in_the_image_that_has_its_interpreter(running: Provider, data: str, tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(COUNT)
    ended = running.person("consumer").succeeds("run", tmp_path / "count.py", "--on", data, "--yes")
    assert "Succeeded" in ended.err


def test_an_import_that_every_image_lacks_is_said_before_anybody_pays(
    running: Provider, data: str, tmp_path: Path
) -> None:
    consumer = running.person("consumer")
    before = consumer.succeeds("agreements").out
    (tmp_path / "train.py").write_text("import torch\n" + COUNT)
    ended = consumer.insitu("run", tmp_path / "train.py", "--on", data, "--yes")
    assert ended.code != 0
    assert "ImageUnsuitable: insitu/java:17 lacks python3; insitu/python:latest lacks torch" in ended.err
    assert consumer.succeeds("agreements").out == before


def test_an_image_that_is_named_is_taken_all_the_same(running: Provider, data: str, tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text("import torch\n" + COUNT)
    named = ("--image", "insitu/python")
    ended = running.person("consumer").insitu("run", tmp_path / "lazy.py", "--on", data, "--yes", *named)
    assert "No module named 'torch'" in ended.out + ended.err


def test_lists_say_what_is_in_an_image(running: Provider, data: str) -> None:
    owner = running.person("owner")
    listed = owner.succeeds("image", "ls").out
    assert "java" in listed.splitlines()[1]
    assert "Python 3." in listed
    assert "with Python 3." in owner.succeeds("show", data).out
