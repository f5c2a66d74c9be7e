"""Every code of the table is raised somewhere, and a test meets it, so that somebody has read its next step."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from insitu.adapters.chain.contracts import DEPLOYED, abi_of
from insitu.domain.errors import ERRORS
from tests.architecture.sources import PACKAGE, ROOT, modules

SPEAK_OF_CODES = {"test_every_error_is_caused.py", "test_exit_codes_tell_why.py"}
"""Tests that name codes without raising them."""

TABLE = PACKAGE / "domain" / "error_table"
TESTS = ROOT / "tests"
WORD = re.compile(r"[A-Z][A-Za-z0-9]+")


def strings(node: ast.AST, *, answered: bool = False) -> Iterator[str]:
    """Every text below a node but docstrings; with ``answered`` only those that are more than compared with."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        yield node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if answered and isinstance(child, ast.Compare | ast.Set | ast.MatchValue):
            continue
        yield from strings(child, answered=answered)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def raised() -> frozenset[str]:
    """Codes that the code gives to somebody. Errors of the contracts have the name of their code."""
    contracts = {error.name for name in DEPLOYED for error in abi_of(name).errors}
    ours = (path for path in modules() if TABLE not in path.parents)
    return frozenset(contracts.union(*(strings(parsed(path), answered=True) for path in ours)))


@cache
def named() -> frozenset[str]:
    """Codes that the tests of this project speak of, in Python and, for the contracts, in Solidity."""
    found: set[str] = set()
    for path in TESTS.rglob("*.py"):
        if path.name not in SPEAK_OF_CODES:
            for text in strings(parsed(path)):
                found.update(WORD.findall(text))
    for path in (ROOT / "contracts" / "test").rglob("*.sol"):
        found.update(re.findall(r"(\w+)\.selector", path.read_text("utf-8")))
    return frozenset(found)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_code_is_raised_somewhere(code: str) -> None:
    assert code in raised(), "nothing raises it: take it out of the table"


@pytest.mark.needs("docs")
@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_code_is_caused_by_a_test(code: str) -> None:
    assert code in named(), "write the test that meets it, and read whether its next step fits"
