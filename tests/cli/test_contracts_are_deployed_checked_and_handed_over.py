"""`insitu chain` and the doctor with somebody else's chain: they say what is wrong and how to fix it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.contracts import invoke
from insitu.adapters.chain.ownership import MINTER_ROLE
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.adapters.keys.keystore import LIGHT, Keystore
from insitu.adapters.keys.signer import LocalSigner
from insitu.cli.app import run
from insitu.domain import exit_codes
from insitu.domain.ids import Address

pytestmark = pytest.mark.needs("chain")

PASSWORD = "a password of these tests"


@dataclass
class Operator:
    """A person with two key files, a data folder and a node; what they type, and what they read."""

    home: Path
    node: str
    capture: pytest.CaptureFixture[str]
    deployer: LocalSigner
    owner: LocalSigner

    def types(self, *words: str) -> tuple[int, str]:
        code = run(["--home", str(self.home), *words])
        printed = self.capture.readouterr()
        return code, printed.out + printed.err

    def chain(self, *words: str) -> tuple[int, str]:
        return self.types("chain", *words, "--rpc", self.node)

    def reads(self, *words: str) -> tuple[int, Any]:
        code = run(["--home", str(self.home), *words, "--json"])
        return code, json.loads(self.capture.readouterr().out)

    def findings(self) -> tuple[int, dict[str, Any]]:
        """What `insitu chain check` finds to be wrong; each finding says how to fix it."""
        code, printed = self.reads("chain", "check", "--rpc", self.node)
        assert printed["ready"] == (code == 0)
        wrong = {finding["part"]: finding for finding in printed["findings"] if finding["verdict"] != "ok"}
        assert all(one["remedy"] for one in wrong.values())
        return code, wrong

    def doctor(self) -> dict[str, Any]:
        """What a consumer's doctor finds about contracts."""
        flags = ("--set", f"chain.rpc_url={self.node}", "--url", "http://127.0.0.1:9")
        code = run(["--home", str(self.home), *flags, "doctor", "--role", "consumer", "--json"])
        assert code == 1, "nobody answers at the gateway's address"
        return {finding["part"]: finding for finding in json.loads(self.capture.readouterr().out)["findings"]}

    def rpc(self, method: str, *parameters: object) -> Any:
        async def asked() -> Any:
            async with JsonRpc(self.node) as rpc:
                return await rpc.call(method, *parameters)

        return anyio.run(asked)

    def send(self, contract: str, invocation: Invocation[None]) -> None:
        async def sent() -> None:
            async with JsonRpc(self.node) as rpc:
                await Transactions(rpc, 31337, None).send(self.address(contract), invocation.data, self.deployer)

        anyio.run(sent)

    @property
    def deployments(self) -> Path:
        return self.home / "chain" / "deployments.json"

    def address(self, contract: str) -> Address:
        return Address(json.loads(self.deployments.read_text())["contracts"][contract])

    def move(self, contract: str, address: str) -> None:
        document = json.loads(self.deployments.read_text())
        document["contracts"][contract] = address
        self.deployments.write_text(json.dumps(document))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = AnvilProcess(free_port(), tmp_path_factory.mktemp("anvil") / "log")
    anyio.run(process.start)
    yield process.url
    anyio.run(process.stop)


@pytest.fixture
def operator(
    node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """Somebody whose two accounts have gas, and who has deployed nothing yet."""
    monkeypatch.setenv("INSITU_KEY_PASSWORD", PASSWORD)
    keys = Keystore(tmp_path / "wallet", work=LIGHT)
    signers = [keys.open_or_create(name, PASSWORD) for name in ("deployer", "owner")]
    made = Operator(tmp_path / "home", node, capsys, *signers)
    made.rpc("anvil_reset")
    for signer in signers:
        made.rpc("anvil_setBalance", signer.address, hex(10**20))
    return made


@pytest.fixture
def deployed(operator: Operator) -> Operator:
    """The same with the contracts, which are right."""
    code, _ = operator.chain("deploy", "--yes", "--key-file", str(operator.home.parent / "wallet" / "deployer.json"))
    assert code == 0
    assert operator.findings() == (0, {})
    return operator


def test_a_key_file_deploys_and_the_answer_is_the_addresses(deployed: Operator) -> None:
    assert json.loads(deployed.deployments.read_text())["owner"] == deployed.deployer.address
    code, text = deployed.chain("check")
    assert (code, text.splitlines()[-1]) == (0, "the contracts are ours and in order")
    assert deployed.address("DIDRegistry") in text
    assert deployed.doctor()["contracts"]["verdict"] == "ok"


def test_a_wrong_password_deploys_nothing(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_KEY_PASSWORD", "another")
    wallet = operator.home.parent / "wallet" / "deployer.json"
    code, text = operator.chain("deploy", "--yes", "--key-file", str(wallet))
    assert code == exit_codes.NOT_ALLOWED
    assert "KeyPasswordWrong" in text
    assert not operator.deployments.exists()


def test_a_wrong_address_is_reported_by_both(deployed: Operator) -> None:
    deployed.move("DIDRegistry", deployed.address("TemplateStoreManager"))
    code, wrong = deployed.findings()
    assert (code, set(wrong)) == (1, {"code of DIDRegistry", "didRegistry of the template"})
    found = deployed.doctor()
    assert found["code of DIDRegistry"]["verdict"] == "failed"
    assert found["code of DIDRegistry"]["remedy"]
    assert "contracts" not in found
    code, text = deployed.chain("check")
    assert (code, text.splitlines()[-1]) == (1, "wrong: code of DIDRegistry, didRegistry of the template")


def test_code_of_another_contract_is_reported_by_both(deployed: Operator) -> None:
    other = deployed.rpc("eth_getCode", deployed.address("DIDRegistry"), "latest")
    deployed.rpc("anvil_setCode", deployed.address("TemplateStoreManager"), other)
    code, wrong = deployed.findings()
    assert (code, set(wrong)) == (1, {"code of TemplateStoreManager"})
    assert deployed.doctor()["code of TemplateStoreManager"]["verdict"] == "failed"


def test_a_template_that_is_not_approved_is_reported_by_both(deployed: Operator) -> None:
    template = deployed.address("ServiceExecutionTemplate")
    deployed.send("TemplateStoreManager", invoke("TemplateStoreManager", "revokeTemplate", template))
    code, wrong = deployed.findings()
    assert (code, set(wrong)) == (1, {"template"})
    assert "revoked" in deployed.doctor()["template"]["detail"]


def test_a_revoked_role_is_reported_by_both_and_deploying_again_fixes_it(deployed: Operator) -> None:
    revoked = invoke("NeverminedToken", "revokeRole", MINTER_ROLE, deployed.address("Dispenser"))
    deployed.send("NeverminedToken", revoked)
    code, wrong = deployed.findings()
    assert (code, set(wrong)) == (1, {"minter"})
    found = deployed.doctor()["minter"]
    assert found["verdict"] == "failed"
    assert "insitu chain deploy" in found["remedy"]
    deployed.chain("deploy", "--yes", "--key-file", str(deployed.home.parent / "wallet" / "deployer.json"))
    assert deployed.findings() == (0, {})


def test_ownership_is_offered_and_taken_by_commands(operator: Operator) -> None:
    wallet = operator.home.parent / "wallet"
    offer = ("deploy", "--yes", "--owner", operator.owner.address, "--key-file", str(wallet / "deployer.json"))
    code, text = operator.chain(*offer)
    assert code == 0
    assert "insitu chain accept-ownership" in text
    code, wrong = operator.findings()
    assert code == 0, "an offer is not a failure"
    assert {one["verdict"] for one in wrong.values()} == {"warning"}
    assert len(wrong) == 3
    code, text = operator.chain("accept-ownership", "--yes", "--key-file", str(wallet / "deployer.json"))
    assert code == exit_codes.NOT_ALLOWED
    assert f"nothing is offered to {operator.deployer.address}" in text
    operator.rpc("evm_increaseTime", 2)  # the token's admin can't change within the second of the offer
    operator.rpc("anvil_mine")
    accept = ("accept-ownership", "--yes", "--key-file", str(wallet / "owner.json"))
    code, text = operator.chain(*accept)
    assert (code, text.strip()) == (
        0,
        f"{operator.owner.address} now owns TemplateStoreManager, Dispenser, NeverminedToken",
    )
    assert operator.findings() == (0, {})
    assert operator.chain(*accept) == (0, f"{operator.owner.address} already owns them\n")


def test_what_costs_gas_is_not_done_unasked(deployed: Operator) -> None:
    for command in ("deploy", "accept-ownership"):
        wallet = str(deployed.home.parent / "wallet" / "owner.json")
        assert deployed.chain(command, "--key-file", wallet)[0] == exit_codes.USAGE
