"""The Java SDK: its own tests, among them the vectors, and the two jars that a program needs."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.java.packages import PROVIDER, SDK, building, class_path, mvn, run_java
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("java", "docs"), pytest.mark.slow]

MOST_LINES = 6_000
"""Of the sources, so that a person can read all of them."""
MOST_BYTES = 8_500_000
"""Of the two jars together."""


def test_it_is_formatted_compiles_without_a_warning_and_passes_its_tests() -> None:
    with building():
        told = mvn("verify")
    assert "Tests run: " in told


def test_a_program_needs_two_jars_and_the_other_one_is_known_by_its_hash() -> None:
    jars = [Path(name) for name in class_path().split(":")]
    assert sum(jar.stat().st_size for jar in jars) <= MOST_BYTES
    digest, name = (SDK / "checksums.sha256").read_text("utf-8").split()
    assert (PROVIDER.name, hashlib.sha256(PROVIDER.read_bytes()).hexdigest()) == (name, digest)


def test_every_package_says_what_may_be_null() -> None:
    packages = {path.parent for path in (SDK / "src" / "main" / "java" / "insitu").rglob("*.java")}
    unmarked = {folder for folder in packages if "@NullMarked" not in (folder / "package-info.java").read_text("utf-8")}
    assert not unmarked


def test_the_sources_stay_small() -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (SDK / "src" / "main").rglob("*.java"))
    assert lines <= MOST_LINES


def test_the_example_verifies_a_receipt_offline(tmp_path: Path) -> None:
    cases = {case["name"]: case for case in json.loads((ROOT / "tests/vectors/receipt.json").read_text("utf-8"))}
    good = next(case for case in cases.values() if case["form"] == "v2" and case["refused"] is None)
    bad = next(case for case in cases.values() if case["refused"])
    for name, case in (("good", good), ("bad", bad)):
        (tmp_path / name).write_text(json.dumps(case["envelope"]), "utf-8")
    example = SDK / "examples" / "VerifyReceipt.java"
    told = run_java(example, str(tmp_path / "good"))
    assert f"signed by {good['signer']}" in told
    assert "the agreement id is the digest of its terms" in told
    assert run_java(example, str(tmp_path / "bad")).startswith("ReceiptInvalid: ")
