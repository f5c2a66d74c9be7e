"""A consumer ends an agreement early: what waiting would cost is charged now, and otherwise the price comes back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.api.gateway_v1 import BASE, CloseRequest, Closing
from insitu.domain.agreement import Terms, agreement_id
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, StepKey, StepKind
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import Call, settle
from insitu.gateway.executions.planner import Planner
from insitu.gateway.outbox.dispatcher import Dispatcher
from insitu.ports.agreement_records import KnownAgreement, Standing
from tests.doubles.scripted_runtime import Ending
from tests.gateway.purchases import penniless
from tests.gateway.test_nothing_is_lost_or_doubled import living, releases, until
from tests.gateway.world import World, client

pytestmark = pytest.mark.needs("chain")

FAILING: Mapping[str, Ending] = {f"0-compute-{attempt}": Ending(code="AlgorithmFailed") for attempt in (1, 2)}
HELD: Mapping[str, Ending] = {"0-compute-1": Ending(held=True)}


async def buy(provider: World, **main: Any) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(await provider.publish_dataset(**main)))


async def ended(provider: World, agreement: AgreementId) -> str:
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    await provider.operator.until(started.workflow_execution_id)
    return started.workflow_execution_id


async def close(provider: World, agreement: AgreementId, charge: int = 0, who: str = "consumer") -> Closing:
    return await provider.gateway.closer.close(provider.caller(who, "compute"), agreement, charge)


def create(terms: Terms) -> Call:
    """Create an agreement without locking its payment."""
    return Call("ServiceExecutionTemplate", "createAgreement", (terms.as_tuple(), b""))


async def preview(provider: World, agreement: AgreementId) -> tuple[str, int, int]:
    found = await provider.gateway.closer.preview(provider.caller("consumer", "compute"), agreement)
    return found.status, found.charge.base_units, found.returned.base_units


async def until_closed(provider: World, agreement: AgreementId) -> None:
    with anyio.fail_after(20):
        while not (await provider.chain.agreement(agreement)).closed:  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def moved(provider: World, before: dict[str, int]) -> dict[str, int]:
    after = await provider.balances()
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def calm(provider: World) -> bool:
    """Return whether nothing is left to send; what is taken from the outbox is in flight after that."""
    return await provider.agreements.next_due() is None and await provider.agreements.in_flight() == ()


async def known_of(provider: World, agreement: AgreementId) -> KnownAgreement:
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    return known


async def refused(provider: World, agreement: AgreementId, charge: int = 0, who: str = "consumer") -> str:
    with pytest.raises(InsituError) as error:
        await close(provider, agreement, charge, who)
    return error.value.code


async def test_without_an_execution_the_whole_price_comes_back_and_nothing_starts_any_more(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    assert await preview(provider, agreement) == ("open", 0, 13)
    assert (await close(provider, agreement)).settlement is None
    with pytest.raises(InsituError, match="AgreementClosing"):
        await provider.exec(agreement)
    await until_closed(provider, agreement)
    await provider.until_standing(agreement, Standing.CLOSED)
    assert await moved(provider, before) == {}
    with pytest.raises(InsituError, match="AgreementClosing"):
        await provider.exec(agreement)


async def test_a_failure_of_the_infrastructure_does_not_keep_the_price(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    provider.operator.runtime.script |= {f"0-compute-{n}": Ending(code="InfrastructureFailed") for n in (1, 2)}
    await provider.until_events(await ended(provider, agreement), "settled")
    assert await preview(provider, agreement) == ("open", 0, 13)
    await close(provider, agreement)
    await until_closed(provider, agreement)
    assert await moved(provider, before) == {}


async def test_what_would_be_charged_at_the_end_is_charged_when_closing(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    provider.operator.runtime.script |= FAILING
    first, second = await ended(provider, agreement), await ended(provider, agreement)
    assert await preview(provider, agreement) == ("open", 13, 0)
    assert await refused(provider, agreement, 0) == "AmountMismatch"
    assert not (await known_of(provider, agreement)).closing
    answer = await close(provider, agreement, 13)
    assert (answer.status, answer.settlement) == ("closing", None)
    await provider.until_events(first, "settled")
    await provider.until_events(second, "settled")
    assert [(await provider.execution(name)).charge for name in (first, second)] == [13, 0]
    assert await moved(provider, before) == {"consumer": -13, "owner": 10, "provider": 3}
    with pytest.raises(InsituError, match="AgreementClosing"):
        await provider.exec(agreement)
    # The price is paid, and closing again or the end of the agreement charges nothing more.
    assert await preview(provider, agreement) == ("settled", 13, 0)
    assert (await close(provider, agreement, 13)).status == "settled"
    await provider.pass_time(86400)
    await provider.gateway.sweeper.close_agreements()
    assert len(await releases(provider, agreement)) == 2


@pytest.mark.parametrize("closing", [True, False], ids=["at once", "at the end"])
async def test_a_failure_long_before_the_newest_executions_is_still_charged(
    provider: World, monkeypatch: pytest.MonkeyPatch, *, closing: bool
) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script |= FAILING
    failed = await ended(provider, agreement)
    provider.operator.runtime.script |= {f"0-compute-{n}": Ending(code="InfrastructureFailed") for n in (1, 2)}
    await provider.until_events(await ended(provider, agreement), "settled")
    executions = provider.agreements.executions

    async def newest(**asked: Any) -> Any:
        """A list whose default length leaves the failure out."""
        return await executions(**{"limit": 1} | asked)

    monkeypatch.setattr(provider.agreements, "executions", newest)
    if closing:
        assert await refused(provider, agreement, 0) == "AmountMismatch"
        await close(provider, agreement, 13)
    else:
        await provider.pass_time(86400)
        await provider.gateway.sweeper.close_agreements()
    await provider.until_events(failed, "settled")
    assert (await provider.execution(failed)).charge == 13


async def test_no_receipt_of_a_charged_close_returns_the_price(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script |= FAILING
    names = [await ended(provider, agreement), await ended(provider, agreement)]
    await close(provider, agreement, 13)
    signed = [(await provider.execution(name)).settlement for name in names]
    assert [one is not None and one.settlement.last for one in signed] == [False, False]


async def test_after_a_success_nothing_is_left_to_return_and_the_agreement_stays_usable(provider: World) -> None:
    agreement = await buy(provider)
    await provider.until_events(await ended(provider, agreement), "settled")
    assert await preview(provider, agreement) == ("settled", 13, 0)
    assert (await close(provider, agreement, 13)).status == "settled"
    assert await ended(provider, agreement)


async def test_closing_is_refused_while_an_execution_is_live_or_not_settled_yet(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script |= HELD
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    assert await refused(provider, agreement) == "ExecutionInProgress"
    monkeypatch.setattr(Dispatcher, "turn", nothing_is_sent)
    provider.operator.runtime.release(started.workflow_execution_id, StepKey(StepKind.COMPUTE, 0, 1))
    await provider.operator.until(started.workflow_execution_id)
    assert (await provider.execution(started.workflow_execution_id)).charge == 13
    assert await refused(provider, agreement) == "ExecutionInProgress"
    assert await refused(provider, agreement, 13) == "ExecutionInProgress"
    assert not (await known_of(provider, agreement)).closing


async def nothing_is_sent(_: Dispatcher) -> tuple[bool, bool]:
    return False, False


@pytest.mark.parametrize("who", ["stranger", "owner", "provider", "second-consumer"])
async def test_only_the_consumer_closes(provider: World, who: str) -> None:
    agreement = await buy(provider)
    assert await refused(provider, agreement, who=who) == "NotConsumer"
    with pytest.raises(InsituError, match="NotConsumer"):
        await provider.gateway.closer.preview(provider.caller(who, "compute"), agreement)
    with pytest.raises(InsituError, match="AudienceMismatch"):
        await provider.gateway.closer.close(provider.caller("consumer", "compute", agreement="0b" * 32), agreement, 0)
    assert (await provider.http.post(f"{BASE}/agreements/{agreement}/close", json={"charge": "0"})).status_code == 401
    assert not (await known_of(provider, agreement)).closing


async def test_an_execution_that_races_a_close_wins_or_is_refused_but_never_both(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script |= HELD
    codes: list[str] = []

    async def attempt(step: Any) -> None:
        try:
            await step
        except InsituError as error:
            codes.append(error.code)

    async with anyio.create_task_group() as group:
        group.start_soon(attempt, provider.exec(agreement))
        group.start_soon(attempt, close(provider, agreement))
    live, known = await provider.agreements.live(), await known_of(provider, agreement)
    assert known.closing is not bool(live)
    assert codes == [("AgreementClosing" if known.closing else "ExecutionInProgress")]


async def test_an_execution_planned_before_a_close_does_not_start_after_it(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = await buy(provider)
    draft = Planner.draft

    async def late(*arguments: Any) -> Any:
        await close(provider, agreement)
        return await draft(*arguments)

    monkeypatch.setattr(Planner, "draft", late)
    with pytest.raises(InsituError, match="AgreementClosing"):
        await provider.exec(agreement)
    assert await provider.agreements.live() == ()


async def test_an_execution_that_ends_while_a_close_is_computed_makes_it_look_again(provider: World) -> None:
    agreement = await buy(provider)
    provider.operator.runtime.script |= FAILING
    estimate = provider.gateway.closer.free_gas_limiter.of_call

    async def late(call: Any) -> Any:
        await ended(provider, agreement)
        return await estimate(call)

    object.__setattr__(provider.gateway.closer, "free_gas_limiter", Late(late))
    assert await refused(provider, agreement) == "ExecutionInProgress"
    assert await preview(provider, agreement) == ("open", 13, 0)


class Late:
    """A limiter during whose work something else happens."""

    def __init__(self, of_call: Any) -> None:
        self.of_call = of_call


async def test_the_last_settlement_is_handed_out_only_after_the_mark_and_when_the_budget_is_used_up(
    provider: World,
) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    assert (await provider.gateway.closer.preview(provider.caller("consumer", "compute"), agreement)).settlement is None
    answer = await close(provider, agreement)
    assert (await known_of(provider, agreement)).closing
    assert answer.settlement is not None
    with pytest.raises(InsituError, match="AgreementClosing"):
        await provider.exec(agreement)
    signed = answer.settlement
    call = settle(signed.terms, signed.settlement, bytes.fromhex(signed.signature[2:]))
    await provider.chain.transact(call, provider.people["consumer"])
    await provider.until_standing(agreement, Standing.CLOSED)
    assert await moved(provider, before) == {}
    assert (await close(provider, agreement)).status == "closed"


async def test_a_close_that_waits_for_the_budget_is_sent_when_it_is_asked_for_again(provider: World) -> None:
    agreement = await buy(provider)
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    assert (await close(provider, agreement)).settlement is not None
    object.__setattr__(provider.configuration, "free_gas_budget", 10**18)
    assert (await close(provider, agreement)).settlement is None
    await until_closed(provider, agreement)


async def test_without_coin_the_last_settlement_is_handed_out_after_the_mark(provider: World) -> None:
    before = await provider.balances()
    agreement = await buy(provider)
    await until(lambda: calm(provider))
    await penniless(provider, "provider")
    signed = (await close(provider, agreement)).settlement
    assert signed is not None
    assert (await known_of(provider, agreement)).closing
    call = settle(signed.terms, signed.settlement, bytes.fromhex(signed.signature[2:]))
    await provider.chain.transact(call, provider.people["consumer"])
    await provider.until_standing(agreement, Standing.CLOSED)
    assert await moved(provider, before) == {}


async def test_a_return_that_waits_for_coin_is_handed_out_until_there_is_some(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = await buy(provider)
    await until(lambda: calm(provider))
    with monkeypatch.context() as patched:
        patched.setattr(Dispatcher, "turn", nothing_is_sent)
        assert (await close(provider, agreement)).settlement is None
        await penniless(provider, "provider")

    async def waits_for_coin() -> bool:
        await provider.gateway.dispatcher.turn()
        item = await provider.agreements.item(f"close:{agreement}")
        return item is not None and item.reason is not None and item.reason.code == "InsufficientFunds"

    await until(waits_for_coin)
    assert (await close(provider, agreement)).settlement is not None
    await provider.chain.rpc("anvil_setBalance", provider.address("provider"), hex(10**18))
    assert (await close(provider, agreement)).settlement is None
    await until_closed(provider, agreement)


async def test_closing_again_and_again_takes_gas_once(provider: World) -> None:
    agreement = await buy(provider)
    for _ in range(3):
        await close(provider, agreement)
    await until_closed(provider, agreement)
    await until(lambda: calm(provider))
    assert (await close(provider, agreement)).status == "closed"
    assert [event.last for event in await releases(provider, agreement)] == [True]


async def test_a_stranger_who_closes_free_of_charge_uses_the_budget_of_strangers(provider: World) -> None:
    first = await buy(provider)
    await close(provider, first)
    await until_closed(provider, first)
    await until(lambda: calm(provider))
    second = await buy(provider)
    object.__setattr__(provider.configuration, "free_gas_budget", 10**4)
    assert (await close(provider, second)).settlement is not None


async def test_an_agreement_that_is_not_granted_is_refused_and_the_money_is_back_at_once(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with living(chain, tmp_path, working=False) as quiet:
        people, before = quiet.people, await quiet.balances()
        workflow = await quiet.simple_workflow(await quiet.publish_dataset())
        agreement = await quiet.lock(quiet.terms(await quiet.quote(workflow)))
        assert await preview(quiet, agreement) == ("open", 0, 13)
        await close(quiet, agreement)
    async with living(chain, tmp_path, people=people) as again:
        await again.until_standing(agreement, Standing.REFUSED)
        assert not (await again.chain.agreement(agreement)).granted
        assert await moved(again, before) == {}


async def test_only_a_refund_is_possible_once_the_time_to_settle_is_over(provider: World) -> None:
    agreement = await buy(provider)
    terms = (await known_of(provider, agreement)).terms
    await provider.pass_time(terms.timeout + terms.settle_timeout)
    assert await refused(provider, agreement) == "DeadlinePassed"


async def test_nothing_is_closed_that_is_not_paid(provider: World) -> None:
    terms = provider.terms(await provider.quote(await provider.simple_workflow(await provider.publish_dataset())))
    await provider.chain.transact(create(terms), provider.people["consumer"])
    assert await refused(provider, AgreementId("0b" * 32)) == "AgreementUnknown"
    await provider.until_followed()
    assert await refused(provider, agreement_id(terms, provider.chain.agreements)) == "ConditionNotInState"


async def test_a_consumer_closes_over_http(provider: World) -> None:
    agreement, consumer = await buy(provider), client(provider, "consumer")
    assert (await consumer.preview_close(agreement)).returned == Amount.from_base_units(13)
    answer = await consumer.close(agreement, CloseRequest(charge=Amount.from_base_units(0)))
    assert answer.status in ("closing", "closed")
    await until_closed(provider, agreement)


@pytest.mark.slow
@pytest.mark.parametrize("script", [{}, FAILING], ids=["returned", "charged"])
@pytest.mark.parametrize("broken", ["store", "outbox", "broadcast", "outcome"])
async def test_killed_at_any_step_a_close_happens_once(
    chain: EmbeddedChain, tmp_path: Path, script: Mapping[str, Ending], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise InsituError("ChainUnavailable", "killed here")

    charge = 13 if script else 0
    async with living(chain, tmp_path, script=script) as first:
        people, before = first.people, await first.balances()
        agreement = await buy(first)
        if script:
            await ended(first, agreement)
        await until(lambda: calm(first))
        if broken == "store":
            first.agreements.close = dies  # type: ignore[method-assign]
            assert await refused(first, agreement, charge) == "ChainUnavailable"
            assert not (await known_of(first, agreement)).closing
        with monkeypatch.context() as patched:
            if broken in ("broadcast", "outcome"):
                patched.setattr(chain, broken, dies)
                await close(first, agreement, charge)
                await until(first.agreements.in_flight)
    async with living(chain, tmp_path, people=people, working=False) as quiet:
        # A consumer who got no answer asks again.
        with anyio.move_on_after(5):
            await close(quiet, agreement, charge)
        assert (await known_of(quiet, agreement)).closing
    async with living(chain, tmp_path, people=people) as again:
        await until(lambda: calm(again))
        settled = await releases(again, agreement)
        assert [(event.charge, event.last) for event in settled] == [(charge, not charge)]
        assert await moved(again, before) == ({"consumer": -13, "owner": 10, "provider": 3} if charge else {})
