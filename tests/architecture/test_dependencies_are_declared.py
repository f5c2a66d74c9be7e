"""An extra installs what its code imports, and nothing by accident or without a reason."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.sources import PACKAGE, ROOT, imported, modules, name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = {extra: lines for extra, lines in PROJECT["project"]["optional-dependencies"].items() if extra != "all"}

# The packages that run only if their extra is installed. Everything else must make do with the base dependencies,
# except for the modules that build or route an HTTP application.
HOMES = {
    "gateway": "provider",
    "marketplace": "marketplace",
    "metadata": "provider",
    "operator": "provider",
    "pods": "provider",
    "adapters": "provider",
    "stack": "provider",
    "cli": "demo",
}


def declared(lines: list[str]) -> set[str]:
    """Canonical names of requirements, with those of the extras that they refer to."""
    names: set[str] = set()
    for requirement in map(Requirement, lines):
        if requirement.name == "insitu":
            names |= {found for extra in requirement.extras for found in declared(EXTRAS[extra])}
        else:
            names.add(canonicalize_name(requirement.name))
    return names


BASE = declared(PROJECT["project"]["dependencies"])


def allowed(part: str, path: str) -> set[str]:
    extras = {HOMES[part]} if part in HOMES else set()
    if {"app", "browsers", "parameters", "routes"} & set(Path(path).with_suffix("").parts):
        extras.add("provider")
    if "kubernetes" in path:
        extras.add("cluster")
    if "object_store" in path:
        extras.add("object-store")
    if "postgresql" in path:
        extras.add("postgresql")
    return BASE | {found for extra in extras for found in declared(EXTRAS[extra])}


def test_every_import_is_declared_where_it_is_used() -> None:
    distributions = packages_distributions()
    undeclared = []
    for path in modules():
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for module in imported(path):
            top = module.partition(".")[0]
            if top == "insitu" or top in sys.stdlib_module_names:
                continue
            owners = {canonicalize_name(owner) for owner in distributions.get(top, [top])}
            # starlette is FastAPI's own foundation, pinned and re-exported by it.
            if not owners & allowed(part, name(path)) and top != "starlette":
                undeclared.append(f"{name(path)} imports {module}")
    assert not undeclared


def locked() -> dict[str, set[Version]]:
    versions: dict[str, set[Version]] = {}
    for found in re.findall(
        r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    ):
        versions.setdefault(canonicalize_name(found[0]), set()).add(Version(found[1]))
    return versions


def everything() -> list[Requirement]:
    lines = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    lines += [line for extra in EXTRAS.values() for line in extra]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != "insitu"]


@pytest.mark.needs("docs")
def test_the_lock_file_answers_every_requirement() -> None:
    versions = locked()
    for requirement in everything():
        found = versions.get(canonicalize_name(requirement.name), set())
        assert any(requirement.specifier.contains(version) for version in found), f"{requirement}: make lock"


@pytest.mark.needs("docs")
def test_the_lock_file_holds_no_prerelease_and_no_address() -> None:
    assert not {package for package, found in locked().items() if any(version.is_prerelease for version in found)}
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text


@pytest.mark.needs("docs")
def test_every_dependency_has_a_line_that_says_why_it_and_not_its_rival() -> None:
    section = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## Dependencies")[2]
    explained = {canonicalize_name(found) for found in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)}
    wanted = {canonicalize_name(requirement.name) for requirement in everything()}
    assert wanted - explained == set(), "dependencies without a reason"
    assert explained - wanted == set(), "reasons without a dependency"
