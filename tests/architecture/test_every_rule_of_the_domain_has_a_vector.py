"""Somebody can write an SDK from the vectors alone: each rule that another language must repeat is in one of them."""

import re

import pytest

from tests.architecture.sources import PACKAGE, ROOT

VECTORS = ROOT / "tests" / "vectors"

PROVIDERS_OWN = "only a provider decides it; clients see the outcome"
SHOWN = "how this SDK words or types what others compute"
WITHOUT: dict[str, str] = {
    "amount": SHOWN,
    "asset_price": SHOWN,
    "chain_reads": PROVIDERS_OWN,
    "deadlines": PROVIDERS_OWN,
    "execution": "names of phases and reasons, which the OpenAPI document lists",
    "execution_changes": PROVIDERS_OWN,
    "exit_codes": "of this command line",
    "finding": SHOWN,
    "granted_resources": PROVIDERS_OWN,
    "hosts": "addresses that people type and pages show",
    "image_contents": PROVIDERS_OWN,
    "log_release": PROVIDERS_OWN,
    "next_actions": PROVIDERS_OWN,
    "offered_rules": "a catalogue finds by its words; clients only send them",
    "plan": "between gateway and operator, which speak one version",
    "result": "how a gateway describes results; consumers read them as documents",
    "wire": "how this SDK reads and writes JSON models",
}
"""Module of the domain → why another language needs no vector of it."""


def rows() -> dict[str, tuple[str, ...]]:
    """File → the modules in its row of the README."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (VECTORS / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        files = re.findall(r"`([\w-]+\.json)`", cells[0])
        modules = tuple(re.findall(r"`(\w+)`", cells[2])) if len(cells) == 3 else ()
        found |= dict.fromkeys(files, modules)
    return found


def test_the_readme_names_every_vector_and_no_other() -> None:
    assert set(rows()) == {path.name for path in VECTORS.glob("*.json")}


def test_every_module_of_the_domain_has_a_vector_or_a_reason() -> None:
    modules = {path.stem for path in (PACKAGE / "domain").glob("*.py")} - {"__init__"}
    fixed = {module for named in rows().values() for module in named}
    assert modules == fixed | WITHOUT.keys()
    assert not fixed & WITHOUT.keys()


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("*.json")))
def test_a_test_reads_each_vector(name: str) -> None:
    readers = (path for folder in ("tests", "contracts/test") for path in (ROOT / folder).rglob("*.*"))
    texts = (path.read_text("utf-8") for path in readers if path.suffix in (".py", ".sol"))
    assert any(re.search(rf"[\"'/]{name}(\.json)?[\"']", text) for text in texts)
