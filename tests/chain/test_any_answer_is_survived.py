"""Whatever JSON a node answers with, a caller gets a result or an error of the table."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.contracts import DEPLOYED
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.agreement import Terms
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import grant
from insitu.ports.chain import SignedTransaction

pytestmark = pytest.mark.anyio

SIGNER = dev_signer("provider")
DEPLOYMENTS = Deployments(
    chain_id=31337,
    block=1,
    contracts={name: Address(f"0x{number:040x}") for number, name in enumerate(DEPLOYED, start=1)},
)
TERMS = Terms.model_validate(
    dict.fromkeys(("seed", "did", "inputs_hash", "workflow_id", "workflow_hash"), "0x" + "11" * 32)
    | dict.fromkeys(("consumer", "provider"), SIGNER.address)
    | dict.fromkeys(("service_index", "deadline", "grant_timeout", "timeout", "settle_timeout"), 1)
)

quantities = st.one_of(st.integers(0, 2**64).map(hex), st.just("0x"), st.text(max_size=5))
words = st.binary(max_size=200).map(lambda raw: "0x" + raw.hex())
NAMES = """number hash parentHash timestamp logs topics data address blockNumber blockHash status gasUsed input
from to gas value baseFeePerGas transactionHash logIndex"""
names = st.sampled_from(NAMES.split())
answers = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), quantities, words, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=20)),
    max_leaves=30,
)

CALLS: dict[str, Callable[[EvmChain], Awaitable[Any]]] = {
    "agreement": lambda chain: chain.agreement(AgreementId("ab" * 32)),
    "allowance": lambda chain: chain.allowance(SIGNER.address, SIGNER.address),
    "balance": lambda chain: chain.balance(SIGNER.address),
    "broadcast": lambda chain: chain.broadcast(SignedTransaction("0x" + "12" * 32, b"raw", 1)),
    "check_permissions": lambda chain: chain.check_permissions(TERMS, SIGNER.address, TERMS.workflow_id),
    "did_record": lambda chain: chain.did_record("did:nv:" + "ab" * 32),
    "estimate": lambda chain: chain.estimate(grant(TERMS), SIGNER.address),
    "find_terms": lambda chain: chain.find_terms(AgreementId("ab" * 32)),
    "is_provider": lambda chain: chain.is_provider("did:nv:" + "ab" * 32, SIGNER.address),
    "native_balance": lambda chain: chain.native_balance(SIGNER.address),
    "next_nonce": lambda chain: chain.next_nonce(SIGNER.address),
    "outcome": lambda chain: chain.outcome("0x" + "12" * 32),
    "permit": lambda chain: chain.permit(SIGNER, SIGNER.address, 1, 1),
    "sign": lambda chain: chain.sign(grant(TERMS), SIGNER, 1),
    "time": lambda chain: chain.time(),
    "token": lambda chain: chain.token(),
    "verify": lambda chain: chain.verify(),
}


class Scripted(JsonRpc):
    """A node that answers what the test drew."""

    def __init__(self, drawn: list[Any]) -> None:
        super().__init__("http://127.0.0.1:1")
        self._drawn = drawn

    @override
    async def call(self, method: str, *parameters: object) -> Any:
        return self._drawn.pop() if self._drawn else None


@pytest.mark.parametrize("name", sorted(CALLS))
@settings(max_examples=50)
@given(drawn=st.lists(answers, max_size=6))
async def test_a_call_returns_or_refuses(name: str, drawn: list[Any]) -> None:
    chain = EvmChain("http://127.0.0.1:1", DEPLOYMENTS)
    chain._rpc = chain._transactions._rpc = Scripted(drawn)
    try:
        await CALLS[name](chain)
    except InsituError as error:
        assert error.detail


addresses = st.sampled_from(list(DEPLOYMENTS.contracts.values()))
topics = st.sampled_from(
    [
        event_topic("DIDRegistry", "DIDAttributeRegistered"),
        event_topic("AgreementStoreManager", "AgreementCreated"),
        event_topic("EscrowReward", "PaymentReleased"),
        event_topic("LockRewardCondition", "Fulfilled"),
    ]
)
logs = st.fixed_dictionaries(
    {
        "address": addresses,
        "topics": st.builds(lambda first, rest: [first, *rest], topics, st.lists(words, max_size=4)),
        "data": words,
        "transactionHash": st.just("0x12"),
        "logIndex": st.just("0x1"),
    }
)


@settings(max_examples=200)
@given(log=logs)
def test_a_log_is_read_or_refused(log: dict[str, Any]) -> None:
    try:
        EventReader(DEPLOYMENTS).read([log])
    except InsituError as error:
        assert error.code in {"ChainUnavailable", "ContractMismatch"}


@given(logs=answers)
def test_what_is_not_a_log_is_refused(logs: Any) -> None:
    try:
        EventReader(DEPLOYMENTS).read(logs)
    except InsituError as error:
        assert error.code in {"ChainUnavailable", "ContractMismatch"}
