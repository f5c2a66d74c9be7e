"""Free executions take gas: strangers share a budget, and learn when it is used up."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.ids import AgreementId
from insitu.ports.agreement_records import FreeExecution, Standing
from tests.gateway.purchases import NOTHING_ELSE, code_of, id_of, offered_terms, signed
from tests.gateway.world import IMAGE, SMALL, World

pytestmark = pytest.mark.needs("chain")

ENVIRONMENT = {
    "cluster": {"type": "insitu"},
    "supportedContainers": [IMAGE],
    "supportedServers": [{**SMALL, "price": "0"}],
}
FREE = {"price": "0", "provider": {"type": "On-Premise", "environment": ENVIRONMENT}}


async def buy(provider: World, service: Mapping[str, Any] = NOTHING_ELSE) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(await provider.publish_dataset(**service)))


async def executed(provider: World, agreement: AgreementId) -> str:
    """Execute, and wait until nothing is left to send for it."""
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    await provider.operator.until(started.workflow_execution_id)
    return started.workflow_execution_id


async def refused(provider: World, agreement: AgreementId) -> InsituError:
    with pytest.raises(InsituError) as error:
        await provider.exec(agreement)
    assert await provider.agreements.live() == ()
    return error.value


async def test_a_free_agreement_executes_until_the_budget_is_used_up(provider: World) -> None:
    agreement = await buy(provider, FREE)
    await executed(provider, agreement)
    object.__setattr__(provider.configuration, "free_gas_budget", 10**5)
    error = await refused(provider, agreement)
    assert error.code == "FreeGasExhausted"
    assert "24 hours" in error.definition.next_step
    object.__setattr__(provider.configuration, "free_gas_budget", 10**18)
    await executed(provider, agreement)


async def test_the_first_execution_of_a_priced_agreement_is_not_in_the_budget(provider: World) -> None:
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    agreement = await buy(provider)
    await executed(provider, agreement)
    object.__setattr__(provider.configuration, "coin_price", 0)
    assert (await refused(provider, agreement)).code == "FreeGasExhausted"


async def test_an_account_that_has_paid_for_its_gas_is_not_in_the_budget(provider: World) -> None:
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    object.__setattr__(provider.configuration, "coin_price", 1)
    agreement = await buy(provider)
    for _ in range(2):
        await executed(provider, agreement)
    asked, now = FreeExecution(1, 0, coin_price=1), provider.gateway.ports.clock.now()
    await provider.agreements.require_free_gas(asked, provider.address("consumer"), now)
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await provider.agreements.require_free_gas(asked, provider.address("stranger"), now)


async def test_the_actual_cost_replaces_the_reserved_one(provider: World) -> None:
    agreement, account = await buy(provider, FREE), provider.address("provider")
    held = await provider.chain.native_balance(account)
    await executed(provider, agreement)
    with anyio.fail_after(30):
        while await provider.agreements.next_due() or await provider.agreements.in_flight():  # noqa: ASYNC110
            await anyio.sleep(0.01)
    paid, now = held - await provider.chain.native_balance(account), provider.gateway.ports.clock.now()
    a_little = 10 * 10**9  # each part is rounded up to gwei
    await provider.agreements.require_free_gas(FreeExecution(0, paid + a_little), account, now)
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await provider.agreements.require_free_gas(FreeExecution(0, paid - 1), account, now)


async def test_check_says_that_the_budget_is_used_up_before_anyone_buys(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset(**FREE))
    priced = await provider.simple_workflow(await provider.publish_dataset())
    for spent, code in (({"free_gas_budget": 0}, "FreeGasExhausted"), ({"free_grants_per_day": 0}, "QuotaExceeded")):
        kept = {name: getattr(provider.configuration, name) for name in spent}
        for name, value in spent.items():
            object.__setattr__(provider.configuration, name, value)
        quote = await provider.quote(workflow)
        assert (quote.allowed, [reason.code for reason in quote.reasons]) == (False, [code])
        assert quote.reasons[0].next_step == ERRORS[code].next_step
        assert (await provider.quote(priced)).allowed, "what is paid for is not in it"
        for name, value in kept.items():
            object.__setattr__(provider.configuration, name, value)
    assert (await provider.quote(workflow)).allowed


async def test_nothing_free_starts_when_the_budget_is_used_up(provider: World) -> None:
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    terms = await offered_terms(provider, FREE)
    assert await code_of(provider, await signed(provider, terms)) == "FreeGasExhausted"
    agreement = await provider.lock(terms)
    await provider.until_standing(agreement, Standing.DECLINED)  # and it is not queried again and again
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    assert known.reason is not None
    assert known.reason.code == "FreeGasExhausted"
    object.__setattr__(provider.configuration, "free_gas_budget", 10**18)
    again = terms.model_copy(update={"seed": "0x" + "07" * 32})
    await provider.lock(again)
    await provider.until_standing(id_of(provider, again), Standing.GRANTED)
