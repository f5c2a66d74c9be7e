"""Logs in a bucket while the leader changes: two write, others follow, the store dies; the log has each byte once."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from insitu.adapters.logs.objects import ObjectLogs
from insitu.adapters.logs.segments import folder_of, look_at, shrink
from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.ports.logs import Logs
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk
from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.ports.stores import access_to, new_bucket

EXECUTION = ExecutionId("wx" + "a" * 26)
FIRST = LogKey(stage=0, attempt=1)
FOLDER = folder_of(EXECUTION, FIRST)
CAP = 1_000_000
PRINTED = b"".join(b"line %04d of what the algorithm prints\n" % number for number in range(400))

needs_server = pytest.mark.needs("object-store")


@pytest.fixture
def server() -> Iterator[ObjectStoreServer]:
    """A server that the test may kill."""
    with running_object_store() as running:
        yield running


@pytest.fixture
async def two(object_store: ObjectStoreServer) -> AsyncIterator[tuple[ObjectLogs, ObjectLogs]]:
    """Two processes' ways to one bucket."""
    url = new_bucket(object_store)
    async with opened(object_store, url) as one, opened(object_store, url) as other:
        yield one, other


def opened(server: ObjectStoreServer, url: str, *, patience: float = 20.0, pause: float = 0.05) -> ObjectLogs:
    return ObjectLogs(Objects.at(url, access_to(server, patience)), cap=CAP, pause=pause)


async def read(logs: Logs, offset: int = 0, *, follow: bool = False) -> bytes:
    content = b""
    async for chunk in logs.read(EXECUTION, FIRST, offset, follow=follow):
        assert chunk.offset == offset + len(content)
        content += chunk.data
    return content


async def copy(logs: ObjectLogs, seed: int) -> None:
    """What an engine does: begin at the size, append in pieces of any length, close."""
    lengths = random.Random(seed)
    offset = await logs.size(EXECUTION, FIRST)
    while offset < len(PRINTED):
        length = lengths.randint(1, 900)
        offset = await logs.append(EXECUTION, FIRST, LogChunk(offset, PRINTED[offset : offset + length]))
        await anyio.sleep(0.002)
    await logs.finish(EXECUTION, FIRST)


@needs_server
@pytest.mark.parametrize("seed", range(3))
async def test_two_writers_at_once_make_one_log(two: tuple[ObjectLogs, ObjectLogs], seed: int) -> None:
    contents: list[bytes] = []

    async def follow(logs: ObjectLogs) -> None:
        contents.append(await read(logs, follow=True))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number, logs in enumerate(two):
                tasks.start_soon(follow, logs)
                tasks.start_soon(copy, logs, seed * 2 + number)
    assert contents == [PRINTED] * 2
    for logs in two:
        assert await logs.finished(EXECUTION, FIRST)
        assert await logs.size(EXECUTION, FIRST) == len(PRINTED)


@needs_server
async def test_a_line_is_seen_through_another_process_before_the_log_ends(two: tuple[ObjectLogs, ObjectLogs]) -> None:
    writer, reader = two
    with anyio.fail_after(20):
        await writer.append(EXECUTION, FIRST, LogChunk(0, b"first\n"))
        lines = reader.read(EXECUTION, FIRST, follow=True)
        assert await anext(lines) == LogChunk(0, b"first\n")
        await writer.append(EXECUTION, FIRST, LogChunk(6, b"second\n"))
        assert await anext(lines) == LogChunk(6, b"second\n")
        await writer.finish(EXECUTION, FIRST)
        assert [chunk async for chunk in lines] == []


@needs_server
async def test_nothing_follows_the_end_whoever_thinks_that_they_lead(two: tuple[ObjectLogs, ObjectLogs]) -> None:
    late, leader = two
    await late.append(EXECUTION, FIRST, LogChunk(0, b"one\n"))
    await late.size(EXECUTION, FIRST)
    await leader.append(EXECUTION, FIRST, LogChunk(4, b"two\n"))
    await leader.finish(EXECUTION, FIRST)
    await late.append(EXECUTION, FIRST, LogChunk(4, b"two\nthree\n"))
    await late.finish(EXECUTION, FIRST)
    for logs in two:
        assert await read(logs, follow=True) == b"one\ntwo\n"
        assert await logs.size(EXECUTION, FIRST) == 8


@needs_server
async def test_a_chatty_algorithm_makes_few_objects_and_a_complete_log_is_one(object_store: ObjectStoreServer) -> None:
    url = new_bucket(object_store)
    objects = Objects.at(url, access_to(object_store))
    began = anyio.current_time()
    async with ObjectLogs(objects, cap=CAP, pause=0.1) as logs:
        for number in range(2000):
            await logs.append(EXECUTION, FIRST, LogChunk(number * 6, b"%05d\n" % number))
            await anyio.sleep(0.0001)
        assert await logs.size(EXECUTION, FIRST) == 12_000
        # A slow machine takes longer for the lines, and has more pauses in that time.
        taken = anyio.current_time() - began
        assert 1 < len([one async for one in objects.list(FOLDER)]) <= taken / 0.1 + 3
        await logs.finish(EXECUTION, FIRST)
    assert [(one.name, one.size) async for one in objects.list()] == [(f"{FOLDER}/whole", 12_000)]


@needs_server
async def test_what_waits_is_written_when_the_process_ends_in_order(object_store: ObjectStoreServer) -> None:
    url = new_bucket(object_store)
    async with opened(object_store, url, pause=3600) as logs:
        await logs.append(EXECUTION, FIRST, LogChunk(0, b"one\n"))
        await logs.size(EXECUTION, FIRST)
        await logs.append(EXECUTION, FIRST, LogChunk(4, b"two\n"))
        async with opened(object_store, url) as other:
            assert await read(other) == b"one\n"
    async with opened(object_store, url) as other:
        assert await read(other) == b"one\ntwo\n"


@needs_server
async def test_a_server_that_dies_during_a_log_and_comes_back_gets_all_of_it(server: ObjectStoreServer) -> None:
    url = new_bucket(server)
    async with opened(server, url, patience=0.3) as logs, opened(server, url) as other:
        contents: list[bytes] = []

        async def follow() -> None:
            contents.append(await read(other, follow=True))

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await logs.append(EXECUTION, FIRST, LogChunk(0, PRINTED[:5000]))
                await logs.size(EXECUTION, FIRST)
                server.kill()
                await logs.append(EXECUTION, FIRST, LogChunk(5000, PRINTED[5000:9000]))
                with pytest.raises(InsituError, match="ObjectStoreUnavailable"):
                    await logs.finish(EXECUTION, FIRST)
                assert await logs.append(EXECUTION, FIRST, LogChunk(9000, PRINTED[9000:])) == len(PRINTED)
                server.start()
                await logs.finish(EXECUTION, FIRST)
    assert contents == [PRINTED]


@needs_server
async def test_an_end_that_was_interrupted_anywhere_is_taken_up_again(object_store: ObjectStoreServer) -> None:
    """The process dies between the closing of the chain, the one object, and the deletion of the many."""
    url = new_bucket(object_store)
    objects = Objects.at(url, access_to(object_store))
    for step in range(3):
        async with opened(object_store, url) as logs:
            await logs.remove(EXECUTION)
        await objects.put(f"{FOLDER}/{0:012d}", b"one\n")
        await objects.put(f"{FOLDER}/{4:012d}", b"two\n")
        if step > 0:
            await objects.put(f"{FOLDER}/{8:012d}", b"")
        if step > 1:
            await objects.put(f"{FOLDER}/whole", b"one\ntwo\n")
            await objects.delete([f"{FOLDER}/{0:012d}"])
        async with opened(object_store, url) as logs:
            assert await read(logs) == b"one\ntwo\n"
            assert await logs.finished(EXECUTION, FIRST) == (step > 0)
            await logs.finish(EXECUTION, FIRST)
            assert await read(logs, 2, follow=True) == b"e\ntwo\n"
        assert [one.name async for one in objects.list()] == [f"{FOLDER}/whole"]


class Shrunk(Objects):
    """A bucket in which the segments of the log become one object between a listing and the first look into one."""

    shrinks = True

    async def read(self, key: str, start: int, end: int, version: str | None = None) -> bytes | None:
        if self.shrinks:
            self.shrinks = False
            await shrink(Objects(self._store, "the object store"), FOLDER)
        return await super().read(key, start, end, version)


@pytest.mark.parametrize("follow", [True, False])
async def test_a_reader_does_not_notice_that_segments_become_one_object(follow: bool) -> None:
    objects = Shrunk(MemoryStore(), "the object store")
    for offset, data in {0: b"one\n", 4: b"two\n", 8: b"three\n", 14: b""}.items():
        await objects.put(f"{FOLDER}/{offset:012d}", data)
    async with ObjectLogs(objects, cap=CAP) as logs:
        with anyio.fail_after(10):
            assert await read(logs, 2, follow=follow) == b"e\ntwo\nthree\n"
    assert [one.name async for one in objects.list()] == [f"{FOLDER}/whole"]


Did = tuple[str, int, int]
"""What a writer did, which one, and up to how many bytes beyond what it knew."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    printed=st.integers(0, 3000),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["append", "append", "append", "send", "send", "restart", "finish"]),
            st.integers(0, 1),
            st.integers(0, 90),
        ),
        max_size=25,
    ),
)
@example(
    3000, [("append", 0, 9), ("append", 1, 9), ("append", 0, 90), ("append", 1, 50), ("send", 0, 0), ("send", 1, 0)]
)
@example(3000, [("append", 0, 9), ("append", 1, 9), ("append", 1, 50), ("finish", 0, 0), ("send", 1, 0)])
async def test_whatever_two_writers_do_the_chain_is_a_beginning_of_what_was_printed(
    printed: int, steps: list[Did]
) -> None:
    content = PRINTED[:printed]
    objects = Objects(MemoryStore(), "the object store")
    async with AsyncExitStack() as stack:
        seen = await look_at(objects, FOLDER)
        writers = [await stack.enter_async_context(ObjectLogs(objects, cap=CAP, pause=3600)) for _ in range(2)]
        for what, who, length in steps:
            logs = writers[who]
            if what == "append":
                size = await logs.append(EXECUTION, FIRST, LogChunk(0, b""))
                await logs.append(EXECUTION, FIRST, LogChunk(size // 2, content[size // 2 : size + length]))
            elif what == "send":
                await logs.size(EXECUTION, FIRST)
            elif what == "finish":
                await logs.finish(EXECUTION, FIRST)
            else:
                # It dies: what waits is lost, and the next process knows nothing.
                logs._tails.clear()
            shape = await look_at(objects, FOLDER)
            assert content.startswith(await read(writers[who]))
            # What somebody has seen never goes away, and an end is the end.
            assert seen.end <= shape.end <= len(content)
            assert shape.end == seen.end or not seen.complete
            assert shape.complete or not seen.complete
            seen = shape
        closed = (await look_at(objects, FOLDER)).complete
        before = await read(writers[0])
        await writers[1].append(EXECUTION, FIRST, LogChunk(0, content))
        await writers[1].finish(EXECUTION, FIRST)
        assert await read(writers[0]) == (before if closed else content)
