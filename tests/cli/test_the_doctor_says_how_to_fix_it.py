"""Every finding that is not good has a remedy, and only what the role needs makes the exit code bad."""

import json
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import anyio
import pytest

from insitu.adapters.agreements.store import SQLITE, SqlAgreements
from insitu.adapters.sqlite import SqliteDatabase
from insitu.api.budgets_v1 import Budget, Budgets
from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import SearchRequest
from insitu.cli import findings
from insitu.cli.app import run
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.ports.agreement_changes import Enqueue, GiveUp
from insitu.ports.agreement_records import ItemKind, OutboxItem
from insitu.ports.chain import TokenInfo
from insitu.ports.runtime import Enforcement
from insitu.sdk.metadata import MetadataClient
from tests.domain.documents import compute_main, dataset_ddo
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT
from tests.ports.agreements.agreement_samples import started

SEALED = Enforcement("crun 1.8", MappingProxyType({"memory": "cgroup", "network": "namespace"}))


async def described(_: str) -> GatewayInfo:
    """What a gateway says of itself."""
    return GatewayInfo(
        version="1", provider_address=CONSUMER, public_url="http://p", chain_id=1, contracts={}, metadata_url="m"
    )


def examined(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], probe: Enforcement = SEALED
) -> tuple[int, dict[str, Any]]:
    """The doctor's exit code and findings by part, on a machine whose probe answers this."""

    async def probed(_: object) -> Enforcement:
        return probe

    monkeypatch.setattr("insitu.stack.examining.probe_runtime", probed)
    monkeypatch.setattr("insitu.stack.parts.chain_program", lambda: Path("/usr/bin/anvil"))
    free_ports = ["--set", "server.port=0", "--set", "chain.embedded_port=0"]
    code = run(["--home", str(home), "--url", "http://127.0.0.1:9", *free_ports, "doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert all(finding["remedy"] for finding in answer["findings"] if finding["verdict"] in {"warning", "failed"})
    assert answer["ready"] == (code == 0)
    return code, {one["part"]: one for one in answer["findings"]}


def test_a_new_machine_is_ready_and_knows_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = examined(tmp_path / "new", monkeypatch, capsys)
    assert code == 0
    assert found["runtime"]["detail"] == "crun 1.8, sealed: proven with a container"
    assert found["gateway"]["verdict"] == "skipped"
    assert found["contracts"]["remedy"] == "insitu up deploys them"
    assert found["images"]["verdict"] == "warning"


def test_a_machine_that_cannot_seal_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unsealed = Enforcement("none", {}, ("crun is not installed", "runc is not installed"))
    code, found = examined(tmp_path, monkeypatch, capsys, unsealed)
    assert code == 1
    assert found["runtime"]["remedy"] == "apt-get install crun   (or runc)"


def test_a_limit_that_nobody_enforces_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = examined(tmp_path, monkeypatch, capsys, Enforcement("runc", {"memory": "none"}))
    assert code == 0
    assert found["limit memory"]["verdict"] == "warning"


def test_a_payment_that_can_never_be_settled_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = Reason(code="DeadlinePassed", message="too late to settle")

    async def remembered() -> str:
        async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as database:
            agreements = SqlAgreements(database)
            execution_id = (await started(agreements)).execution_id
            item = OutboxItem("settle", ItemKind.SETTLE, AGREEMENT, START, execution_id)
            await agreements.apply([Enqueue(item), GiveUp("settle", reason)])
            return execution_id

    execution_id = anyio.run(remembered)
    code, found = examined(tmp_path, monkeypatch, capsys)
    assert code == 0
    assert found["given up"]["detail"] == f"settle of {execution_id}: DeadlinePassed: too late to settle"


def test_a_missing_chain_program_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = examined(tmp_path, monkeypatch, capsys)
    assert code == 0

    def missing() -> Path:
        raise InsituError("ExtraMissing", "the embedded chain needs anvil")

    monkeypatch.setattr("insitu.stack.parts.chain_program", missing)
    assert run(["--home", str(tmp_path), "--set", "server.port=0", "doctor"]) == 1
    assert "not ready: anvil" in capsys.readouterr().out


def test_key_files_that_others_read_are_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INSITU_KEY_PASSWORD", "a password of these tests")
    assert run(["--home", str(tmp_path), "keys", "create", "alice"]) == 0
    capsys.readouterr()
    (tmp_path / "keys" / "alice.json").chmod(0o644)
    code, found = examined(tmp_path, monkeypatch, capsys)
    assert code == 1
    assert found["keys"]["remedy"].startswith("chmod 600")


def test_a_provider_learns_which_budget_is_used_up_and_how_to_raise_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [Budget(of="freeGas", stands="enough"), Budget(of="relayedGas", stands="enough")]

    async def answers(_: str) -> Budgets:
        return Budgets(budgets=tuple(known))

    monkeypatch.setattr("insitu.stack.parts.gateway_info", described)
    code, found = examined(tmp_path, monkeypatch, capsys)
    assert (code, found["budgets"]["verdict"]) == (0, "skipped"), "a gateway that does not say it is well otherwise"
    monkeypatch.setattr("insitu.stack.parts.gateway_budgets", answers)
    assert examined(tmp_path, monkeypatch, capsys)[1]["budgets"]["verdict"] == "ok"
    known[1] = Budget(of="relayedGas", stands="usedUp", until=START, next_step="raise gateway.relay_budget")
    code, found = examined(tmp_path, monkeypatch, capsys)
    assert (code, found["budgets"]["verdict"]) == (0, "warning")
    assert found["budgets"]["detail"] == "gas for sending for new accounts is used up until 2030-01-01T00:00:00Z"
    assert found["budgets"]["remedy"] == "raise gateway.relay_budget"


def test_an_owner_is_warned_of_a_policy_without_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INSITU_KEY_PASSWORD", "a password of these tests")
    assert run(["--home", str(tmp_path), "keys", "create", "alice"]) == 0
    capsys.readouterr()
    asked, ddos = [], [dataset_ddo()]

    async def search(_: object, request: SearchRequest) -> Any:
        asked.append(request.owner)
        return SimpleNamespace(results=[ddo.to_json() for ddo in ddos])

    monkeypatch.setattr("insitu.stack.parts.gateway_info", described)
    monkeypatch.setattr(MetadataClient, "search", search)
    code, found = examined(tmp_path, monkeypatch, capsys)
    assert (code, len(asked), found["policies"]["verdict"]) == (0, 1, "warning")
    assert found["policies"]["detail"].startswith(f"{ddos[0].id}: the policy does not limit maxBytes (--max-output)")
    assert found["policies"]["remedy"].startswith(f"insitu update {ddos[0].id} with --max-output")
    limited = {"output": {"maxBytes": 1, "maxFiles": 1}, "maxExecutions": 1}
    ddos[:] = [dataset_ddo(compute_main(policy=limited))]
    assert "policies" not in examined(tmp_path, monkeypatch, capsys)[1]


def test_a_port_that_is_taken_is_a_warning() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = findings.check_port("HTTP", "127.0.0.1", taken.getsockname()[1])
    assert found.state == "warning"
    assert found.remedy


def test_a_folder_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "LEAST_DISK", 2**62)
    assert findings.check_disk(tmp_path / "not" / "there").state == "failed"


CONSUMER = "0x" + "12" * 20


def as_consumer(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *flags: str, tokens: int, coin: int
) -> tuple[int, dict[str, Any]]:
    """The doctor's answer to a consumer for whom everything is right except what a test takes away."""

    async def inspected(_: object) -> Any:
        return {"ServiceExecutionTemplate": "0x"}, ()

    async def funds(*_: object) -> Any:
        return tokens, coin, TokenInfo(CONSUMER, "Token", "NVM", 18)  # type: ignore[arg-type]

    monkeypatch.setattr("insitu.stack.parts.gateway_info", described)
    monkeypatch.setattr("insitu.stack.contracts.inspect_contracts", inspected)
    monkeypatch.setattr("insitu.stack.parts.funds_of", funds)
    code = run(["--home", str(home), *flags, "doctor", "--role", "consumer", "--json"])
    answer = json.loads(capsys.readouterr().out)
    return code, {finding["part"]: finding for finding in answer["findings"]}


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A data folder with a deployments file."""
    (tmp_path / "chain").mkdir()
    (tmp_path / "chain" / "deployments.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("tokens", "coin", "verdict"), [(1, 1, "ok"), (1, 0, "warning"), (0, 1, "warning"), (0, 0, "failed")]
)
def test_a_consumer_is_ready_with_contracts_a_key_and_money(
    tokens: int,
    coin: int,
    verdict: str,
    contracts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, found = as_consumer(contracts, monkeypatch, capsys, tokens=tokens, coin=coin)
    assert found["money"]["verdict"] == verdict
    assert bool(code) == (verdict == "failed")
    assert verdict == "ok" or found["money"]["remedy"]


def test_a_consumer_without_contracts_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = as_consumer(tmp_path, monkeypatch, capsys, tokens=1, coin=1)
    assert code == 1
    assert found["contracts"]["verdict"] == "failed"
    assert "deployments file" in found["contracts"]["remedy"]


def test_a_consumer_without_a_key_is_not_ready(
    contracts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = ("--set", "chain.rpc_url=http://127.0.0.1:9")
    code, found = as_consumer(contracts, monkeypatch, capsys, *elsewhere, tokens=1, coin=1)
    assert code == 1
    assert found["account"]["verdict"] == "failed"
    assert "insitu keys create" in found["account"]["detail"]
