"""An agreement outlives clients, provider and chain; when its time is over, the money goes where the terms say."""

import os
import signal
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from insitu.domain.agreement import agreement_id
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import new_seed
from insitu.domain.ledger import create_and_lock
from insitu.sdk.agreements import Agreement
from insitu.testing.provider import ProviderProcess
from tests.allowances import approve
from tests.market import LOCKED, PAID, SETTLED, UNPAID, Market, open_market, open_provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

HOUR = 3600


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """Its own provider, because the tests move its chain's clock."""
    with open_provider(tmp_path_factory.mktemp("later")) as running:
        yield running


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Everybody, each with their own key."""
    async with open_market(provider) as people:
        yield people


async def pass_time(market: Market, seconds: int) -> None:
    """Move the chain's clock forward."""
    await market.rpc("evm_increaseTime", seconds)
    await market.rpc("evm_mine")


async def bought(market: Market) -> Agreement:
    """An agreement in which executions may start for two hours."""
    dataset = await market.dataset("for two hours", timeout=2 * HOUR)
    return await market.consumer.agreements.buy((await market.workflow(dataset=dataset)).did)


async def refusal(market: Market, agreement: str) -> str:
    """The code with which an execution is refused."""
    with pytest.raises(InsituError) as refused:
        await market.consumer.compute.execute(agreement)
    return refused.value.code


async def test_the_id_is_enough_after_everything_was_restarted_and_until_the_time_is_over(
    provider: ProviderProcess,
) -> None:
    async with open_market(provider) as market:
        before = await market.balances()
        agreement = (await bought(market)).id
        assert await market.changes(before) == LOCKED
    provider.restart()

    async with open_market(provider) as later:
        results = set()
        for _ in range(2):
            execution = await later.consumer.compute.execute(agreement)
            seen = await execution.wait(60)
            assert seen.phase is Phase.SUCCEEDED, seen.reason
            results.add(seen.result_did)
        assert len(results) == 2
        assert await later.changes(before) == PAID, "the second execution costs nothing"

        await pass_time(later, 2 * HOUR)
        assert await refusal(later, agreement) == "AgreementExpired"
        await pass_time(later, 24 * HOUR)
        with pytest.raises(InsituError) as refused:
            await later.consumer.agreements.refund(agreement)
        assert refused.value.code == "ConditionNotInState"
        assert await later.changes(before) == PAID, "what was settled is never refunded"


async def test_without_a_receipt_anybody_sends_the_money_back_when_the_time_for_it_is_over(market: Market) -> None:
    before = await market.balances()
    agreement = await bought(market)

    await pass_time(market, 2 * HOUR)
    assert await refusal(market, agreement.id) == "AgreementExpired"
    assert (await market.consumer.agreements.show(agreement.id)).status == "expired"
    with pytest.raises(InsituError) as early:
        await market.stranger.agreements.refund(agreement.id)
    assert early.value.code == "NotTimedOut", "the provider still has time to settle"
    assert await market.changes(before) == LOCKED

    await pass_time(market, agreement.terms.settle_timeout)
    await market.stranger.agreements.refund(agreement.id)
    assert await market.changes(before) == UNPAID
    with pytest.raises(InsituError) as again:
        await market.stranger.agreements.refund(agreement.id)
    assert again.value.code == "ConditionNotInState"
    assert await market.changes(before) == UNPAID


async def test_without_a_grant_anybody_sends_the_money_back_after_the_grant_s_time(market: Market) -> None:
    good, before = await bought(market), await market.balances()
    os.kill(market.provider.pid, signal.SIGSTOP)  # its gateway hangs; the chain is another process and goes on
    try:
        terms = good.terms.model_copy(update={"seed": "0x" + new_seed()})
        chain, signer = market.consumer.chain, market.consumer._signer
        await chain.transact(approve(chain.agreements.contract, terms.total), signer)
        await chain.transact(create_and_lock(terms), signer)
        agreement = agreement_id(terms, chain.agreements)
        assert (await market.consumer.agreements.show(agreement)).status == "locked"
        with pytest.raises(InsituError) as early:
            await market.stranger.agreements.refund(agreement)
        assert early.value.code == "NotTimedOut"

        await pass_time(market, terms.grant_timeout)
        await market.stranger.agreements.refund(agreement)
    finally:
        os.kill(market.provider.pid, signal.SIGCONT)

    assert (await market.consumer.agreements.show(agreement)).status == "refunded"
    assert await market.changes(before) == UNPAID
    assert await refusal(market, agreement) in {"AgreementRefunded", "AgreementNotGranted", "AgreementRefused"}
    execution = await market.consumer.compute.execute(good.id)
    assert (await execution.wait(60)).phase is Phase.SUCCEEDED, "the gateway goes on with everybody else's"
    assert await market.changes(before) == SETTLED


async def test_failures_alone_are_paid_when_the_agreement_ends_and_not_before(market: Market) -> None:
    dataset = await market.dataset("for two hours", timeout=2 * HOUR)
    workflow = await market.workflow("raise SystemExit(3)\n", dataset)
    before = await market.balances()
    agreement = await market.consumer.agreements.buy(workflow.did)
    execution = await market.consumer.compute.execute(agreement.id)
    assert (await execution.wait(60)).phase is Phase.FAILED
    assert await market.changes(before) == LOCKED

    await pass_time(market, 2 * HOUR)

    with anyio.fail_after(60):
        async for _ in market.consumer.chain.follow(()):
            if (await market.changes(before)) == PAID:
                break
