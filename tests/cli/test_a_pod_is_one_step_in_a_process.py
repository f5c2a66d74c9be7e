"""`insitu pod`, which a cluster starts: it reads a step, calls the gateway with the ticket, and leaves a status."""

import hashlib
import json
import shutil
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from insitu.api.gateway_v1 import TICKET_FILES
from insitu.cli.app import run
from insitu.cli.commands.pod import _unpack
from insitu.domain import exit_codes

SCRIPT = b"print('hello')\n"
TICKET = "ticket-of-this-test"


class Gateway(BaseHTTPRequestHandler):
    """Serves one file to callers with the ticket."""

    def do_GET(self) -> None:
        wanted = self.path == f"{TICKET_FILES}/algorithm-0"
        allowed = self.headers["Authorization"] == f"Bearer {TICKET}"
        self.send_response(200 if wanted and allowed else 404)
        self.send_header("Content-Length", str(len(SCRIPT)))
        self.end_headers()
        self.wfile.write(SCRIPT)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def step(path: Path, *, deadline: str = "2999-01-01T00:00:00Z", sha256: str = "") -> str:
    """A step whose stage has no inputs and an algorithm of one fetched file."""
    file = {
        "index": 0,
        "name": "hello.py",
        "source": {"kind": "fetch", "reference": "algorithm-0"},
        "sha256": sha256 or hashlib.sha256(SCRIPT).hexdigest(),
    }
    stage = {
        "index": 0,
        "image": {"image": "insitu/python", "tag": "latest", "digest": "sha256:" + "0" * 64},
        "argv": ["python3", "hello.py"],
        "inputs": [],
        "transformation": {"did": "did:nv:" + "2" * 64, "files": [file]},
    }
    limits = {"serverId": "s", "cpuMillis": 1000, "memoryBytes": 2**28, "diskBytes": 2**24, "maxExecutionSeconds": 60}
    plan = {
        "serviceAgreementId": "a" * 64,
        "workflowExecutionId": "wx" + "a" * 26,
        "number": 0,
        "consumer": "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "did": "did:nv:" + "0" * 64,
        "workflowDid": "did:nv:" + "1" * 64,
        "workflowChecksum": "3" * 64,
        "stages": [stage],
        "limits": limits,
        "output": {"maxBytes": 2**20, "maxFiles": 10},
        "publishedStages": [0],
        "startBefore": deadline,
        "finishBy": deadline,
    }
    path.write_text(json.dumps({"plan": plan, "stage": 0, "attempt": 1, "attempts": {}, "deadline": deadline}))
    return str(path)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of a step, and the ticket in the environment."""
    monkeypatch.setenv("INSITU_TICKET", TICKET)
    for folder in ("fetched", "algorithm", "outputs"):
        (tmp_path / "workspace" / folder).mkdir(parents=True)
    return tmp_path / "workspace"


def configured(url: str, path: str, workspace: Path, result: Path) -> tuple[int, dict[str, object]]:
    """The exit code and the status of a configure step."""
    command = ["--home", str(workspace), "--set", f"gateway.url={url}", "pod", "configure", path]
    code = run([*command, "--workspace", str(workspace), "--result", str(result)])
    status: dict[str, object] = json.loads(result.read_text())
    return code, status


def test_a_step_that_ends_well_leaves_its_result(gateway: str, workspace: Path, tmp_path: Path) -> None:
    code, status = configured(gateway, step(tmp_path / "step.json"), workspace, tmp_path / "status.json")
    assert code == exit_codes.OK
    assert (workspace / "algorithm" / "hello.py").read_bytes() == SCRIPT
    result = status["result"]
    assert isinstance(result, dict)
    assert result["algorithm"] == {"0": hashlib.sha256(SCRIPT).hexdigest()}


def test_a_step_that_fails_leaves_its_reason(gateway: str, workspace: Path, tmp_path: Path) -> None:
    path = step(tmp_path / "step.json", sha256="f" * 64)
    code, status = configured(gateway, path, workspace, tmp_path / "status.json")
    assert code == exit_codes.FAILED
    reason = status["reason"]
    assert isinstance(reason, dict)
    assert reason["code"] == "AlgorithmChanged"


def test_a_step_past_its_deadline_ends_with_a_reason(gateway: str, workspace: Path, tmp_path: Path) -> None:
    path = step(tmp_path / "step.json", deadline="2020-01-01T00:00:00Z")
    code, status = configured(gateway, path, workspace, tmp_path / "status.json")
    assert code == exit_codes.FAILED
    reason = status["reason"]
    assert isinstance(reason, dict)
    assert reason["code"] == "InfrastructureFailed"


def test_a_cluster_hands_the_ticket_over_as_a_file(
    gateway: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INSITU_TICKET")
    (tmp_path / "ticket").write_text(TICKET)
    command = ["--home", str(tmp_path), "--set", f"gateway.url={gateway}", "pod", "configure"]
    paths = [step(tmp_path / "step.json"), "--workspace", str(workspace), "--ticket", str(tmp_path / "ticket")]
    assert run([*command, *paths, "--result", str(tmp_path / "status.json")]) == exit_codes.OK


def test_what_stages_printed_comes_compressed_and_in_parts(tmp_path: Path) -> None:
    printed = {0: bytes(range(256)) * 300, 10: b"", 1: b"one"}
    for stage, content in printed.items():
        whole = zlib.compress(content)
        for number, at in enumerate(range(0, len(whole), 100)):
            (tmp_path / f"{stage}.{number:03}.z").write_bytes(whole[at : at + 100])
    found = _unpack(tmp_path)
    assert {stage: path.read_bytes() for stage, path in found.items()} == printed
    shutil.rmtree(next(iter(found.values())).parent)


def test_without_a_ticket_nothing_is_done(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INSITU_TICKET")
    command = ["--home", str(tmp_path), "pod", "configure", step(tmp_path / "step.json"), "--workspace", str(workspace)]
    assert run(command) == exit_codes.INVALID
    assert "INSITU_TICKET" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{}", "[]", '{"plan": {}, "stage": 0, "attempt": 1, "deadline": "soon"}'])
def test_a_step_that_cannot_be_read_is_refused(
    text: str, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "step.json").write_text(text)
    command = ["--home", str(tmp_path), "pod", "publish", str(tmp_path / "step.json"), "--workspace", str(workspace)]
    assert run(command) == exit_codes.INVALID
    assert "the step cannot be read" in capsys.readouterr().err
