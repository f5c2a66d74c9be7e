"""`insitu chain fund`, and the contracts file that comes with the cluster's development chain."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.keys.dev import dev_signer
from insitu.adapters.keys.keystore import LIGHT, Keystore
from insitu.cli.app import run
from insitu.domain import exit_codes
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("chain"), pytest.mark.skipif(not (ROOT / "deploy").is_dir(), reason="a clone has it")]

COMPONENT = ROOT / "deploy" / "kustomize" / "components" / "development-chain"
PASSWORD = "a password of these tests"
OWNER, CONSUMER = dev_signer("owner").address, dev_signer("consumer").address


class Person:
    """Somebody who has the deployer's key and one more, and the commands they type."""

    def __init__(self, home: Path, node: str, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self._node, self._capture = home, node, capture

    def chain(self, *words: str, account: str = "deployer") -> tuple[int, str]:
        code = run(["--home", str(self.home), "--account", account, "chain", *words, "--rpc", self._node])
        printed = self._capture.readouterr()
        return code, printed.out + printed.err

    def funds(self, *words: str) -> dict[str, str]:
        code, printed = self.chain("fund", *words, "--yes", "--json")
        assert code == 0, printed
        minted: dict[str, str] = json.loads(printed)["minted"]
        return minted


@pytest.fixture
def deployer(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """A chain started like the component starts it, with the key that its script imports."""
    described = (COMPONENT / "chain.yaml").read_text()
    options = re.findall(r"--(?:chain-id|hardfork)=\S+", described)
    (key,) = re.findall(r"\b[0-9a-f]{64}\b", (COMPONENT / "deploy.sh").read_text())
    process = AnvilProcess(free_port(), tmp_path / "anvil.log", tuple(options))
    anyio.run(process.start)
    monkeypatch.setenv("INSITU_KEY_PASSWORD", PASSWORD)
    keys = Keystore(tmp_path / "keys", work=LIGHT)
    keys.import_hex("deployer", key, PASSWORD)
    keys.create("stranger", PASSWORD)
    yield Person(tmp_path, process.url, capsys)
    anyio.run(process.stop)


def test_the_component_has_the_contracts_and_the_accounts_of_its_chain(deployer: Person) -> None:
    assert deployer.chain("deploy", "--yes")[0] == 0
    deployed = json.loads((deployer.home / "chain" / "deployments.json").read_text())
    assert deployed == json.loads((COMPONENT / "contracts.json").read_text())
    named = re.findall(r"0x[0-9a-fA-F]{40}", (COMPONENT / "deploy.sh").read_text())
    people = ("provider", "owner", "second-owner", "consumer", "second-consumer", "relayer")
    assert named == [dev_signer(name).address for name in people]


def test_accounts_get_what_they_lack_and_nothing_twice(deployer: Person) -> None:
    assert deployer.chain("deploy", "--yes")[0] == 0
    assert deployer.funds(OWNER, "--amount", "2.5") == {OWNER: str(25 * 10**17)}
    assert deployer.funds(OWNER, CONSUMER, "--amount", "4") == {OWNER: str(15 * 10**17), CONSUMER: str(4 * 10**18)}
    assert deployer.funds(OWNER, CONSUMER, "--amount", "3") == {}
    code, printed = deployer.chain("fund", CONSUMER, "--amount", "1", "--yes", account="stranger")
    assert code == exit_codes.NOT_ALLOWED
    assert "CallerMismatch" in printed
