"""The contract of ports/logs.py, over every adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.adapters.logs.files import FileLogs
from insitu.adapters.logs.objects import ObjectLogs
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.ports.logs import Logs
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk
from tests.ports.stores import BUCKET, objects_in

EXECUTION = ExecutionId("wx" + "a" * 26)
OTHER = ExecutionId("wx" + "b" * 26)
FIRST = LogKey(stage=0, attempt=1)
CAP = 100_000


@pytest.fixture(params=["files", BUCKET])
async def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Logs]:
    if request.param == "files":
        yield FileLogs(tmp_path / "logs", cap=CAP)
        return
    async with ObjectLogs(objects_in(request), cap=CAP) as opened:
        yield opened


async def read(logs: Logs, offset: int = 0, key: LogKey = FIRST, *, follow: bool = False) -> bytes:
    content = b""
    async for chunk in logs.read(EXECUTION, key, offset, follow=follow):
        assert chunk.offset == offset + len(content)
        content += chunk.data
    return content


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_log_that_nobody_wrote_is_empty(logs: Logs) -> None:
    assert await read(logs) == b""
    assert await logs.size(EXECUTION, FIRST) == 0
    assert await logs.keys(EXECUTION) == ()
    assert not await logs.finished(EXECUTION, FIRST)


async def test_bytes_come_back_from_any_offset(logs: Logs) -> None:
    assert await logs.append(EXECUTION, FIRST, LogChunk(0, b"one\n")) == 4
    assert await logs.append(EXECUTION, FIRST, LogChunk(4, b"two\n")) == 8
    assert await read(logs) == b"one\ntwo\n"
    assert await read(logs, 4) == b"two\n"
    assert await read(logs, 8) == b""
    assert await read(logs, 99) == b""


async def test_bytes_that_are_there_already_are_skipped(logs: Logs) -> None:
    await logs.append(EXECUTION, FIRST, LogChunk(0, b"abcdef"))
    assert await logs.append(EXECUTION, FIRST, LogChunk(2, b"cd")) == 6
    assert await logs.append(EXECUTION, FIRST, LogChunk(3, b"defgh")) == 8
    assert await logs.append(EXECUTION, FIRST, LogChunk(0, b"")) == 8
    assert await read(logs) == b"abcdefgh"


async def test_a_gap_is_refused(logs: Logs) -> None:
    await logs.append(EXECUTION, FIRST, LogChunk(0, b"abc"))
    with pytest.raises(InsituError, match="StorageFailed"):
        await logs.append(EXECUTION, FIRST, LogChunk(4, b"e"))
    assert await read(logs) == b"abc"


async def test_what_is_beyond_the_cap_is_dropped(logs: Logs) -> None:
    assert await logs.append(EXECUTION, FIRST, LogChunk(0, b"x" * (CAP - 1))) == CAP - 1
    assert await logs.append(EXECUTION, FIRST, LogChunk(CAP - 1, b"yz")) == CAP
    assert await logs.append(EXECUTION, FIRST, LogChunk(CAP + 1, b"more")) == CAP
    assert (await read(logs))[-2:] == b"xy"


async def test_logs_of_stages_attempts_and_executions_are_apart(logs: Logs) -> None:
    keys = [LogKey(stage=stage, attempt=attempt) for stage, attempt in [(10, 1), (2, 2), (2, 1), (0, 1)]]
    for key in keys:
        await logs.append(EXECUTION, key, LogChunk(0, str(key).encode()))
    await logs.append(OTHER, FIRST, LogChunk(0, b"other"))
    assert await logs.keys(EXECUTION) == tuple(reversed(keys))
    for key in keys:
        assert await read(logs, key=key) == str(key).encode()


async def test_a_follower_gets_bytes_as_they_come_and_ends_with_the_log(logs: Logs) -> None:
    arrived: list[bytes] = []
    lines = [b"first\n", b"second\n", b"third\n"]
    seen = [anyio.Event() for _ in lines]

    async def follow() -> None:
        async for chunk in logs.read(EXECUTION, FIRST, follow=True):
            arrived.append(chunk.data)
            seen[len(arrived) - 1].set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            size = 0
            for line, event in zip(lines, seen, strict=True):
                size = await logs.append(EXECUTION, FIRST, LogChunk(size, line))
                await event.wait()
            await logs.finish(EXECUTION, FIRST)
    assert arrived == lines


async def test_several_followers_miss_nothing(logs: Logs) -> None:
    contents: list[bytes] = []

    async def follow() -> None:
        contents.append(await read(logs, follow=True))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(follow)
            for number in range(200):
                await logs.append(EXECUTION, FIRST, LogChunk(number * 3, b"%02d\n" % (number % 100)))
            await logs.finish(EXECUTION, FIRST)
    assert contents == [await read(logs)] * 5


async def test_a_finished_log_is_whole_at_once(logs: Logs) -> None:
    await logs.append(EXECUTION, FIRST, LogChunk(0, b"all"))
    await logs.finish(EXECUTION, FIRST)
    await logs.finish(EXECUTION, FIRST)
    assert await logs.finished(EXECUTION, FIRST)
    with anyio.fail_after(10):
        assert await read(logs, follow=True) == b"all"


async def test_a_log_without_bytes_can_be_finished(logs: Logs) -> None:
    await logs.finish(EXECUTION, FIRST)
    assert await logs.keys(EXECUTION) == (FIRST,)
    with anyio.fail_after(10):
        assert await read(logs, follow=True) == b""


async def test_removing_leaves_other_executions_alone(logs: Logs) -> None:
    await logs.append(EXECUTION, FIRST, LogChunk(0, b"mine"))
    await logs.append(OTHER, FIRST, LogChunk(0, b"other"))
    await logs.remove(EXECUTION)
    await logs.remove(EXECUTION)
    assert await logs.keys(EXECUTION) == ()
    assert await logs.size(OTHER, FIRST) == 5


async def test_an_invalid_id_reaches_no_file(logs: Logs, tmp_path: Path) -> None:
    for trick in ["..", "../outside", "", "/tmp", "wx" + "a" * 25 + "/"]:
        with pytest.raises(InsituError, match="InvalidId"):
            await logs.append(ExecutionId(trick), FIRST, LogChunk(0, b"x"))
        with pytest.raises(InsituError, match="InvalidId"):
            await logs.remove(ExecutionId(trick))
    assert entries(tmp_path) == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=2000),
    starts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 700)), max_size=20),
)
async def test_a_copy_that_starts_again_anywhere_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, starts: list[tuple[float, int]]
) -> None:
    logs = FileLogs(tmp_path_factory.mktemp("logs"), cap=CAP)
    size = 0
    for share, length in [*starts, (1.0, len(content))]:
        at = int(size * share)
        size = await logs.append(EXECUTION, FIRST, LogChunk(at, content[at : at + length]))
    assert content.startswith(await read(logs))
    await logs.append(EXECUTION, FIRST, LogChunk(0, content))
    assert await read(logs) == content
