"""The client without ``await``, for scripts and notebooks: the asynchronous one, in a thread of its own.

Nothing is written twice: every method, its signature and its help are those of the asynchronous client.
"""

import asyncio
import atexit
import functools
import inspect
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Any, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal
from typing_extensions import override

from insitu.sdk.agreements import Agreements
from insitu.sdk.assets import Assets
from insitu.sdk.client import Client
from insitu.sdk.compute import Compute
from insitu.sdk.execution import Execution
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient

Result = TypeVar("Result")

FACADES = (Agreements, Assets, Client, Compute, Execution, GatewayClient, MetadataClient)
"""Classes whose objects are wrapped when a method or attribute returns them; other values are plain data."""

ENDING = 5.0
"""Seconds that the interpreter waits at its end for a client to close its connections."""

_living: dict[threading.Thread, Callable[[], None]] = {}
"""The thread of each client, and the function that ends it."""


@atexit.register
def _end_all() -> None:
    for end in list(_living.values()):
        end()
    for thread in list(_living):
        thread.join(ENDING)


class ClientThread:
    """The thread in which a client and its event loop run.

    It ends when :meth:`end` is called, when nothing refers to the client any more, and with the interpreter, which
    never waits for a daemon. Calls in progress are then cancelled.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        born = Future[tuple[Client, BlockingPortal, asyncio.AbstractEventLoop, Callable[[], None]]]()
        self._ended = Future[None]()
        self._thread = threading.Thread(target=_live, args=(make, born, self._ended), name="insitu", daemon=True)
        self._thread.start()
        self.client, self._portal, self._loop, self._end = born.result()
        weakref.finalize(self, self._end).atexit = False

    def start(self, call: Callable[[], Awaitable[Result]]) -> Future[Result]:
        """Call something in the thread. Raises ``RuntimeError`` if it has ended or is in another process."""
        if self._ended.done() or not self._thread.is_alive():
            raise RuntimeError("this client is closed, or belongs to another process: connect again")
        return self._portal.start_task_soon(call)

    def soon(self, call: Callable[[], None]) -> None:
        """Call something in the thread without waiting for it, or call it here if the thread has ended."""
        _soon(self._loop, call)

    def end(self) -> None:
        """End the thread, and return once its connections are closed."""
        self._end()
        self._ended.result()
        self._thread.join()


def _live(make: Callable[[], Client], born: Future[Any], ended: Future[None]) -> None:
    try:
        anyio.run(_inhabit, make, born)
    except BaseException as error:  # noqa: BLE001  the one that waits for the future raises it
        (ended if born.done() else born).set_exception(error)
    finally:
        _living.pop(threading.current_thread(), None)
        if not ended.done():
            ended.set_result(None)


async def _inhabit(make: Callable[[], Client], born: Future[Any]) -> None:
    stop, loop = anyio.Event(), asyncio.get_running_loop()
    end = _living[threading.current_thread()] = functools.partial(_soon, loop, stop.set)
    async with make() as client, BlockingPortal() as portal:
        born.set_result((client, portal, loop, end))
        await stop.wait()
        await portal.stop(cancel_remaining=True)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the loop is closed, so nothing else touches what the call needs
        call()


class Facade:
    """An object of the asynchronous client, with plain methods for coroutines and plain iterators for async ones."""

    def __init__(self, thread: ClientThread, inner: Any) -> None:
        self._thread = thread
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        member = getattr(self._inner, name)
        if inspect.isasyncgenfunction(member):
            return self._as_iterator(member)
        if inspect.iscoroutinefunction(member):
            return self._as_function(member)
        return self._wrap(member)

    @override
    def __dir__(self) -> list[str]:
        return [name for name in dir(self._inner) if not name.startswith("_")]

    @override
    def __repr__(self) -> str:
        return repr(self._inner)

    def _as_function(self, member: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(member)
        def call(*arguments: Any, **options: Any) -> Any:
            return self._wrap(_finish(self._thread.start(functools.partial(member, *arguments, **options))))

        return call

    def _as_iterator(self, member: Callable[..., AsyncIterator[Any]]) -> Callable[..., Iterator[Any]]:
        @functools.wraps(member)
        def iterate(*arguments: Any, **options: Any) -> Iterator[Any]:
            send, receive = _finish(self._thread.start(_pipe))

            async def pump() -> None:
                # One task from beginning to end, because an async generator may hold resources of its task.
                async with send:
                    async for item in member(*arguments, **options):
                        await send.send(item)

            pumping = self._thread.start(pump)
            try:
                while True:
                    try:
                        item = _finish(self._thread.start(receive.receive))
                    except anyio.EndOfStream:
                        break
                    yield self._wrap(item)
                pumping.result()
            finally:
                pumping.cancel()
                for stream in (receive, send):
                    self._thread.soon(stream.close)

        return iterate

    def _wrap(self, value: Any) -> Any:
        return Facade(self._thread, value) if isinstance(value, FACADES) else value


class SyncClient(Facade):
    """:class:`insitu.sdk.client.Client` without ``await``. Use ``with`` or ``close()``, or it ends with the script.

    Parameters
    ----------
    make
        Makes the asynchronous client. It is called in the thread in which the client then runs.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        thread = ClientThread(make)
        super().__init__(thread, thread.client)

    def close(self) -> None:
        """Cancel what is in progress, close the connections and end the thread. Repeating it is harmless."""
        self._thread.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _finish(future: Future[Any]) -> Any:
    """Wait for a result. Interrupting the wait (Ctrl-C) cancels the call."""
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _pipe() -> Any:
    return anyio.create_memory_object_stream[Any](0)
