"""The first process of a container: what it does, that it matches its source, and which program it gets."""

import os
import platform
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest

from insitu.adapters.runtime.inside import ALGORITHM
from insitu.adapters.runtime.oci.init import INIT, init_command, place_init
from insitu.adapters.runtime.oci.seccomp import ARCHITECTURES

SOURCES = Path(str(files("insitu.adapters.runtime.oci").joinpath("init")))
TOOLS = {"x86_64": "x86_64-linux-gnu-", "aarch64": "aarch64-linux-gnu-"}


def tools(machine: str) -> tuple[str, str] | None:
    """Return assembler and objcopy for a machine if they are installed."""
    prefixes = [TOOLS[machine], *([""] if machine == platform.machine() else [])]
    pairs = [(shutil.which(f"{prefix}as"), shutil.which(f"{prefix}objcopy")) for prefix in prefixes]
    return next(((one, other) for one, other in pairs if one and other), None)


@pytest.fixture
def init(tmp_path: Path) -> Path:
    return place_init(tmp_path / "templates", platform.machine())


def run(init: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([init, *argv], capture_output=True, text=True, check=False, timeout=60)


def test_every_machine_with_a_filter_has_one() -> None:
    assert {path.stem for path in SOURCES.glob("*.hex")} == {path.stem for path in SOURCES.glob("*.S")}
    assert {path.stem for path in SOURCES.glob("*.S")} == set(ARCHITECTURES)


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_it_matches_its_source(machine: str, tmp_path: Path) -> None:
    found = tools(machine)
    if found is None:
        pytest.skip(f"no assembler for {machine}")
    subprocess.run([found[0], SOURCES / f"{machine}.S", "-o", tmp_path / "o"], check=True)
    subprocess.run([found[1], "-O", "binary", "-j", ".text", tmp_path / "o", tmp_path / "b"], check=True)
    assert (tmp_path / "b").read_bytes() == place_init(tmp_path, machine).read_bytes()


def test_it_gives_the_command_its_words_and_variables_and_its_code_back(
    init: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEN", "a b")
    done = run(init, "/bin/sh", "other name", "-c", 'echo "$0|$1|$SEEN"; exit 7', "zero", "one two")
    assert (done.stdout, done.stderr, done.returncode) == ("zero|one two|a b\n", "", 7)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGXFSZ])
def test_a_signal_that_ends_the_command_gives_the_code_that_shells_give(init: Path, number: signal.Signals) -> None:
    assert run(init, "/bin/sh", "sh", "-c", f"kill -{number.value} $$").returncode == 128 + number


@pytest.mark.parametrize(("path", "code"), [("/nowhere", 127), ("/etc/passwd", 126), ("/etc", 126), ("", 127)])
def test_a_command_that_cannot_be_started_has_its_own_code(init: Path, path: str, code: int) -> None:
    assert run(init, path, "x").returncode == code


def test_it_waits_for_the_command_and_not_for_an_orphan(init: Path) -> None:
    done = run(init, "/bin/sh", "sh", "-c", "(exit 3) & (sleep 0 & exit 4); sleep 0.1; exit 5")
    assert done.returncode == 5


def test_it_is_written_once_and_repaired(tmp_path: Path) -> None:
    path = place_init(tmp_path, "x86_64")
    first = path.stat().st_ino
    assert place_init(tmp_path, "x86_64").stat().st_ino == first
    path.chmod(0o755)
    path.write_bytes(b"other")
    assert place_init(tmp_path, "x86_64").read_bytes().startswith(b"\x7fELF")
    assert [each.name for each in tmp_path.iterdir()] == ["init-x86_64"]
    assert path.stat().st_mode & 0o777 == 0o555


def test_executions_that_start_at_the_same_time_share_it(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        with ThreadPoolExecutor(8) as threads:
            (path,) = set(threads.map(place_init, [folder] * 8, [platform.machine()] * 8))
        assert run(path, "/bin/true").returncode == 0
        assert [each.name for each in folder.iterdir()] == [f"init-{platform.machine()}"]


def test_a_program_is_only_looked_up_in_the_image_and_the_algorithm(tmp_path: Path) -> None:
    image, algorithm = tmp_path / "image", tmp_path / "algorithm"
    for folder in ("image/opt/bin", "image/usr/bin", "algorithm/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (image / "bin").symlink_to("/usr/bin")
    (image / "opt" / "bin" / "python").touch()
    (image / "usr" / "bin" / "python3.11").touch(mode=0o755)
    (image / "usr" / "bin" / "python").symlink_to("/usr/bin/python3.11")
    (image / "usr" / "bin" / "sh").symlink_to("/nowhere")
    (algorithm / "bin" / "run").touch(mode=0o755)
    assert os.access("/bin/sh", os.X_OK)
    path = {"PATH": f"/opt/bin:relative:/nowhere:/bin/:{ALGORITHM}/bin"}

    def given(*command: str, path: dict[str, str] = path) -> tuple[str, ...]:
        return init_command(command, path, image, algorithm)

    assert given("python", "a b") == (INIT, "/bin/python", "python", "a b")
    assert given("/bin/python") == (INIT, "/bin/python", "/bin/python")
    assert given("run") == (INIT, f"{ALGORITHM}/bin/run", "run")
    for name in ("bin/run", "./bin/run", f"{ALGORITHM}/bin/run"):
        assert given(name) == (INIT, name, name)
    for name in ("sh", "/bin/sh", "./python", "nothing", "../algorithm/bin", ""):
        assert given(name) == (name,), "the OCI runtime says what is wrong with it"
    assert given("python", path={}) == ("python",)
