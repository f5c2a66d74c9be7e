"""What programs of users can name in the Java SDK stays, and has the names of the OpenAPI documents."""

import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from tests.java.packages import SDK
from tests.parts import ROOT

SCRIPT = ROOT / "scripts" / "java-api"
OWN: Mapping[str, frozenset[str]] = {
    "ExecutionView": frozenset({"isEnded"}),
    "Quote": frozenset({"serverId"}),
    "ResultFile": frozenset({"digest", "path"}),
    "SignedRequest": frozenset({"data", "dids", "versions"}),
    "Terms": frozenset({"total"}),
}
"""Record → what it works out from the members of its document, under names of its own."""
WHOLE = frozenset({"Opening", "SearchPage", "Settlement", "SignedPermit", "Terms"})
"""Records that have a name for each member of their document: what is hashed or signed, and pages."""
OF_RECORDS = frozenset({"toString", "hashCode", "json"})


@cache
def baseline() -> tuple[str, ...]:
    return tuple((SDK / "api.txt").read_text("utf-8").splitlines())


@cache
def members() -> dict[str, frozenset[str]]:
    """Schema of an OpenAPI document → the names of its members."""
    found: dict[str, frozenset[str]] = {}
    for name in ("gateway", "metadata"):
        document = json.loads((ROOT / "docs" / "reference" / "openapi" / f"{name}.json").read_text("utf-8"))
        schemas = document["components"]["schemas"].items()
        found |= {schema: frozenset(described.get("properties", {})) for schema, described in schemas}
    return found


@cache
def accessors() -> dict[str, frozenset[str]]:
    """Public record with the name of a schema → its accessors."""
    heads = [re.match(r"public final class (insitu[\w.]+\.(\w+)) extends java\.lang\.Record", x) for x in baseline()]
    records = {head[1]: head[2] for head in heads if head and head[2] in members()}
    found: dict[str, frozenset[str]] = {}
    for full, name in records.items():
        lines = [re.fullmatch(rf"{re.escape(full)}: public (?!static )\S.* (\w+)\(\);", line) for line in baseline()]
        found[name] = frozenset(line[1] for line in lines if line) - OF_RECORDS
    return found


def script() -> ModuleType:
    loader = SourceFileLoader("java_api", str(SCRIPT))
    spec = spec_from_loader("java_api", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.needs("java", "docs")
def test_nothing_of_the_baseline_is_gone() -> None:
    done = subprocess.run([SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.needs("docs")
def test_what_is_renamed_is_gone_and_what_is_new_breaks_nothing() -> None:
    before, now = {"a.B: public int c();"}, {"a.B: public int d();"}
    assert script().breaks(before, now) == ["gone: a.B: public int c();"]
    assert script().breaks(before, before | now) == []


@pytest.mark.needs("docs")
def test_a_type_that_users_implement_may_not_want_more() -> None:
    before, more = {"a.B: public abstract int c();"}, {"a.B: public abstract int d();"}
    assert script().breaks(before, before | more) == ["to be implemented: a.B: public abstract int d();"]
    assert script().breaks(before, before | {"a.C: public abstract int d();"}) == [], "nobody implements it yet"


@pytest.mark.needs("docs")
@pytest.mark.parametrize("name", sorted(accessors()) if SDK.is_dir() else [])
def test_accessors_have_the_names_of_their_document(name: str) -> None:
    assert accessors()[name] - members()[name] == OWN.get(name, frozenset())
    if name in WHOLE:
        assert members()[name] <= accessors()[name]


@pytest.mark.needs("docs")
def test_every_exception_is_of_a_record() -> None:
    assert OWN.keys() | WHOLE <= accessors().keys()
