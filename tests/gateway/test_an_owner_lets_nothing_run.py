"""An owner pauses a data set at once: nothing starts, what waits ends, and prices without a charge go back."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.api.gateway_v1 import BASE
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import Call, PaymentReleased, settle
from insitu.gateway.executions.stopper import Stopper
from insitu.gateway.results.closer import Closer
from insitu.ports.agreement_records import KnownAgreement, Standing, StoredExecution
from tests.doubles.running_operator import CAPACITY
from tests.doubles.scripted_runtime import Ending
from tests.gateway.test_closing_never_costs_less_than_waiting import calm, close, ended, known_of, moved, until_closed
from tests.gateway.test_nothing_is_lost_or_doubled import living, releases, until
from tests.gateway.world import IMAGE, SMALL, World, client

pytestmark = pytest.mark.needs("chain")

FAILING: Mapping[str, Ending] = {f"0-compute-{attempt}": Ending(code="AlgorithmFailed") for attempt in (1, 2)}
HELD: Mapping[str, Ending] = {"0-compute-1": Ending(held=True)}
WHOLE = {**SMALL, "cpu": str(CAPACITY.cpu_millis // 1000)}
ALONE = {
    "provider": {
        "type": "On-Premise",
        "environment": {
            "cluster": {"type": "insitu"},
            "supportedContainers": [IMAGE],
            "supportedServers": [WHOLE],
        },
    }
}
"""A server that needs everything, so that the next execution waits."""


async def remove(provider: World, did: str, who: str = "owner") -> None:
    call = Call("DIDRegistry", "removeDIDProvider", (bytes(Did.parse(did)), provider.address("provider")))
    await provider.chain.transact(call, provider.people[who])


async def pause(provider: World, did: str, who: str = "owner", *, stopping: bool | None = False) -> bool:
    return (await provider.gateway.pauser.pause(provider.caller(who, "compute"), did, stopping)).here_alone


async def buy(provider: World, *dids: str) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(*dids))


async def reasons(provider: World, workflow: str) -> list[tuple[str, str | None]]:
    return [(reason.code, reason.did) for reason in (await provider.quote(workflow)).reasons]


async def code_of(provider: World, agreement: AgreementId) -> str:
    with pytest.raises(InsituError) as error:
        await provider.exec(agreement)
    assert await provider.agreements.live() == ()
    return error.value.code


@pytest.mark.parametrize("which", [0, 1])
async def test_a_removed_provider_neither_quotes_nor_executes_whichever_input_it_was(
    provider: World, which: int
) -> None:
    dids = [await provider.publish_dataset("owner"), await provider.publish_dataset("second-owner")]
    workflow = await provider.simple_workflow(*dids)
    terms = provider.terms(await provider.quote(workflow))
    agreement = await provider.buy(workflow)
    before = await provider.balances()
    await remove(provider, dids[which], ("owner", "second-owner")[which])
    assert await reasons(provider, workflow) == [("NotDIDProvider", dids[which])]
    assert await code_of(provider, agreement) in ("NotDIDProvider", "AgreementClosing")
    await until_closed(provider, agreement)
    assert await moved(provider, before) == {"consumer": 23, "escrow": -23}
    if which == 0:
        with pytest.raises(InsituError, match="NotDIDProvider"):
            await provider.lock(terms)
    else:
        late = await provider.lock(terms)
        await provider.until_standing(late, Standing.REFUSED)
        assert await moved(provider, before) == {"consumer": 23, "escrow": -23}


async def test_the_gateways_own_data_set_is_paused_by_a_mark_that_check_grant_and_exec_obey(
    provider: World, chain: EmbeddedChain, tmp_path: Path
) -> None:
    did = await provider.publish_dataset("provider")
    other = await provider.publish_dataset("owner")
    workflow = await provider.simple_workflow(other, did)
    terms = provider.terms(await provider.quote(workflow))
    agreement = await provider.buy(workflow)
    before = await provider.balances()
    assert await pause(provider, did, "provider")
    assert await provider.chain.is_provider(did, provider.address("provider"))
    assert await reasons(provider, workflow) == [("AssetRetired", did)]
    assert did in (await provider.gateway.info()).paused, "everybody may know before choosing it"
    assert await code_of(provider, agreement) in ("AssetRetired", "AgreementClosing")
    late = await provider.lock(terms)
    await provider.until_standing(late, Standing.REFUSED)
    await until_closed(provider, agreement)
    after = await provider.balances()
    assert after["consumer"] - before["consumer"] == terms.total
    await pause(provider, did, "provider", stopping=None)
    assert did not in (await provider.gateway.info()).paused
    assert await reasons(provider, workflow) == []


async def test_a_data_set_of_somebody_else_binds_more_than_this_gateway(provider: World) -> None:
    did = await provider.publish_dataset()
    await buy(provider, did)
    assert not await pause(provider, did)


@pytest.mark.parametrize("who", ["stranger", "consumer", "provider", "second-owner"])
async def test_only_the_owner_pauses_and_resumes(provider: World, who: str) -> None:
    did = await provider.publish_dataset()
    await buy(provider, did)
    for stopping in (False, True, None):
        with pytest.raises(InsituError, match="NotDIDOwner"):
            await pause(provider, did, who, stopping=stopping)
    with pytest.raises(InsituError, match="AudienceMismatch"):
        await provider.gateway.pauser.pause(provider.caller("owner", "compute", did="did:nv:" + "7" * 64), did, False)
    assert (await provider.http.put(f"{BASE}/pauses/{did}")).status_code == 401
    assert await provider.agreements.paused() == {}


async def test_a_pause_of_what_nobody_bought_here_takes_no_room(provider: World) -> None:
    await pause(provider, await provider.publish_dataset())
    assert await provider.agreements.paused() == {}


async def test_who_gave_a_data_set_away_pauses_it_no_more_and_the_new_owner_resumes_it(provider: World) -> None:
    did = await provider.publish_dataset()
    await buy(provider, did)
    await pause(provider, did)
    call = Call("DIDRegistry", "transferDIDOwnership", (bytes(Did.parse(did)), provider.address("second-owner")))
    await provider.chain.transact(call, provider.people["owner"])
    with pytest.raises(InsituError, match="NotDIDOwner"):
        await pause(provider, did, stopping=None)
    await pause(provider, did, "second-owner", stopping=None)
    assert await provider.agreements.paused() == {}


@pytest.mark.parametrize("stopping", [False, True])
async def test_what_waits_ends_and_what_runs_ends_only_if_the_owner_says_so(provider: World, stopping: bool) -> None:
    did = await provider.publish_dataset(**ALONE)
    provider.operator.runtime.script |= HELD
    first, second = await buy(provider, did), await buy(provider, did)
    running, waiting = await provider.exec(first), await provider.exec(second)
    await provider.operator.until(running.workflow_execution_id, Phase.EXECUTING)
    with anyio.fail_after(20):
        while (await provider.execution(running.workflow_execution_id)).phase is not Phase.EXECUTING:  # noqa: ASYNC110
            await anyio.sleep(0.01)
    await pause(provider, did, stopping=stopping)
    await provider.until_events(waiting.workflow_execution_id, "end")
    assert await outcome(provider, waiting.workflow_execution_id) == (Phase.STOPPED, "StoppedByOwner", 0)
    await until_closed(provider, second)
    if stopping:
        await provider.until_events(running.workflow_execution_id, "end")
        assert await outcome(provider, running.workflow_execution_id) == (Phase.STOPPED, "StoppedByOwner", 0)
        await until_closed(provider, first)
    else:
        assert (await provider.execution(running.workflow_execution_id)).live


async def outcome(provider: World, name: Any) -> tuple[Phase, str | None, int | None]:
    execution = await provider.execution(name)
    assert execution.frozen is not None
    reason = execution.frozen.outcome.reason
    return execution.phase, reason.code if reason is not None else None, execution.charge


async def test_what_has_ended_is_registered_and_settled_and_only_its_provenance_is_dropped(
    chain: EmbeddedChain, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with living(chain, tmp_path) as first:
        people, did = first.people, await first.publish_dataset()
        agreement = await buy(first, did)
        await until(lambda: calm(first))
    async with living(chain, tmp_path, people=people, working=False) as quiet:
        started = await quiet.exec(agreement)
        await quiet.operator.until(started.workflow_execution_id)
        await remove(quiet, did)
        await pause(quiet, did, stopping=True)
    with caplog.at_level(logging.INFO):
        async with living(chain, tmp_path, people=people) as again:
            await again.until_events(started.workflow_execution_id, "settled", "end")
            await until(lambda: calm(again))
            assert await outcome(again, started.workflow_execution_id) == (Phase.SUCCEEDED, None, 13)
            execution = await again.execution(started.workflow_execution_id)
            assert execution.frozen is not None
            assert execution.frozen.result is not None
            assert await again.chain.did_record(execution.frozen.result.did) is not None
            assert execution.given_up is None
    said = [record.message for record in caplog.records]
    assert not [line for line in said if line.startswith("derived:") and " waits " in line], "it is never tried again"
    dropped = [line for line in said if "is given up" in line]
    assert len(dropped) == 2
    assert all("derived" in line or "used" in line for line in dropped)


async def test_agreements_without_a_charge_are_returned_together_and_no_others(provider: World) -> None:
    did, other = await provider.publish_dataset(), await provider.publish_dataset()
    before = await provider.balances()
    paid = await buy(provider, did)
    await provider.until_events(await ended(provider, paid), "settled")
    provider.operator.runtime.script |= FAILING
    failed = await buy(provider, other, did)
    await ended(provider, failed)
    unused = [await buy(provider, did), await buy(provider, other, did)]
    elsewhere = await buy(provider, other)
    await until(lambda: calm(provider))
    await remove(provider, did)
    object.__setattr__(provider.configuration, "commit_delay", 2.0)
    await pause(provider, did)
    for agreement in unused:
        await until_closed(provider, agreement)
    await until(lambda: calm(provider))
    [first, second] = [await lasts(provider, agreement) for agreement in unused]
    assert first == second
    for agreement in (paid, failed, elsewhere):
        assert not (await provider.chain.agreement(agreement)).closed
        assert not (await known_of(provider, agreement)).closing
    spent = {"consumer": -13 - 23 - 13, "escrow": 23 + 13, "owner": 10, "provider": 3}
    assert await moved(provider, before) == spent


async def lasts(provider: World, agreement: AgreementId) -> str:
    """Return the transaction of the last settlement of an agreement."""
    newest = int(str(await provider.chain.rpc("eth_blockNumber")), 16)
    with anyio.fail_after(20):
        async for block in provider.chain.follow([]):
            for logged in block.events:
                event = logged.event
                if isinstance(event, PaymentReleased) and event.agreement_id == agreement and event.last:
                    return logged.transaction
            assert block.cursor.number < newest
    raise AssertionError


async def test_a_consumer_escapes_no_charge_by_pausing_a_data_set_of_another_account(provider: World) -> None:
    other, own = await provider.publish_dataset(), await provider.publish_dataset("second-consumer", price="0")
    agreement = await buy(provider, other, own)
    provider.operator.runtime.script |= FAILING
    name = await ended(provider, agreement)
    await pause(provider, own, "second-consumer", stopping=True)
    await provider.gateway.pauser.turn()
    assert not (await known_of(provider, agreement)).closing
    await provider.pass_time(86400)
    await provider.gateway.sweeper.close_agreements()
    await provider.until_events(name, "settled")
    assert (await provider.execution(name)).charge == 13


async def test_beyond_the_budget_the_consumer_gets_the_settlement_to_send(provider: World) -> None:
    did = await provider.publish_dataset()
    agreement, before = await buy(provider, did), await provider.balances()
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    await pause(provider, did)
    await until(lambda: is_closing(provider, agreement))
    signed = (await close(provider, agreement)).settlement
    assert signed is not None
    call = settle(signed.terms, signed.settlement, bytes.fromhex(signed.signature[2:]))
    await provider.chain.transact(call, provider.people["consumer"])
    await provider.until_standing(agreement, Standing.CLOSED)
    assert await moved(provider, before) == {"consumer": 13, "escrow": -13}


async def test_what_the_budget_did_not_return_is_returned_when_there_is_budget_again(provider: World) -> None:
    did = await provider.publish_dataset()
    agreement = await buy(provider, did)
    object.__setattr__(provider.configuration, "free_gas_budget", 0)
    await pause(provider, did)
    await until(lambda: is_closing(provider, agreement))
    object.__setattr__(provider.configuration, "free_gas_budget", 10**18)
    await provider.gateway.pauser.turn()
    await until_closed(provider, agreement)


async def is_closing(provider: World, agreement: AgreementId) -> bool:
    return (await known_of(provider, agreement)).closing


async def test_one_agreement_that_cannot_be_returned_now_stops_no_pause(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = await provider.publish_dataset()
    agreement = await buy(provider, did)

    async def away(*_: object) -> None:
        raise InsituError("ChainUnavailable", "nobody there")

    with monkeypatch.context() as patched:
        patched.setattr(Closer, "give_back", away)
        await pause(provider, did)
        await provider.gateway.pauser.turn()
    await provider.gateway.pauser.turn()
    await until_closed(provider, agreement)


async def test_an_expired_agreement_keeps_no_other_price_from_going_back(provider: World) -> None:
    did, own = await provider.publish_dataset(), await provider.publish_dataset("consumer", price="0", timeout=600)
    unused = await buy(provider, did)
    await provider.pass_time(1)
    expired = await buy(provider, own, did)  # the newest is returned first
    terms = (await known_of(provider, expired)).terms
    await provider.pass_time(terms.timeout + terms.settle_timeout)
    await pause(provider, did)
    await until_closed(provider, unused)
    assert not (await known_of(provider, expired)).closing


async def test_a_step_that_fails_keeps_no_other_step_of_a_pause_from_being_taken(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = await provider.publish_dataset()
    provider.operator.runtime.script |= HELD
    unused = [await buy(provider, did), await buy(provider, did)]
    running = [await provider.exec(await buy(provider, did)) for _ in range(2)]
    end, give_back, failing = Stopper.end, Closer.give_back, {running[0].workflow_execution_id, unused[1]}

    async def ends(self: Stopper, execution: StoredExecution, *more: Any) -> None:
        if execution.execution_id in failing:
            raise InsituError("PeerUnavailable", "nobody there")
        await end(self, execution, *more)

    async def gives(self: Closer, known: KnownAgreement, *more: Any) -> Any:
        if known.agreement_id in failing:
            raise InsituError("DeadlinePassed", "too late")
        return await give_back(self, known, *more)

    monkeypatch.setattr(Stopper, "end", ends)
    monkeypatch.setattr(Closer, "give_back", gives)
    await pause(provider, did, stopping=True)
    await provider.until_events(running[1].workflow_execution_id, "end")
    await until_closed(provider, unused[0])
    assert (await provider.execution(running[0].workflow_execution_id)).live
    assert not await is_closing(provider, unused[1])


async def test_an_owner_pauses_and_resumes_over_http(provider: World) -> None:
    did, owner = await provider.publish_dataset(), client(provider, "owner")
    await buy(provider, did)
    paused = await owner.pause(did, stop=True)
    assert (paused.paused, paused.here_alone) == (True, False)
    assert await provider.agreements.paused() == {did: True}
    assert not (await owner.pause(did, stop=None)).paused
    assert await provider.agreements.paused() == {}


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["mark", "stop", "return", "broadcast", "outcome"])
async def test_killed_at_any_step_a_pause_is_obeyed_once(
    chain: EmbeddedChain, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise InsituError("ChainUnavailable", "killed here")

    async with living(chain, tmp_path, script=HELD) as first:
        people, did = first.people, await first.publish_dataset()
        before = await first.balances()
        unused, used = await buy(first, did), await buy(first, did)
        started = await first.exec(used)
        await first.operator.until(started.workflow_execution_id, Phase.EXECUTING)
        await until(lambda: calm(first))
        await remove(first, did)
        with monkeypatch.context() as patched:
            if broken == "mark":
                first.agreements.pause = dies  # type: ignore[method-assign]
                with pytest.raises(InsituError, match="ChainUnavailable"):
                    await pause(first, did, stopping=True)
            else:
                target: tuple[Any, str] = {
                    "stop": (Stopper, "end"),
                    "return": (Closer, "give_back"),
                    "broadcast": (chain, "broadcast"),
                    "outcome": (chain, "outcome"),
                }[broken]
                patched.setattr(*target, dies)
                await pause(first, did, stopping=True)
                await (
                    first.gateway.pauser.turn() if broken in ("stop", "return") else until(first.agreements.in_flight)
                )
    async with living(chain, tmp_path, people=people) as again:
        # An owner who got no answer pauses again.
        await pause(again, did, stopping=True)
        for agreement in (unused, used):
            await until_closed(again, agreement)
        await until(lambda: calm(again))
        assert await outcome(again, started.workflow_execution_id) == (Phase.STOPPED, "StoppedByOwner", 0)
        assert [event.last for event in await releases(again, unused)] == [True]
        assert [event.last for event in await releases(again, used)] == [False, True]
        assert await moved(again, before) == {}
