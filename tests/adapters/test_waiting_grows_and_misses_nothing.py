"""Pauses grow to their limit, a bell is not missed between looking and waiting, and a wait ends by the clock."""

from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

import anyio
import anyio.lowlevel
import pytest

from insitu.adapters.clock import SystemClock
from insitu.waiting import Backoff, Bell, Pauses, move_on_at, wait_until


def test_pauses_grow_to_the_longest_and_begin_again() -> None:
    pauses = Pauses(Backoff(0.5, 5.0))
    assert [pauses.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    pauses.restart()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert pauses.after(now) == now + timedelta(seconds=0.5)
    assert Backoff(0.1, 10.0, factor=3.0).pause(2) == pytest.approx(0.9)


def test_a_year_of_failures_costs_nothing() -> None:
    assert Backoff(0.1, 60.0).pause(10**9) == 60.0
    assert Backoff(0.0, 0.0).pause(3) == 0.0


def test_chance_only_shortens_a_pause() -> None:
    pauses = {Backoff(8.0, 8.0, jitter=0.25).pause(3) for _ in range(200)}
    assert len(pauses) > 100
    assert 6.0 <= min(pauses) <= max(pauses) <= 8.0


async def test_a_ring_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell()
    seen = bell.count
    bell.ring()
    with anyio.fail_after(5):
        await bell.wait(seen)
    assert bell.count == seen + 1


async def test_everyone_who_waits_is_woken_and_nobody_before() -> None:
    bell, woken = Bell(), list[int]()

    async def waits(number: int) -> None:
        await bell.wait(bell.count)
        woken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(waits, number)
        await anyio.wait_all_tasks_blocked()
        assert not woken
        bell.ring()
    assert sorted(woken) == [0, 1, 2]


async def test_a_bell_that_nobody_holds_is_forgotten() -> None:
    bells: WeakValueDictionary[str, Bell] = WeakValueDictionary()
    bell = bells.setdefault("a", Bell())
    assert bells.get("a") is bell
    del bell
    assert "a" not in bells


async def test_a_wait_ends_by_the_clock() -> None:
    clock, event = SystemClock(), anyio.Event()
    with anyio.fail_after(5):
        assert not await wait_until(clock, clock.now() + timedelta(milliseconds=20), event)
        async with move_on_at(clock, clock.now() - timedelta(seconds=1)):
            await anyio.sleep_forever()
        event.set()
        assert await wait_until(clock, clock.now() + timedelta(days=1), event)
        async with move_on_at(clock, None):
            await anyio.lowlevel.checkpoint()
