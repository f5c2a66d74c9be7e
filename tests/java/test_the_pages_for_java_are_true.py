"""The Java that pages show compiles without a warning, and its signer signs."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.java.packages import SDK, class_path, run_java
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("java", "docs"), pytest.mark.slow]

PAGES = ("docs/how-to/use-from-java.md", "sdk/java/README.md")
IMPORTED = ("insitu", "insitu.client", "insitu.domain", "insitu.json", "insitu.receipt", "insitu.rules")
OF_JAVA = ("java.math", "java.nio.file", "java.time", "java.util")
GIVEN: Mapping[str, str] = {
    "client": "Client",
    "key": "String",
    "password": "String",
    "agreementId": "String",
    "runId": "String",
    "workflowDid": "String",
    "seed": "String",
    "receipt": "VerifiedReceipt",
    "files": "List<ResultFile>",
}
"""What a page's pieces take from around them: name → type."""


def shown(page: str) -> list[str]:
    """The blocks of Java on a page."""
    return re.findall(r"(?ms)^```java\n(.*?)^```$", (ROOT / page).read_text("utf-8"))


def source(name: str, text: str) -> str:
    """A compilation unit of a piece: what it does not declare itself is given to it."""
    if re.search(r"^public (?:final class|record)", text, re.MULTILINE):
        return text
    imports = "".join(f"import {package}.*;\n" for package in (*IMPORTED, *OF_JAVA))
    given = ", ".join(f"{kind} {word}" for word, kind in GIVEN.items() if not re.search(rf"\w>? {word} =", text))
    return f"{imports}final class {name} {{\n    static void of({given}) throws Exception {{\n{text}    }}\n}}\n"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_compiles_without_a_warning(page: str, tmp_path: Path) -> None:
    pieces = shown(page)
    assert len(pieces) >= 3
    names = []
    for number, text in enumerate(pieces):
        declared = re.search(r"^public (?:final class|record) (\w+)", text, re.MULTILINE)
        name = declared[1] if declared else f"Piece{number}"
        (tmp_path / f"{name}.java").write_text(source(name, text), "utf-8")
        names.append(tmp_path / f"{name}.java")
    command = ["javac", "--release", "17", "-Xlint:all,-try,-classfile", "-Werror", "-cp", class_path(), "-d", tmp_path]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_signer_of_the_page_signs_with_a_service_and_refuses_another_key(tmp_path: Path) -> None:
    (text,) = [piece for piece in shown(PAGES[0]) if "implements Signer" in piece]
    (tmp_path / "KeyInService.java").write_text(text, "utf-8")
    program = Path(__file__).parent / "programs" / "UsesKeyInService.java"
    told = run_java(program, shared=tmp_path / "KeyInService.java").splitlines()
    assert told == ["64 of 64", "SignatureMismatch"]


def test_the_jar_of_the_page_is_the_one_that_is_built() -> None:
    version = re.search(r"<version>(.*?)</version>", (SDK / "pom.xml").read_text("utf-8"))
    assert version is not None
    page = (ROOT / PAGES[0]).read_text("utf-8")
    assert set(re.findall(r"insitu-sdk-([\d.]+)\.jar", page)) == {version[1]}
