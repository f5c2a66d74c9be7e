"""Memory, processor, processes, disk and log stay within what was sold; a step that reaches a limit says which."""

import pytest

from tests.hostile.attempts import tried
from tests.ports.runtime.runtime_place import LIMITED, SMALL, Place, only_oci

FULL_PYTHON = ("python", "-I", "-B", "main.py")


@pytest.mark.needs("cgroups")
async def test_a_memory_bomb_is_killed_with_that_reason(place: Place) -> None:
    ended = await place.compute("data = []\nwhile True: data.append(bytearray(8 << 20))\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "MemoryLimitExceeded"
    assert ended.status.exit_code == 137
    if place.measures:
        assert ended.status.usage.peak_memory_bytes is not None
        assert ended.status.usage.peak_memory_bytes <= SMALL.memory_bytes


@pytest.mark.needs("cgroups")
async def test_a_child_that_is_killed_for_memory_is_not_a_success(place: Place) -> None:
    source = """
import os
if os.fork() == 0:
    data = []
    while True: data.append(bytearray(8 << 20))
os.wait()
"""
    ended = await place.compute(source)
    assert ended.status.reason is not None
    assert ended.status.reason.code == "MemoryLimitExceeded"


async def test_a_fork_bomb_ends_at_its_limit(place: Place) -> None:
    found = await tried(
        place,
        """
import time
count = 0
try:
    while count < 1000:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        count += 1
except OSError as error:
    found["error"] = name(error.errno)
found["forks"] = count
""",
    )
    assert found["error"] == "EAGAIN"
    assert int(str(found["forks"])) < SMALL.pids


async def test_orphans_are_reaped_so_they_use_up_no_limit(place: Place) -> None:
    found = await tried(
        place,
        """
codes = set()
for _ in range(300):
    child = os.fork()
    if child == 0:
        try:
            os.fork()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    codes.add(os.waitpid(child, 0)[1])
found["codes"] = sorted(codes)
""",
    )
    assert found == {"codes": [0]}


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGSEGV"])
async def test_an_algorithm_that_kills_itself_has_failed(place: Place, number: str) -> None:
    ended = await place.compute(f"import os, signal\nos.kill(os.getpid(), signal.{number})\nprint('alive')\n")
    assert ended.log == ""
    assert ended.status.reason is not None
    assert ended.status.reason.code == "AlgorithmFailed"
    assert number in ended.status.reason.message


async def test_an_algorithm_cannot_kill_what_reaps_its_orphans(place: Place) -> None:
    source = "for number in (9, 15, 19): found[str(number)] = attempt(lambda: os.kill(1, number))\n"
    assert set((await tried(place, source)).values()) <= {"ok", "EPERM"}


@only_oci("a cluster does not tell that the limit of processes was reached, so the algorithm's own end counts")
@pytest.mark.needs("cgroups")
async def test_an_algorithm_that_fails_for_want_of_processes_says_so(place: Place) -> None:
    ended = await place.compute("import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(30)\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "ProcessLimitExceeded"


async def test_the_output_holds_what_was_sold_and_no_more(place: Place) -> None:
    source = """
size = 0
with open("/mnt/output/big", "wb", buffering=0) as file:
    try:
        while True: size += file.write(bytes(1 << 16))
    except OSError as error:
        print(error.strerror, size >= %d, size <= %d * 1.2)
raise SystemExit(1)
""" % (SMALL.disk_bytes - (1 << 20), SMALL.disk_bytes)  # noqa: UP031 (the source has braces of its own)
    ended = await place.compute(source)
    assert ended.log.endswith("True True\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "DiskLimitExceeded"


async def test_many_files_fill_the_output_and_say_so(place: Place) -> None:
    source = "for n in range(1_000_000):\n    with open(f'/mnt/output/{n}', 'wb') as f: f.write(bytes(4096))\n"
    ended = await place.compute(source)
    assert ended.status.reason is not None
    assert ended.status.reason.code == "DiskLimitExceeded"


async def test_empty_files_end_at_a_number(place: Place) -> None:
    found = await tried(
        place,
        """
n = 0
try:
    while n < 500_000:
        os.close(os.open(f"/mnt/output/{n}", os.O_CREAT | os.O_WRONLY)); n += 1
except OSError as error:
    found["error"] = name(error.errno)
""",
    )
    assert found["error"] == "ENOSPC"


@only_oci("a pod cannot limit the size of a file; what it really holds ends with its volume")
async def test_a_sparse_file_cannot_be_larger_than_the_volume(place: Place) -> None:
    source = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
descriptor = os.open("/mnt/output/sparse", os.O_CREAT | os.O_WRONLY)
found["terabyte"] = attempt(lambda: os.ftruncate(descriptor, 1 << 40))
"""
    assert (await tried(place, source))["terabyte"] == "EFBIG"


@pytest.mark.parametrize("folder", ["/dev/shm", "/tmp", "/dev", "/mnt", "/mnt/logs"])
async def test_every_other_writable_folder_is_small(place: Place, folder: str) -> None:
    found = await tried(
        place,
        f"""
size = 0
try:
    descriptor = os.open("{folder}/big", os.O_CREAT | os.O_WRONLY)
    while size < 1 << 30: size += os.write(descriptor, bytes(1 << 16))
except OSError as error:
    found["error"] = name(error.errno)
found["mebibytes"] = size >> 20
""",
    )
    assert found["error"] in ("ENOSPC", "EACCES", "EROFS", "EFBIG")
    assert int(str(found["mebibytes"])) <= 64


@only_oci("a cluster does not tell the processor time that was used")
@pytest.mark.needs("cgroups")
async def test_a_spinning_algorithm_gets_the_share_that_was_sold(place: Place) -> None:
    limits = SMALL.model_copy(update={"cpu_millis": 200})
    source = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\n"
    usage = (await place.compute(source, limits=limits)).status.usage
    assert usage.cpu_seconds is not None
    assert usage.wall_seconds is not None
    assert usage.cpu_seconds < 0.5 * usage.wall_seconds


async def test_a_flood_of_log_is_cut_and_ends_the_step(place: Place) -> None:
    ended = await place.compute("import sys\nwhile True: sys.stderr.write('flood ' * 10_000)\n", argv=FULL_PYTHON)
    assert ended.status.reason is not None
    assert ended.status.reason.code == "LogLimitExceeded"
    assert len(ended.log) == SMALL.log_bytes


async def test_a_closed_log_does_not_hold_up_the_end(place: Place) -> None:
    ended = await place.compute("import os\nos.close(1)\nos.close(2)\n")
    assert ended.status.ok
    assert ended.log == ""
    assert LIMITED or ended.status.usage.limits["memory"] == "none"
