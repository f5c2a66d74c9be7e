"""A test that is cancelled or stands still fails alone.

While a fixture of the whole session lives, anyio runs all tests of a process in one task. A ``CancelledError`` that
leaves a test ends this task, and a test that the alarm of pytest-timeout interrupts stays in it: either way every later
test of the process would fail, with an error that says nothing about the cause.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from anyio import pytest_plugin

SECONDS_BEFORE_THE_ALARM = 10.0
"""How much earlier than pytest-timeout a test is ended from inside."""


class FailsAlone:
    """Ends tests that stand still from inside, and gives the next test a task if the one before took it along."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Bound an asynchronous test before anyio runs it."""
        _require_task()
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _bounded(item.obj, _allowed(item) - SECONDS_BEFORE_THE_ALARM)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Let fixtures end what they began."""
        _require_task()


def _allowed(item: pytest.Item) -> float:
    """Return the seconds of pytest-timeout."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker is not None else item.config.getini("timeout"))


def _bounded(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def bounded(**arguments: Any) -> None:
        # No scope of anyio: it cannot end before a task group that the test began and a fixture ends.
        async with asyncio.timeout(seconds):
            await test(**arguments)

    return bounded


def _require_task() -> None:
    """Let anyio start another task if its own has ended. It has no function for this: it believes that none ends."""
    runner: Any = pytest_plugin._current_runner
    if runner is not None and runner._runner_task is not None and runner._runner_task.done():
        runner._runner_task = None
