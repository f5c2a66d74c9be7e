"""What happened according to the chain, whatever the provider says."""

from insitu.domain.ids import read_agreement_id
from insitu.domain.ledger import DidTransferred, PaymentReleased
from insitu.sdk.execution import Execution
from tests.market import PAID, Balances, Market


async def settlements_of(market: Market, agreement: str) -> tuple[PaymentReleased, ...]:
    """The settlements of an agreement."""
    return await market.consumer.chain.find_settlements(read_agreement_id(agreement))


async def results_of(market: Market) -> list[str]:
    """The DIDs that the gateway ever registered for the consumer, in their order (E9)."""
    gateway = (await market.consumer.gateway.info()).provider_address
    parties = (gateway, market.consumer.account)
    newest = await market.newest_block()
    found: list[str] = []
    async for block in market.consumer.chain.follow(()):
        transfers = [one.event for one in block.events if isinstance(one.event, DidTransferred)]
        found += [event.did for event in transfers if (event.previous, event.owner) == parties]
        if block.cursor.number >= newest:
            return found
    raise AssertionError("the chain ended")


async def paid_once(market: Market, execution: Execution, agreement: str, before: Balances, earlier: list[str]) -> None:
    """Require of an execution that succeeded: one result, one settlement, one receipt, and everybody's share."""
    seen = await execution.status()
    assert seen.result_did is not None
    assert await results_of(market) == [*earlier, seen.result_did]
    receipt = await execution.receipt()
    [settlement] = await settlements_of(market, agreement)
    assert settlement.receipt_hash == receipt.receipt_hash == seen.receipt_hash
    assert await market.stranger.verify(receipt)
    assert await market.changes(before) == PAID
    types = [event.type async for event in execution.events()]
    assert [types.count(one) for one in ("result", "settled", "end")] == [1, 1, 1], "each is reported once"
