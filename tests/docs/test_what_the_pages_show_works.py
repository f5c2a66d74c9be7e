"""Every command and every line of Python of the first pages, typed in their order against a real provider."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import Reader
from tests.docs.pages import ROOT, Block, blocks, says
from tests.docs.preparations import PREPARATIONS, Preparation

PAGES = ["README.md", "docs/tutorial/first-run.md", "examples/two-stages/README.md", *PREPARATIONS]


@pytest.mark.timeout(900)  # a page is as long as the page
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_can_be_typed(page: str, reader: Reader) -> None:
    reader.prepare(PREPARATIONS.get(page, Preparation()))
    steps = blocks(page)
    assert steps, f"{page} shows nothing to run"
    for step in steps:
        actual = reader.run(step)
        if step.printed is not None:
            assert says(step.printed, actual), f"{page}:{step.line} prints\n{actual}"


def test_the_algorithm_of_the_page_counts(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/write-an-algorithm.md").read_text("utf-8")
    (script,) = re.findall(r"(?ms)^```python\n(.*?)^```$", page)
    for name in ("in", "out", "logs"):
        (tmp_path / name).mkdir()
    (tmp_path / "in/flights.csv").write_text("carrier,delay\nUA,1\nAA,2\nUA,3\n")
    folders = [
        f"--{option}={tmp_path / name}" for option, name in (("input1", "in"), ("output", "out"), ("logs", "logs"))
    ]
    subprocess.run([sys.executable, "-c", script, *folders], check=True, capture_output=True)
    assert (tmp_path / "out/count.txt").read_text() == "2\n"


def test_the_notebook_runs(reader: Reader) -> None:
    published = 'insitu publish examples/data/words.txt --name "Notebook words" --price 1 --allow-any --account owner'
    reader.run(Block("examples/notebook.py", 0, "sh", published))
    shown = reader.run(Block("examples/notebook.py", 1, "sh", "python examples/notebook.py"))
    assert "Succeeded did:nv:" in shown
    assert "Succeeded charged 0" in shown
    assert (reader.folder / "notebook-out/output.txt").read_text().count("\n") > 5


@pytest.mark.parametrize(
    ("printed", "actual", "fits"),
    [
        ("a\n…\nc", "a\nb\nb\nc", True),
        ("a …", "a b", True),
        ("a", "a b", False),
        ("1.5 …", "145 x", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(printed: str, actual: str, fits: bool) -> None:
    assert says(printed, actual) == fits


def test_every_example_is_named() -> None:
    named = (ROOT / "examples/README.md").read_text("utf-8")
    for entry in (ROOT / "examples").iterdir():
        assert entry.name == "README.md" or entry.name in named, entry.name
