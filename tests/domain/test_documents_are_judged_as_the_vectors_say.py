"""Every rule of a document has a case in the vectors, with the code and pointer of each problem."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from insitu import domain
from insitu.domain.checks import Checker
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.validation import validate_ddo
from insitu.domain.workflow import Workflow
from insitu.domain.workflow_rules import validate_workflow
from tests.domain.documents import patched, vector

VECTORS = vector("document-rules")
DOMAIN = Path(next(iter(domain.__path__)))
RULES = ("asset_rules", "compute_rules", "validation", "workflow_rules")
"""Modules whose calls of a checker are the rules."""


def named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases])


def judge(case: dict[str, Any]) -> None:
    document = patched(VECTORS["bases"][case["base"]], case["patch"])
    if case.get("planned"):
        workflow = Workflow.read(document["service"][0]["attributes"]["main"]["workflow"], "/workflow")
        validate_workflow(workflow, "/workflow", planned=True)
        return
    options = {"without_compute": case.get("withoutCompute", False), "new": case.get("new", False)}
    validate_ddo(read_ddo(document), **options)


@named(VECTORS["accepted"])
def test_a_document_is_accepted_as_in_the_vector(case: dict[str, Any]) -> None:
    judge(case)


@named(VECTORS["refused"])
def test_a_document_is_refused_as_in_the_vector(case: dict[str, Any]) -> None:
    with pytest.raises(InsituError) as caught:
        judge(case)
    assert (caught.value.code, caught.value.pointer) == (case["code"], case["pointer"])
    problems = {(problem.pointer, problem.code) for problem in caught.value.problems}
    assert sorted(problems) == [tuple(problem) for problem in case["problems"]]


Place = tuple[str, int | None, int | None]
"""Module, and where a call begins: line and column."""


def rules() -> Iterator[Place]:
    """Where each rule is: a call of a checker that may report something."""
    for name in RULES:
        for node in ast.walk(ast.parse((DOMAIN / f"{name}.py").read_text("utf-8"))):
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
            if isinstance(node, ast.Call) and called in ("report", "require", "include"):
                yield name, node.lineno, node.col_offset


def test_each_rule_is_broken_by_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: set[Place] = set()

    def watch(name: str) -> None:
        real = getattr(Checker, name)

        def watched(checker: Checker, *arguments: Any) -> Any:
            frame, before = sys._getframe(1), len(checker.problems)
            result = real(checker, *arguments)
            if len(checker.problems) > before:
                at = list(frame.f_code.co_positions())[frame.f_lasti // 2]
                broken.add((Path(frame.f_code.co_filename).stem, at[0], at[2]))
            return result

        monkeypatch.setattr(Checker, name, watched)

    for name in ("report", "require", "include"):
        watch(name)
    for case in VECTORS["refused"]:
        with pytest.raises(InsituError):
            judge(case)
    assert [rule for rule in rules() if rule not in broken] == []
