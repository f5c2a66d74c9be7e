"""An inspection of the contracts reports each part by itself, and how to fix it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from insitu.adapters.chain.abi import Invocation
from insitu.adapters.chain.anvil import free_port
from insitu.adapters.chain.bindings import nevermined_token
from insitu.adapters.chain.contracts import invoke
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.inspection import inspect_deployment
from insitu.adapters.chain.ownership import MINTER_ROLE, accept_ownership
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.adapters.keys.dev import DevSigner, dev_signer
from insitu.domain.errors import InsituError
from insitu.domain.finding import Finding
from insitu.domain.ids import Address
from tests.chain.interrupted import Fragile, ProcessEndedError

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

DEPLOYER, OWNER, STRANGER = dev_signer("deployer"), dev_signer("owner"), dev_signer("stranger")
PARTS = [
    "chain",
    "code of DIDRegistry",
    "code of TemplateStoreManager",
    "code of ServiceExecutionTemplate",
    "code of NeverminedToken",
    "code of Dispenser",
    "token of the template",
    "didRegistry of the template",
    "templateStore of the template",
    "template",
    "owner of TemplateStoreManager",
    "owner of Dispenser",
    "owner of NeverminedToken",
    "token of the Dispenser",
    "minter",
    "other minters",
]


async def deployed(rpc: JsonRpc, folder: Path, plan: DeploymentPlan | None = None) -> Deployments:
    return await deploy(rpc, DEPLOYER, folder / "journal.json", plan or DeploymentPlan(), lambda _: None)


async def call(rpc: JsonRpc, address: Address, invocation: Invocation[None], signer: DevSigner = DEPLOYER) -> None:
    await Transactions(rpc, 31337, None).send(address, invocation.data, signer)


async def wrong(rpc: JsonRpc, found: Deployments) -> Mapping[str, Finding]:
    """What is wrong, by part, each with its fix."""
    inspected = {one.part: one for one in await inspect_deployment(rpc, found) if one.state != "ok"}
    assert all(one.remedy and one.detail for one in inspected.values())
    return inspected


def moved(found: Deployments, name: str, address: Address) -> Deployments:
    return found.model_copy(update={"contracts": {**found.contracts, name: address}})


async def test_a_fresh_deployment_is_right_in_every_part(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    inspected = await inspect_deployment(rpc, found)
    assert [one.part for one in inspected] == PARTS
    assert not [one for one in inspected if one.state != "ok" or one.remedy]
    assert all(found.contracts[name] in str(inspected) for name in found.contracts)


async def test_the_address_of_another_contract_is_reported_for_that_contract(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    findings = await wrong(rpc, moved(found, "DIDRegistry", found.contracts["TemplateStoreManager"]))
    assert set(findings) == {"code of DIDRegistry", "didRegistry of the template"}
    assert findings["code of DIDRegistry"].state == "failed"
    assert "hashes to" in findings["code of DIDRegistry"].detail
    assert found.contracts["DIDRegistry"] in findings["didRegistry of the template"].detail


async def test_an_address_without_code_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    findings = await wrong(rpc, moved(await deployed(rpc, tmp_path), "Dispenser", STRANGER.address))
    assert set(findings) == {"code of Dispenser", "other minters"}, (
        "the file does not name the real Dispenser, which mints"
    )
    assert findings["code of Dispenser"].detail == f"there is no code at {STRANGER.address}, where Dispenser should be"


async def test_a_file_that_lacks_a_contract_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    rest = {name: address for name, address in found.contracts.items() if name != "TemplateStoreManager"}
    findings = await wrong(rpc, found.model_copy(update={"contracts": rest}))
    assert set(findings) == {"code of TemplateStoreManager", "templateStore of the template"}


@pytest.mark.parametrize("name", ["DIDRegistry", "TemplateStoreManager", "ServiceExecutionTemplate", "NeverminedToken"])
async def test_tampered_code_is_reported_and_not_called(rpc: JsonRpc, tmp_path: Path, name: str) -> None:
    found = await deployed(rpc, tmp_path)
    code = await rpc.call("eth_getCode", found.contracts[name], "latest")
    await rpc.call("anvil_setCode", found.contracts[name], code[:-2] + f"{int(code[-2:], 16) ^ 1:02x}")
    findings = await wrong(rpc, found)
    assert set(findings) == {f"code of {name}"}


async def test_code_of_another_contract_at_the_right_address_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    code = await rpc.call("eth_getCode", found.contracts["DIDRegistry"], "latest")
    await rpc.call("anvil_setCode", found.contracts["ServiceExecutionTemplate"], code)
    assert set(await wrong(rpc, found)) == {"code of ServiceExecutionTemplate"}


@pytest.mark.parametrize(
    ("step", "state"),
    [(6, "neither proposed nor approved"), (7, "proposed, but not approved")],
    ids=["new", "proposed"],
)
async def test_a_template_that_is_not_approved_is_reported_with_who_can(
    rpc: JsonRpc, tmp_path: Path, step: int, state: str
) -> None:
    found = await deployed(rpc, tmp_path)
    await rpc.call("anvil_reset")  # the same addresses again, but the deployment ends before it is over
    (tmp_path / "again").mkdir()
    async with Fragile(rpc.url, step, sent=False) as fragile:
        with pytest.raises(ProcessEndedError):
            await deployed(fragile, tmp_path / "again")
    findings = await wrong(rpc, found)
    assert set(findings) == {"template"}
    assert findings["template"].state == "failed"
    assert state in findings["template"].detail
    assert DEPLOYER.address in findings["template"].remedy
    await deployed(rpc, tmp_path / "again")
    assert not await wrong(rpc, found), "the advice fixes it"


async def test_a_revoked_template_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    revoke = invoke("TemplateStoreManager", "revokeTemplate", found.contracts["ServiceExecutionTemplate"])
    await call(rpc, found.contracts["TemplateStoreManager"], revoke)
    findings = await wrong(rpc, found)
    assert set(findings) == {"template"}
    assert "revoked" in findings["template"].detail
    assert findings["template"].state == "failed"


async def test_a_dispenser_that_may_not_mint_is_reported_with_who_can_fix_it(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    token, minter = found.contracts["NeverminedToken"], found.contracts["Dispenser"]
    await call(rpc, token, invoke("NeverminedToken", "revokeRole", MINTER_ROLE, minter))
    findings = await wrong(rpc, found)
    assert set(findings) == {"minter"}
    assert DEPLOYER.address in findings["minter"].remedy
    await deployed(rpc, tmp_path)  # what the next step says
    assert not await wrong(rpc, found)


async def test_others_who_may_mint_are_named(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    token = found.contracts["NeverminedToken"]
    await call(rpc, token, nevermined_token.grant_role(MINTER_ROLE, STRANGER.address))
    findings = await wrong(rpc, found)
    assert {part: found.detail for part, found in findings.items()} == {"other minters": STRANGER.address}
    assert findings["other minters"].state == "warning"
    await call(rpc, token, invoke("NeverminedToken", "revokeRole", MINTER_ROLE, STRANGER.address))
    assert not await wrong(rpc, found)


async def test_an_offer_that_nobody_has_taken_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path, DeploymentPlan(owner=OWNER.address))
    findings = await wrong(rpc, found)
    owned = {f"owner of {name}" for name in ("TemplateStoreManager", "Dispenser", "NeverminedToken")}
    assert set(findings) == owned
    assert all(finding.state == "warning" and OWNER.address in finding.remedy for finding in findings.values())
    await rpc.call("evm_increaseTime", 2)
    await rpc.call("anvil_mine")
    await accept_ownership(rpc, found, OWNER)
    assert not await wrong(rpc, found)


async def test_an_owner_that_the_file_does_not_name_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    store = found.contracts["TemplateStoreManager"]
    await call(rpc, store, invoke("TemplateStoreManager", "transferOwnership", STRANGER.address))
    findings = await wrong(rpc, found)
    assert {part: one.state for part, one in findings.items()} == {"owner of TemplateStoreManager": "warning"}
    await rpc.call("anvil_setBalance", STRANGER.address, hex(10**18))
    await call(rpc, store, invoke("TemplateStoreManager", "acceptOwnership"), STRANGER)
    findings = await wrong(rpc, found)
    assert {part: one.state for part, one in findings.items()} == {"owner of TemplateStoreManager": "failed"}
    assert STRANGER.address in findings["owner of TemplateStoreManager"].detail
    assert DEPLOYER.address in findings["owner of TemplateStoreManager"].detail
    assert not await wrong(rpc, found.model_copy(update={"owner": None})), "a file of an earlier version names no owner"


async def test_an_owner_who_gave_it_up_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    await call(rpc, found.contracts["Dispenser"], invoke("Dispenser", "renounceOwnership"))
    findings = await wrong(rpc, found)
    assert list(findings) == ["owner of Dispenser"]
    assert findings["owner of Dispenser"].detail == "it has been given up for good"


async def test_a_token_of_others_is_named_and_its_roles_are_not_looked_at(rpc: JsonRpc, tmp_path: Path) -> None:
    token = (await deployed(rpc, tmp_path)).contracts["NeverminedToken"]
    (tmp_path / "own").mkdir()
    found = await deployed(rpc, tmp_path / "own", DeploymentPlan(token=token))
    inspected = {one.part: one for one in await inspect_deployment(rpc, found)}
    assert not [one for one in inspected.values() if one.state != "ok"]
    assert inspected["external token"].detail.startswith(f"{token}, NVM with 18 decimals")
    assert not {"minter", "owner of NeverminedToken", "code of Dispenser"} & inspected.keys()


async def test_another_chain_is_all_that_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    found = (await deployed(rpc, tmp_path)).model_copy(update={"chain_id": 5})
    (findings,) = await inspect_deployment(rpc, found)
    assert (findings.part, findings.state) == ("chain", "failed")
    assert findings.remedy


async def test_a_node_that_does_not_answer_is_raised(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    async with JsonRpc(f"http://127.0.0.1:{free_port()}") as nobody:
        with pytest.raises(InsituError, match="ChainUnavailable"):
            await inspect_deployment(nobody, found)
