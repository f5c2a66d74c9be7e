"""The client without ``await``, for scripts and notebooks: the asynchronous one, behind a portal to its own thread.

Nothing is written twice: every method, its signature and its help are those of the asynchronous client.
"""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from typing_extensions import override

from insitu.sdk.agreements import Agreements
from insitu.sdk.assets import Assets
from insitu.sdk.client import Client
from insitu.sdk.compute import Compute
from insitu.sdk.execution import Execution
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient

__all__ = ["Facade", "SyncClient"]

FACADES = (Agreements, Assets, Client, Compute, Execution, GatewayClient, MetadataClient)
"""What is wrapped where a method or attribute gives it; other values are plain data."""


class Facade:
    """An object of the asynchronous client: its coroutines are plain methods, its async iterators plain iterators."""

    def __init__(self, portal: BlockingPortal, inner: Any) -> None:
        self._portal = portal
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        member = getattr(self._inner, name)
        if inspect.isasyncgenfunction(member):
            return self._iterating(member)
        if inspect.iscoroutinefunction(member):
            return self._waiting(member)
        return self._wrapped(member)

    @override
    def __dir__(self) -> list[str]:
        return [name for name in dir(self._inner) if not name.startswith("_")]

    @override
    def __repr__(self) -> str:
        return repr(self._inner)

    def _waiting(self, member: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(member)
        def call(*arguments: Any, **options: Any) -> Any:
            return self._wrapped(
                _finish(self._portal.start_task_soon(functools.partial(member, *arguments, **options)))
            )

        return call

    def _iterating(self, member: Callable[..., AsyncIterator[Any]]) -> Callable[..., Iterator[Any]]:
        @functools.wraps(member)
        def iterate(*arguments: Any, **options: Any) -> Iterator[Any]:
            send, receive = self._portal.call(_pipe)

            async def pump() -> None:
                # One task from beginning to end: an async generator may hold resources of the task that runs it.
                async with send:
                    async for item in member(*arguments, **options):
                        await send.send(item)

            pumping = self._portal.start_task_soon(pump)
            try:
                while True:
                    try:
                        item = _finish(self._portal.start_task_soon(receive.receive))
                    except anyio.EndOfStream:
                        break
                    yield self._wrapped(item)
                pumping.result()
            finally:
                pumping.cancel()
                self._portal.call(receive.aclose)

        return iterate

    def _wrapped(self, value: Any) -> Any:
        return Facade(self._portal, value) if isinstance(value, FACADES) else value


class SyncClient(Facade):
    """:class:`insitu.sdk.client.Client` without ``await``.

    Parameters
    ----------
    make
        Makes the asynchronous client; it is called in the thread in which the client then lives.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        self._stack = ExitStack()
        portal = self._stack.enter_context(start_blocking_portal())
        try:
            super().__init__(portal, portal.call(make))
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Close connections and end the thread."""
        with self._stack:
            self._portal.call(self._inner.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _finish(future: Future[Any]) -> Any:
    """Wait for a result; an interrupted wait (Ctrl-C) cancels what was waited for."""
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _pipe() -> Any:
    return anyio.create_memory_object_stream[Any](0)
