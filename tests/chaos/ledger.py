"""What the chain says happened, whatever the provider says."""

from insitu.domain.ids import read_agreement_id
from insitu.domain.ledger import DidTransferred, PaymentReleased
from market import Market


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
