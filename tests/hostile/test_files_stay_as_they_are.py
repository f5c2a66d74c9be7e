"""Inputs, image and host stay as they are; files are written only where that is allowed, and are not executed."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.domain.execution import StepKind
from insitu.domain.plan import InputFile, Mount, StageInput
from insitu.pods.collector import CollectionLimits, collect
from tests.hostile.attempts import tried
from tests.ports.runtime.runtime_place import Place, only_oci

CHANGE = """
path = "/mnt/volume1/table.csv"
found["write"] = opened(path)
found["truncate"] = attempt(lambda: os.truncate(path, 0))
found["rename"] = attempt(lambda: os.rename(path, path + "2"))
found["delete"] = attempt(lambda: os.unlink(path))
found["chmod"] = attempt(lambda: os.chmod(path, 0o777))
found["utime"] = attempt(lambda: os.utime(path))
found["create"] = opened("/mnt/volume1/new", os.O_WRONLY | os.O_CREAT)
found["link"] = attempt(lambda: os.link(path, "/mnt/output/linked"))
found["again"] = opened("/mnt/inputs/1/table.csv")
found["own"] = opened("/mnt/transformations/1/main.py")
found["mnt"] = attempt(lambda: os.mkdir("/mnt/other"))
"""


async def test_an_input_cannot_be_changed_in_any_way(place: Place) -> None:
    source = place.data_set(1, {"table.csv": "a,b\n1,2\n"})
    file = place.root / "data" / "1" / "table.csv"
    file.chmod(0o666)
    before = file.stat()
    found = await tried(place, CHANGE, inputs=(source,))
    assert "ok" not in found.values(), found
    assert {found[n] for n in ("write", "truncate", "again")} == {"EROFS"}, found
    after = file.stat()
    assert (before.st_mtime_ns, before.st_mode, before.st_nlink) == (after.st_mtime_ns, after.st_mode, after.st_nlink)
    assert file.read_text() == "a,b\n1,2\n"


async def test_the_image_cannot_be_written(place: Place) -> None:
    tree = (await place.images.verify(place.image.digest)).tree
    found = await tried(
        place,
        "for path in ('/etc/passwd', '/usr/bin/python3'): found[path] = opened(path)\n"
        "for path in ('/x', '/etc/x', '/usr/x'): found[path] = opened(path, os.O_WRONLY | os.O_CREAT)\n",
    )
    assert set(found.values()) <= {"EROFS", "EACCES", "ETXTBSY"}, found
    assert (await place.images.verify(place.image.digest)).tree == tree


@only_oci("how a volume is mounted, noexec or not, is said by its storage class and not by a pod")
async def test_what_is_written_to_the_output_is_not_executed(place: Place) -> None:
    found = await tried(
        place,
        """
import shutil
for folder in ("/mnt/output", "/mnt/logs", "/dev/shm"):
    shutil.copy("/bin/sh", folder + "/sh")
    os.chmod(folder + "/sh", 0o6755)
    if os.fork() == 0:
        try:
            os.execv(folder + "/sh", ["sh", "-c", "exit 0"])
        except OSError as error:
            os._exit(error.errno)
    found[folder] = name(os.waitstatus_to_exitcode(os.wait()[1]))
""",
        argv=("python", "-I", "-B", "main.py"),
    )
    assert set(found.values()) == {"EACCES"}, found


async def test_links_of_an_input_lead_into_the_sandbox_and_not_to_the_host(place: Place) -> None:
    folder = place.root / "data" / "links"
    folder.mkdir()
    secret = place.root / "secret"
    secret.write_text("host only")
    (folder / "absolute").symlink_to(secret)
    (folder / "relative").symlink_to("../../secret")
    found = await tried(
        place,
        "for n in ('absolute', 'relative'): found[n] = opened('/mnt/volume1/' + n, os.O_RDONLY)\n",
        inputs=(place.folder_input(folder),),
    )
    assert found == {"absolute": "ENOENT", "relative": "ENOENT"}


@only_oci("a cluster has claims and no data roots; tests/cluster tries these paths on a claim")
@pytest.mark.parametrize("trick", ["parent", "link", "link on the way", "absent", "pipe"])
async def test_a_path_that_leaves_the_data_root_is_refused(place: Place, trick: str) -> None:
    root = place.root / "data"
    secret = place.root / "secret"
    secret.mkdir()
    (secret / "file").write_text("host only")
    (root / "link").symlink_to(secret)
    os.mkfifo(root / "pipe")
    path = {
        "parent": f"{root}/../secret/file",
        "link": f"{root}/link",
        "link on the way": f"{root}/link/file",
        "absent": f"{root}/absent",
        "pipe": f"{root}/pipe",
    }[trick]
    file = InputFile(index=0, name="file", source=Mount(path=path, root=str(root)))
    plan = place.plan("", inputs=(StageInput(index=0, position=1, did="did:nv:1", files=(file,)),))
    status = await place.finish(plan, StepKind.CONFIGURE)
    assert status.reason is not None
    assert status.reason.code == "InputUnreadable"
    status = await place.finish(plan, StepKind.COMPUTE)
    assert status.reason is not None
    assert status.reason.code == "InputUnreadable"


@only_oci("the pods of this suite only stand in; tests/cluster tries it with those that look")
@pytest.mark.needs("root")
async def test_an_input_that_the_sandbox_cannot_open_is_found_before_the_run(place: Place) -> None:
    source = place.data_set(1, {"open.csv": "1", "closed.csv": "2"})
    (place.root / "data" / "1" / "closed.csv").chmod(0o600)
    status = await place.finish(place.plan("", inputs=(source,)), StepKind.CONFIGURE)
    assert status.reason is not None
    assert status.reason.code == "InputUnreadable"
    assert "chmod -R o+rX closed.csv" in status.reason.message
    assert str(place.root) not in status.reason.message


@pytest.fixture
def nested(place: Place) -> Iterator[Path]:
    folder = place.root / "data" / "outer"
    (folder / "inner").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", folder / "inner"], check=True)
    (folder / "inner" / "file").write_text("nested")
    (folder / "inner").chmod(0o777)
    yield folder
    subprocess.run(["umount", folder / "inner"], check=True)


@pytest.mark.needs("root")
async def test_a_mount_inside_an_input_is_not_carried_along_and_not_writable(place: Place, nested: Path) -> None:
    found = await tried(
        place,
        "found['seen'] = os.listdir('/mnt/volume1/inner')\n"
        "found['write'] = opened('/mnt/volume1/inner/new', os.O_WRONLY | os.O_CREAT)\n",
        inputs=(place.folder_input(nested),),
    )
    assert found == {"seen": [], "write": "EROFS"}


@only_oci("the pods of this suite only stand in; tests/cluster tries it with those that collect")
async def test_tricks_with_names_and_kinds_of_files_do_not_pass_the_collector(place: Place) -> None:
    source = """
import os, socket
os.chdir("/mnt/output")
open("good.txt", "w").write("fine")
os.symlink("/etc/passwd", "link")
os.symlink("/", "folder-link")
os.mkfifo("pipe")
socket.socket(socket.AF_UNIX).bind("socket")
open("once", "w").close(); os.link("once", "twice")
open("bits", "w").close(); os.chmod("bits", 0o4755)
open(b"not-utf8-\\xff", "w").close()
open("line\\nbreak", "w").close()
open("Case", "w").close(); open("case", "w").close()
os.mkdir("closed", 0o000)
path = "deep"
for _ in range(60):
    os.mkdir(path); path += "/d"
"""
    plan = place.plan(source, argv=("python", "-I", "-B", "main.py"))
    await place.finish(plan, StepKind.CONFIGURE)
    assert (await place.finish(plan, StepKind.COMPUTE)).ok
    await place.output(plan)
    folder = place.published[plan.workflow_execution_id].outputs[0].output
    found = collect(folder, CollectionLimits(max_bytes=1 << 20, max_files=100))
    assert {file.path for file in found.files} == {"good.txt", "Case"}
    rules = {rejection.path.split("/")[0]: rejection.rule for rejection in found.rejections}
    assert rules["link"] == rules["folder-link"] == "SymbolicLink"
    assert rules["pipe"] == rules["socket"] == "NotAFile"
    assert rules["once"] == rules["twice"] == "HardLink"
    assert rules["bits"] == "SetUserId"
    assert rules["deep"] == "TooDeep"
    assert {"NameCollision", "BadName"} <= set(rules.values())
