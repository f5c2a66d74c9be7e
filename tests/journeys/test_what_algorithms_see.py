"""What an algorithm finds inside its container, and what happens to what it leaves there."""

import json

import pytest

from insitu import Stage
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.sdk.workflows import Previous
from tests.journeys.scripts import written
from tests.market import PRICE, Market

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

WORD_COUNT = """
# As people wrote it for the first compute stack: it knows two environment variables, and no arguments.
import os

inputs, outputs = os.getenv("NEVERMINED_INPUTS_PATH"), os.getenv("NEVERMINED_OUTPUTS_PATH")
words = 0
for folder, _, names in os.walk(inputs):
    for name in names:
        with open(os.path.join(folder, name)) as text:
            words += sum(len(line.split()) for line in text)
with open(os.path.join(outputs, "output.txt"), "w") as result:
    result.write(str(words))
"""

WITNESS = """
import json, os, pathlib, sys

def files(*places):
    return sorted(str(one) for place in places for one in pathlib.Path(place).rglob("*") if one.is_file())

facts = {
    "argv": sys.argv[1:],
    "script": sys.argv[0],
    "files": files(*sorted(pathlib.Path("/mnt").glob("volume*")), "/mnt/output", "/mnt/logs", "/tmp"),
    "classic": files(os.environ["NEVERMINED_INPUTS_PATH"]),
    "texts": [path.read_text() for path in map(pathlib.Path, files("/mnt/inputs"))],
}
pathlib.Path("/mnt/output/facts.json").write_text(json.dumps(facts))
"""

FIRST = """
import pathlib
for place, text in {
    "/mnt/output/tables/2026/one.csv": "a,b",
    "/mnt/output/top.txt": "top",
    "/mnt/logs/steps/first.log": "one step",
    "/tmp/scratch": "nobody reads this",
}.items():
    pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(place).write_text(text)
"""

SPOILER = """
import errno, os

for attempt in (
    lambda: open("/mnt/volume1/open.txt", "a"),
    lambda: os.unlink("/mnt/inputs/1/open.txt"),
    lambda: open("/mnt/volume1/new.txt", "w"),
):
    try:
        attempt()
    except OSError as refused:
        print(errno.errorcode[refused.errno])
"""


async def test_eleven_inputs_arrive_in_their_order_and_not_in_that_of_their_names(market: Market) -> None:
    inputs = []
    for number in range(11, 0, -1):
        path = written(market.provider.data, f"part-{number}.txt", f"part {number}")
        part = await market.publisher.assets.publish_dataset(f"part {number}", [str(path)], algorithms="any")
        inputs.insert(0, part.did)

    witness = await market.algorithm(WITNESS)
    execution = await market.run_stages(Stage(algorithm=witness.did, inputs=inputs))

    facts = json.loads((await market.files(execution))["facts.json"])
    volumes = [f"--input{number}=/mnt/volume{number}" for number in range(1, 12)]
    assert facts["argv"] == [*volumes, "--output=/mnt/output", "--logs=/mnt/logs"]
    assert facts["files"] == sorted(f"/mnt/volume{number}/part-{number}.txt" for number in range(1, 12))
    assert facts["classic"] == sorted(f"/mnt/inputs/{number}/part-{number}.txt" for number in range(1, 12))
    assert sorted(facts["texts"]) == sorted(f"part {number}" for number in range(1, 12))


async def test_the_word_count_of_the_first_compute_stack_runs_unchanged(market: Market) -> None:
    first = await market.dataset()
    more = str(market.provider.data / "more.txt")
    second = await market.second_publisher.assets.publish_dataset(
        "more", [more], algorithms="any", price=Amount.from_base_units(PRICE)
    )
    script = written(market.provider.home, "word_count.py", WORD_COUNT)
    count = await market.consumer.assets.publish_algorithm("word count", script)

    execution = await market.run_stages(Stage(algorithm=count.did, inputs=[first.did, second.did]))

    texts = [(market.provider.data / name).read_text() for name in ("words.txt", "more.txt")]
    assert (await market.files(execution))["output.txt"] == str(sum(len(text.split()) for text in texts)) == "8"


async def test_an_algorithm_of_several_files_keeps_its_folders(market: Market) -> None:
    dataset = await market.dataset()
    sources = {
        "main.py": "from shouting.words import shout\nopen('/mnt/output/out.txt', 'w').write(shout())\n",
        "shouting/__init__.py": "",
        "shouting/words.py": "def shout() -> str:\n    return open('/mnt/volume1/words.txt').read().upper()\n",
    }
    assets = market.consumer.assets
    algorithm = await assets.publish_algorithm("package", sources, entrypoint="python3 main.py")

    execution = await market.run_stages(Stage(algorithm=algorithm.did, inputs=[dataset.did]))

    assert await market.files(execution) == {"out.txt": (market.provider.data / "words.txt").read_text().upper()}


async def test_the_output_of_a_stage_reaches_the_next_one_and_nothing_else_does(market: Market) -> None:
    dataset = await market.dataset()
    first, witness = await market.algorithm(FIRST), await market.algorithm(WITNESS)

    execution = await market.run_stages(
        Stage(algorithm=first.did, inputs=[dataset.did], stage_type="Filtering"),
        Stage(algorithm=witness.did, inputs=[Previous(0)], stage_type="Transformation"),
    )

    result = await market.files(execution)
    facts = json.loads(result["facts.json"])
    assert facts["argv"][0] == "--input1=/mnt/volume1"
    assert facts["files"] == ["/mnt/volume1/tables/2026/one.csv", "/mnt/volume1/top.txt"]
    assert facts["classic"] == ["/mnt/inputs/1/tables/2026/one.csv", "/mnt/inputs/1/top.txt"]
    assert facts["texts"] == ["a,b", "top"]
    assert set(result) == {"facts.json", "logs/stage-0/steps/first.log"}, "an intermediate output reaches nobody"


async def test_folders_of_the_output_and_published_logs_keep_their_paths(market: Market) -> None:
    _, execution = await market.run(FIRST)
    assert await market.files(execution) == {
        "tables/2026/one.csv": "a,b",
        "top.txt": "top",
        "logs/steps/first.log": "one step",
    }


async def test_two_stages_that_nobody_reads_are_published_side_by_side(market: Market) -> None:
    dataset, first = await market.dataset(), await market.algorithm(FIRST)
    stage = Stage(algorithm=first.did, inputs=[dataset.did])
    execution = await market.run_stages(stage, stage)
    names = set(await market.files(execution))
    assert {f"stage-{index}/top.txt" for index in (0, 1)} <= names
    assert {f"stage-{index}/tables/2026/one.csv" for index in (0, 1)} <= names
    assert {f"logs/stage-{index}/steps/first.log" for index in (0, 1)} <= names


async def test_an_entrypoint_script_is_used_where_there_is_one(market: Market) -> None:
    contents = {
        "compute-entrypoint.sh": 'exec python3 witness.py --from=script "$@"\n',
        "witness.py": WITNESS,
    }
    algorithm = await market.consumer.assets.publish_algorithm("scripted", contents, entrypoint="python3 other.py")
    dataset = await market.dataset()
    execution = await market.run_stages(Stage(algorithm=algorithm.did, inputs=[dataset.did]))
    facts = json.loads((await market.files(execution))["facts.json"])
    assert facts["script"] == "witness.py"
    assert facts["argv"] == ["--from=script", "--input1=/mnt/volume1", "--output=/mnt/output", "--logs=/mnt/logs"]


async def test_the_configuration_of_a_stage_follows_the_volumes_as_it_was_written(market: Market) -> None:
    written_as = {"threshold": 0.5, "rounds": 3, "text": "two words; $(no) shell", "verbose": True}
    dataset, witness = await market.dataset(), await market.algorithm(WITNESS)
    stage = Stage(algorithm=witness.did, inputs=[dataset.did], configuration=written_as)
    execution = await market.run_stages(stage)
    facts = json.loads((await market.files(execution))["facts.json"])
    assert facts["argv"][3:] == ["--rounds=3", "--text=two words; $(no) shell", "--threshold=0.5", "--verbose=true"]


@pytest.mark.parametrize("name", ["input1", "output", "logs", "two words", "-x"])
async def test_a_configuration_cannot_take_the_place_of_a_volume(market: Market, name: str) -> None:
    dataset, witness = await market.dataset(), await market.algorithm(WITNESS)
    stage = Stage(algorithm=witness.did, inputs=[dataset.did], configuration={name: "/etc"})
    with pytest.raises(InsituError) as refused:
        await market.run_stages(stage)
    assert refused.value.code == "InvalidDocument"


async def test_data_in_place_stays_as_it_was_although_its_mode_lets_everybody_write(market: Market) -> None:
    file = written(market.provider.data, "open.txt", "as it was")
    file.chmod(0o666)
    dataset = await market.publisher.assets.publish_dataset("open", [str(file)], algorithms="any")
    spoiler = await market.algorithm(SPOILER)
    execution = await market.run_stages(Stage(algorithm=spoiler.did, inputs=[dataset.did]))
    assert (await execution.status()).phase is Phase.SUCCEEDED
    printed = "".join([piece.text async for piece in execution.logs()])
    assert printed.split() == ["EROFS", "EROFS", "EROFS"]
    assert file.read_text() == "as it was"
