"""The contract of ports/sources.py: public files come, and the provider's own network stays out of reach."""

import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from insitu.adapters.object_store import PIECE, Objects
from insitu.adapters.sources.guarded import GuardedTransport
from insitu.adapters.sources.targets import Targets
from insitu.adapters.sources.web import WebSources
from insitu.domain.errors import InsituError
from insitu.ports.sources import Sources
from insitu.sdk.http import Http
from tests.doubles.object_store import ObjectStoreServer
from tests.ports.stores import access_to, new_bucket

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.17",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[ff02::1]",
    "localhost",
    "2130706433",
    "0x7f000001",
    "127.1",
]


@pytest.fixture(params=["web"])
def guarded(request: pytest.FixtureRequest) -> Sources:
    assert request.param == "web"
    return WebSources(Targets())


async def read(sources: Sources, url: str) -> bytes:
    return b"".join([chunk async for chunk in sources.open(url)])


@pytest.mark.parametrize("host", PRIVATE)
async def test_addresses_of_this_machine_and_its_neighbours_are_refused(guarded: Sources, host: str) -> None:
    for call in (guarded.check, lambda url: read(guarded, url)):
        with pytest.raises(InsituError, match=r"TargetNotAllowed|ConfigurationFailed|InvalidRequest"):
            await call(f"http://{host}/secret")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nothing",
        "file:///etc/passwd",
        "ftp://example.org/a",
        "http://",
        "http://user:pw@example.org/",
        "http://[",
        "gopher://x",
    ],
)
async def test_what_is_not_a_web_address_is_refused(guarded: Sources, url: str) -> None:
    with pytest.raises(InsituError, match="InvalidRequest"):
        await guarded.check(url)


async def test_a_public_address_is_accepted(guarded: Sources) -> None:
    await guarded.check("https://93.184.215.14/data.csv")
    await guarded.check("http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8080/data.csv")


async def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anyio, "getaddrinfo", answering("93.184.215.14", "10.0.0.1"))
    with pytest.raises(InsituError, match="TargetNotAllowed"):
        await WebSources(Targets()).check("http://rebinding.example/")


async def test_settings_name_hosts_and_networks_that_are_fetched_all_the_same() -> None:
    async with server({"/a": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"}) as (port, _):
        for allowed in ("127.0.0.0/8", "127.0.0.1"):
            assert await read(WebSources(Targets([allowed])), f"http://127.0.0.1:{port}/a") == b"abc"
        assert await read(WebSources(Targets(allow_private=True)), f"http://127.0.0.1:{port}/a") == b"abc"
        with pytest.raises(InsituError, match="TargetNotAllowed"):
            await read(WebSources(Targets(["10.0.0.0/8", "example.org"])), f"http://127.0.0.1:{port}/a")


async def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with server({"/a": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"}) as (port, seen):
        monkeypatch.setattr(anyio, "getaddrinfo", answering("127.0.0.1", then="10.0.0.1"))
        assert await read(WebSources(Targets(["data.example"])), f"http://data.example:{port}/a") == b"abc"
    assert f"host: data.example:{port}" in seen[0].lower()


async def test_a_redirect_into_the_network_is_refused() -> None:
    async with server(
        {"/a": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/meta\r\nContent-Length: 0\r\n\r\n"}
    ) as (
        port,
        _,
    ):
        with pytest.raises(InsituError, match="TargetNotAllowed"):
            await read(WebSources(Targets(["127.0.0.1"])), f"http://127.0.0.1:{port}/a")


async def test_a_redirect_to_another_kind_of_url_is_refused() -> None:
    async with server({"/a": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"}) as (
        port,
        _,
    ):
        with pytest.raises(InsituError, match=r"InvalidRequest|TargetNotAllowed"):
            await read(WebSources(Targets(["127.0.0.1"])), f"http://127.0.0.1:{port}/a")


async def test_redirects_end() -> None:
    async with server({"/a": b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"}) as (port, seen):
        with pytest.raises(InsituError, match="ConfigurationFailed"):
            await read(WebSources(Targets(["127.0.0.1"])), f"http://127.0.0.1:{port}/a")
    assert len(seen) <= 6


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        b"not http at all\r\n\r\n",
        b"",
    ],
)
async def test_a_source_that_does_not_give_the_file_is_named(answer: bytes) -> None:
    async with server({"/a": answer}) as (port, _):
        with pytest.raises(InsituError, match="ConfigurationFailed"):
            await read(WebSources(Targets(["127.0.0.1"])), f"http://127.0.0.1:{port}/a")


async def test_a_host_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(anyio, "getaddrinfo", unknown)
    with pytest.raises(InsituError, match="ConfigurationFailed"):
        await WebSources(Targets()).check("http://nowhere.example/")


async def test_the_secret_part_of_a_signed_url_is_in_no_message() -> None:
    async with server({"/a": b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}) as (port, _):
        with pytest.raises(InsituError) as caught:
            await read(WebSources(Targets(["127.0.0.1"])), f"http://127.0.0.1:{port}/a?signature=s3cret")
    assert "s3cret" not in str(caught.value)


def answering(*addresses: str, then: str | None = None) -> Callable[..., Any]:
    """A resolver that gives these addresses, and another one when it is asked again."""
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> Any:
        given = (then,) if asked and then is not None else addresses
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in given]

    return resolve


@asynccontextmanager
async def server(answers: dict[str, bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that gives raw answers by path, and the requests that it got."""
    seen: list[str] = []

    async def handle(stream: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            async with stream:
                request = (await stream.receive()).decode()
                seen.append(request)
                await stream.send(answers[request.split(" ")[1].partition("?")[0]] or b" ")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield listener.extra(SocketAttribute.local_port), seen
        tasks.cancel_scope.cancel()


async def test_documents_behind_urls_of_strangers_are_fetched_by_the_same_rule() -> None:
    """Anybody can register a url on chain, and a question of anybody makes the gateway read it."""
    async with Http(transport=GuardedTransport(Targets())) as http:
        for host in ("127.0.0.1:8545", "169.254.169.254", "[::1]:80", "10.0.0.1"):
            with pytest.raises(InsituError, match="TargetNotAllowed"):
                await http.call("GET", f"http://{host}/api/v1/metadata/assets/ddo/did:nv:1")


@pytest.mark.needs("object-store")
async def test_a_file_of_a_bucket_comes_in_pieces(object_store: ObjectStoreServer) -> None:
    bucket, content = new_bucket(object_store), random.Random(7).randbytes(9_000_001)
    sources = WebSources(Targets(), access_to(object_store))
    for name, data in {"year 2026/flights.csv": content, "empty": b"", "ümlaut": b"x"}.items():
        await Objects.at(bucket, access_to(object_store)).put(name, data)
        url = f"{bucket}/{quote(name)}"
        await sources.check(url)
        chunks = [chunk async for chunk in sources.open(url)]
        assert b"".join(chunks) == data
        assert len(chunks) == -(-len(data) // PIECE)


@pytest.mark.needs("object-store")
@pytest.mark.parametrize("missing", ["no-such-object", "no-such-bucket"])
async def test_a_bucket_that_does_not_give_the_file_is_named(object_store: ObjectStoreServer, missing: str) -> None:
    bucket = new_bucket(object_store) if missing == "no-such-object" else "s3://no-such-bucket"
    with pytest.raises(InsituError, match="ConfigurationFailed"):
        await read(WebSources(Targets(), access_to(object_store)), f"{bucket}/{missing}")


@pytest.mark.needs("object-store")
async def test_an_object_that_changes_while_it_is_read_is_refused(object_store: ObjectStoreServer) -> None:
    bucket = new_bucket(object_store)
    objects = Objects.at(bucket, access_to(object_store))
    await objects.put("file", b"a" * (PIECE + 1))
    chunks = WebSources(Targets(), access_to(object_store)).open(f"{bucket}/file")
    assert await anext(chunks) == b"a" * PIECE
    await objects.put("file", b"b" * (PIECE + 1))
    with pytest.raises(InsituError, match=r"ConfigurationFailed.*changed in the meantime"):
        await anext(chunks)


@pytest.mark.parametrize(
    "url",
    [
        "s3:",
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://key:secret@bucket/a",
        "s3://bucket/../a",
        "s3://bucket/a?versionId=1",
        "gs://bucket/a//b",
        "az://container/./a",
        "abfs://container/a",
    ],
)
async def test_what_names_no_object_is_refused(guarded: Sources, url: str) -> None:
    for call in (guarded.check, lambda one: read(guarded, one)):
        with pytest.raises(InsituError, match="InvalidRequest") as caught:
            await call(url)
        assert "secret" not in str(caught.value)


async def test_what_the_provider_keeps_in_a_bucket_is_nobodys_data_set() -> None:
    sources = WebSources(Targets(), reserved=("s3://ours/results", "gs://logs"))
    await sources.check("s3://ours/resultsets/a")
    await sources.check("s3://ours/data/results/a")
    for url in ("s3://ours/results/ab/abc", "s3://ours/%72esults/ab/abc", "gs://logs/a"):
        for call in (sources.check, lambda one: read(sources, one)):
            with pytest.raises(InsituError, match="TargetNotAllowed"):
                await call(url)
