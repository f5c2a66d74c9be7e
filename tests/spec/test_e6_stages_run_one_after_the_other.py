"""E6. The stages run one at a time, each configured before it is computed; the result is published once."""

from insitu import Stage
from insitu.domain.execution import Phase
from insitu.sdk.execution import Execution
from insitu.sdk.workflows import Previous
from tests.spec.conftest import Market

SHOW = """
import pathlib, sys
for argument in sys.argv[1:]:
    name, _, path = argument.partition("=")
    if name.startswith("--input"):
        files = sorted(str(file.relative_to(path)) for file in pathlib.Path(path).rglob("*") if file.is_file())
        print(name, files, flush=True)
stage = len(list(pathlib.Path("/mnt/volume1").rglob("seen-*")))
folder = pathlib.Path("/mnt/output/deep/er")
folder.mkdir(parents=True)
(folder / f"seen-{stage}.txt").write_text("seen")
pathlib.Path("/mnt/logs/steps.log").write_text(f"stage {stage}")
"""


async def log_of(execution: Execution) -> list[str]:
    return [line async for piece in execution.logs() for line in piece.text.splitlines()]


async def two_stages(market: Market, second: str = SHOW) -> Execution:
    publish = market.consumer.assets
    first = await publish.publish_algorithm("first", {"run.py": SHOW})
    following = await publish.publish_algorithm("following", {"run.py": second})
    dataset = await market.dataset()
    stages = [
        Stage(algorithm=first.did, inputs=[dataset.did], stage_type="Filtering"),
        Stage(algorithm=following.did, inputs=[Previous(0)], stage_type="Transformation"),
    ]
    workflow = await publish.publish_workflow("two stages", stages)
    agreement = await market.consumer.agreements.buy(workflow.did)
    execution = await market.consumer.compute.execute(agreement.id)
    await execution.wait(60)
    return execution


async def test_stages_run_one_after_the_other_and_publishing_comes_once_at_the_end(market: Market) -> None:
    execution = await two_stages(market)
    seen = await execution.status()
    assert seen.phase is Phase.SUCCEEDED, seen.reason
    assert [(one.phase.value, one.stage) for one in seen.history if one.phase is not Phase.SUCCEEDED][:7] == [
        ("Registered", None),
        ("Configuring", 0),
        ("Executing", 0),
        ("Configuring", 1),
        ("Executing", 1),
        ("Reviewing", 1),
        ("Publishing", 1),
    ]
    times = [one.at for one in seen.history]
    assert times == sorted(times), "compute starts only after configuration has ended"


async def test_the_output_of_the_first_stage_reaches_the_second_and_nobody_else(market: Market) -> None:
    execution = await two_stages(market)
    assert await log_of(execution) == ["--input1 ['words.txt']", "--input1 ['deep/er/seen-0.txt']"]
    names = [file.name for file in (await execution.result()).files]
    assert "deep/er/seen-1.txt" in names
    assert "deep/er/seen-0.txt" not in names, "an intermediate result is deleted"
    assert "logs/stage-0/steps.log" in names, "published logs keep their paths"


async def test_a_stage_that_fails_ends_the_workflow_and_publishes_nothing(market: Market) -> None:
    execution = await two_stages(market, "raise SystemExit(3)\n")
    seen = await execution.status()
    assert (seen.phase, seen.reason and seen.reason.code) == (Phase.FAILED, "AlgorithmFailed")
    assert not [one for one in seen.history if one.phase is Phase.PUBLISHING]
    assert seen.result_did is None
    assert (await execution.receipt()).receipt_hash
