"""An owner removes the provider with another tool: what waits ends, and prices without a charge go back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ledger import Call, DidProviderAdded, DidProviderRemoved
from insitu.gateway.outbox.dispatcher import RETRYING
from tests.gateway.test_an_owner_lets_nothing_run import ALONE, FAILING, HELD, buy, code_of, outcome, reasons, remove
from tests.gateway.test_closing_never_costs_less_than_waiting import calm, ended, known_of, moved, until_closed
from tests.gateway.test_nothing_is_lost_or_doubled import living, until
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def give_back(provider: World, did: str, account: str | None = None, who: str = "owner") -> None:
    arguments = (bytes(Did.parse(did)), account or provider.address("provider"))
    await provider.chain.transact(Call("DIDRegistry", "addDIDProvider", arguments), provider.people[who])


async def until_paused(provider: World, **paused: Any) -> None:
    async def are_paused() -> bool:
        return dict(await provider.agreements.paused()) == paused

    await until(are_paused)


async def test_what_waits_ends_what_runs_goes_on_and_prices_without_a_charge_go_back(provider: World) -> None:
    did = await provider.publish_dataset(**ALONE)
    before = await provider.balances()
    provider.operator.runtime.script |= HELD
    first, second, unused = [await buy(provider, did) for _ in range(3)]
    running, waiting = await provider.exec(first), await provider.exec(second)
    await provider.operator.until(running.workflow_execution_id, Phase.EXECUTING)
    with anyio.fail_after(20):
        while (await provider.execution(running.workflow_execution_id)).phase is not Phase.EXECUTING:  # noqa: ASYNC110
            await anyio.sleep(0.01)
    await remove(provider, did)
    await provider.until_events(waiting.workflow_execution_id, "end")
    assert await outcome(provider, waiting.workflow_execution_id) == (Phase.STOPPED, "StoppedByOwner", 0)
    for agreement in (second, unused):
        await until_closed(provider, agreement)
    assert (await provider.execution(running.workflow_execution_id)).live
    assert await moved(provider, before) == {"consumer": -13, "escrow": 13}


async def test_an_agreement_with_a_failure_at_the_consumers_risk_is_left_as_it_is(provider: World) -> None:
    did = await provider.publish_dataset()
    provider.operator.runtime.script |= FAILING
    failed, unused = await buy(provider, did), await buy(provider, did)
    await ended(provider, failed)
    await until(lambda: calm(provider))
    await remove(provider, did)
    await until_closed(provider, unused)
    assert not (await known_of(provider, failed)).closing


async def test_who_gives_the_provider_back_ends_the_pause(provider: World) -> None:
    did = await provider.publish_dataset()
    workflow = await provider.simple_workflow(did)
    await provider.buy(workflow)
    await remove(provider, did)
    await until_paused(provider, **{did: False})
    assert await reasons(provider, workflow) == [("NotDIDProvider", did)]
    await give_back(provider, did)
    await until_paused(provider)
    assert await reasons(provider, workflow) == []


async def test_a_removal_that_was_undone_before_the_gateway_read_it_ends_nothing(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    """The gateway was down. Events only say where to look; what counts is what the registry says now."""
    async with living(chain, tmp_path) as first:
        people, did = first.people, await first.publish_dataset()
        agreement = await buy(first, did)
        await until(lambda: calm(first))
    async with living(chain, tmp_path, people=people, working=False) as quiet:
        await remove(quiet, did)
        await give_back(quiet, did)
    async with living(chain, tmp_path, people=people) as again:
        later = await buy(again, did)  # the gateway has read everything before this
        assert await again.agreements.paused() == {}
        assert not (await known_of(again, agreement)).closing
        assert not (await known_of(again, later)).closing


async def test_a_pause_that_stops_what_runs_is_not_weakened_by_the_removal_that_belongs_to_it(provider: World) -> None:
    did, other = await provider.publish_dataset(), await provider.publish_dataset()
    await buy(provider, did)
    await buy(provider, other)
    await provider.agreements.pause(did, stopping=True)
    await remove(provider, did)
    await remove(provider, other)
    await until_paused(provider, **{did: True, other: False})


async def test_what_other_accounts_provide_and_what_nobody_bought_here_pauses_nothing(provider: World) -> None:
    did, unsold = await provider.publish_dataset(), await provider.publish_dataset()
    agreement = await buy(provider, did)
    await give_back(provider, did, provider.address("stranger"))
    removed = Call("DIDRegistry", "removeDIDProvider", (bytes(Did.parse(did)), provider.address("stranger")))
    await provider.chain.transact(removed, provider.people["owner"])
    await remove(provider, unsold)
    await buy(provider, did)  # the gateway has read everything before this
    assert await provider.agreements.paused() == {}
    assert not (await known_of(provider, agreement)).closing


async def test_nothing_starts_under_an_agreement_that_is_returned(provider: World) -> None:
    did = await provider.publish_dataset()
    agreement = await buy(provider, did)
    await remove(provider, did)
    assert await code_of(provider, agreement) in ("NotDIDProvider", "AgreementClosing")
    await until_closed(provider, agreement)


async def test_a_statement_about_a_result_that_is_not_there_is_tried_for_minutes_only(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with living(chain, tmp_path) as first:
        people, agreement = first.people, await buy(first, await first.publish_dataset())
        await until(lambda: calm(first))
    async with living(chain, tmp_path, people=people, working=False) as quiet:
        started = await quiet.exec(agreement)
        await quiet.operator.until(started.workflow_execution_id)
        item = await quiet.agreements.item(f"derived:{started.workflow_execution_id}:associated")
        assert item is not None
        judge, refused = quiet.gateway.dispatcher.refusal_judge, InsituError("NotDIDAgent", "who are you")
        verdicts = [await judge.is_final(replace(item, attempts=tries), refused) for tries in range(10)]
        assert verdicts == [False] * 8 + [True] * 2
        assert sum(RETRYING.pause(tries) for tries in range(8)) < 150


async def test_a_registration_that_names_this_provider_costs_no_call_to_the_node(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, asked = provider.gateway.agreement_follower, list[str]()

    async def ask(did: str, *_: object) -> bool:
        asked.append(did)
        return True

    did = await provider.publish_dataset()
    monkeypatch.setattr(provider.chain, "is_provider", ask)
    for kind in (DidProviderAdded, DidProviderRemoved):
        await follower._obey(kind(did, provider.address("provider")))
    assert asked == []
