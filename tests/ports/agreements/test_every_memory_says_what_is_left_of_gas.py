"""What strangers have left of a day's gas, and when there is enough of it again."""

from datetime import timedelta

from insitu.ports.agreement_records import GasLeft
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT
from tests.ports.agreements.test_every_memory_keeps_promises_within_limits import GWEI, free_execution, promised

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LIMIT = 10 * GWEI


async def left(agreements: Agreements, cost: int, *, free: bool = False, after: timedelta = HOUR) -> GasLeft:
    return await agreements.gas_left(free=free, budget=LIMIT, cost=cost, now=START + after)


async def test_what_fits_is_left_and_says_nothing_of_later(agreements: Agreements) -> None:
    assert await left(agreements, 10 * GWEI) == GasLeft(LIMIT)
    await promised(agreements, 1, 4 * GWEI)
    assert await left(agreements, 6 * GWEI) == GasLeft(6 * GWEI)


async def test_there_is_enough_again_when_as_much_as_needed_is_a_day_old(agreements: Agreements) -> None:
    for number, cost in enumerate((4, 4, 2)):
        await promised(agreements, number + 1, cost * GWEI, at=START + number * HOUR)
    after = 3 * HOUR
    for cost, oldest in ((1, 0), (4, 0), (5, 1), (8, 1), (9, 2), (10, 2)):
        seen = await left(agreements, cost * GWEI, after=after)
        assert seen == GasLeft(0, START + oldest * HOUR + DAY), f"{cost} gwei"
        assert seen.again is not None
        late = timedelta(milliseconds=1)
        assert (await left(agreements, cost * GWEI, after=seen.again - START + late)).left >= cost * GWEI
        assert (await left(agreements, cost * GWEI, after=seen.again - START - late)).left < cost * GWEI


async def test_what_no_budget_holds_never_fits(agreements: Agreements) -> None:
    assert await left(agreements, 11 * GWEI) == GasLeft(LIMIT)


async def test_executions_without_a_charge_and_purchases_are_counted_apart(agreements: Agreements) -> None:
    await promised(agreements, 1, 10 * GWEI)
    assert await left(agreements, GWEI, free=True) == GasLeft(LIMIT)
    await free_execution(agreements, AGREEMENT, 4 * GWEI)
    assert await left(agreements, 7 * GWEI, free=True) == GasLeft(6 * GWEI, START + DAY)
    assert await left(agreements, 7 * GWEI) == GasLeft(0, START + DAY)
    await promised(agreements, 2, GWEI, at=START + 25 * HOUR)
    assert (await left(agreements, GWEI, after=25 * HOUR)).left == 9 * GWEI
