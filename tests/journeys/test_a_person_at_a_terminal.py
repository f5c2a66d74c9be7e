"""At a terminal somebody is asked before paying, sees progress move, and can leave with Ctrl-C."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from insitu.domain import exit_codes
from tests.journeys.provider import Person, Provider, environment
from tests.journeys.scripts import COUNT, FLIGHTS, SLEEPING, written

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

PATIENCE = 90


@dataclass
class Terminal:
    """A command at a terminal; everything that it draws is kept."""

    process: "subprocess.Popen[bytes]"
    screen: int
    drawn: bytes = b""
    _closed: bool = field(default=False)

    def wait_for(self, text: str) -> None:
        """Read until the text was drawn."""
        until = time.monotonic() + PATIENCE
        while text.encode() not in self.drawn and self._read(until):
            continue
        assert text.encode() in self.drawn, self.drawn.decode(errors="replace")

    def type(self, text: str) -> None:
        """Type."""
        os.write(self.screen, text.encode())

    def ended(self) -> int:
        """Read to the end and return the exit code."""
        until = time.monotonic() + PATIENCE
        while self._read(until):
            continue
        return self.process.wait(PATIENCE)

    def _read(self, until: float) -> bool:
        if not select.select([self.screen], [], [], max(until - time.monotonic(), 0))[0]:
            return False
        try:
            piece = os.read(self.screen, 65536)
        except OSError:
            return False  # the other side of the terminal is closed
        self.drawn += piece
        return bool(piece)


@contextmanager
def terminal(person: Person, *arguments: str | Path) -> Iterator[Terminal]:
    """Start a command with a terminal as its input, output and error."""
    screen, inner = pty.openpty()
    process = subprocess.Popen(
        [*person.command, *map(str, arguments)],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment(TERM="xterm", COLUMNS="200"),
        start_new_session=True,
    )
    os.close(inner)
    try:
        yield Terminal(process, screen)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(screen)


@pytest.fixture(scope="module")
def flights(running: Provider) -> str:
    """A data set for 3 tokens."""
    table = written(running.data, "terminal.csv", FLIGHTS)
    return running.person("owner").succeeds("publish", table, "--name", "Terminal", "--price", "3", "--allow-any").line


def test_no_is_an_answer_and_buys_nothing(running: Provider, flights: str, tmp_path: Path) -> None:
    person = running.person("second-consumer")
    before = person.succeeds("agreements", "--json").out
    with terminal(person, "run", written(tmp_path, "count.py", COUNT), "--on", flights) as shown:
        shown.wait_for("Pay 3 NVM and run? [y/N]")
        shown.type("n\n")
        assert shown.ended() == exit_codes.INTERRUPTED
    assert person.succeeds("agreements", "--json").out == before


def test_yes_pays_and_shows_what_happens(running: Provider, flights: str, tmp_path: Path) -> None:
    person = running.person("second-consumer")
    with terminal(person, "run", written(tmp_path, "count.py", COUNT), "--on", flights) as shown:
        shown.wait_for("Pay 3 NVM and run? [y/N]")
        shown.type("y\n")
        assert shown.ended() == exit_codes.OK
    drawn = shown.drawn.decode()
    assert "\x1b[" in drawn, "progress is drawn"
    assert "\x1b[31mreading" not in drawn, "an algorithm does not draw on the terminal of others"
    assert "│ reading 4 lines" in drawn
    assert "did:nv:" in drawn.splitlines()[-1]


def test_leaving_does_not_end_the_execution_and_says_how_to(running: Provider, flights: str, tmp_path: Path) -> None:
    person = running.person("second-consumer")
    with terminal(person, "run", written(tmp_path, "sleep.py", SLEEPING), "--on", flights, "--yes") as shown:
        shown.wait_for("│ going on")
        os.killpg(shown.process.pid, signal.SIGINT)
        assert shown.ended() == exit_codes.INTERRUPTED
    assert b"it is still running; to look:" in shown.drawn
    newest = person.succeeds("executions", "--json").json[0]
    assert newest["phase"] == "Executing"
    person.succeeds("stop", newest["workflowExecutionId"])
