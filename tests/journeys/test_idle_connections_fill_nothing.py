"""Clients that hold connections or stop half way keep nobody else out and write nothing to the log."""

import errno
import resource
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Request

from insitu.api.app import build_app
from insitu.stack.connections import Door, connection_type, room_for_connections
from insitu.testing.provider import ProviderProcess, running_provider

OPEN_FILES = 300
"""What a small machine lets the provider open, so that a few connections are many."""
HELD = 400


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderProcess]:
    """A provider that may open few files, and at first only half of them."""
    limited = tmp_path / "limited"
    limits = f"ulimit -Sn {OPEN_FILES // 2} && ulimit -Hn {OPEN_FILES}"
    limited.write_text(f'#!/bin/sh\n{limits} && exec {sys.executable} "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(limited))
    with running_provider(tmp_path / "home") as provider:
        yield provider


@contextmanager
def held(provider: ProviderProcess, count: int) -> Iterator[list[socket.socket]]:
    """So many connections that say nothing."""
    address = ("127.0.0.1", int(provider.url.rpartition(":")[2]))
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(count)]


def healthy(provider: ProviderProcess) -> bool:
    """Whether a new connection is answered."""
    return httpx.get(f"{provider.url}/healthz", timeout=30).status_code == 200


def is_open(connection: socket.socket) -> bool:
    """Whether the other side has not closed it."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.needs("chain")
def test_others_are_answered_while_more_connections_are_held_than_files_may_be_open(small: ProviderProcess) -> None:
    assert resource.prlimit(small.pid, resource.RLIMIT_NOFILE) == (OPEN_FILES, OPEN_FILES)
    before = small.log.stat().st_size
    with held(small, HELD) as connections:
        assert healthy(small)
        left = [connection for connection in connections if is_open(connection)]
        assert len(left) <= room_for_connections(OPEN_FILES, 2000)
        assert left == connections[-len(left) :], "the oldest made room"
        assert healthy(small)
    assert small.log.stat().st_size - before < 4096


@asynccontextmanager
async def serving(most: int = 100) -> AsyncIterator[int]:
    """A server with one address that takes a body; its port."""
    router = APIRouter()

    @router.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    app = build_app("test", "0", [router], max_body_bytes=1024 * 1024)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(app, log_config=None, lifespan="off", http=connection_type(most), ws="none")
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve, [Door(listening)])
        try:
            yield port
        finally:
            server.should_exit = True


async def until_closed(stream: anyio.abc.SocketStream) -> bytes:
    """Everything that arrives until the other side closes."""
    received = b""
    with anyio.fail_after(30):
        while True:
            try:
                received += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return received


async def test_a_process_without_files_closes_new_connections_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, refused = socket.socket.accept, list[None]()

    def without_files(self: socket.socket) -> tuple[socket.socket, Any]:
        """Each connection is refused once, and taken as soon as a file was given up."""
        if len(refused) < 50:
            refused.append(None)
            if len(refused) % 2:
                raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    async with serving() as port:
        monkeypatch.setattr(socket.socket, "accept", without_files)
        while len(refused) < 50:
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                assert await until_closed(stream) == b""
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200 OK" in await stream.receive()
    assert caplog.messages == ["closing new connections at once: Too many open files"]


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "])
async def test_a_head_that_is_not_completed_is_waited_for_only_so_long(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.stack.connections.HEAD_SECONDS", 0.2)
    async with serving() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(said)
        assert await until_closed(stream) == b""


async def test_a_second_head_has_no_more_time_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it trickles: each byte would put off the end of a connection that is kept alive."""
    monkeypatch.setattr("insitu.stack.connections.HEAD_SECONDS", 0.5)
    async with serving() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in await stream.receive()
        async with anyio.create_task_group() as trickling:

            async def trickle() -> None:
                with suppress(anyio.BrokenResourceError):
                    while True:
                        await stream.send(b"G")
                        await anyio.sleep(0.05)

            trickling.start_soon(trickle)
            assert await until_closed(stream) == b""
            trickling.cancel_scope.cancel()


async def test_a_body_that_stops_is_answered_and_the_connection_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.api.bodies.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("insitu.api.bodies.DRAIN_SECONDS", 0.2)
    async with serving() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        answer = await until_closed(stream)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"BodyTooSlow" in answer


async def test_a_body_that_comes_slowly_but_steadily_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.api.bodies.PATIENCE_SECONDS", 5.0)
    monkeypatch.setattr("insitu.api.bodies.LEAST_RATE", 1)
    async with serving() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"POST /length HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 30\r\n\r\n")
        for _ in range(30):
            await stream.send(b"x")
            await anyio.sleep(0.01)
        assert (await until_closed(stream)).endswith(b"\r\n\r\n30")


async def test_a_client_that_is_being_answered_is_not_closed_to_make_room() -> None:
    """Nor is one whose request is under way; if nobody is idle, the new one is closed."""
    busy = b"POST /length HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    async with (
        serving(most=2) as port,
        await anyio.connect_tcp("127.0.0.1", port) as first,
        await anyio.connect_tcp("127.0.0.1", port) as other,
    ):
        await first.send(busy)
        await other.send(busy)
        await anyio.wait_all_tasks_blocked()
        async with await anyio.connect_tcp("127.0.0.1", port) as late:
            assert await until_closed(late) == b""
        for stream in (first, other):
            await stream.send(b"done")
            assert (await until_closed(stream)).endswith(b"\r\n\r\n4")


@pytest.mark.parametrize(("open_files", "most"), [(1024, 352), (256, 64), (64, 1), (1 << 20, 2000), (-1, 2000)])
def test_connections_leave_files_for_everything_else(open_files: int, most: int) -> None:
    assert room_for_connections(open_files, 2000) == most
