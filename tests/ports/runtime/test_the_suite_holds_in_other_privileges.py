"""The same suite where this process does not run: under crun with version-2 control groups, and without root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT

INNER = (
    "tests/ports/runtime/test_every_runtime_runs_steps.py",
    "tests/hostile/test_the_kernel_is_closed.py",
)
FILES = ("tests/ports/runtime/test_every_runtime_shows_volumes.py", "tests/hostile/test_files_stay_as_they_are.py")
STRANGER = 61_234

# A mount namespace of its own, in which only version-2 control groups are mounted: the host keeps what it has.
UNIFIED = "mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.needs("linux", "root", "filesystems")]


def suite(folder: Path, *more: str) -> list[str]:
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--basetemp={folder / 'tests'}"]
    return [sys.executable, "-m", "pytest", *options, *INNER, *more]


def passes(command: list[str], folder: Path, **more: int | list[int]) -> None:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    environment |= {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=580, check=False, **more
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.needs("crun")
def test_under_crun_and_version_2_control_groups(tmp_path: Path) -> None:
    passes(["unshare", "--mount", "sh", "-c", f'{UNIFIED} "$@"', "sh", *suite(tmp_path)], tmp_path)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="insitu-rootless-"))
    os.chown(folder, STRANGER, STRANGER)
    yield folder
    shutil.rmtree(folder)


DELEGATE = """
group=/sys/fs/cgroup/insitu-test-$$
mkdir $group && chown {user} $group $group/cgroup.procs $group/cgroup.subtree_control
echo $$ >$group/cgroup.procs && "$@"; ended=$?
echo $$ >/sys/fs/cgroup/cgroup.procs && find $group -depth -type d -exec rmdir {{}} \\; && exit $ended
"""
# A kernel may have bound its controllers to version 1, so only the way into the group is tried, not its limits.
GROUPED = """
import sys
from pathlib import Path
from insitu.adapters.runtime.oci.probe import cgroups_of, probe_machine
runs = Path(sys.argv[1]) / "runs"
groups = cgroups_of(runs)
assert groups is not None and groups.top.startswith("insitu-test-"), groups
for runtime in sys.argv[2:]:
    found = probe_machine(runs, groups, (runtime,))
    assert found.grouped and not found.refusals, found
    assert groups.names() == frozenset(), "nothing is left"
print("grouped")
"""


@pytest.mark.needs("crun", "oci")
def test_without_root_containers_run_in_a_group_that_was_delegated(home: Path) -> None:
    if any(not folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip("another user cannot read this clone")
    inside = f"{UNIFIED.removesuffix('exec')} {DELEGATE.format(user=STRANGER).strip()}"
    become = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    probing = [*become, sys.executable, "-c", GROUPED, str(home), "crun", "runc"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, "sh", *probing], capture_output=True, text=True, check=False
    )
    assert done.stdout == "grouped\n", done.stdout + done.stderr


@pytest.mark.needs("oci")
def test_without_root(home: Path) -> None:
    if any(not folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip("another user cannot read this clone")
    passes(suite(home, *FILES), home, user=STRANGER, group=STRANGER, extra_groups=[])
