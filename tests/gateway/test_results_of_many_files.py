"""A result of thousands of files is read once and delivered as one stream, and nobody else waits for it."""

import io
import tarfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.api.archive import END, archive_header, archive_padding, read_archive
from insitu.api.gateway_v1 import BASE
from insitu.domain.errors import InsituError
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.file_server import FileServer
from insitu.sdk import receiving
from insitu.sdk.downloads import Destination
from insitu.sdk.execution import Execution
from tests.gateway.world import World, client

COUNT = 2000


def many(count: int) -> dict[str, bytes]:
    """Files with a few different contents, each of which is stored once."""
    return {f"part-{number % 7}/row-{number:05}.txt": b"row %d\n" % (number % 37) for number in range(count)}


async def finished(provider: World, files: dict[str, bytes]) -> Execution:
    """Run an algorithm that leaves these files."""
    data = await provider.publish_dataset(policy={"algorithms": "any", "output": {"maxFiles": COUNT}})
    agreement = await provider.buy(await provider.simple_workflow(data))
    provider.operator.runtime.script.update(await provider.output(files))
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    return Execution(client(provider, "consumer"), agreement, started.workflow_execution_id)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Counted:
    """Counts calls of a method and notes their threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.calls: list[int] = []
        original = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            self.calls.append(threading.get_ident())
            return original(*args, **options)

        monkeypatch.setattr(owner, name, counted)


@pytest.mark.slow
@pytest.mark.needs("chain")
async def test_thousands_of_files_are_read_once_and_arrive_as_one_stream_while_others_are_answered(
    provider: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = many(COUNT)
    execution = await finished(provider, files)
    decrypted = Counted(monkeypatch, Encrypter, "open")
    resolved = Counted(monkeypatch, provider.desk.ports.resolver, "resolve")
    monkeypatch.setattr(receiving, "_one_by_one", none_left)
    answered, arrived = 0, anyio.Event()

    async def others() -> None:
        nonlocal answered
        while not arrived.is_set():
            assert (await provider.http.get("/healthz")).status_code == 200
            answered += 1
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        paths = await execution.download(tmp_path / "out")
        arrived.set()

    assert content(tmp_path / "out") == files
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in paths) == sorted(files)
    assert (len(resolved.calls), len(decrypted.calls)) == (1, 1)
    assert threading.get_ident() not in decrypted.calls  # not on the event loop, which answers others
    assert answered > 10


async def none_left(*args: Any) -> None:
    files, paths = args[3:]
    assert len(files) == len(paths)


@pytest.mark.slow
@pytest.mark.needs("chain")
async def test_a_list_is_opened_once_for_simultaneous_requests(
    provider: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await finished(provider, many(60))
    decrypted = Counted(monkeypatch, Encrypter, "open")
    result = await execution.result()
    wanted = {file.index: receiving.ExpectedFile(file.name, file.checksum) for file in result.files}
    monkeypatch.setattr(receiving, "STREAMED", 100)
    open_now, most = 0, 0
    save = Destination.save

    async def watched(self: Destination, *args: Any, **options: Any) -> Path:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            return await save(self, *args, **options)
        finally:
            open_now -= 1

    monkeypatch.setattr(Destination, "save", watched)
    paths = await receiving.receive(execution._gateway, result.did, Destination(tmp_path / "out"), wanted)
    assert content(tmp_path / "out") == many(60)
    assert sorted(paths) == sorted(wanted)
    assert len(decrypted.calls) == 1
    assert 1 < most <= receiving.AT_ONCE


@pytest.mark.needs("chain")
async def test_a_result_is_a_tar_archive_for_its_owner_and_nobody_else(provider: World) -> None:
    files = many(20) | {"a long name " + "x" * 180 + ".txt": b"", "grüße.txt": b"hallo\n" * 1000}
    execution = await finished(provider, files)
    did = (await execution.result()).did
    headers = await client(provider, "consumer")._tokens.headers()
    answer = await provider.http.get(f"{BASE}/download/{did}", headers=headers)
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        members = {member.name: member for member in archive.getmembers()}
        assert {name: archive.extractfile(member).read() for name, member in members.items()} == files  # type: ignore[union-attr]
        assert all(member.isreg() for member in members.values())
    late = await provider.http.get(f"{BASE}/download/{did}?first=15", headers=headers)
    with tarfile.open(fileobj=io.BytesIO(late.content)) as archive:
        assert archive.getnames() == list(members)[15:]
    with pytest.raises(InsituError, match="DownloadNotAllowed"):
        async with client(provider, "stranger").archive(did):
            pass


@pytest.mark.needs("chain")
async def test_an_interrupted_archive_continues_with_the_next_file(
    provider: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = many(40)
    execution = await finished(provider, files)
    asked: list[int] = []
    archive = provider.gateway.file_server.archive

    async def cut(caller: Any, did: str, first: int) -> AsyncIterator[bytes]:
        asked.append(first)
        return broken(await archive(caller, did, first), after=30)

    async def broken(chunks: AsyncIterator[bytes], after: int) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            after -= 1
            if after < 0:
                return
            yield chunk

    monkeypatch.setattr(FileServer, "archive", staticmethod(cut))
    await execution.download(tmp_path / "out")
    assert content(tmp_path / "out") == files
    assert len(asked) > 2
    assert asked == sorted(set(asked))


@pytest.mark.needs("chain")
async def test_a_file_that_arrives_with_other_bytes_is_refused_and_leaves_nothing(
    provider: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await finished(provider, many(20))

    async def changed(caller: Any, did: str, first: int) -> AsyncIterator[bytes]:
        return pieces(archive_header(0, "part-0/row-00000.txt", 6) + b"row 1\n" + archive_padding(6) + END)

    monkeypatch.setattr(FileServer, "archive", staticmethod(changed))
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await execution.download(tmp_path / "out")
    assert content(tmp_path / "out") == {}


@pytest.mark.slow
@pytest.mark.needs("chain")
async def test_a_gateway_without_archives_is_asked_for_each_file(
    provider: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await finished(provider, many(20))

    async def unknown(caller: Any, did: str, first: int) -> AsyncIterator[bytes]:
        raise InsituError("NotFound", "there is no such address")

    monkeypatch.setattr(FileServer, "archive", staticmethod(unknown))
    await execution.download(tmp_path / "out")
    assert content(tmp_path / "out") == many(20)


async def pieces(whole: bytes, size: int = 100) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


async def read(whole: bytes) -> list[tuple[int, str, bytes]]:
    return [
        (file.index, file.name, b"".join([chunk async for chunk in file.content]))
        async for file in read_archive(pieces(whole))
    ]


def member(info: tarfile.TarInfo, data: bytes = b"") -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT) + data + archive_padding(len(data)) + END


async def test_an_archive_reads_back() -> None:
    files = [(0, "a", b""), (7, "b/" + "c" * 200, b"x" * 513), (8, "ü", b"y" * 512)]
    whole = b"".join(
        archive_header(index, name, len(data)) + data + archive_padding(len(data)) for index, name, data in files
    )
    assert await read(whole + END) == files
    async for file in read_archive(pieces(whole + END)):  # without reading any content
        assert file.index in (0, 7, 8)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
async def test_only_plain_files_are_taken_from_an_archive(kind: bytes) -> None:
    info = tarfile.TarInfo("a")
    info.type, info.linkname = kind, "/etc/passwd"
    info.pax_headers = {"INSITU.index": "0", "path": "a", "size": "0"}
    with pytest.raises(InsituError, match="PeerUnavailable"):
        await read(member(info))


async def test_anything_but_our_own_archive_ends_in_an_error() -> None:
    plain = tarfile.TarInfo("a")
    negative = tarfile.TarInfo("a")
    negative.pax_headers = {"INSITU.index": "0", "path": "a", "size": "-1"}
    wordy = tarfile.TarInfo("a")
    wordy.pax_headers = {"INSITU.index": "0", "path": "a" * 100_000, "size": "0"}
    good = archive_header(0, "a", 5) + b"hello"
    lengths = [good.replace(b"INSITU.index=0", b"INSITU.indexx0"), good.replace(b"18 INSITU", b"-8 INSITU")]
    for broken in (b"", b"\1" * 2048, member(plain), member(negative), member(wordy), good, good[:600], *lengths):
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await read(broken)
