"""Every error that the code can raise is in the one table, and the table reads well."""

import ast
import inspect
import re

import pytest

from insitu.domain import error_table
from insitu.domain.error_table.shape import ErrorDefinition
from insitu.domain.errors import ERRORS
from insitu.domain.execution import ENDED, Charge, Phase, Reason, charge_of
from tests.architecture.sources import PACKAGE, ROOT, modules, name


def sections() -> dict[str, tuple[ErrorDefinition, ...]]:
    members = inspect.getmembers(error_table, lambda member: isinstance(member, tuple))
    return {title: rows for title, rows in members if title.isupper() and title != "DEFINITIONS"}


def raised_codes() -> list[tuple[str, str]]:
    """Where `InsituError("Code", ...)` is written, and the code."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called == "InsituError":
                found.append((f"{name(path)}:{node.lineno}", str(node.args[0].value)))
    return found


def test_every_code_that_is_raised_is_in_the_table() -> None:
    assert not [place for place in raised_codes() if place[1] not in ERRORS]


def test_every_code_is_there_once() -> None:
    assert len(ERRORS) == sum(len(rows) for rows in sections().values())


@pytest.mark.parametrize("title", sorted(sections()))
def test_a_section_is_sorted(title: str) -> None:
    codes = [row.code for row in sections()[title]]
    assert codes == sorted(codes)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_code_says_what_is_the_matter_and_what_to_do_next(code: str) -> None:
    row = ERRORS[code]
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", row.code)
    assert 400 <= row.status <= 599
    for sentence in (row.what, row.next_step):
        assert sentence[0].isupper() or not sentence[0].isalpha()
        assert sentence.endswith(".")


@pytest.mark.parametrize("code", sorted(code for code, row in ERRORS.items() if "othing was charged" in row.next_step))
@pytest.mark.parametrize("phase", sorted(ENDED - {Phase.SUCCEEDED}))
def test_a_message_that_nothing_was_charged_is_true(code: str, phase: Phase) -> None:
    assert charge_of(phase, Reason(code=code, message="so it ended"), delivered=True) is Charge.NEVER


def test_no_error_passes_silently() -> None:
    """A handler that only passes hides what a person should see; `contextlib.suppress` says that it is on purpose."""
    silent = [
        f"{name(path)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert not silent


@pytest.mark.needs("docs")
def test_every_code_is_on_the_reference_page() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert not [code for code in ERRORS if f"`{code}`" not in page]
