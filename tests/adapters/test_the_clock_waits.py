"""The clock of this machine, and the one that tests set."""

from datetime import UTC, datetime, timedelta

import anyio

from insitu.adapters.clock import SystemClock
from tests.doubles.clock import START, ControlledClock


def test_the_time_is_utc_in_milliseconds() -> None:
    before = datetime.now(UTC)
    moment = SystemClock().now()
    assert moment.utcoffset() == timedelta()
    assert moment.microsecond % 1000 == 0
    assert before - timedelta(milliseconds=1) < moment <= datetime.now(UTC)


async def test_sleeping_does_not_end_too_early() -> None:
    clock = SystemClock()
    wanted = datetime.now(UTC) + timedelta(milliseconds=20)
    with anyio.fail_after(30):
        await clock.sleep_until(wanted)
    assert datetime.now(UTC) >= wanted


async def test_nobody_waits_for_a_time_that_has_passed() -> None:
    with anyio.fail_after(30):
        await SystemClock().sleep_until(datetime.now(UTC) - timedelta(days=1))


async def test_a_sleeper_wakes_when_the_test_moves_the_clock_to_its_time() -> None:
    clock = ControlledClock()
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep_until(START + timedelta(seconds=seconds))
        woken.append(seconds)

    async with anyio.create_task_group() as tasks:
        for seconds in (10, 20):
            tasks.start_soon(sleep, seconds)
        await anyio.wait_all_tasks_blocked()
        clock.advance(9)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        clock.advance(1)
        await anyio.wait_all_tasks_blocked()
        assert woken == [10]
        clock.advance(-5)
        clock.advance(15)
    assert woken == [10, 20]
