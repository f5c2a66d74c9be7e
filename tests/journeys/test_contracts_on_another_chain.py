"""`insitu chain`: the contracts on somebody else's chain, deployed once and checked."""

import json
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.people import CONSUMER_KEY, PASSWORD
from tests.journeys.provider import Person, Provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]


@pytest.fixture
def deployer(running: Provider, tmp_path: Path) -> Person:
    """A person with a funded key, for whom the provider's chain is just some chain."""
    flags = (f"chain.rpc_url={running.rpc_url}",)
    person = Person(tmp_path, running.url, flags=flags, variables={"INSITU_KEY_PASSWORD": PASSWORD})
    person.succeeds("keys", "import", "deployer", "-", typed=CONSUMER_KEY)
    return person


def test_contracts_are_deployed_once_and_checked(deployer: Person, running: Provider) -> None:
    unasked = deployer.insitu("chain", "deploy")
    assert unasked.code == exit_codes.USAGE
    assert "--yes" in unasked.err
    deployed = deployer.succeeds("chain", "deploy", "--yes", "--json").json
    assert deployer.succeeds("chain", "deploy", "--yes", "--json").json == deployed, "again is harmless"
    checked = deployer.succeeds("chain", "check", "--json").json
    assert (checked["contracts"], checked["ready"]) == (deployed, True)
    theirs = json.loads((running.home / "chain" / "deployments.json").read_text())["contracts"]
    assert not set(deployed.values()) & set(theirs.values())


def test_other_code_at_an_address_is_reported(deployer: Person) -> None:
    deployer.succeeds("chain", "deploy", "--yes")
    path = deployer.home / "chain" / "deployments.json"
    document = json.loads(path.read_text())
    document["contracts"]["DIDRegistry"] = document["contracts"]["TemplateStoreManager"]
    path.write_text(json.dumps(document))
    refused = deployer.insitu("chain", "check", "--json")
    assert (refused.code, refused.json["ready"]) == (exit_codes.FAILED, False)
    wrong = [finding["part"] for finding in refused.json["findings"] if finding["verdict"] == "failed"]
    assert wrong == ["code of DIDRegistry", "didRegistry of the template"]


def test_a_client_does_not_work_with_other_contracts_than_the_providers(deployer: Person) -> None:
    deployer.succeeds("chain", "deploy", "--yes")
    refused = deployer.insitu("publish", __file__, "--algorithm", "--json")
    assert (refused.code, refused.problem["code"]) == (exit_codes.FAILED, "ContractMismatch")
