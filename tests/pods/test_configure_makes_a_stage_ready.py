"""The Configuration Pod: what it fetches, what it verifies, and what it says if something is wrong."""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.merkle import FileDigest, files_root
from insitu.domain.plan import Claim, Fetch, FileSource, InputFile, Mount, StageInput, StagePlan, Transformation
from insitu.pods import patience
from insitu.pods.configure import MOST_RESULT, Configure
from insitu.pods.digests import DigestCache
from insitu.ports.pods import Workspace
from insitu.ports.runtime import Step
from insitu.waiting import Backoff
from tests.doubles.clock import START
from tests.doubles.plans import DATA, IMAGE, LIMITS, plan_of
from tests.doubles.recording_gateway import TICKET, RecordingGateway

CODE = b"print('hello')\n"
ROWS = b"a,b\n1,2\n" * 1000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_of(index: int, source: FileSource, name: str = "", content: bytes | None = None) -> InputFile:
    if content is None:
        return InputFile(index=index, name=name, source=source)
    return InputFile(index=index, name=name, source=source, sha256=sha256(content), size=len(content))


CODE_FILE = file_of(0, Fetch(reference="code"), "count.py", CODE)


def stage_with(*inputs: StageInput, algorithm: tuple[InputFile, ...] = (CODE_FILE,)) -> StagePlan:
    code = Transformation(did="did:nv:" + "a1" * 32, files=algorithm)
    return StagePlan(index=0, image=IMAGE, argv=("python",), inputs=inputs, transformation=code)


def data_set(position: int, *files: InputFile) -> StageInput:
    return StageInput(index=position, position=position, did=DATA, files=files)


class Bench:
    """A workspace and a gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gateway = RecordingGateway(folder / "gateway", {"code": CODE, "rows": ROWS})
        self.workspace = Workspace(folder / "fetched", folder / "algorithm", {})
        self.configure = Configure(self.gateway, patience=0.0)
        for path in (self.workspace.fetched, self.workspace.algorithm, folder / "data"):
            path.mkdir()

    async def __call__(self, stage: StagePlan, *, disk: int = 10**8):  # type: ignore[no-untyped-def]
        for each in stage.inputs:
            (self.workspace.fetched / str(each.position)).mkdir(exist_ok=True)
        plan = plan_of(stage, limits=LIMITS.model_copy(update={"disk_bytes": disk}))
        step = Step(StepKey(StepKind.CONFIGURE, 0, 1), plan, {}, TICKET, START)
        return await self.configure(step, self.workspace)

    async def refused(self, stage: StagePlan, code: str, *, disk: int = 10**8) -> str:
        with pytest.raises(InsituError) as refusal:
            await self(stage, disk=disk)
        assert refusal.value.code == code, refusal.value
        assert str(self.folder) not in str(refusal.value), "a path of the provider is not revealed"
        return refusal.value.detail

    def mount(self, name: str, content: bytes) -> Mount:
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.at(name)

    def at(self, name: str) -> Mount:
        return Mount(path=str(self.folder / "data" / name).rstrip("/"), root=str(self.folder / "data"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_files_are_fetched_into_their_volume_and_the_algorithm_into_its_own(bench: Bench) -> None:
    found = await bench(
        stage_with(
            data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv", ROWS)),
            data_set(2, file_of(3, Fetch(reference="rows"), "again.csv")),
        )
    )
    assert (bench.workspace.fetched / "1" / "rows.csv").read_bytes() == ROWS
    assert (bench.workspace.fetched / "2" / "again.csv").read_bytes() == ROWS
    assert (bench.workspace.algorithm / "count.py").read_bytes() == CODE
    assert (bench.workspace.algorithm / "count.py").stat().st_mode & 0o777 == 0o555
    assert found == {"inputs": {"1": {"0": sha256(ROWS)}, "2": {"3": sha256(ROWS)}}, "algorithm": {"0": sha256(CODE)}}


async def test_what_is_in_place_is_hashed_and_not_copied(bench: Bench) -> None:
    found = await bench(stage_with(data_set(1, file_of(0, bench.mount("big.csv", ROWS), "big.csv", ROWS))))
    assert found["inputs"] == {"1": {"0": sha256(ROWS)}}
    assert list((bench.workspace.fetched / "1").iterdir()) == []


async def test_a_folder_in_place_has_the_root_over_its_files(bench: Bench) -> None:
    bench.mount("set/b/two.csv", b"two")
    bench.mount("set/one.csv", b"one")
    (bench.folder / "data/set/link").symlink_to("/etc/passwd")
    os.mkfifo(bench.folder / "data/set/pipe")
    found = await bench(stage_with(data_set(1, file_of(0, bench.at("set")))))
    expected = [FileDigest("b/two.csv", sha256(b"two"), 3), FileDigest("one.csv", sha256(b"one"), 3)]
    assert found["inputs"] == {"1": {"0": files_root(expected)}}


async def test_a_folder_is_compared_with_the_root_that_was_published(bench: Bench) -> None:
    bench.mount("set/one.csv", b"one")
    root = files_root([FileDigest("one.csv", sha256(b"one"), 3)])
    folder = file_of(0, bench.at("set")).model_copy(update={"sha256": root, "size": 1})
    await bench(stage_with(data_set(1, folder)))
    bench.mount("set/two.csv", b"two")
    await bench.refused(stage_with(data_set(1, folder)), "InputChanged")


async def test_the_output_of_an_earlier_stage_is_not_looked_at(bench: Bench) -> None:
    found = await bench(stage_with(StageInput(index=0, position=1, previous_stage=0)))
    assert found["inputs"] == {}


async def test_configuring_again_starts_from_the_beginning(bench: Bench) -> None:
    stage = stage_with(data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv", ROWS)))
    first = await bench(stage)
    (bench.workspace.fetched / "1" / "rows.csv").write_bytes(ROWS + b"left over by a try that was cut off")
    assert await bench(stage) == first
    assert (bench.workspace.fetched / "1" / "rows.csv").read_bytes() == ROWS


@pytest.mark.parametrize("content", [b"other", ROWS[:-1], ROWS + b"x", b""])
async def test_an_input_that_is_not_what_was_published_is_refused(bench: Bench, content: bytes) -> None:
    bench.gateway.files["rows"] = content
    fetched = data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv", ROWS))
    assert DATA in await bench.refused(stage_with(fetched), "InputChanged")
    mounted = data_set(1, file_of(0, bench.mount("rows.csv", content), "rows.csv", ROWS))
    await bench.refused(stage_with(mounted), "InputChanged")


async def test_an_algorithm_that_is_not_what_was_published_is_refused(bench: Bench) -> None:
    bench.gateway.files["code"] = b"import os\n"
    await bench.refused(stage_with(data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))), "AlgorithmChanged")


async def test_an_algorithm_in_place_is_copied_and_verified(bench: Bench) -> None:
    source = bench.mount("count.py", CODE)
    data = data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))
    await bench(stage_with(data, algorithm=(file_of(0, source, "count.py", CODE),)))
    assert (bench.workspace.algorithm / "count.py").read_bytes() == CODE
    bench.mount("count.py", b"changed")
    changed = stage_with(data, algorithm=(file_of(0, source, "count.py", CODE),))
    await bench.refused(changed, "AlgorithmChanged")


async def test_a_source_that_fails_can_be_tried_again(bench: Bench) -> None:
    absent = data_set(1, file_of(0, Fetch(reference="absent"), "rows.csv"))
    await bench.refused(stage_with(absent), "ConfigurationFailed")
    bench.gateway.broken = {"fetch"}
    present = data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))
    await bench.refused(stage_with(present), "ConfigurationFailed")


async def test_a_gateway_that_is_away_for_a_moment_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "RETRY", Backoff(0.01, 10.0))
    away = iter([InsituError("PeerUnavailable", "away"), InsituError("ObjectStoreUnavailable", "away too")])
    fetch = bench.gateway.fetch

    async def unsteady(ticket: str, reference: str) -> AsyncIterator[bytes]:
        if (error := next(away, None)) is not None:
            raise error
        async for chunk in fetch(ticket, reference):
            yield chunk

    monkeypatch.setattr(bench.gateway, "fetch", unsteady)
    bench.configure = Configure(bench.gateway, patience=60.0)
    await bench(stage_with(data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))))
    assert next(away, None) is None


async def test_a_file_that_breaks_off_is_not_continued_with_another_beginning(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def broken(_: str, reference: str) -> AsyncIterator[bytes]:
        calls.append(reference)
        yield b"a beginning"
        raise InsituError("PeerUnavailable", "gone")

    monkeypatch.setattr(bench.gateway, "fetch", broken)
    bench.configure = Configure(bench.gateway, patience=60.0)
    present = data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))
    await bench.refused(stage_with(present), "ConfigurationFailed")
    assert calls == ["rows"]


async def test_a_source_without_end_stops_at_the_disk_of_the_server(bench: Bench) -> None:
    endless = data_set(1, file_of(0, Fetch(reference="rows"), "rows.csv"))
    detail = await bench.refused(stage_with(endless), "ConfigurationFailed", disk=1000)
    assert "1000 bytes" in detail


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../escape", "with\0nul"])
async def test_a_name_that_leads_elsewhere_is_refused(bench: Bench, name: str) -> None:
    await bench.refused(stage_with(data_set(1, file_of(0, Fetch(reference="rows"), name))), "ConfigurationFailed")


async def test_links_beneath_the_root_are_not_followed(bench: Bench) -> None:
    bench.mount("real/rows.csv", ROWS)
    (bench.folder / "data/link.csv").symlink_to(bench.folder / "data/real/rows.csv")
    (bench.folder / "data/folder").symlink_to(bench.folder / "data/real")
    for name in ("link.csv", "folder/rows.csv"):
        detail = await bench.refused(stage_with(data_set(1, file_of(0, bench.at(name), "rows.csv"))), "InputUnreadable")
        assert "symbolic link" in detail or "Not a directory" in detail


async def test_a_path_outside_of_its_root_is_refused(bench: Bench) -> None:
    outside = Mount(path="/etc/passwd", root=str(bench.folder / "data"))
    await bench.refused(stage_with(data_set(1, file_of(0, outside, "passwd"))), "InputUnreadable")


async def test_data_on_a_volume_of_the_cluster_is_verified_where_it_is_mounted(bench: Bench) -> None:
    volume = bench.folder / "volume"
    (volume / "year").mkdir(parents=True)
    (volume / "year" / "rows.csv").write_bytes(ROWS)
    (volume / "link.csv").symlink_to("/etc/hostname")
    bench.workspace = replace(bench.workspace, claims={"data": volume})
    inside = Claim(claim="data", path="/year/rows.csv")
    found = await bench(stage_with(data_set(1, file_of(0, inside, "rows.csv", ROWS))))
    assert found["inputs"] == {"1": {"0": sha256(ROWS)}}
    for path in ("link.csv", "../data", "missing.csv"):
        with pytest.raises(InsituError, match="InputUnreadable"):
            await bench(stage_with(data_set(1, file_of(0, Claim(claim="data", path=path), "x"))))


async def test_what_is_absent_or_no_file_is_refused(bench: Bench) -> None:
    os.mkfifo(bench.folder / "data/pipe")
    for name in ("absent", "pipe"):
        with anyio.fail_after(10):
            await bench.refused(stage_with(data_set(1, file_of(0, bench.at(name), "x"))), "InputUnreadable")


async def test_a_volume_of_a_cluster_is_not_here(bench: Bench) -> None:
    claim = data_set(1, file_of(0, Claim(claim="data"), "x"))
    await bench.refused(stage_with(claim), "ConfigurationFailed")


async def test_a_large_result_becomes_roots(bench: Bench) -> None:
    files = tuple(file_of(index, Fetch(reference="rows"), f"{index}.csv") for index in range(100))
    found = await bench(stage_with(data_set(1, *files)))
    assert len(json.dumps(found)) <= MOST_RESULT
    assert set(found["inputs"]["1"]) == {"root"}


async def test_a_file_is_read_again_only_when_it_has_changed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.pods.digests.SETTLED", 0.0)
    read: list[int] = []
    real = os.pread

    def pread(descriptor: int, count: int, at: int) -> bytes:
        read.append(at)
        return real(descriptor, count, at)

    monkeypatch.setattr("insitu.pods.digests.os.pread", pread)
    stage = stage_with(data_set(1, file_of(0, bench.mount("rows.csv", ROWS), "rows.csv")))
    first = await bench(stage)
    once = len(read)
    assert await bench(stage) == first
    assert len(read) == once
    bench.mount("rows.csv", ROWS.replace(b"1", b"3"))
    assert await bench(stage) != first
    assert len(read) > once


async def test_a_digest_taken_right_after_a_change_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "fresh"
    path.write_bytes(b"x")
    found = path.stat()
    cache = DigestCache()
    cache.put(found, found, "00" * 32)
    assert cache.get(found) is None
