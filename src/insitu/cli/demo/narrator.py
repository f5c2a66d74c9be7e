"""The demo's voice: numbered chapters, facts, and the checks that decide its exit code."""

import shutil
import sys
import time
from collections.abc import Sequence

import click

from insitu.cli.render import lines, plain, table
from insitu.domain.errors import InsituError


def called() -> str:
    """Return the word that calls this program in the same terminal: ``make demo`` runs it where it is on no PATH."""
    return "insitu" if shutil.which("insitu") else sys.argv[0]


class Narrator:
    """Prints as things happen. A ``check`` that fails ends the demo with exit code 1."""

    def __init__(self) -> None:
        self._chapter = 0
        self._began = time.monotonic()
        self._pending: dict[int, str] = {}
        self.checks: list[str] = []
        """What was checked, in order."""

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """Begin the next chapter."""
        self._chapter += 1
        click.echo()
        click.secho(f"{self._chapter}  {title}", bold=True)

    def say(self, text: str = "") -> None:
        """Print a fact."""
        click.echo(f"   {text}")

    def log(self, stage: int, text: str) -> None:
        """Print an algorithm's output line by line, made safe for a terminal; a piece may end within a line."""
        whole, newline, rest = (self._pending.get(stage, "") + text).rpartition("\n")
        self._pending[stage] = rest
        for line in lines(whole) if newline else ():
            click.secho(f"           │ {stage}: {line}", dim=True)

    def rows(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        for line in table(headings, [[plain(cell) for cell in row] for row in rows], columns=200):
            click.echo(f"   {line}")

    def check(self, what: str, holds: bool) -> None:
        """Check that something holds. Raises ``DemoFailed`` if it does not."""
        if not holds:
            raise InsituError("DemoFailed", f"check failed: {what}")
        self.checks.append(what)
        click.echo(f"   {click.style('✓', fg='green')} {what}")
