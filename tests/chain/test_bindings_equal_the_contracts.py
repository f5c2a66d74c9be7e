"""Python and Solidity agree on types, order, ids, digests and codes. The test asks the contract, not its source."""

from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.adapters.chain.bindings import agreement_store_manager, structs
from insitu.adapters.chain.bytecode import read_view
from insitu.adapters.chain.contracts import DEPLOYED, artifact, invoke
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.chain.events import domain_terms
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.agreement import (
    DOMAIN_NAME,
    SETTLEMENT_TYPE,
    TERMS_TYPE,
    ConditionState,
    Settlement,
    Terms,
    agreement_id,
    settlement_digest,
)
from insitu.domain.canonical import keccak256
from insitu.domain.did import hash_did
from insitu.domain.ids import Address, AgreementId, read_address
from insitu.domain.registry_requests import registry_domain
from insitu.domain.typed_data import DOMAIN_VERSION
from insitu.domain.wire import WireModel
from tests.chain.vendored import abi_of, abi_type
from tests.doubles.chain import running_chain

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

words = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: read_address("0x" + raw.hex()))


Model = TypeVar("Model", bound=WireModel)


def number(bits: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(0, 2**bits - 1), st.sampled_from([0, 1, 2**bits - 1]))


def built(kind: type[Model], **members: st.SearchStrategy[object]) -> st.SearchStrategy[Model]:
    return st.fixed_dictionaries(members).map(kind.model_validate)


terms = built(
    Terms,
    seed=words,
    did=words,
    inputs_hash=words,
    workflow_id=words,
    workflow_hash=words,
    consumer=addresses,
    provider=addresses,
    service_index=number(32),
    deadline=number(40),
    grant_timeout=number(32),
    timeout=number(32),
    settle_timeout=number(32),
    amounts=st.lists(number(256), max_size=9),
    receivers=st.lists(addresses, max_size=9),
)
settlements = built(Settlement, index=number(32), charge=number(128), receipt_hash=words, last=st.booleans())


@pytest.fixture(scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedChain]:
    async with running_chain(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(scope="module")
async def rpc(chain: EmbeddedChain) -> AsyncIterator[JsonRpc]:
    async with JsonRpc(chain.url) as connected:
        yield connected


def members(contract: str, function: str, position: int) -> list[tuple[str, str]]:
    """(type, name) of each member of the struct that a function takes."""
    entry = next(e for e in abi_of(contract) if e.get("name") == function and e["type"] == "function")
    return [(abi_type(part), part["name"]) for part in entry["inputs"][position]["components"]]


def test_the_struct_of_the_terms_has_the_members_of_the_signed_type() -> None:
    written = ",".join(f"{kind} {name}" for kind, name in members(DOMAIN_NAME, "createAgreement", 0))
    assert f"Terms({written})" == TERMS_TYPE
    camel = [field.alias or name for name, field in Terms.model_fields.items()]
    assert camel == [name for _, name in members(DOMAIN_NAME, "createAgreement", 0)]


def test_the_struct_of_a_settlement_has_the_members_of_the_signed_type() -> None:
    written = ",".join(f"{kind} {name}" for kind, name in members("EscrowReward", "fulfill", 1))
    assert f"Settlement(bytes32 agreementId,{written})" == SETTLEMENT_TYPE


async def test_the_contract_signs_for_the_same_domain(chain: EmbeddedChain, rpc: JsonRpc) -> None:
    template = chain.contract(DOMAIN_NAME)
    _, name, version, chain_id, contract, _, _ = await read_view(
        rpc, template, invoke("AgreementStoreManager", "eip712Domain")
    )
    assert (name, version) == (DOMAIN_NAME, DOMAIN_VERSION)
    assert (chain_id, contract) == (chain.agreements.chain_id, chain.agreements.contract)


async def test_the_registry_takes_requests_of_the_domain_that_owners_sign_for(
    chain: EmbeddedChain, rpc: JsonRpc
) -> None:
    registry = chain.contract("DIDRegistry")
    _, name, version, chain_id, contract, _, _ = await read_view(rpc, registry, invoke("DIDRegistry", "eip712Domain"))
    domain = registry_domain(chain_id, contract)
    assert (name, version, contract) == (domain.name, DOMAIN_VERSION, registry)
    assert chain_id == chain.agreements.chain_id


@settings(max_examples=60)
@given(sample=terms)
async def test_ids_of_agreements_are_the_contracts(chain: EmbeddedChain, rpc: JsonRpc, sample: Terms) -> None:
    template = chain.contract(DOMAIN_NAME)
    found = await read_view(rpc, template, invoke("AgreementStoreManager", "agreementId", sample.as_tuple()))
    assert found.hex() == agreement_id(sample, chain.agreements)


@settings(max_examples=60)
@given(agreement=words, sample=settlements)
async def test_digests_of_settlements_are_the_contracts(
    chain: EmbeddedChain, rpc: JsonRpc, agreement: str, sample: Settlement
) -> None:
    template = chain.contract(DOMAIN_NAME)
    settlement = (sample.index, sample.charge, sample.receipt_hash, sample.last)
    view = invoke("AgreementStoreManager", "settlementDigest", bytes.fromhex(agreement[2:]), settlement)
    found = await read_view(rpc, template, view)
    assert found == settlement_digest(AgreementId(agreement[2:]), sample, chain.agreements)


@settings(max_examples=60)
@given(seed=st.binary(min_size=32, max_size=32), creator=addresses)
async def test_dids_are_the_registrys(chain: EmbeddedChain, rpc: JsonRpc, seed: bytes, creator: Address) -> None:
    found = await read_view(rpc, chain.contract("DIDRegistry"), invoke("DIDRegistry", "hashDID", seed, creator))
    assert found == bytes(hash_did(seed, creator))


@given(sample=terms)
def test_terms_survive_their_json(sample: Terms) -> None:
    assert Terms.model_validate_json(sample.model_dump_json()) == sample


@given(sample=terms)
def test_terms_survive_the_way_to_the_contracts_and_back(sample: Terms) -> None:
    call = invoke("AgreementStoreManager", "agreementId", sample.as_tuple())
    (kind,) = call.function.inputs
    assert domain_terms(kind.read(*decode([kind.name], call.data[4:]))) == sample


async def test_a_condition_nobody_knows_is_in_the_first_state(chain: EmbeddedChain, rpc: JsonRpc) -> None:
    template = chain.contract(DOMAIN_NAME)
    state = await chain.agreement(AgreementId("00" * 32))
    assert state.lock is ConditionState.UNINITIALIZED
    found = await read_view(rpc, template, agreement_store_manager.get_agreement(bytes(32)))
    assert found == structs.Agreement(0, 0, 0, 0, 0, False)


@pytest.mark.parametrize("contract", DEPLOYED)
def test_immutable_places_are_in_the_code(contract: str) -> None:
    found = artifact(contract)
    assert len(found.bytecode) > len(found.deployed_bytecode) > 100
    assert all(start + length <= len(found.deployed_bytecode) for start, length in found.immutables)
    assert found.masked(found.deployed_bytecode) == found.deployed_bytecode
    assert keccak256(found.deployed_bytecode) != keccak256(b"")
