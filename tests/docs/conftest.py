"""One real provider for all pages, and a shell in a folder that looks like a clone."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest

from insitu.stack.parts import open_images
from insitu.testing.provider import ProviderProcess, running_provider
from tests.docs.pages import ROOT, Block
from tests.docs.preparations import Preparation

SECONDS = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("docs"))
            if "reader" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.needs("chain", "oci", "root"))
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """`insitu up` with an image of this machine's Python, as the pages start it."""
    home = tmp_path_factory.mktemp("provider")
    not_yet = ProviderProcess(home)
    anyio.run(partial(open_images(not_yet.settings).build_from_host, [], "insitu/python", "latest"))
    with running_provider(home) as running:
        yield running


@dataclass
class Reader:
    """Somebody who types what a page shows, in one shell after the other; variables and the folder are kept.

    `wx…` of a page is the last such id that was printed, `ID` the last agreement, `did:nv:…` the one that the shell
    keeps in `$data`: as a person would copy them.
    """

    folder: Path
    environment: dict[str, str]
    printed: str = ""
    variables: Path = field(init=False)

    def __post_init__(self) -> None:
        self.variables = self.folder / ".variables"
        self.variables.touch()

    def prepare(self, preparation: Preparation) -> None:
        """Put into the folder what a page takes for granted."""
        if preparation.account is not None:
            self.environment["INSITU_ACCOUNT"] = preparation.account
        if preparation.script:
            self.run(Block("what is prepared", 0, "sh", preparation.script))

    def run(self, block: Block) -> str:
        """Run a block, which must succeed, and return all that it prints."""
        text = self._with_ids(block.text)
        if block.language == "python":
            command = [sys.executable, "-c", text]
        else:
            kept = "declare -p | grep -E '^declare (-- [a-z]|-x INSITU_)' || true; printf 'cd %q\\n' \"$PWD\""
            keep = f"{{ {kept}; }} > {self.variables}"
            command = ["bash", "-euo", "pipefail", "-c", f". {self.variables}\n{text}\n{keep}"]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{block.page}:{block.line} ended with {ended.returncode}:\n{ended.stdout}"
        self.printed += ended.stdout
        return ended.stdout

    def _with_ids(self, text: str) -> str:
        if "wx…" in text:
            text = text.replace("wx…", re.findall(r"\bwx[a-z2-7]{26}\b", self.printed)[-1])
        if re.search(r"\bID\b", text):
            agreement = re.findall(r"(?m)(?:^|\s)([0-9a-f]{64})$", self.printed)[-1]
            text = re.sub(r"\bID\b", agreement, text)
        if "did:nv:…" in text:
            bought = re.findall(r'data="(did:nv:[0-9a-f]{64})"', self.variables.read_text())
            shown = re.findall(r"\bdid:nv:[0-9a-f]{64}\b", self.printed)
            text = text.replace("did:nv:…", (bought or shown)[-1])
        return text


@pytest.fixture
def reader(provider: ProviderProcess, request: pytest.FixtureRequest) -> Reader:
    """A reader with their own folder below the provider's data, and the examples as in a clone."""
    folder = provider.data / re.sub(r"\W+", "-", request.node.name)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INSITU_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    own = {"PATH": path, "NO_COLOR": "1", "COLUMNS": "200", "INSITU_URL": provider.url}
    return Reader(folder, kept | own | {"INSITU_HOME": str(provider.home)})
