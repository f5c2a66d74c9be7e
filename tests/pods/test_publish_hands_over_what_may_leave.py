"""The Publishing Pod: paths, the manifest, the owners' rules, and that nothing leaves if one is broken."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.plan import OutputRules
from insitu.pods import patience
from insitu.pods.publish import Publish
from insitu.ports.pods import OutputVolume, Workspace
from insitu.ports.runtime import LogShare, Step
from insitu.waiting import Backoff
from tests.doubles.clock import START
from tests.doubles.plans import RULES, plan_of, stage_of
from tests.doubles.recording_gateway import TICKET, RecordingGateway


class Bench:
    """Output volumes of stages, and a gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.patience = 0.0
        self.gateway = RecordingGateway(folder / "gateway")

    def write(self, path: str, content: bytes, stage: int = 0, volume: str = "output") -> Path:
        target = self.folder / str(stage) / volume / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    async def publish(  # type: ignore[no-untyped-def]
        self, *stages: tuple[int, int | None], rules: OutputRules = RULES, logs: LogShare | None = None
    ):
        """Publish; ``stages`` are (index, the stage that it reads), one stage 0 by default."""
        plan = plan_of(*(stage_of(index, previous=read) for index, read in stages or ((0, None),)), output=rules)
        outputs = {
            stage.index: OutputVolume(
                stage.index,
                self.folder / str(stage.index) / "output",
                self.folder / str(stage.index) / "logs",
                self.folder / str(stage.index) / "console",
            )
            for stage in plan.stages
        }
        share = logs or LogShare(dict.fromkeys(outputs, 10**6), 10**6)
        step = Step(StepKey(StepKind.PUBLISH, plan.stages[-1].index, 1), plan, {}, TICKET, START, share)
        return await Publish(self.gateway, patience=self.patience)(step, Workspace(self.folder, self.folder, outputs))

    async def manifest(
        self, *stages: tuple[int, int | None], rules: OutputRules = RULES, logs: LogShare | None = None
    ) -> list[dict[str, object]]:
        result = await self.publish(*stages, rules=rules, logs=logs)
        files: list[dict[str, object]] = json.loads(self.gateway.blob(result["manifest"]))
        return files

    async def rejected(self, rule: str, rules: OutputRules = RULES) -> str:
        with pytest.raises(InsituError) as refusal:
            await self.publish(rules=rules)
        assert refusal.value.code == "OutputRejected"
        assert refusal.value.detail.startswith(rule + ":"), refusal.value.detail
        assert self.gateway.calls == [], "nothing has left"
        return refusal.value.detail


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def rules(**changes: object) -> OutputRules:
    return RULES.model_copy(update=changes)


async def test_a_result_is_files_a_manifest_and_a_root(bench: Bench) -> None:
    bench.write("table.csv", b"a,b\n")
    bench.write("deep/er/plot.png", b"png")
    result = await bench.publish()
    files = json.loads(bench.gateway.blob(result["manifest"]))
    assert [(file["path"], file["kind"], file["contentType"]) for file in files] == [
        ("deep/er/plot.png", "output", "image/png"),
        ("table.csv", "output", "text/csv"),
    ]
    for each in files:
        assert hashlib.sha256(bench.gateway.blob(each["sha256"])).hexdigest() == each["sha256"]
    root = output_root(FileDigest(each["path"], each["sha256"], each["size"]) for each in files)
    assert result == {"manifest": result["manifest"], "files": 2, "bytes": 7, "outputRoot": root, "leftOut": 0}


async def test_publishing_again_gives_the_same_result(bench: Bench) -> None:
    bench.write("table.csv", b"a,b\n")
    bench.write("log.txt", b"log", volume="logs")
    assert await bench.publish() == await bench.publish()


async def test_an_output_without_files_is_a_result(bench: Bench) -> None:
    result = await bench.publish()
    assert (result["files"], result["bytes"]) == (0, 0)
    assert bench.gateway.blob(result["manifest"]) == b"[]"


async def test_only_the_output_of_stages_that_nobody_reads_is_published(bench: Bench) -> None:
    bench.write("intermediate.csv", b"secret", stage=0)
    bench.write("final.csv", b"final", stage=1)
    files = await bench.manifest((0, None), (1, 0))
    assert [file["path"] for file in files] == ["final.csv"]


async def test_several_published_stages_have_a_folder_each(bench: Bench) -> None:
    bench.write("table.csv", b"zero", stage=0)
    bench.write("table.csv", b"two", stage=2)
    files = await bench.manifest((0, None), (2, None))
    assert [(file["path"], file["stage"]) for file in files] == [("stage-0/table.csv", 0), ("stage-2/table.csv", 2)]


async def test_logs_leave_with_the_output_where_they_are_live(bench: Bench) -> None:
    bench.write("table.csv", b"a,b\n")
    bench.write("steps.log", b"step\n", volume="logs")
    (bench.folder / "0/console").write_bytes(b"hello\n")
    files = await bench.manifest()
    assert [(file["path"], file["kind"]) for file in files] == [
        ("logs/console.log", "log"),
        ("logs/steps.log", "log"),
        ("table.csv", "output"),
    ]


async def test_logs_of_several_stages_are_apart(bench: Bench) -> None:
    for stage in (0, 1):
        bench.write("steps.log", b"step %d\n" % stage, stage=stage, volume="logs")
    files = await bench.manifest((0, None), (1, 0))
    assert [file["path"] for file in files] == ["logs/stage-0/steps.log", "logs/stage-1/steps.log"]


async def test_the_console_gives_way_to_a_log_of_its_name(bench: Bench) -> None:
    bench.write("console.log", b"the algorithm's\n", volume="logs")
    (bench.folder / "0/console").write_bytes(b"ours\n")
    files = await bench.manifest()
    assert [file["path"] for file in files] == ["logs/console-1.log", "logs/console.log"]


@pytest.mark.parametrize("policy", ["after_review", "none"])
async def test_logs_stay_where_the_owner_says_so(bench: Bench, policy: str) -> None:
    bench.write("steps.log", b"patient 4711\n", volume="logs")
    (bench.folder / "0/console").write_bytes(b"patient 4711\n")
    assert await bench.manifest(rules=rules(logs=policy)) == []


async def test_too_many_bytes_are_rejected(bench: Bench) -> None:
    bench.write("a.csv", b"12345")
    bench.write("b.csv", b"12345")
    await bench.rejected("TooManyBytes", rules(max_bytes=19))
    await bench.publish(rules=rules(max_bytes=20))


async def test_the_names_of_empty_files_count_as_output(bench: Bench) -> None:
    for row in ("patient 4711", "größe 180"):
        bench.write(row, b"")
    await bench.rejected("TooManyBytes", rules(max_bytes=0))
    await bench.rejected("TooManyBytes", rules(max_bytes=22))
    await bench.publish(rules=rules(max_bytes=23))


async def test_the_names_of_folders_count_with_every_file(bench: Bench) -> None:
    bench.write("folder/a", b"")
    bench.write("folder/b", b"")
    await bench.rejected("TooManyBytes", rules(max_bytes=15))
    await bench.publish(rules=rules(max_bytes=16))


async def test_too_many_files_are_rejected(bench: Bench) -> None:
    bench.write("a.csv", b"")
    bench.write("b.csv", b"")
    await bench.rejected("TooManyFiles", rules(max_files=1))
    await bench.publish(rules=rules(max_files=2))


async def test_log_text_has_a_budget_of_its_own_and_never_rejects_the_output(bench: Bench) -> None:
    bench.write("a.csv", b"12345")
    bench.write("a.log", b"12345", volume="logs")
    bench.write("b.log", b"1", volume="logs")
    (bench.folder / "0/console").write_bytes(b"first\nsecond\n")
    room = len("logs/a.log") + 5
    limits = rules(max_bytes=len("a.csv") + 5)
    files = await bench.manifest(rules=limits, logs=LogShare({0: 6}, room))
    assert [each["path"] for each in files] == ["a.csv", "logs/a.log", "logs/console.log"]
    console = next(each for each in files if each["path"] == "logs/console.log")
    assert bench.gateway.blob(str(console["sha256"])) == b"first\n"
    result = await bench.publish(rules=limits, logs=LogShare({0: 0}, room - 1))
    assert [file["path"] for file in json.loads(bench.gateway.blob(result["manifest"]))] == ["a.csv", "logs/b.log"]
    assert result["leftOut"] == 1
    assert [each["path"] for each in await bench.manifest(rules=limits, logs=LogShare())] == ["a.csv"]


async def test_a_sparse_log_is_left_out_before_it_is_read(bench: Bench) -> None:
    with bench.write("huge.log", b"", volume="logs").open("wb") as file:
        file.truncate(2**40)
    assert await bench.manifest() == []


async def test_a_rejection_names_a_file_only_if_that_much_text_may_leave(bench: Bench) -> None:
    bench.write("patient-4711.pkl", b"")
    wanted = rules(types=(".csv",))
    for share in (LogShare(), LogShare({0: 10**6}, 8)):
        with pytest.raises(InsituError, match="WrongType") as refusal:
            await bench.publish(rules=wanted, logs=share)
        assert "4711" not in refusal.value.detail
    assert "4711" in await bench.rejected("WrongType", wanted)


async def test_other_types_are_rejected(bench: Bench) -> None:
    bench.write("table.CSV", b"")
    bench.write("model.pkl", b"")
    assert "model.pkl" in await bench.rejected("WrongType", rules(types=(".csv",)))


async def test_a_log_is_text_whatever_the_types_are(bench: Bench) -> None:
    bench.write("table.csv", b"")
    bench.write("steps.log", b"", volume="logs")
    (bench.folder / "0/console").write_bytes(b"1")
    await bench.publish(rules=rules(types=(".csv",)))
    bench.gateway.calls.clear()
    bench.write("data.parquet", b"", volume="logs")
    assert "data.parquet" in await bench.rejected("WrongType", rules(types=(".csv",)))


async def test_links_leave_nothing(bench: Bench) -> None:
    bench.write("table.csv", b"")
    (bench.folder / "0/output/passwd").symlink_to("/etc/passwd")
    await bench.rejected("SymbolicLink")


async def test_an_output_that_would_be_a_log_is_rejected(bench: Bench) -> None:
    bench.write("logs/steps.log", b"mine")
    bench.write("steps.log", b"theirs", volume="logs")
    await bench.rejected("NameCollision")


async def test_a_spark_output_is_delivered_without_its_hidden_files(bench: Bench) -> None:
    bench.write("part-0000.csv", b"a,b\n")
    bench.write("_SUCCESS", b"")
    bench.write(".part-0000.csv.crc", b"\x00\x01")
    bench.write("._SUCCESS.crc", b"\x00\x01")
    result = await bench.publish(rules=rules(types=(".csv",), max_bytes=25, max_files=2))
    files = json.loads(bench.gateway.blob(result["manifest"]))
    assert [file["path"] for file in files] == ["_SUCCESS", "part-0000.csv"]
    assert (result["files"], result["leftOut"]) == (2, 2)


async def test_hidden_folders_stay_behind_whatever_they_hold(bench: Bench) -> None:
    bench.write(".git/config", b"[core]\nfsmonitor = touch /tmp/owned\n")
    (bench.write(".cache/a", b"").parent / "link").symlink_to("/etc/passwd")
    bench.write("deep/.ipynb_checkpoints/a.csv", b"row")
    bench.write("deep/a.csv", b"row")
    bench.write(".ssh/id", b"secret", volume="logs")
    result = await bench.publish()
    assert [file["path"] for file in json.loads(bench.gateway.blob(result["manifest"]))] == ["deep/a.csv"]
    assert result["leftOut"] == 4
    assert b"git" not in json.dumps(result).encode()


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00rows", b"a,b\n\x00", b"gr\xf6\xdfe\n"])
async def test_other_bytes_than_the_type_says_are_rejected(bench: Bench, content: bytes) -> None:
    bench.write("result.csv", content)
    assert "result.csv" in await bench.rejected("WrongType", rules(types=(".csv",)))
    await bench.publish(rules=rules(types=None))


async def test_a_name_in_a_reason_keeps_to_the_log_budget(bench: Bench) -> None:
    bench.write("row-4711.pkl", b"")
    assert "row-4711" in await bench.rejected("WrongType", rules(types=(".csv",), max_log_bytes=8))
    assert "row-471 " in await bench.rejected("WrongType", rules(types=(".csv",), max_log_bytes=7))
    assert "row" not in await bench.rejected("WrongType", rules(types=(".csv",), max_log_bytes=0))


@pytest.mark.parametrize("policy", ["after_review", "none"])
@pytest.mark.parametrize("name", ["row-4711.pkl", "row-4711\n.csv", "row-4711:.csv", "row-4711/ROW.csv"])
async def test_a_reason_names_no_file_if_logs_may_not_leave(bench: Bench, name: str, policy: str) -> None:
    bench.write(name, b"")
    if "/" in name:
        bench.write("row-4711/row.csv", b"")
    with pytest.raises(InsituError) as refusal:
        await bench.publish(rules=rules(types=(".csv",), logs=policy))
    assert "4711" not in str(refusal.value)
    assert "4711" not in str(refusal.value.context)


@pytest.mark.parametrize("name", ["two\nlines.csv", "\u202etxt.exe", "point.", "nul.csv", "~user", "=1+1.csv", "a:b"])
async def test_names_that_mean_something_else_elsewhere_are_rejected(bench: Bench, name: str) -> None:
    bench.write(name, b"")
    await bench.rejected("BadName")


async def test_equal_files_are_handed_over_once(bench: Bench) -> None:
    for number in range(20):
        bench.write(f"{number}.csv", b"same")
    assert len(await bench.manifest()) == 20
    assert bench.gateway.calls == ["put_output", "put_output"]


async def test_a_gateway_that_does_not_answer_can_be_tried_again(bench: Bench) -> None:
    bench.write("table.csv", b"a,b\n")
    bench.gateway.broken = {"put_output"}
    with pytest.raises(InsituError, match="PublishingFailed"):
        await bench.publish()
    bench.gateway.broken = set()
    await bench.publish()


async def test_a_gateway_that_is_away_for_a_moment_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY", Backoff(0.01, 10.0))
    away = iter([InsituError("PeerUnavailable", "away"), InsituError("ObjectStoreUnavailable", "away too")])
    put_output = bench.gateway.put_output

    async def unsteady(ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        if (error := next(away, None)) is not None:
            await anext(chunks)
            raise error
        await put_output(ticket, sha256, chunks)

    monkeypatch.setattr(bench.gateway, "put_output", unsteady)
    bench.patience = 60.0
    bench.write("table.csv", b"a,b\n")
    assert [file["path"] for file in await bench.manifest()] == ["table.csv"]


async def test_a_refusal_for_good_is_not_repeated(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    async def refusing(_: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        calls.append(sha256)
        raise InsituError("BodyTooLarge", "more than the plan says")

    monkeypatch.setattr(bench.gateway, "put_output", refusing)
    bench.patience = 60.0
    bench.write("table.csv", b"a,b\n")
    with pytest.raises(InsituError, match=r"PublishingFailed.*BodyTooLarge"):
        await bench.publish()
    assert len(calls) == 1


async def test_an_output_that_is_gone_is_not_an_empty_result(bench: Bench) -> None:
    plan = plan_of(stage_of(0))
    step = Step(StepKey(StepKind.PUBLISH, 0, 1), plan, {}, TICKET, START)
    with pytest.raises(InsituError, match="PublishingFailed"):
        await Publish(bench.gateway)(step, Workspace(bench.folder, bench.folder, {}))
