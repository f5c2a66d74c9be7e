"""A consumer lists what they bought: where each agreement stands, in a word, what is left of it, and the money."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.agreements_v1 import AgreementView
from insitu.api.gateway_v1 import BASE
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId
from insitu.ports.agreement_records import Standing
from tests.doubles.scripted_runtime import Ending
from tests.gateway.test_closing_never_costs_less_than_waiting import close, until_closed
from tests.gateway.world import World, client, world

pytestmark = pytest.mark.needs("chain")

FAILING: Mapping[str, Ending] = {f"0-compute-{attempt}": Ending(code="AlgorithmFailed") for attempt in (1, 2)}


async def buy(provider: World, data: str | None = None, consumer: str = "consumer", **main: Any) -> AgreementId:
    data = data or await provider.publish_dataset(**main)
    return await provider.buy(await provider.simple_workflow(data), consumer)


async def run(provider: World, agreement: AgreementId) -> None:
    execution = (await provider.exec(agreement)).workflow_execution_id
    await provider.until_events(execution, "end")
    await provider.operator.until(execution)


async def listed(provider: World, who: str = "consumer", **wanted: Any) -> tuple[AgreementView, ...]:
    return (await client(provider, who).agreements(**wanted)).agreements


async def ids(provider: World, who: str = "consumer", **wanted: Any) -> list[str]:
    return [view.service_agreement_id for view in await listed(provider, who, **wanted)]


def money(view: AgreementView) -> tuple[int, int, int]:
    return view.price.base_units, view.charged.base_units, view.returned.base_units


async def test_an_answer_says_where_an_agreement_stands_and_what_is_left_of_it(provider: World) -> None:
    rules = {"algorithms": "any", "maxExecutions": 3}
    agreement = await buy(provider, policy=rules)
    (granted,) = await listed(provider)
    assert (granted.status, granted.reason, granted.executions, granted.executions_left) == ("granted", None, 0, 3)
    assert money(granted) == (13, 0, 0)
    known, state = await provider.agreements.agreement(agreement), await provider.chain.agreement(agreement)
    assert known is not None
    assert granted.ends_at == state.execution_ends_at(known.terms)
    assert granted.locked_at is not None
    assert granted.locked_at.timestamp() == state.start
    assert granted.versions == known.versions
    assert granted.did in granted.versions
    assert granted.consumer == provider.address("consumer")

    await run(provider, agreement)
    (settled,) = await listed(provider)
    assert (settled.status, settled.executions, settled.executions_left) == ("settled", 1, 2)
    assert money(settled) == (13, 13, 0)


async def test_an_execution_that_delivered_nothing_leaves_as_many_as_before(provider: World) -> None:
    rules = {"algorithms": "any", "maxExecutions": 2, "failures": "free", "logs": "none"}
    agreement = await buy(provider, policy=rules)
    provider.operator.runtime.script |= FAILING
    await run(provider, agreement)
    (view,) = await listed(provider)
    assert (view.executions, view.executions_left) == (1, 2)
    assert money(view) == (13, 0, 0)


async def test_what_is_closed_or_refused_says_what_came_back(provider: World) -> None:
    closed = await buy(provider)
    await close(provider, closed)
    await until_closed(provider, closed)
    await provider.until_standing(closed, Standing.CLOSED)
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    terms = provider.terms(await provider.quote(workflow), timeout=1000)
    refused = await provider.lock(terms)
    await provider.until_standing(refused, Standing.REFUSED, Standing.REFUNDED)
    first, second = await listed(provider)
    assert (second.status, money(second), second.executions_left) == ("closed", (13, 0, 13), 0)
    assert (first.status, money(first)) == ("refused", (13, 0, 13))
    assert first.reason is not None
    assert first.reason.code == "TermsMismatch"
    assert first.reason.next_step
    assert await ids(provider, live=True) == []
    assert await ids(provider, live=False) == [refused, closed]


async def test_a_list_has_pages_and_filters(provider: World) -> None:
    data = await provider.publish_dataset()
    first, second, third = [await buy(provider, data), await buy(provider), await buy(provider, data)]
    consumer = client(provider, "consumer")
    page = await consumer.agreements(limit=2)
    assert [view.service_agreement_id for view in page.agreements] == [third, second]
    assert page.before == second
    rest = await consumer.agreements(limit=2, before=page.before)
    assert ([view.service_agreement_id for view in rest.agreements], rest.before) == ([first], None)
    assert await ids(provider, reading=data) == [third, first]
    assert await ids(provider, live=True) == [third, second, first]
    assert await ids(provider, live=False) == []


async def test_consumers_see_their_own_owners_those_on_their_data_and_the_provider_all(provider: World) -> None:
    data = await provider.publish_dataset()
    mine, theirs = await buy(provider, data), await buy(provider, data, "second-consumer")
    elsewhere = await buy(provider)
    assert await ids(provider) == [elsewhere, mine]
    assert await ids(provider, "second-consumer") == [theirs]
    assert await ids(provider, "owner") == []
    assert await ids(provider, "owner", reading=data) == [theirs, mine]
    assert await ids(provider, "second-owner", reading=data) == []
    assert await ids(provider, "provider") == [elsewhere, theirs, mine]
    assert await ids(provider, "stranger") == []
    answer = await provider.http.get(f"{BASE}/agreements")
    assert (answer.status_code, answer.json()["code"]) == (401, "InvalidToken")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"reading": 'did:nv:%" OR 1=1'}, "InvalidDid"), ({"before": "' OR 1=1 --"}, "InvalidId")],
)
async def test_what_is_not_an_id_is_refused(provider: World, wanted: dict[str, Any], code: str) -> None:
    with pytest.raises(InsituError, match=code):
        await listed(provider, **wanted)


async def test_a_token_for_one_agreement_shows_this_one(provider: World) -> None:
    first, _ = await buy(provider), await buy(provider)
    caller = provider.caller("consumer", "compute", agreement=first)
    page = await provider.gateway.agreement_lister.list(caller, reading=None, live=None, before=None, limit=20)
    assert [view.service_agreement_id for view in page.agreements] == [first]


@pytest.fixture
async def on_time(tmp_path: Path) -> AsyncIterator[World]:
    """A provider on a chain of its own: other tests move the time of the one that they share."""
    chain = await EmbeddedChain.start(tmp_path / "chain", dev_signer("deployer"))
    try:
        async with world(chain, tmp_path) as made:
            yield made
    finally:
        await chain.close()


async def test_an_agreement_that_has_ended_by_time_says_so(on_time: World) -> None:
    provider = on_time
    agreement = await buy(provider, timeout=2)
    with anyio.fail_after(20):
        while (await listed(provider))[0].status == "granted":  # noqa: ASYNC110  only time passes
            await anyio.sleep(0.1)
    (view,) = await listed(provider)
    assert (view.status, view.executions_left) == ("expired", 0)
    assert await ids(provider, live=False) == [agreement]
    assert await ids(provider, live=True) == []
