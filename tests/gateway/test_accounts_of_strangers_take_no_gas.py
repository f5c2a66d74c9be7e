"""A contract account that judges signatures may lie about the gas it takes: it pays with its own limits alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from insitu.adapters.chain.contracts import encode_call
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.canonical import keccak256
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import Call
from insitu.domain.registry_requests import RegistrationBatch
from insitu.domain.signed_request import SignedRequest
from insitu.ports.agreement_records import Standing
from insitu.ports.chain import SignedTransaction
from tests.doubles.greedy_account import NEARLY_A_BLOCK, deploy_greedy_account, take
from tests.gateway import purchases
from tests.gateway.purchases import id_of, offered_terms, spent
from tests.gateway.registry_requests import batch, code_of, item, post, signed, soon, until_mined
from tests.gateway.test_free_executions_have_a_budget import FREE
from tests.gateway.test_nothing_is_lost_or_doubled import nothing_left, until
from tests.gateway.world import World, json_of

pytestmark = pytest.mark.needs("chain")

MORE_THAN_ALLOWED = 40_000 * 32
"""The byte that costs 3.2 million gas; with the call and the margin that is more than is allowed."""


async def greedy(provider: World, byte: int = 0) -> Address:
    account = await deploy_greedy_account(provider.chain.url, provider.people["stranger"])
    await take(provider.chain.url, account, byte, provider.people["stranger"])
    return account


async def request_of(provider: World, account: Address) -> SignedRequest:
    return signed(provider, RegistrationBatch(account, (item(provider),), await soon(provider)))


async def post_purchase_of(provider: World, account: Address) -> Any:
    terms = (await offered_terms(provider, FREE)).model_copy(update={"consumer": account})
    return await purchases.post(provider, await purchases.signed(provider, terms))


async def post_request_of(provider: World, account: Address) -> Any:
    return await post(provider, await request_of(provider, account))


Post = Callable[[World, Address], Awaitable[Any]]


def when_it_is_sent(provider: World, monkeypatch: pytest.MonkeyPatch, method: str, account: Address, byte: int) -> None:
    """Let the account take gas from the moment at which the gateway uses this method of the chain."""
    as_before = getattr(provider.chain, method)

    async def after_the_change(*arguments: Any) -> Any:
        monkeypatch.setattr(provider.chain, method, as_before)
        await take(provider.chain.url, account, byte, provider.people["stranger"])
        return await as_before(*arguments)

    monkeypatch.setattr(provider.chain, method, after_the_change)


@pytest.mark.parametrize("posted", [post_purchase_of, post_request_of])
@pytest.mark.parametrize(
    ("byte", "code"),
    [
        (MORE_THAN_ALLOWED, "ContractRejected"),
        (NEARLY_A_BLOCK, "ContractRejected"),
        (10 * NEARLY_A_BLOCK, "SignatureMismatch"),  # the contract sees that the account fails
    ],
)
async def test_what_takes_too_much_gas_is_refused_before_it_is_stored(
    provider: World, posted: Post, byte: int, code: str
) -> None:
    account, before = await greedy(provider, byte), await spent(provider)
    answer = await posted(provider, account)
    assert (json_of(answer)["code"], json_of(answer)["retry"]) == (code, False), answer.text
    assert await spent(provider) == before
    assert await nothing_left(provider)


@pytest.mark.parametrize("posted", [post_purchase_of, post_request_of])
async def test_what_takes_too_much_gas_only_when_it_is_sent_holds_up_nobody(
    provider: World, posted: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await greedy(provider)
    before = await spent(provider)
    when_it_is_sent(provider, monkeypatch, "sign", account, NEARLY_A_BLOCK)
    answer = await posted(provider, account)
    assert json_of(answer)["code"] == "ContractRejected", answer.text
    await until(lambda: nothing_left(provider))
    assert await spent(provider) == before
    await until_mined(provider, await post(provider, signed(provider, await batch(provider, [item(provider)]))))


@pytest.mark.parametrize("posted", [post_purchase_of, post_request_of])
async def test_what_fails_on_chain_is_not_sent_again_by_itself(
    provider: World, posted: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await greedy(provider)
    before = await spent(provider)
    when_it_is_sent(provider, monkeypatch, "broadcast", account, NEARLY_A_BLOCK)
    await posted(provider, account)
    await until(lambda: nothing_left(provider))
    after = await spent(provider)
    assert after.transactions == before.transactions + 1
    since = provider.gateway.ports.clock.now().replace(year=2000)
    counted = (await provider.agreements.relayed(account, since)).cost
    assert 0 <= counted - (after.coin - before.coin) < 10**9, "what was spent counts, and nothing else"


async def test_who_wants_it_after_a_failure_posts_it_again_and_reserves_anew(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await greedy(provider)
    request = await request_of(provider, account)
    when_it_is_sent(provider, monkeypatch, "broadcast", account, NEARLY_A_BLOCK)
    assert (await post(provider, request)).status_code in (202, 502)
    await until(lambda: nothing_left(provider))
    await take(provider.chain.url, account, 0, provider.people["stranger"])
    object.__setattr__(provider.configuration, "relay_budget", 0)
    assert await code_of(provider, request) == "RelayExhausted"
    object.__setattr__(provider.configuration, "relay_budget", 10**18)
    await until_mined(provider, await post(provider, request))


async def test_the_largest_batch_and_a_purchase_with_a_permit_are_far_below_the_bound(provider: World) -> None:
    largest = signed(provider, await batch(provider, [item(provider) for _ in range(4)]))
    terms = await offered_terms(provider)
    purchase = await purchases.signed(provider, terms)
    for call in (largest.call, purchase.call(provider.chain.agreements)):
        price = await provider.chain.estimate(call, provider.address("provider"))
        newest: Any = await provider.chain.rpc("eth_getBlockByNumber", "latest", False)
        assert price < 1_500_000 * 2 * int(newest["baseFeePerGas"], 16) + 1_500_000 * 10**9
    await until_mined(provider, await post(provider, largest))
    assert (await purchases.post(provider, purchase)).status_code == 202
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)


async def test_a_stored_transaction_that_no_block_has_room_for_gives_its_number_back(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_before = provider.chain.sign

    async def sign_for_much_gas(call: Call, signer: LocalSigner, nonce: int) -> SignedTransaction:
        monkeypatch.setattr(provider.chain, "sign", as_before)
        fees = {"type": 2, "maxPriorityFeePerGas": 10**9, "maxFeePerGas": 10**11}
        to, data = provider.chain.contract(call.contract), encode_call(call)
        chain_id = provider.chain.agreements.chain_id
        parts = {"chainId": chain_id, "nonce": nonce, "value": 0, "to": to, "data": data, "gas": 10**8}
        raw = signer.sign_transaction(parts | fees)
        return SignedTransaction("0x" + keccak256(raw).hex(), raw, nonce)

    monkeypatch.setattr(provider.chain, "sign", sign_for_much_gas)
    before = await spent(provider)
    request = signed(provider, await batch(provider, [item(provider)]))
    await post(provider, request)
    await until(lambda: nothing_left(provider))
    assert json_of(await post(provider, request))["status"] == "done"
    assert (await spent(provider)).transactions == before.transactions + 1


async def test_a_call_that_no_block_has_room_for_is_refused_for_good(provider: World) -> None:
    account = await greedy(provider, 10 * NEARLY_A_BLOCK)
    async with JsonRpc(provider.chain.url) as rpc:
        transactions = Transactions(rpc, provider.chain.agreements.chain_id, None)
        with pytest.raises(InsituError) as refused:
            await transactions.estimate(account, bytes(36), provider.address("stranger"))
    assert (refused.value.code, refused.value.definition.retry) == ("ContractRejected", False)
