"""``insitu demo``: what a newcomer types first. It ends with 0 only if each of its checks passed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from insitu.cli.app import INTERRUPTED
from insitu.sdk.receipts import verify

pytestmark = [pytest.mark.needs("chain", "oci", "root", "demo"), pytest.mark.slow]

CHECKS = 18


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The output folder, and what two starts on the same data folder print."""
    home, output = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("output")
    return output, run_demo(home, output), run_demo(home, output)


def run_demo(home: Path, output: Path) -> str:
    command = [sys.executable, "-m", "insitu", "--home", str(home), "demo", "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_every_check_of_both_starts_held(told: tuple[Path, str, str]) -> None:
    for text in told[1:]:
        assert f"{CHECKS} checks passed" in text
        assert text.count("✓") == CHECKS


def test_the_second_start_finds_what_the_first_published(told: tuple[Path, str, str]) -> None:
    def published(text: str) -> list[str]:
        chapter = text.partition("Two owners publish")[2].partition("A data scientist finds")[0]
        return [word for word in chapter.split() if word.startswith("did:nv:") and len(word) == 71]

    assert len(published(told[1])) == 2
    assert published(told[1]) == published(told[2])


def interrupted(home: Path, output: Path, after: str) -> tuple[int, str]:
    """Press Ctrl-C once the demo has printed ``after``; return its exit code and all that it printed."""
    command = [sys.executable, "-m", "insitu", "--home", str(home), "demo", "--output", str(output)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if after in line:
            process.send_signal(signal.SIGINT)
            break
    printed += process.communicate(timeout=120)[0]
    return process.returncode, printed


def test_ctrl_c_interrupts_it_and_the_next_one_holds(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home, output = tmp_path_factory.mktemp("interrupted"), tmp_path_factory.mktemp("output")
    code, printed = interrupted(home, output, "read 336,776 flights")
    assert code == INTERRUPTED, printed[-2000:]
    assert printed.endswith("interrupted\n")
    assert "PeerUnavailable" not in printed
    assert "Traceback" not in printed
    assert f"{CHECKS} checks passed" in run_demo(home, output)


def test_logs_come_between_the_phases_and_not_after_the_end(told: tuple[Path, str, str]) -> None:
    for text in told[1:]:
        assert text.index("read 336,776 flights") < text.index("Configuring stage 1")


def test_two_demos_play_at_once_each_in_a_folder_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "insitu", "demo", "--output"]
    own = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}
    playing = [
        subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.PIPE, text=True, env={**os.environ, **own})
        for name in ("first", "second")
    ]
    told = [process.communicate(timeout=300)[0] for process in playing]
    assert [process.returncode for process in playing] == [0, 0], told
    assert {f"{CHECKS} checks passed" in text for text in told} == {True}
    assert sorted(folder.name for folder in (tmp_path / "share").iterdir()) == ["insitu-demo", "insitu-demo-2"]


def test_the_receipt_that_it_leaves_can_be_verified(told: tuple[Path, str, str]) -> None:
    receipt = json.loads((told[0] / "receipt.json").read_text())
    assert verify(receipt).receipt_hash == receipt["receiptHash"]


def test_table_and_picture_came_back(told: tuple[Path, str, str]) -> None:
    result = told[0] / "result"
    assert (result / "delay_by_weather.csv").read_text().startswith("visibility (miles),rain,flights,mean_delay,late\n")
    assert (result / "pictures" / "delay_by_weather.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.needs("chromium")
def test_a_browser_shows_the_report(told: tuple[Path, str, str], tmp_path: Path) -> None:
    shot = tmp_path / "report.png"
    browser = shutil.which("chromium") or "chromium"
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    switches += ["--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"]
    page = (told[0] / "report.html").as_uri()
    command = [browser, *switches, "--window-size=1000,2000", f"--screenshot={shot}", page]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    assert shot.stat().st_size > 20_000, "a blank page is smaller"
