"""Wide interfaces of the kernel are shut: mounts, namespaces, other processes, keys, modules, clocks."""

import platform

import pytest

from insitu.domain.granted_resources import resource_variables
from tests.hostile.attempts import tried
from tests.ports.runtime.runtime_place import AS_ROOT, SMALL, Place, only_oci

MOUNTS = """
empty = b"/mnt/output"
found["mount"] = call(165, 40, b"none", b"/tmp", b"tmpfs", 0, None)
found["umount of an input"] = call(166, 39, b"/mnt/volume1", 2)
found["fsopen"] = call(430, 430, b"tmpfs", 0)
found["open_tree"] = call(428, 428, -100, b"/", 1)
found["move_mount"] = call(429, 429, -100, b"/", -100, b"/tmp", 0)
found["mount_setattr"] = call(442, 442, -100, b"/", 0, None, 0)
found["pivot_root"] = call(155, 41, b"/", b"/tmp")
found["chroot"] = call(161, 51, b"/tmp")
"""
NAMESPACES = """
found["unshare user"] = call(272, 97, 0x10000000)
found["unshare net"] = call(272, 97, 0x40000000)
found["setns"] = call(308, 268, os.open("/proc/self/ns/net", os.O_RDONLY), 0)
found["clone user"] = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)
found["clone net"] = call(56, 220, 0x40000000 | 17, 0, 0, 0, 0)
"""
PROCESSES = """
found["ptrace"] = call(101, 117, 16, os.getppid(), 0, 0)
found["process_vm_readv"] = call(310, 270, os.getpid(), None, 0, None, 0, 0)
found["process_vm_writev"] = call(311, 271, os.getpid(), None, 0, None, 0, 0)
found["kcmp"] = call(312, 272, os.getpid(), os.getpid(), 0, 0, 0)
found["pidfd_getfd"] = call(438, 438, 0, 0, 0)
"""
KERNEL = """
found["add_key"] = call(248, 217, b"user", b"x", b"y", 1, -2)
found["keyctl"] = call(250, 219, 0, -3, 1)
found["bpf"] = call(321, 280, 0, None, 0)
found["perf_event_open"] = call(298, 241, None, 0, -1, -1, 0)
found["userfaultfd"] = call(323, 282, 0)
found["io_uring_setup"] = call(425, 425, 1, None)
found["open_by_handle_at"] = call(304, 265, -100, None, 0)
found["fanotify_init"] = call(300, 262, 0, 0)
found["init_module"] = call(175, 105, None, 0, b"")
found["kexec_load"] = call(246, 104, 0, 0, None, 0)
found["reboot"] = call(169, 142, 0, 0, 0, None)
found["syslog"] = call(103, 116, 10, None, 0)
found["settimeofday"] = call(164, 170, None, None)
found["personality"] = call(135, 92, 0x0040000)
found["sethostname"] = call(170, 161, b"x", 1)
found["swapon"] = call(167, 224, b"/tmp", 0)
"""


@pytest.mark.parametrize("attempts", [MOUNTS, NAMESPACES], ids=["mounts", "namespaces"])
async def test_calls_that_could_open_the_sandbox_are_refused(place: Place, attempts: str) -> None:
    found = await tried(place, attempts)
    assert set(found.values()) == {"EPERM"}, found


@only_oci(
    "the default filter of a cluster's runtime is wider; a RuntimeClass with a kernel of its own (gVisor, Kata) is not"
)
@pytest.mark.parametrize("attempts", [PROCESSES, KERNEL], ids=["processes", "kernel"])
async def test_dangerous_calls_are_refused(place: Place, attempts: str) -> None:
    found = await tried(place, attempts)
    assert set(found.values()) == {"EPERM"}, found


async def test_clone3_looks_missing_and_threads_work_all_the_same(place: Place) -> None:
    found = await tried(
        place,
        """
import threading
found["clone3"] = call(435, 435, None, 0)
done = []
threads = [threading.Thread(target=done.append, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
found["threads"] = len(done)
""",
    )
    assert found == {"clone3": "ENOSYS", "threads": 8}


async def test_a_call_that_nobody_knows_looks_missing(place: Place) -> None:
    assert (await tried(place, "found['new'] = call(500, 500)\n"))["new"] == "ENOSYS"


@only_oci("the default filter of a cluster's runtime refuses such a call and kills nobody")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 exists on x86-64 only")
async def test_a_call_of_a_foreign_architecture_ends_the_algorithm_with_that_reason(place: Place) -> None:
    ended = await place.compute("import ctypes\nctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "ForbiddenSystemCall"
    assert ended.status.exit_code == 159


async def test_devices_cannot_be_made(place: Place) -> None:
    found = await tried(
        place,
        """
import stat
for where in ("/tmp", "/mnt/output"):
    for kind, mode in (("char", stat.S_IFCHR), ("block", stat.S_IFBLK)):
        found[kind + where] = attempt(lambda: os.mknod(where + "/device", mode | 0o666, os.makedev(1, 3)))
""",
    )
    assert set(found.values()) == {"EPERM"}, found


@only_oci("a cluster shows /sys, read-only, to every container")
async def test_devices_are_not_there(place: Place) -> None:
    there = await tried(place, "found['dev'] = sorted(os.listdir('/dev'))\nfound['sys'] = os.listdir('/sys')\n")
    harmless = {"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty"}
    assert set(there["dev"]) <= harmless | {"urandom", "zero", "mqueue", "console"}  # type: ignore[call-overload]
    assert there["sys"] == []


async def test_no_file_of_the_kernel_can_be_written(place: Place) -> None:
    found = await tried(
        place,
        """
for path in ("sys/kernel/core_pattern", "sys/vm/drop_caches", "sysrq-trigger", "irq/default_smp_affinity"):
    found[path] = opened("/proc/" + path)
""",
    )
    assert set(found.values()) <= {"EROFS", "EACCES", "ENOENT"}, found


@only_oci("a cluster masks fewer files; those that are left tell of the node")
async def test_the_files_of_the_kernel_reveal_nothing(place: Place) -> None:
    found = await tried(
        place,
        """
for path in ("kallsyms", "keys", "cmdline", "version", "diskstats", "kcore", "config.gz", "timer_list"):
    try:
        found[path] = len(open("/proc/" + path, "rb").read(100))
    except OSError as error:
        found[path] = name(error.errno)
""",
    )
    readable = {path: size for path, size in found.items() if isinstance(size, int) and size > 0}
    assert readable == {}


async def test_no_right_is_there_and_none_is_gained(place: Place) -> None:
    found = await tried(
        place,
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    found[field] = int(status[field], 16)
found["no new privileges"] = int(status["NoNewPrivs"])
found["nice"] = attempt(lambda: os.nice(-5))
found["real time"] = attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1)); found["rlimit"] = "ok"
except ValueError:
    found["rlimit"] = "refused"
score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
found["oom score"] = attempt(lambda: os.write(score, b"-1000"))
os.close(score)
found["uid"] = os.getuid()
found["descriptors"] = sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3]
found["open"] = len(os.listdir("/proc/self/fd"))
""",
        argv=("python", "-I", "-B", "main.py"),
    )
    assert all(found[field] == 0 for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert found["no new privileges"] == 1
    assert {found[n] for n in ("nice", "real time", "rlimit", "oom score")} <= {"EPERM", "EACCES", "refused"}, found
    assert found["descriptors"] == [0, 1, 2]
    assert found["open"] == 4  # and the one that lists them
    if AS_ROOT:
        assert int(str(found["uid"])) > 1_000_000


@only_oci("a cluster's pods have one user; the kernel's limits for a user are the node's")
@pytest.mark.needs("root")
async def test_each_execution_has_a_user_of_its_own_and_all_have_one_group(place: Place) -> None:
    source = "found['uid'], found['gid'], found['groups'] = os.getuid(), os.getgid(), os.getgroups()\n"
    one, other = await tried(place, source), await tried(place, source)
    assert one["uid"] != other["uid"]
    assert one["gid"] == other["gid"] == 1_900_000_000
    assert {one["uid"], other["uid"]} & {one["gid"]} == set()


async def test_only_our_processes_are_seen(place: Place) -> None:
    found = await tried(
        place,
        "found['pids'] = sorted({int(p) for p in os.listdir('/proc') if p.isdigit()} - {os.getpid()})\n"
        "found['host'] = socket.gethostname()\n",
    )
    assert found == {"pids": [1], "host": "sandbox"}, "our own first process, which reaps orphans, and nobody else's"


@only_oci("a cluster tells every container its name and the address of the api server, which it does not reach")
async def test_only_our_variables_are_seen(place: Place) -> None:
    found = await tried(place, "found['env'] = sorted(os.environ)\n")
    assert set(found["env"]) <= {  # type: ignore[call-overload]
        "HOME", "LANG", "LC_CTYPE", "NEVERMINED_INPUTS_PATH", "NEVERMINED_OUTPUTS_PATH",
        "NEVERMINED_TRANSFORMATIONS_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TMPDIR", "USER",
        *resource_variables(SMALL),
    }  # fmt: skip
