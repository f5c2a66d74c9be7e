"""The demo's voice: numbered chapters, facts, and the checks that decide its exit code."""

import time
from collections.abc import Sequence

import click

from insitu.cli.render import lines, plain, table
from insitu.domain.errors import InsituError

__all__ = ["Narrator"]


class Narrator:
    """Prints as it happens. Every ``check`` that fails ends the demo with exit code 1."""

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
        """Tell a fact."""
        click.echo(f"   {text}")

    def log(self, stage: int, text: str) -> None:
        """Show what an algorithm prints, made harmless, line by line; a piece may end within one."""
        whole, newline, rest = (self._pending.get(stage, "") + text).rpartition("\n")
        self._pending[stage] = rest
        for line in lines(whole) if newline else ():
            click.secho(f"           │ {stage}: {line}", dim=True)

    def rows(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        for line in table(headings, [[plain(cell) for cell in row] for row in rows], columns=200):
            click.echo(f"   {line}")

    def check(self, what: str, holds: bool) -> None:
        """Demand that something is so.

        Raises ``DemoFailed`` where it isn't.
        """
        if not holds:
            raise InsituError("DemoFailed", f"this should be so and is not: {what}")
        self.checks.append(what)
        click.echo(f"   {click.style('✓', fg='green')} {what}")
