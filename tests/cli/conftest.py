"""A command line whose provider, chain, images and pods only record what they are asked for."""

import contextlib
import json
import logging
import re
import webbrowser
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

import insitu.marketplace.verifying
import insitu.sdk.metadata
from insitu.adapters.keys import keystore
from insitu.adapters.keys.keystore import Keystore
from insitu.api.gateway_v1 import Closing, ExecutionView, Quote, ReceiptView, ResultView
from insitu.cli.app import run
from insitu.cli.commands import demo
from insitu.cli.demo import report
from insitu.cli.session import Session
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Transition
from insitu.ports.chain import TokenInfo
from tests.cli.test_a_pod_is_one_step_in_a_process import step
from tests.cli.test_a_receipt_is_compared_with_what_it_speaks_of import view
from tests.domain.documents import DOMAIN, stage, terms, workflow_ddo

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
DID, OTHER = "did:nv:" + "a" * 64, "did:nv:" + "b" * 64
AGREEMENT, SECOND = "ab" * 32, "cd" * 32
EXECUTION, NEXT = "wx" + "a" * 26, "wx" + "b" * 26
ADDRESS = "0x" + "12" * 20


COMPARED = insitu.marketplace.verifying.Verification(["/"], ["a.js"])


class Asked:
    """A neighbour that records what it is asked for and knows only a few answers."""

    def __init__(self, trace: list[str], answers: dict[str, Any], name: str = "") -> None:
        self._trace, self._answers, self._name, self.__name__ = trace, answers, name, name

    def __getattr__(self, part: str) -> Any:
        if part.startswith("__"):
            raise AttributeError(part)
        if (self._name, part) == (".chain", "agreements"):
            return DOMAIN
        return Asked(self._trace, self._answers, f"{self._name}.{part}")

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._trace.append(re.sub(r" at 0x[0-9a-f]{6,}", "", f"{self._name}{arguments}{options}"))
        name = self._name.lstrip(".")
        if "confirm" in options:
            options["confirm"](("compute price: 1 → 2",))
        if name.rpartition(".")[2] in {"all_events", "events", "logs", "registrations", "stream"}:
            return _nothing()
        return self._answer(self._answers.get(name, KeyError))

    async def _answer(self, answer: Any) -> Any:
        if answer is KeyError:
            raise InsituError("InternalError", f"no answer to {self._name}")
        return answer


async def _nothing() -> AsyncIterator[Any]:
    for nothing in ():
        yield nothing


def dataset() -> Any:
    """A data set with a compute service, of the vectors."""
    documents = json.loads((VECTORS / "documents.json").read_text("utf-8"))
    return next(
        document["document"]
        for document in documents
        if any(s["type"] == "compute" for s in document["document"]["service"])
    )


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What provider, chain, images and pods are asked for by the commands of this test."""
    found: list[str] = []
    monkeypatch.chdir(tmp_path)
    for name in ("INSITU_URL", "INSITU_HOME", "INSITU_ACCOUNT", "INSITU_KEY_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INSITU_TICKET", "ticket")
    monkeypatch.setenv("HOME", str(tmp_path))
    _write_files(tmp_path)
    ddo = read_ddo(dataset())
    workflow = workflow_ddo({"stages": [stage(0, [{"index": 0, "id": DID}], OTHER)]})
    asset = SimpleNamespace(did=DID, reused=False, checksum="c", owner=ADDRESS, transaction="0x", ddo=ddo)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    quote = Quote(
        allowed=True, did=DID, inputs_hash="0x", workflow_did=DID, workflow_hash="0x", service_index=1,
        provider=ADDRESS, price=5,
    )  # fmt: skip
    ended = ExecutionView(
        service_agreement_id=AGREEMENT, workflow_execution_id=EXECUTION, number=0, consumer=ADDRESS, did=DID,
        workflow_did=DID, phase="Succeeded", created_at=now, result_did=DID,
        history=(Transition(sequence=1, phase=Phase.SUCCEEDED, at=now),),
    )  # fmt: skip
    closing = Closing(service_agreement_id=AGREEMENT, status="open", charge=5, returned=8)
    answers: dict[str, Any] = {
        "chain.token": TokenInfo(ADDRESS, "Token", "NVM", 18),
        "assets.resolve": ddo,
        "assets.publish_algorithm": asset,
        "assets.publish_workflow": SimpleNamespace(did=DID, reused=False, ddo=workflow),
        "assets.read_algorithm": DID,
        "agreements.check": quote,
        "agreements.require_agreeable": None,
        "check_stages": quote,
        "agreements.preview_close": closing,
        "agreements.close": closing,
        "agreements.buy": SimpleNamespace(
            id=AGREEMENT, status="granted", price=5, relayed=False, transaction="0x", terms=terms()
        ),
        "gateway.info": SimpleNamespace(
            supported_containers=[{"image": "python", "tag": "3.11", "checksum": "sha256:1"}]
        ),
        "status": ended,
        "stop": ended,
        "result": ResultView(did=DID, owner=ADDRESS, files=(), registered=True, expires_at=now),
        "receipt": ReceiptView.model_validate(view()),
        "download": [],
        "list": [SimpleNamespace(name=n, tag="1", digest=f"sha256:{n}", index_digest=None, architecture="amd64",
                                 size_bytes=1, contents=None) for n in ("one", "two")],
        "remove": None,
        "verify": None,
    }  # fmt: skip
    asked = Asked(found, answers)

    class Provider(Asked):
        account, agreement_id, execution_id = ADDRESS, AGREEMENT, EXECUTION

        def __init__(self) -> None:
            super().__init__(found, answers)

    answers["compute.execute"] = answers["compute.execution"] = Provider()

    def act(session: Session, work: Callable[[Any], Awaitable[Any]], role: str = "consumer") -> Any:
        found.append(
            f"act({session.url}, {session.account}, {session.settings.home}, {session.settings.chain.rpc_url})"
        )
        return anyio.run(work, Provider())

    def signer(session: Session, role: str = "consumer") -> Any:
        found.append(f"signer({session.account}, {role})")
        return SimpleNamespace(address=ADDRESS)

    monkeypatch.setattr(Keystore.__init__, "__defaults__", (1024,))
    monkeypatch.setattr(keystore, "_random_key", lambda: b"\1" * 32)
    monkeypatch.setattr(Session, "act", act)
    monkeypatch.setattr(Session, "signer", signer)
    monkeypatch.setattr(logging, "basicConfig", lambda **options: found.append(f"logging{options['level']}"))
    parts = "insitu.stack.parts"
    monkeypatch.setattr(f"{parts}.open_images", lambda settings: found.append(str(settings.home)) or asked)
    monkeypatch.setattr(f"{parts}.open_key_file", lambda *path: found.append(f"key{path[0]}") or signer_of())
    for place in ("contracts.deploy_contracts", "contracts.accept_contracts", "contracts.fund_accounts",
                  "contracts.inspect_contracts", "examining.probe_runtime", "parts.gateway_info",
                  "parts.funds_of", "pods.run_pod"):  # fmt: skip
        monkeypatch.setattr(f"insitu.stack.{place}", _writing(found, place.partition(".")[2]))
    for place in ("share.share_of", "parts.open_chain"):
        monkeypatch.setattr(f"insitu.stack.{place}", _refusing(found, place.partition(".")[2]))
    play = _writing(found, "play")
    flights = SimpleNamespace(path=Path("held", "a", "b", "c").absolute())

    async def played(*arguments: Any) -> Any:
        demo._settings(arguments[0], demo._homes(arguments[0])[0])
        with contextlib.suppress(InsituError):
            await play(*arguments)
        return SimpleNamespace(flights=flights)

    monkeypatch.setattr(demo, "_play", played)
    monkeypatch.setattr(report, "write_report", lambda story: Path("report.html").absolute())
    monkeypatch.setattr(webbrowser, "open", lambda url: found.append(f"browser({url})"))
    monkeypatch.setattr(insitu.marketplace.verifying, "verify_marketplace", _answering(found, "verify", COMPARED))
    for name in ("search", "curated"):
        monkeypatch.setattr(insitu.sdk.metadata.MetadataClient, name, _writing(found, name))
    monkeypatch.setattr(insitu.sdk.metadata.MetadataClient, "document", _answering(found, "document", dataset()))
    made = insitu.sdk.metadata.MetadataClient.__init__
    monkeypatch.setattr(
        insitu.sdk.metadata.MetadataClient,
        "__init__",
        lambda self, http, url: found.append(f"metadata({url})") or made(self, http, url),
    )
    monkeypatch.setattr(Session, "token", TokenInfo(ADDRESS, "Token", "NVM", 18))
    return found


def signer_of() -> Any:
    """A signer with a key file."""
    return SimpleNamespace(address="0x" + "56" * 20)


def _told(arguments: tuple[Any, ...]) -> str:
    shown = [
        f"settings({argument.home}, {argument.chain.rpc_url}, {argument.gateway.data_roots}, {argument.public_url})"
        if hasattr(argument, "gateway") and hasattr(argument, "home")
        else str(getattr(argument, "address", getattr(argument, "choices", argument)))
        for argument in arguments
    ]
    return re.sub(r" at 0x[0-9a-f]{6,}", "", ", ".join(shown))


def _answering(found: list[str], name: str, answer: Any) -> Any:
    async def answered(*arguments: Any) -> Any:
        found.append(f"{name}({_told(arguments)})")
        return answer

    return answered


def _writing(found: list[str], name: str) -> Any:
    async def written(*arguments: Any, **options: Any) -> Any:
        found.append(f"{name}({_told(arguments)}, {options.get('token')}, {options.get('owner')})")
        raise InsituError("InternalError", "nothing more is known here")

    return written


def _refusing(found: list[str], name: str) -> Any:
    def refused(*arguments: Any) -> Any:
        found.append(f"{name}({_told(arguments)})")
        raise InsituError("InternalError", "nothing more is known here")

    return refused


def _write_files(folder: Path) -> None:
    plain = dataset()
    plain["service"] = [one for one in plain["service"] if one["type"] != "compute"]
    contents: dict[str, object] = {"ddo.json": dataset(), "receipt.json": view(), "plain.json": plain, "key.json": {}}
    for name, value in contents.items():
        (folder / name).write_text(json.dumps(value), "utf-8")
    step(folder / "step.json")
    step(folder / "other.json", sha256="ab" * 32)
    (folder / "consoles").mkdir()
    (folder / "consoles" / "0.000.z").write_bytes(zlib.compress(b"said\n"))

    (folder / "table.csv").write_text("a,b\n")
    for name in ("count.py", "sum.py"):
        (folder / name).write_text("print(1)\n")
    (folder / "password").write_text("a password of these tests\n")
    (folder / "digits").write_text("11" * 32)
    (folder / "other-digits").write_text("22" * 32)
    for name in ("folder", "empty"):
        (folder / name).mkdir()
    (folder / "folder" / "kept").write_text("kept")
    (folder / "folder" / "outputs" / "0").mkdir(parents=True)
    (folder / "spoiled").mkdir()
    (folder / "spoiled" / "config.toml").write_text("[no]\nsuch = 1\n")


class Call:
    """One call of the command line in its own folder: what was asked, written and shown."""

    def __init__(self, trace: list[str], capsys: pytest.CaptureFixture[str], *words: str) -> None:
        trace.clear()
        _seed = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        self.code = run(list(words))
        printed = capsys.readouterr()
        self.asked = list(trace)
        self.shown = printed.out + printed.err
        present = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        self.written = {str(path): hash_of(path, text) for path, text in present.items() if _seed.get(path) != text}
        for path in present:
            if path not in _seed:
                path.unlink()
            elif path.read_bytes() != _seed[path]:
                path.write_bytes(_seed[path])


def hash_of(path: Path, text: bytes) -> str:
    """Return a file's content; of a key file only the address, because the ciphertext is random."""
    return str(json.loads(text)["address"]) if path.parent.name == "keys" else text.hex()
