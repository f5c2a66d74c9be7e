"""Docstrings are written in one way, and the logger of a module has one name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import modules, name

GOOGLE = re.compile(r"^\s*(Args|Arguments|Attributes|Raises|Returns|Yields|Examples?|Notes?):\s*$", re.MULTILINE)
UNDERLINED = re.compile(r"^\s*(\w[\w ]*)\n\s*-{3,}\s*$", re.MULTILINE)
HEADINGS = {"Parameters", "Attributes"}


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Every docstring of a module, those below attributes included, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


def test_what_a_function_raises_or_returns_is_said_in_prose() -> None:
    sections = [
        f"{name(path)}:{line} {found[1]}: write a sentence"
        for path in modules()
        for line, text in strings(path)
        for found in GOOGLE.finditer(text)
    ]
    assert not sections


def test_only_parameters_and_attributes_have_a_heading() -> None:
    headings = [
        f"{name(path)}:{line} {found[1]}: write a sentence"
        for path in modules()
        for line, text in strings(path)
        for found in UNDERLINED.finditer(text)
        if found[1] not in HEADINGS
    ]
    assert not headings


def test_the_logger_of_a_module_is_called_logger() -> None:
    wrong = []
    for path in modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=found)], value=ast.Call(func=ast.Attribute(attr="getLogger"))):
                    wrong += [f"{name(path)}:{node.lineno} {found}: call it logger"] if found != "logger" else []
    assert not wrong
