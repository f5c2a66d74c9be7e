"""The contract of ports/runtime.py: what an algorithm sees, and what it leaves for others."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from insitu.adapters.runtime.oci.images.documents import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPES
from insitu.domain.execution import StepKind
from insitu.domain.granted_resources import resource_variables
from tests.adapters.oci.layouts import Layout, digest_of, folder, tar
from tests.ports.runtime.runtime_place import SMALL, Place, only_oci

LIST = """
import json, os
found = {}
for top in ("/mnt/inputs", "/mnt/volume1", "/mnt/volume2"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            found[path] = open(path).read()
print(json.dumps(found))
"""


async def test_an_input_stands_at_both_of_its_paths(place: Place) -> None:
    inputs = (place.data_set(1, {"a.csv": "one", "b.csv": "two"}), place.data_set(2, {"c d.csv": "three"}))
    ended = await place.compute(LIST, inputs=inputs)
    assert json.loads(ended.log) == {
        "/mnt/volume1/a.csv": "one",
        "/mnt/volume1/b.csv": "two",
        "/mnt/volume2/c d.csv": "three",
        "/mnt/inputs/1/a.csv": "one",
        "/mnt/inputs/1/b.csv": "two",
        "/mnt/inputs/2/c d.csv": "three",
    }


async def test_a_folder_can_be_the_whole_volume(place: Place) -> None:
    folder = place.root / "data" / "year" / "2013"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x.csv").write_text("deep")
    ended = await place.compute(LIST, inputs=(place.folder_input(folder),))
    assert json.loads(ended.log) == {"/mnt/volume1/deep/x.csv": "deep", "/mnt/inputs/1/deep/x.csv": "deep"}


@only_oci("a cluster's volumes belong to the group that its pods have")
@pytest.mark.needs("root")
async def test_an_input_that_only_the_group_of_algorithms_may_read_is_read(place: Place) -> None:
    item = place.data_set(1, {"secret.csv": "for algorithms"})
    path = place.root / "data" / "1" / "secret.csv"
    os.chown(path, 0, 1_900_000_000)
    path.chmod(0o640)
    ended = await place.compute(LIST, inputs=(item,))
    assert "for algorithms" in ended.log, (ended.status, ended.log)


async def test_eleven_inputs_arrive_in_order(place: Place) -> None:
    source = "for n in range(1, 12): print(open(f'/mnt/volume{n}/n').read(), open(f'/mnt/inputs/{n}/n').read())\n"
    inputs = tuple(place.data_set(n, {"n": str(n)}) for n in range(1, 12))
    ended = await place.compute(source, inputs=inputs)
    assert ended.log.split("\n")[:11] == [f"{n} {n}" for n in range(1, 12)]


async def test_the_algorithm_is_its_working_directory_and_cannot_be_written(place: Place) -> None:
    source = """
import os
print(os.getcwd(), sorted(os.listdir()))
for name in ("main.py", "new.py"):
    try:
        open(name, "a")
    except OSError as error:
        print(name)
"""
    ended = await place.compute({"main.py": source, "data.json": "{}"})
    assert ended.log == "/mnt/transformations/1 ['data.json', 'main.py']\nmain.py\nnew.py\n"


async def test_variables_of_older_algorithms_are_set(place: Place) -> None:
    source = "import os\nprint({k: v for k, v in sorted(os.environ.items()) if k.startswith('NEVERMINED')})\n"
    ended = await place.compute(source)
    assert ended.log == (
        "{'NEVERMINED_INPUTS_PATH': '/mnt/inputs', 'NEVERMINED_OUTPUTS_PATH': '/mnt/output', "
        "'NEVERMINED_TRANSFORMATIONS_PATH': '/mnt/transformations'}\n"
    )


async def test_a_stage_is_told_the_memory_and_the_processors_of_its_server(place: Place) -> None:
    ended = await place.compute("import json, os\nprint(json.dumps(dict(os.environ)))\n")
    assert resource_variables(SMALL).items() <= json.loads(ended.log).items()


@only_oci("the kubelet writes /etc/hosts, and nobody writes /etc/passwd")
async def test_user_and_host_have_names(place: Place) -> None:
    source = """
import getpass, os, pwd, socket
me = pwd.getpwuid(os.getuid())
print(me.pw_name, me.pw_dir, os.path.expanduser("~"), getpass.getuser(), socket.gethostname())
print(open("/etc/hosts").read().split()[:3])
"""
    ended = await place.compute(source)
    assert ended.log == "sandbox /tmp /tmp sandbox sandbox\n['127.0.0.1', 'localhost', 'sandbox']\n"


async def test_a_shell_entry_point_runs_with_its_arguments(place: Place) -> None:
    argv = ("sh", "compute-entrypoint.sh", "--input1=/mnt/volume1", "--output=/mnt/output")
    script = 'echo "$@" > /mnt/output/args.txt\n'
    ended = await place.compute({"compute-entrypoint.sh": script}, argv=argv)
    assert ended.output == {"args.txt": b"--input1=/mnt/volume1 --output=/mnt/output\n"}


async def test_the_output_of_a_stage_reaches_the_next_and_nothing_else_does(place: Place) -> None:
    first = """
import os
open("/mnt/output/table.csv", "w").write("a,b")
open("/mnt/logs/private.log", "w").write("log")
open("/tmp/scratch", "w").write("tmp")
"""
    second = """
import os
print(sorted(os.listdir("/mnt/volume1")), os.listdir("/tmp"), os.listdir("/mnt/logs"), os.listdir("/mnt/output"))
try:
    open("/mnt/volume1/table.csv", "a")
except OSError as error:
    print(error.strerror)
open("/mnt/output/copy.csv", "w").write(open("/mnt/volume1/table.csv").read())
"""
    plan = place.plan({"0:main.py": first, "1:main.py": second}, stages=2)
    for stage in (0, 1):
        attempts = {0: 1} if stage else {}
        configured = await place.finish(plan, StepKind.CONFIGURE, stage, attempts=attempts)
        assert configured.ok, configured
        computed = await place.finish(plan, StepKind.COMPUTE, stage, attempts=attempts)
        assert computed.ok, computed
    key = await place.start(plan, StepKind.COMPUTE, 1)
    log = "".join([chunk.data.decode() async for chunk in place.runtime.logs(plan.workflow_execution_id, key)])
    assert log == "['table.csv'] [] [] []\nRead-only file system\n"
    assert await place.output(plan, 1) == {"copy.csv": b"a,b"}


async def test_publish_sees_output_logs_and_console_of_every_stage(place: Place) -> None:
    source = """
import os
os.makedirs("/mnt/output/by/month")
open("/mnt/output/by/month/1.csv", "w").write("jan")
open("/mnt/logs/run.log", "w").write("fine")
print("console")
"""
    plan = place.plan(source)
    await place.finish(plan, StepKind.CONFIGURE)
    await place.finish(plan, StepKind.COMPUTE)
    status = await place.finish(plan, StepKind.PUBLISH, attempts={0: 1})
    assert status.result == {"stages": [0]}
    volume = place.published[plan.workflow_execution_id].outputs[0]
    assert (volume.output / "by" / "month" / "1.csv").read_text() == "jan"
    assert (volume.logs / "run.log").read_text() == "fine"
    assert volume.console is not None
    assert volume.console.read_text() == "console\n"


async def test_an_attempt_starts_with_fresh_volumes(place: Place) -> None:
    plan = place.plan("import os\nprint(os.listdir('/mnt/output'))\nopen('/mnt/output/x', 'w').close()\n")
    for attempt in (1, 2):
        await place.finish(plan, StepKind.CONFIGURE, attempt=attempt)
        key = await place.start(plan, StepKind.COMPUTE, attempt=attempt)
        assert (await place.end_of(plan, key)).ok
        log = "".join([chunk.data.decode() async for chunk in place.runtime.logs(plan.workflow_execution_id, key)])
        assert log == "[]\n"


async def test_an_input_is_never_copied(place: Place) -> None:
    folder = place.root / "data" / "big"
    folder.mkdir(parents=True)
    with (folder / "gibibyte").open("wb") as file:
        file.truncate(1 << 30)
    source = "import os\nprint(os.stat('/mnt/volume1/gibibyte').st_size, os.stat('/mnt/volume1/gibibyte').st_ino)\n"
    limits = SMALL.model_copy(update={"disk_bytes": 1 << 20})
    ended = await place.compute(source, inputs=(place.folder_input(folder),), limits=limits)
    assert ended.log == f"{1 << 30} {(folder / 'gibibyte').stat().st_ino}\n"


TEMPORARY = """
import os, tempfile
with tempfile.NamedTemporaryFile(mode="w") as file:
    print(os.path.dirname(file.name), file.write("written"))
"""


async def test_temporary_files_have_a_place(place: Place) -> None:
    assert (await place.compute(TEMPORARY)).log == "/tmp 7\n"


@only_oci("a pod's /tmp is a volume of its own, with a mode of its own")
@pytest.mark.parametrize("mode", [0o755, 0o500])
async def test_temporary_files_have_a_place_whatever_mode_the_image_gave_it(
    place: Place, tmp_path: Path, mode: int
) -> None:
    layout = Layout(tmp_path / "layout")
    shutil.copytree(place.images._root / "blobs", layout.root / "blobs", dirs_exist_ok=True)

    def read(digest: str) -> Any:
        return json.loads((layout.root / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_text("utf-8"))

    manifest, layer = read(place.image.digest), tar([folder("tmp", mode)])
    config = read(manifest["config"]["digest"])
    config["rootfs"]["diff_ids"].append(digest_of(layer))
    manifest["layers"].append(layout.blob(layer, LAYER_TYPE))
    manifest["config"] = layout.blob(json.dumps(config).encode(), CONFIG_TYPE)
    layout.index(layout.blob(json.dumps(manifest).encode(), MANIFEST_TYPES[0]))
    place.image = await place.images.import_path(layout.root, "another/tmp", oct(mode))
    assert (await place.compute(TEMPORARY)).log == "/tmp 7\n"
