"""The page of the specification has every clause, and names files and tests that exist; so do the other maps."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGE = "docs/reference/specification.md"
CLAUSES = [f"P{n}" for n in (1, 2, 3)] + [f"C{n}" for n in range(1, 9)] + [f"E{n}" for n in range(1, 11)]
REQUIREMENTS = [f"R{n}" for n in range(1, 15)]
NOT_DONE = [
    "Images with a DID",
    "several independent compute services",
    "`output.id`",
    "`serverInstances`",
    "Parallel stages",
    "Deleting",
]


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below the headings that begin with these words; none where there are no pages."""
    found: list[list[str]] = []
    text = (ROOT / PAGE).read_text("utf-8") if (ROOT / PAGE).exists() else ""
    for part in text.split("\n## ")[1:]:
        if part.startswith(heading):
            lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
            found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return found


def named(text: str) -> list[str]:
    """The paths between backticks."""
    return [path for path in re.findall(r"`([^`\s]+)`", text) if "/" in path]


def clauses() -> list[list[str]]:
    return [row for row in rows("") if re.fullmatch(r"[PCER]\d+", row[0])]


def test_every_clause_has_a_row_in_its_order() -> None:
    assert [row[0] for row in clauses()] == CLAUSES + REQUIREMENTS


@pytest.mark.parametrize("row", clauses(), ids=lambda row: row[0])
def test_a_row_names_code_and_tests_that_exist(row: list[str]) -> None:
    _, asked, where, shown = row
    assert len(asked) > 20
    assert named(where), "where the code does it"
    for path in named(where):
        assert (ROOT / path).exists(), path
    assert named(shown), "which test shows it"
    for path in named(shown):
        file, _, function = path.partition("::")
        assert file.startswith("tests/"), path
        assert not function or f"def {function}(" in (ROOT / file).read_text("utf-8"), path


def test_what_is_not_done_has_a_reason() -> None:
    missing = rows("Not done")
    assert all(len(reason) > 20 for _, reason in missing)
    for subject in NOT_DONE:
        assert any(subject in row[0] for row in missing), subject


def test_every_clause_of_the_flow_has_tests_of_its_own() -> None:
    names = " ".join(path.name for path in (ROOT / "tests" / "spec").glob("test_*.py"))
    for row in clauses()[: len(CLAUSES)]:
        assert f"_{row[0].lower()}_" in names, row[0]
        assert any(f"_{row[0].lower()}_" in path for path in named(row[3])), row[0]


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "contributing").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_for_contributors_is_short_and_names_files_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count("\n") <= 25
    paths = named(text)
    assert len(paths) > 5
    for path in paths:
        assert (ROOT / path).exists(), path


def test_the_map_of_the_architecture_names_files_that_exist() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## Where is")[2].partition("\n## ")[0]
    paths = [path for path in named(table) if path.count("{") == 0]
    assert len(paths) > 40
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "src/insitu" / path).exists(), path


def test_the_index_of_decisions_lists_each_with_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text("utf-8")
    for page in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        number, _, title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        assert int(number) == int(page.name[:4])
        assert f"| [{page.name[:4]}]({page.name}) | {title} |" in index, page.name
