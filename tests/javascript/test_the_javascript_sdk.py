"""The JavaScript SDK: its own tests, among them every vector, and the package as npm would install it."""

import json
from pathlib import Path

import pytest

from tests.javascript.packages import SDK, install_sdk, npm, run_node
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("node", "docs"), pytest.mark.slow]

USE = """
import { readFileSync } from 'node:fs'
import { readEnvelope, verifyReceipt } from 'insitu/verify'
import { readDid } from 'insitu/domain'
import { openKeyFile } from 'insitu/node'
import { connect } from 'insitu'
import { Desk } from 'insitu/desk'
import { Publisher } from 'insitu/publish'
const [{ envelope }] = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const kinds = [readDid, openKeyFile, connect, Desk, Publisher].map(one => typeof one)
console.log(verifyReceipt(readEnvelope(envelope)).signer, ...kinds)
"""


def test_every_test_of_the_javascript_sdk_passes() -> None:
    told = npm("run", "--silent", "test")
    assert "# fail 0" in told or "ℹ fail 0" in told


def test_the_package_works_where_npm_installed_it(tmp_path: Path) -> None:
    names = install_sdk(tmp_path)
    assert {"LICENSE", "README.md", "package.json", "dist/verify.js", "dist/verify.d.ts"} <= names
    assert not {name for name in names if name.startswith(("src/", "test/", "scripts/"))}
    vectors = ROOT / "tests" / "vectors" / "receipt.json"
    signer = json.loads(vectors.read_text("utf-8"))[0]["signer"]
    assert run_node(tmp_path, USE, str(vectors)).split() == [signer, *["function"] * 5]


def test_only_the_entry_point_for_node_imports_modules_of_node() -> None:
    importing = {path.name for path in (SDK / "src").rglob("*.ts") if "from 'node:" in path.read_text("utf-8")}
    assert importing == {"node.ts"}


def test_the_domain_has_no_clock_no_network_and_no_chance() -> None:
    impure = ("Date.now", "fetch(", "Math.random", "crypto.", "setTimeout", "console.")
    found = {
        f"{path.name}: {call}"
        for path in (SDK / "src" / "domain").glob("*.ts")
        for call in impure
        if call in path.read_text("utf-8")
    }
    assert not found


def test_no_source_has_more_than_300_lines() -> None:
    long = {path.name for path in (SDK / "src").rglob("*.ts") if len(path.read_text("utf-8").splitlines()) > 300}
    assert {name for name in long if not name.endswith(".gen.ts")} == set()
