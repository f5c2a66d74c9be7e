"""E6. For each stage the ENGINE starts Configuration, Compute, and, after the last stage, Publishing."""

import json

from insitu.domain.execution import Phase
from tests.spec.conftest import Market

LOOK = """
import json, os, pathlib, sys
facts = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": {k: v for k, v in os.environ.items() if "NEVERMINED" in k}}
facts["input"] = sorted(p.name for p in pathlib.Path("/mnt/volume1").iterdir())
for place in ("/mnt/volume1/words.txt", "/mnt/transformations/1/run.py", "/etc/passwd"):
    try:
        os.close(os.open(place, os.O_WRONLY))
        facts.setdefault("writable", []).append(place)
    except OSError:
        pass
pathlib.Path("/mnt/output/facts.json").write_text(json.dumps(facts))
"""


async def test_the_phases_come_in_the_order_of_the_specification(market: Market) -> None:
    _, execution = await market.run()
    phases = [transition.phase for transition in (await execution.status()).history]
    expected = [
        Phase.REGISTERED,
        Phase.CONFIGURING,
        Phase.EXECUTING,
        Phase.REVIEWING,
        Phase.PUBLISHING,
        Phase.SUCCEEDED,
    ]
    assert phases == expected


async def test_the_algorithm_gets_its_volumes_as_parameters_and_can_only_write_output_and_logs(market: Market) -> None:
    _, execution = await market.run(LOOK)
    [facts] = [
        json.loads(path.read_text())
        for path in await execution.download(market.provider.home / "downloads" / execution.execution_id)
        if path.name == "facts.json"
    ]
    assert facts["argv"] == ["--input1=/mnt/volume1", "--output=/mnt/output", "--logs=/mnt/logs"]
    assert facts["cwd"] == "/mnt/transformations/1"
    assert facts["input"] == ["words.txt"]
    assert "writable" not in facts
    assert facts["env"]["NEVERMINED_OUTPUTS_PATH"] == "/mnt/output"


async def test_compute_publishes_nothing_when_it_fails_but_keeps_its_logs(market: Market) -> None:
    _, execution = await market.run("print('before the end', flush=True)\nraise SystemExit(3)\n")
    view = await execution.status()
    assert view.phase is Phase.FAILED
    assert view.reason is not None
    assert view.reason.code == "AlgorithmFailed"
    assert view.result_did is None
    printed = "".join([piece.text async for piece in execution.logs(follow=False)])
    assert "before the end" in printed
