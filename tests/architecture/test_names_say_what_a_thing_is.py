"""No grab-bag modules, and one word for one thing: the glossary's."""

import ast
import re

import pytest

from tests.architecture.sources import PACKAGE, ROOT, modules, name

GRAB_BAGS = {"base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "tools", "util", "utils"}


def words(identifier: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)}


def test_no_module_is_a_grab_bag() -> None:
    bags = [name(path) for path in modules() if {path.stem, path.parent.name} & GRAB_BAGS]
    assert not bags


def rejected() -> dict[str, str]:
    """The words that the glossary's table "Words we do not use" rejects, with the word to use instead."""
    table = (ROOT / "GLOSSARY.md").read_text("utf-8").partition("## Words we do not use")[2]
    rows = re.findall(r"^\| `([a-z]+)` \| ([^|]+) \|", table, re.MULTILINE)
    return {word: instead.strip() for word, instead in rows}


@pytest.mark.needs("docs")
def test_the_glossary_rejects_some_words() -> None:
    assert "job" in rejected()


@pytest.mark.needs("docs")
def test_no_public_class_or_function_uses_a_word_that_the_glossary_rejects() -> None:
    wrong = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                wrong += [
                    f"{name(path)}:{node.lineno} {node.name}: say {rejected()[word]}"
                    for word in words(node.name) & set(rejected())
                ]
    assert not wrong


@pytest.mark.needs("docs")
def test_every_package_of_an_actor_is_in_the_glossary() -> None:
    glossary = (ROOT / "GLOSSARY.md").read_text("utf-8")
    packages = [path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    assert not [package for package in packages if f"insitu.{package}" not in glossary]
