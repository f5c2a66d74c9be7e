"""Killed between any two steps, restarted, reorganised: everything happens once (C7, E9, E10)."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.blobs.folder import FolderBlobs
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import PaymentReleased
from insitu.ports.agreement_records import Standing
from insitu.ports.chain import Block
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import RESULT, World, approval, published, world

pytestmark = pytest.mark.needs("chain")

HELD = {"0-compute-1": Ending(held=True)}


@asynccontextmanager
async def living(
    chain: EmbeddedChain, folder: Path, script: Mapping[str, Ending] | None = None, **options: Any
) -> AsyncIterator[World]:
    """A world that is killed when the block ends: its tasks are cancelled wherever they are."""
    endings = {**await published(FolderBlobs(folder / "blobs"), {"count.txt": RESULT}), **(script or {})}
    async with world(chain, folder, script=endings, **options) as made:
        yield made


async def releases(provider: World, agreement: AgreementId) -> list[PaymentReleased]:
    """Return every settlement of the agreement on chain."""
    found: list[PaymentReleased] = []
    newest = int(str(await provider.chain.rpc("eth_blockNumber")), 16)

    async def read() -> None:
        async for block in provider.chain.follow([]):
            found.extend(of_agreement(block, agreement))
            if block.cursor.number >= newest:
                return

    with anyio.fail_after(20):
        await read()
    return found


def of_agreement(block: Block, agreement: AgreementId) -> list[PaymentReleased]:
    events = [logged.event for logged in block.events]
    return [event for event in events if isinstance(event, PaymentReleased) and event.agreement_id == agreement]


async def buy(provider: World) -> AgreementId:
    return await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))


async def test_a_payment_made_while_the_gateway_was_down_is_granted(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with living(chain, tmp_path) as first:
        people = first.people
        workflow = await first.simple_workflow(await first.publish_dataset())
        terms = first.terms(await first.quote(workflow))
    async with living(chain, tmp_path, people=people, working=False) as down:
        agreement = await down.lock(terms)
    async with living(chain, tmp_path, people=people) as again:
        await again.until_standing(agreement, Standing.GRANTED)


async def test_an_execution_survives_the_death_of_everything(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with living(chain, tmp_path, script=HELD) as first:
        people = first.people
        agreement = await buy(first)
        started = await first.exec(agreement)
        await first.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "settled", "end")
        execution = await again.execution(started.workflow_execution_id)
        assert execution.phase is Phase.SUCCEEDED
        assert len(await releases(again, agreement)) == 1


async def test_an_execution_that_the_operator_never_got_is_registered_after_the_restart(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async def silent(*_: object) -> None:
        raise InsituError("PeerUnavailable", "nobody there")

    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
        first.operator.service.register = silent  # type: ignore[assignment, method-assign]
        started = await first.exec(agreement)
        assert not (await first.execution(started.workflow_execution_id)).acknowledged
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "end")
        assert (await again.execution(started.workflow_execution_id)).phase is Phase.SUCCEEDED


@pytest.mark.slow
async def test_what_was_frozen_is_published_registered_and_settled_after_the_restart(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
    async with living(chain, tmp_path, people=people, working=False) as frozen:
        started = await frozen.exec(agreement)
        await frozen.operator.until(started.workflow_execution_id)
        execution = await frozen.execution(started.workflow_execution_id)
        assert execution.phase is Phase.PUBLISHING
        assert await frozen.chain.did_record(execution.frozen.result.did) is None  # type: ignore[union-attr]
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "settled", "end")
        after = await again.execution(started.workflow_execution_id)
        assert after.frozen == execution.frozen
        assert len(await releases(again, agreement)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["broadcast", "outcome"])
async def test_a_transaction_that_was_stored_is_sent_or_seen_after_the_restart(
    chain: EmbeddedChain, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise InsituError("ChainUnavailable", "killed here")

    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
        with monkeypatch.context() as patched:
            patched.setattr(chain, broken, dies)
            started = await first.exec(agreement)
            await first.operator.until(started.workflow_execution_id)
            await until(first.agreements.in_flight)
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "settled", "end")
        assert len(await releases(again, agreement)) == 1
        await until(lambda: nothing_left(again))


@pytest.mark.slow
async def test_a_nonce_used_by_someone_else_does_not_stop_the_outbox(
    chain: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise InsituError("ChainUnavailable", "killed here")

    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
        with monkeypatch.context() as patched:
            patched.setattr(chain, "broadcast", dies)
            started = await first.exec(agreement)
            await first.operator.until(started.workflow_execution_id)
            await until(first.agreements.in_flight)
    # Someone uses the gateway's key by hand and takes the nonce of the stored transaction.
    await chain.transact(approval(chain, 1), people["provider"])
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "settled", "end")
        assert len(await releases(again, agreement)) == 1


async def test_a_lost_database_is_rebuilt_from_the_chain(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
    forget(tmp_path)
    async with living(chain, tmp_path, people=people) as again:
        await again.until_standing(agreement, Standing.GRANTED)
        data = await again.agreements.agreement(agreement)
        assert data is not None
        assert data.start > 0


async def test_a_grant_undone_by_a_reorganisation_is_sent_again(provider: World) -> None:
    agreement = await buy(provider)
    await provider.until_followed()
    await provider.chain.rpc("anvil_reorg", 1, [])
    await provider.chain.rpc("anvil_mine", 1)
    await until(lambda: granted(provider, agreement))
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")


async def test_a_payment_undone_by_a_reorganisation_ends_the_execution(provider: World) -> None:
    before = await provider.balances()
    provider.operator.runtime.script.update(HELD)
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    agreement = await provider.buy(workflow)
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    await provider.until_followed()
    # Approval, lock and grant, each in its own block.
    await provider.chain.rpc("anvil_reorg", 3, [])
    await provider.chain.rpc("anvil_mine", 1)
    await provider.until_standing(agreement, Standing.LOST)
    await provider.until_events(started.workflow_execution_id, "end")
    execution = await provider.execution(started.workflow_execution_id)
    assert execution.phase is Phase.FAILED
    assert execution.frozen is not None
    assert execution.frozen.result is None
    assert execution.frozen.outcome.reason is not None
    assert execution.frozen.outcome.reason.code == "AgreementLost"
    assert await provider.balances() == before


@pytest.mark.slow
async def test_a_settlement_waits_for_a_grant_that_the_chain_has_lost(chain: EmbeddedChain, tmp_path: Path) -> None:
    """The chain forgets the grant, and the outbox is faster than the follower."""
    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
        await first.until_followed()
        # A grant that is still in flight would be sent again after the reorganisation.
        await until(lambda: nothing_left(first))
    height = int(str(await chain.rpc("eth_blockNumber")), 16)
    async with living(chain, tmp_path, people=people, working=False) as hasty:
        started = await hasty.exec(agreement)
        await hasty.operator.until(started.workflow_execution_id)
        newest = int(str(await chain.rpc("eth_blockNumber")), 16)
        await chain.rpc("anvil_reorg", newest - height + 1, [])
        assert not await granted(hasty, agreement)
        await until(lambda: tried(hasty, f"settle:{started.workflow_execution_id}"))
    async with living(chain, tmp_path, people=people) as again:
        await again.until_events(started.workflow_execution_id, "settled", "end")
        assert len(await releases(again, agreement)) == 1
        assert "alarm" not in await again.until_events(started.workflow_execution_id, "end")


async def test_a_settlement_that_cannot_succeed_is_given_up_with_an_alarm(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with living(chain, tmp_path) as first:
        people = first.people
        agreement = await buy(first)
    async with living(chain, tmp_path, people=people, working=False) as late:
        started = await late.exec(agreement)
        await late.operator.until(started.workflow_execution_id)
        known = await late.agreements.agreement(agreement)
        assert known is not None
        await late.pass_time(known.terms.timeout + known.terms.settle_timeout)
        with anyio.fail_after(20):
            while not (await late.execution(started.workflow_execution_id)).given_up:
                await late.gateway.dispatcher.turn()
        view = await late.status(late.caller("consumer"), agreement, started.workflow_execution_id)
        assert view.alarm is not None
        assert (view.alarm.code, view.settled) == ("DeadlinePassed", False)
        assert [item.key for item in await late.agreements.given_up()] == [f"settle:{started.workflow_execution_id}"]


async def test_a_result_that_waits_for_coin_says_so_and_is_settled_once_there_is_some(provider: World) -> None:
    agreement, account = await buy(provider), provider.people["provider"].address
    await provider.until_followed()
    await provider.chain.rpc("anvil_setBalance", account, "0x0")
    started = await provider.exec(agreement)

    async def says_why() -> bool:
        view = await provider.status(provider.caller("consumer"), agreement, started.workflow_execution_id)
        if view.reason is None:
            return False
        assert (view.phase, view.reason.code) == (Phase.PUBLISHING, "InsufficientFunds")
        assert f"the provider's account {account}" in view.reason.message
        return True

    await until(says_why)
    await provider.chain.rpc("anvil_setBalance", account, hex(10**18))
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    assert len(await releases(provider, agreement)) == 1


async def tried(provider: World, key: str) -> bool:
    """Return whether an item of the outbox was tried in vain, after a turn."""
    await provider.gateway.dispatcher.turn()
    item = await provider.agreements.item(key)
    return item is not None and item.attempts > 0


def forget(folder: Path) -> None:
    for path in folder.glob("gateway.db*"):
        path.unlink()


async def nothing_left(provider: World) -> bool:
    return await provider.agreements.in_flight() == () and await provider.agreements.next_due() is None


async def granted(provider: World, agreement: AgreementId) -> bool:
    return (await provider.chain.agreement(agreement)).granted


async def until(holds: Callable[[], Any]) -> None:
    with anyio.fail_after(20):
        while True:
            if await holds():
                return
            await anyio.sleep(0.02)
