"""E9. The CONSUMER receives an event including the DID of the new ASSET, which it owns."""

from insitu import connect_async
from insitu.domain.ledger import DidRegistered, DidTransferred
from tests.spec.conftest import Market


async def test_the_event_has_the_did_and_the_chain_says_whose_it_is(market: Market) -> None:
    _, execution = await market.run()
    [event] = [event async for event in execution.events() if event.type == "result"]
    record = await market.stranger.chain.did_record(str(event.data["did"]))
    assert record is not None
    assert record.owner == market.consumer.account


async def test_registration_and_transfer_are_one_transaction(market: Market) -> None:
    _, execution = await market.run()
    result = await execution.result()
    assert result.transaction is not None
    mined = await market.consumer.chain.outcome(result.transaction)
    assert mined is not None
    kinds = [type(logged.event) for logged in mined.events]
    assert kinds.count(DidRegistered) == kinds.count(DidTransferred) == 1


async def test_a_consumer_that_went_offline_owns_the_result_and_gets_the_event_once(market: Market) -> None:
    agreement = await market.buy("import time\ntime.sleep(1)\nopen('/mnt/output/a', 'w').write('a')\n")
    execution = await market.consumer.compute.execute(agreement.id)
    await market.consumer.close()
    async with await connect_async(
        market.provider.url, account="consumer", settings=market.provider.settings
    ) as back_again:
        later = await back_again.compute.execution(agreement.id, execution.execution_id)
        assert (await later.wait(60)).phase == "Succeeded"
        events = [event async for event in later.events()]
        assert [event.type for event in events].count("result") == 1
        assert (await later.result()).owner == back_again.account


async def test_events_go_on_behind_the_last_one_that_was_seen(market: Market) -> None:
    _, execution = await market.run()
    events = [event async for event in execution.events()]
    rest = [event async for event in execution.events(after=events[1].sequence)]
    assert [event.sequence for event in rest] == [event.sequence for event in events[2:]]


async def test_only_the_owner_downloads_the_result(market: Market) -> None:
    _, execution = await market.run()
    paths = await execution.download(market.provider.home / "downloads" / execution.execution_id)
    assert {path.name: path.read_text() for path in paths}["out.txt"] == "done"
