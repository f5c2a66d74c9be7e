"""A provider that root starts: the engine keeps root, and an ordinary user reads what strangers send."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.linux import mounts_below, unmount
from insitu.domain.execution import Phase
from insitu.testing.provider import ProviderProcess
from tests.market import Market, open_market, open_provider

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

USER = "nobody"
SLEEPING = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach; pytest's are only for root."""
    folder = Path(tempfile.mkdtemp(prefix="insitu-separated-"))
    folder.chmod(0o755)
    yield folder
    for point in mounts_below(folder):  # an execution that was under way at the end keeps them for the next start
        unmount(point)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def provider(open_folder: Path) -> Iterator[ProviderProcess]:
    with open_provider(open_folder / "home", server__user=USER) as running:
        yield running


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    if provider.process is None:
        provider.start()
    async with open_market(provider) as opened:
        yield opened


def fact(pid: int, name: str) -> list[str]:
    """A line of what the kernel says about a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{name}:"))


def engine_of(provider: ProviderProcess) -> int:
    """The engine's process: the one child that is still root."""
    children = Path(f"/proc/{provider.pid}/task/{provider.pid}/children").read_text().split()
    (engine,) = [int(child) for child in children if fact(int(child), "Uid")[0] == "0"]
    return engine


def gone(pid: int) -> bool:
    """Wait until a process has ended; False if it has not within half a minute."""
    give_up = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def test_the_process_that_answers_http_is_an_ordinary_user_for_good(provider: ProviderProcess) -> None:
    uid = str(pwd.getpwnam(USER).pw_uid)
    assert fact(provider.pid, "Uid") == [uid] * 4
    assert fact(provider.pid, "Groups") == []
    assert set(fact(provider.pid, "CapEff") + fact(provider.pid, "CapPrm")) == {"0" * 16}
    assert fact(engine_of(provider), "Uid") == ["0"] * 4


async def test_the_main_job_crosses_the_two_processes(market: Market) -> None:
    _, execution = await market.run()
    assert (await market.files(execution))["out.txt"] == "done"
    view = await execution.wait(60)
    assert view.settled


def test_the_user_cannot_enter_or_replace_what_is_the_engines(provider: ProviderProcess) -> None:
    attempts = """
import os, sys
home = sys.argv[1]
for attempt in (
    lambda: os.listdir(f"{home}/engine"),
    lambda: os.rename(f"{home}/engine", f"{home}/mine"),
    lambda: os.rename(f"{home}/images", f"{home}/mine"),
    lambda: os.rename(f"{home}/run", f"{home}/mine"),
    lambda: open(f"{home}/images/new", "w"),
):
    try:
        attempt()
    except PermissionError:
        continue
    sys.exit("one of them worked")
"""
    command = ["/usr/bin/python3", "-I", "-c", attempts, str(provider.home)]
    user = pwd.getpwnam(USER)
    subprocess.run(command, user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=True, cwd="/")


async def test_after_a_kill_the_engine_ends_and_a_new_start_goes_on(market: Market) -> None:
    agreement = await market.buy(SLEEPING)
    execution = await market.consumer.compute.execute(agreement.id)
    async for piece in execution.logs():
        if "asleep" in piece.text:
            break
    provider, engine = market.provider, engine_of(market.provider)
    provider.kill()
    provider.start()
    assert gone(engine)
    assert (await execution.status()).phase is not Phase.FAILED
    await execution.stop()
    assert (await execution.wait(60)).phase is Phase.STOPPED


def test_without_its_engine_a_provider_ends_and_says_so(provider: ProviderProcess) -> None:
    assert provider.process is not None
    os.kill(engine_of(provider), signal.SIGKILL)
    assert provider.process.wait(30) > 0
    assert "the engine has ended" in provider.log.read_text()
    provider.stop()


def test_nobody_but_root_and_the_user_enters_the_data_folder(provider: ProviderProcess) -> None:
    provider.start()
    home, user = provider.home, pwd.getpwnam(USER)
    assert (home.stat().st_uid, home.stat().st_gid, home.stat().st_mode & 0o7777) == (0, user.pw_gid, 0o1770)
    for path in (home / name for name in ("chain", "engine", "images", "keys", "run")):
        found = path.stat()
        own = found.st_mode & 0o777 == 0o700 and found.st_uid in (0, user.pw_uid)
        shared = found.st_mode & 0o777 == 0o750 and (found.st_uid, found.st_gid) == (0, user.pw_gid)
        assert own or shared, (path.name, oct(found.st_mode))
    provider.stop()


def test_both_end_together(provider: ProviderProcess) -> None:
    provider.start()
    engine = engine_of(provider)
    provider.stop()
    assert gone(engine)


def test_a_folder_that_the_user_cannot_reach_is_refused_with_the_reason(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    command = [sys.executable, "-m", "insitu", "--home", str(closed / "home"), "--set", f"server.user={USER}"]
    ended = subprocess.run(
        [*command, "--set", "server.port=0", "up"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert f"{USER} cannot use {closed / 'home'}" in ended.stderr
    assert "chmod o+x" in ended.stderr


def test_a_user_that_does_not_exist_is_refused_with_the_reason(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "insitu",
        "--home",
        str(tmp_path),
        *("--set", "server.port=0", "--set", "server.user=nobody-of-that-name"),
        "up",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "there is no user nobody-of-that-name" in ended.stderr
