"""Each mistake that people make at first has its own code and the step that fixes it."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from insitu.cli.app import run
from insitu.domain.errors import ERRORS
from tests.cli.conftest import dataset
from tests.cli.test_a_receipt_is_compared_with_what_it_speaks_of import view

DID = "did:nv:" + "a" * 64
NODE = ("--set", "chain.rpc_url=http://127.0.0.1:9")
RUN = ("run", "count.py", "--on", DID)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of somebody new, with a few files in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("INSITU_URL", "INSITU_HOME", "INSITU_ACCOUNT", "INSITU_TICKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INSITU_KEY_PASSWORD", "a password of these tests")
    (tmp_path / "count.py").write_text("print(1)\n")
    (tmp_path / "count.xyz").write_text("print 1\n")
    (tmp_path / "table.csv").write_text("a\n1\n")
    (tmp_path / "text.json").write_text("no JSON")
    (tmp_path / "receipt.json").write_text(json.dumps(view()))
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "list.json").write_text("[]")
    broken = dataset()
    broken["service"][0]["attributes"]["main"].pop("name")
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    (tmp_path / "folder").mkdir()
    return tmp_path


Failed = Callable[..., tuple[str, str, str]]


@pytest.fixture
def failed(folder: Path, capsys: pytest.CaptureFixture[str]) -> Failed:
    """Run a command that fails; return code, next step, detail."""

    def call(*words: str) -> tuple[str, str, str]:
        assert run(["--home", str(folder / "home"), "--url", "http://127.0.0.1:9", "--json", *words]) != 0
        problem = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert problem["nextStep"] == ERRORS[problem["code"]].next_step
        return problem["code"], problem["nextStep"], problem["detail"]

    return call


MISTAKES = [
    (("validate", "mising.json"), "FileMissing", "Check the path"),
    (("validate", "folder"), "FileUnusable", "Check the path, its permissions"),
    (("validate", "text.json"), "InvalidDocument", "what the detail and the problems name"),
    (("validate", "list.json"), "InvalidDocument", "what the detail and the problems name"),
    (("validate", "broken.json"), "InvalidDocument", "the problems name"),
    (("did", "verify", "mising.json"), "FileMissing", "Check the path"),
    (("verify", "mising.json"), "FileMissing", "Check the path"),
    (("verify", "empty.json"), "ReceiptUnreadable", "insitu receipt ID -o FILE"),
    (("verify", "broken.json"), "ReceiptUnreadable", "insitu receipt ID -o FILE"),
    (("release", "empty.json"), "ReceiptUnreadable", "insitu receipt ID -o FILE"),
    (("keys", "create", "../x"), "KeyNameInvalid", "Use a-z"),
    (("verify", "receipt.json", "--provider", "0x12"), "InvalidId", "accounts 0x and 40"),
    (("did", "resolve", DID, "--account", "nobody"), "KeyNotFound", "List the keys"),
    (("did", "resolve", DID, *NODE), "KeyNotFound", "create one"),
    (("did", "resolve", DID), "DeploymentsMissing", "Put the provider's file there"),
    (("chain", "check"), "DeploymentsMissing", "Put the provider's file there"),
    (("search", "x"), "PeerUnavailable", "is running and that its address is right; insitu up starts a provider"),
    (("run", "count.py", "--on", "did:nv:123"), "InvalidDid", "insitu search lists them"),
    (("show", "did:nv:123"), "InvalidDid", "Copy the whole DID"),
    (("pause", DID.upper()), "InvalidDid", "Copy the whole DID"),
    (("search", "x", "--url", "nowhere"), "PeerUnavailable", "that its address is right"),
    (("search", "x", "--max-price", "ten"), "ChainUnavailable", "insitu up"),
    (("keys", "ls", "--set", "server.prot=1"), "SettingsInvalid", "the setting that the detail names"),
    (("keys", "ls", "--home", "receipt.json"), "FileUnusable", "Check the path"),
    (("image", "rm", "nonsense"), "ImageUnknown", "List the images"),
    (("image", "import", "folder"), "ArchiveInvalid", "as an OCI layout"),
    (("image", "build", "-p", "no-such-distribution"), "ExtraMissing", "Install what the detail names"),
    (("pod", "configure", "empty.json", "--workspace", "folder"), "InvalidRequest", "what the detail"),
]


@pytest.mark.parametrize(
    ("words", "code", "step"), MISTAKES, ids=lambda one: " ".join(one) if type(one) is tuple else ""
)
def test_a_mistake_gets_its_own_code_and_step(words: tuple[str, ...], code: str, step: str, failed: Failed) -> None:
    found, told, detail = failed(*words)
    assert (found, step in told) == (code, True), (found, detail, told)


def test_several_keys_ask_for_a_name_and_not_for_one_more(failed: Failed, folder: Path) -> None:
    for name in ("alice", "bob"):
        assert run(["--home", str(folder / "home"), "keys", "create", name]) == 0
    code, step, detail = failed("did", "resolve", DID)
    assert code == "KeyAmbiguous"
    assert "alice, bob" in detail
    assert step.startswith("Name one: --account")
    assert failed("keys", "create", "alice")[0] == "KeyExists"


def test_a_port_that_is_taken_does_not_mean_a_second_process(failed: Failed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, step, _ = failed("up", "--set", f"server.port={taken.getsockname()[1]}")
    assert code == "PortTaken"
    assert "server.port" in step
