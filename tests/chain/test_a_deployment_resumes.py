"""A deployment that is interrupted anywhere goes on; it ends with verified contracts and an owner who agreed."""

import json
from pathlib import Path
from typing import Any

import pytest

from insitu.adapters.chain.bytecode import verify_deployment
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.journal import Journal
from insitu.adapters.chain.ownership import accept_ownership, minters_of, ownerships
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import Call
from tests.chain.interrupted import Fragile, ProcessEndedError
from tests.doubles.chain import new_terms, register_did

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

DEPLOYER, OWNER = dev_signer("deployer"), dev_signer("owner")
STEPS = 8
"""Transactions of a full deployment: five contracts, the right to mint, proposal, approval."""
HANDING_OVER = 4
"""Further ones for another owner: three offers, and giving up the deployer's right to mint."""


def silent(_: str) -> None:
    """Nobody listens."""


async def deployed(rpc: JsonRpc, folder: Path, **plan: Any) -> Deployments:
    return await deploy(rpc, DEPLOYER, folder / "journal.json", DeploymentPlan(**plan), silent)


@pytest.mark.parametrize("sent", [False, True], ids=["before sending", "after sending"])
@pytest.mark.parametrize("step", range(STEPS))
async def test_an_interruption_anywhere_changes_neither_addresses_nor_the_number_of_transactions(
    rpc: JsonRpc, tmp_path: Path, step: int, sent: bool
) -> None:
    async with Fragile(rpc.url, step, sent=sent) as fragile:
        with pytest.raises(ProcessEndedError):
            await deployed(fragile, tmp_path)
    found = await deployed(rpc, tmp_path)
    await verify_deployment(rpc, found)
    assert int(await rpc.call("eth_getTransactionCount", DEPLOYER.address, "latest"), 16) == STEPS
    assert found.contracts["DIDRegistry"] == "0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9"


@pytest.mark.parametrize("sent", [False, True], ids=["before sending", "after sending"])
@pytest.mark.parametrize("step", range(STEPS, STEPS + HANDING_OVER))
async def test_an_interruption_while_handing_over_is_caught_up_with(
    rpc: JsonRpc, tmp_path: Path, step: int, sent: bool
) -> None:
    async with Fragile(rpc.url, step, sent=sent) as fragile:
        with pytest.raises(ProcessEndedError):
            await deployed(fragile, tmp_path, owner=OWNER.address)
    found = await deployed(rpc, tmp_path, owner=OWNER.address)
    sent_in_all = int(await rpc.call("eth_getTransactionCount", DEPLOYER.address, "latest"), 16)
    assert sent_in_all == STEPS + HANDING_OVER
    assert {ownership.offered for ownership in await ownerships(rpc, found)} == {OWNER.address}
    assert await minters_of(rpc, found) == {found.address("Dispenser")}


async def test_a_finished_deployment_is_found_again_without_a_transaction(rpc: JsonRpc, tmp_path: Path) -> None:
    said: list[str] = []
    plan = DeploymentPlan()
    first = await deploy(rpc, DEPLOYER, tmp_path / "journal.json", plan, said.append)
    assert len(said) == STEPS
    again = await deploy(rpc, DEPLOYER, tmp_path / "journal.json", plan, said.append)
    assert again == first
    assert len(said) == STEPS


async def test_the_file_is_read_as_it_was_written(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    found.write(tmp_path / "deployments.json")
    assert Deployments.read(tmp_path / "deployments.json") == found
    assert set(json.loads((tmp_path / "deployments.json").read_text())) == {
        "chainId",
        "block",
        "contracts",
        "externalToken",
        "owner",
    }
    assert found.block == 1


async def test_another_owner_takes_what_is_offered_in_a_second_step(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path, owner=OWNER.address)
    assert await owners(rpc, found) == {DEPLOYER.address}
    assert await accept_ownership(rpc, found, dev_signer("stranger")) == ()
    await rpc.call("evm_increaseTime", 2)  # the token's admin can't change within the second of the offer
    await rpc.call("anvil_mine")
    async with Fragile(rpc.url, 1, sent=True) as fragile:
        with pytest.raises(ProcessEndedError):
            await accept_ownership(fragile, found, OWNER)
    taken = await accept_ownership(rpc, found, OWNER)
    assert taken == ("NeverminedToken",), "the other two were taken before the interruption"
    assert await owners(rpc, found) == {OWNER.address}
    assert await accept_ownership(rpc, found, OWNER) == ()
    # A deployment that is over does not offer again.
    assert await deployed(rpc, tmp_path, owner=OWNER.address) == found


async def owners(rpc: JsonRpc, found: Deployments) -> set[Address]:
    return {ownership.owner for ownership in await ownerships(rpc, found)}


async def test_a_token_that_is_there_is_paid_in(rpc: JsonRpc, tmp_path: Path) -> None:
    token = (await deployed(rpc, tmp_path)).address("NeverminedToken")
    (tmp_path / "own").mkdir()
    found = await deployed(rpc, tmp_path / "own", token=token)
    assert found.external_token
    assert found.address("NeverminedToken") == token
    assert "Dispenser" not in found.contracts
    chain = EvmChain(rpc.url, found)
    await chain.verify()
    await chain.close()


async def test_a_journal_of_another_deployer_or_chain_is_refused(rpc: JsonRpc, tmp_path: Path) -> None:
    await deployed(rpc, tmp_path)
    with pytest.raises(InsituError, match="SettingsInvalid"):
        await deploy(rpc, OWNER, tmp_path / "journal.json", DeploymentPlan(), silent)
    with pytest.raises(InsituError, match="SettingsInvalid"):
        Journal(tmp_path / "journal.json", 1, DEPLOYER.address)
    (tmp_path / "journal.json").write_text("[]")
    with pytest.raises(InsituError, match="SettingsInvalid"):
        await deployed(rpc, tmp_path)


async def test_the_journal_holds_no_key(rpc: JsonRpc, tmp_path: Path) -> None:
    await deployed(rpc, tmp_path)
    key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert key not in (tmp_path / "journal.json").read_text()


async def test_a_deployer_without_gas_is_reported(rpc: JsonRpc, tmp_path: Path) -> None:
    await rpc.call("anvil_setBalance", DEPLOYER.address, "0x0")
    with pytest.raises(InsituError, match="InsufficientFunds"):
        await deployed(rpc, tmp_path)
    await rpc.call("anvil_setBalance", DEPLOYER.address, hex(10**20))
    await deployed(rpc, tmp_path)


async def test_foreign_code_is_not_ours(rpc: JsonRpc, tmp_path: Path) -> None:
    found = await deployed(rpc, tmp_path)
    registry = found.address("DIDRegistry")
    code = await rpc.call("eth_getCode", registry, "latest")
    await rpc.call("anvil_setCode", registry, code[:-2] + f"{int(code[-2:], 16) ^ 1:02x}")
    with pytest.raises(InsituError, match=r"ContractMismatch: the code of DIDRegistry at 0x\w+ hashes to"):
        await verify_deployment(rpc, found)
    await rpc.call("anvil_setCode", registry, "0x")
    with pytest.raises(InsituError, match="ContractMismatch: there is no code"):
        await verify_deployment(rpc, found)


async def test_contracts_that_belong_to_other_contracts_are_not_ours(rpc: JsonRpc, tmp_path: Path) -> None:
    first = await deployed(rpc, tmp_path)
    (tmp_path / "second").mkdir()
    second = await deployed(rpc, tmp_path / "second")
    mixed = first.model_copy(update={"contracts": {**first.contracts, "DIDRegistry": second.contracts["DIDRegistry"]}})
    with pytest.raises(InsituError, match="ContractMismatch: the template's didRegistry is") as refused:
        await verify_deployment(rpc, mixed)
    assert refused.value.context == {
        "actual": first.contracts["DIDRegistry"],
        "expected": second.contracts["DIDRegistry"],
    }


async def test_another_chain_is_not_ours(rpc: JsonRpc, tmp_path: Path) -> None:
    found = (await deployed(rpc, tmp_path)).model_copy(update={"chain_id": 5})
    with pytest.raises(InsituError, match=r"ContractMismatch: the node is on chain 31337, .* on chain 5"):
        await verify_deployment(rpc, found)


async def test_a_revoked_template_is_reported_and_sells_nothing(rpc: JsonRpc, tmp_path: Path) -> None:
    chain = EvmChain(rpc.url, await deployed(rpc, tmp_path))
    did = await register_did(chain, OWNER, dev_signer("provider").address)
    revoke = Call("TemplateStoreManager", "revokeTemplate", (chain.contract("ServiceExecutionTemplate"),))
    await chain.transact(revoke, DEPLOYER)
    with pytest.raises(InsituError, match="TemplateNotApproved"):
        await chain.verify()
    terms = await new_terms(chain, did, amounts=())
    create = Call("ServiceExecutionTemplate", "createAgreement", (terms.as_tuple(), b""))
    with pytest.raises(InsituError, match="TemplateNotApproved"):
        await chain.transact(create, dev_signer("consumer"))
    await chain.close()


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"chainId": 0, "block": 0, "contracts": {}}', '{"chainId": 1, "block": 0, "contracts": {"A": "0x1"}}'],
)
def test_what_is_not_a_deployments_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "file.json").write_text(content)
    with pytest.raises(InsituError, match="ContractMismatch"):
        Deployments.read(tmp_path / "file.json")
    with pytest.raises(InsituError, match="DeploymentsMissing: there is no deployments file"):
        Deployments.read(tmp_path / "missing.json")
