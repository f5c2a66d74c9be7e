"""A node may be slow, silent, wrong, or not a node: each is ChainUnavailable, and its address stays secret."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream

from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.transactions import Transactions
from insitu.domain.errors import InsituError
from insitu.ports.chain import SignedTransaction

pytestmark = pytest.mark.anyio

Answer = Callable[[SocketStream], Awaitable[None]]


@asynccontextmanager
async def node(answer: Answer) -> AsyncIterator[str]:
    """A server that answers each connection in its own way."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            try:
                await answer(stream)
            except (anyio.BrokenResourceError, anyio.EndOfStream):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://user:secret@127.0.0.1:{port}/v3/secret"
        group.cancel_scope.cancel()


def http(status: str, body: bytes, kind: str = "application/json") -> Answer:
    async def answer(stream: SocketStream) -> None:
        await stream.receive()
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        await stream.send(head.encode() + body)

    return answer


async def silence(stream: SocketStream) -> None:
    await anyio.sleep_forever()


async def hang_up(stream: SocketStream) -> None:
    await stream.receive()


BAD = {
    "html": http("200 OK", b"<html>welcome</html>", "text/html"),
    "not json": http("200 OK", b"{"),
    "not utf-8": http("200 OK", b"\xff\xfe{}"),
    "a list": http("200 OK", b"[]"),
    "a number": http("200 OK", b"7"),
    "an empty object": http("200 OK", b"{}"),
    "nothing": http("200 OK", b""),
    "503": http("503 Service Unavailable", b"later"),
    "429": http("429 Too Many Requests", b"{}"),
    "401": http("401 Unauthorized", b"no"),
    "silence": silence,
    "hang up": hang_up,
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
async def test_no_usable_answer_is_chain_unavailable_without_the_urls_secrets(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with node(answer) as url, JsonRpc(url, timeout=0.5) as rpc:
        with pytest.raises(InsituError, match="ChainUnavailable") as failed:
            await rpc.call("eth_chainId")
    assert "secret" not in str(failed.value)
    assert "secret" not in repr(rpc)
    assert "/v3/" not in caplog.text
    assert "user" not in caplog.text
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


async def test_nobody_listening_is_chain_unavailable(unused_tcp_port: int) -> None:
    async with JsonRpc(f"http://127.0.0.1:{unused_tcp_port}") as rpc:
        with pytest.raises(InsituError, match="ChainUnavailable"):
            await rpc.call("eth_chainId")


@pytest.fixture
def unused_tcp_port() -> int:
    from insitu.adapters.chain.anvil import free_port

    return free_port()


async def test_an_error_answer_with_revert_data_is_the_contracts_refusal() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x4e487b71%s"}}'
    async with node(http("200 OK", body % (b"00" * 31 + b"11"))) as url, JsonRpc(url) as rpc:
        with pytest.raises(InsituError, match="ContractRejected: panic 17"):
            await rpc.call("eth_call")


@pytest.mark.parametrize("error", ['"text"', "null", "[1]", '{"data": 3}', '{"data": {"data": "0xzz"}}', "{}"])
async def test_any_error_answer_is_translated(error: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":1,"error":{error}}}'.encode()
    async with node(http("200 OK", body)) as url, JsonRpc(url) as rpc:
        with pytest.raises(InsituError, match="ChainUnavailable"):
            await rpc.call("eth_call")


async def test_a_cancelled_call_leaves_the_connection_usable() -> None:
    """Services that ask a node can be cancelled at any moment; the next question must still get its answer."""
    good, calls = http("200 OK", b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'), 0

    async def first_silent(stream: SocketStream) -> None:
        nonlocal calls
        calls += 1
        await (silence if calls <= 3 else good)(stream)

    async with node(first_silent) as url, JsonRpc(url) as rpc:
        for _ in range(3):
            with anyio.move_on_after(0.05):
                await rpc.call("eth_chainId")
        assert await rpc.call("eth_chainId") == "0x1"


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ftp://node", "ws://node:8546", "http://"])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(InsituError, match="SettingsInvalid"):
        JsonRpc(url)


async def test_a_transaction_that_a_node_never_mines_is_reported_with_its_hash() -> None:
    async def pending(stream: SocketStream) -> None:
        with contextlib.suppress(anyio.ClosedResourceError):
            await http("200 OK", b'{"jsonrpc":"2.0","id":1,"result":null}')(stream)

    sent = SignedTransaction("0x" + "ab" * 32, b"\2", 0)
    async with node(pending) as url, JsonRpc(url) as rpc:
        with pytest.raises(InsituError, match="TransactionUnconfirmed") as error:
            await Transactions(rpc, 31337, None, patience=0.2).finish(sent)
    assert sent.hash in error.value.detail
    assert "hash" in error.value.definition.next_step
