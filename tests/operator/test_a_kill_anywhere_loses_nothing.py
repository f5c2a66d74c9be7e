"""`kill -9` before and after every call of a port: nothing is lost, and nothing happens twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.parts import ROOT

PROGRAMME = "tests.operator.killed_engine"
LOG = "first\nsecond\nthird\n"


def lives(folder: Path, scenario: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", PROGRAMME, folder, scenario],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(life: dict[str, Any]) -> None:
    """What is true whenever and however often the process was killed."""
    assert life["ended"][-1] == 0, "the last process ends by itself"
    assert life["history"] is None, life
    assert life["cleaned"], life
    assert life["left"] == [], life
    assert life["frozen"] == life["phase"], life
    assert life["reported"] == sorted(set(life["reported"])), life
    steps = [line.split()[1] for line in life["starts"]]
    assert len(steps) == len(set(steps)), "a step starts once"
    for key, content in life["logs"].items():
        assert content == LOG if key.endswith("good") else LOG.startswith(content), life


@pytest.mark.slow
def test_one_kill_at_any_call_and_the_execution_succeeds(tmp_path: Path) -> None:
    found = lives(tmp_path, "run")
    assert len(found) > 50, "there are fewer calls than an execution needs"
    for life in found:
        check(life)
        assert life["phase"] == "Succeeded", life
        good = [key for key in life["logs"] if key.endswith("good")]
        assert [key[0] for key in good] == ["0", "1"]


@pytest.mark.slow
def test_one_kill_at_any_call_while_it_is_stopped(tmp_path: Path) -> None:
    for life in lives(tmp_path, "stop"):
        check(life)
        assert (life["phase"], life["reason"]) == ("Stopped", "StoppedByConsumer"), life
        assert not [line for line in life["starts"] if "publish" in line]


@pytest.mark.slow
def test_many_kills_end_in_success_or_with_a_reason_that_costs_nothing(tmp_path: Path) -> None:
    found = lives(tmp_path, "often")
    for life in found:
        check(life)
        assert (life["phase"], life["reason"]) in {("Succeeded", None), ("Failed", "Interrupted")}, life
    assert sum(ended == -9 for life in found for ended in life["ended"]) >= 20
