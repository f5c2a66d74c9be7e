"""Where the command line prints: a terminal, a pipe, or JSON for a program.

Standard output carries the answer and nothing else; progress goes to standard error. So ``did=$(insitu run …)`` works
while a person still sees the progress.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from typing_extensions import override

from insitu.cli.render import lines, table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text


class Activity:
    """What a person sees while waiting: a title that changes, and text that scrolls by. This class shows nothing."""

    def title(self, text: Callable[[], str]) -> None:
        """Show what is being done now; a terminal calls ``text`` at each redraw, so a clock in it keeps running."""

    def say(self, text: str) -> None:
        """Add a line of ours."""

    def log(self, text: str) -> None:
        """Add text from an algorithm, made safe for a terminal."""


class _Lines(Activity):
    """Plain lines on standard error, for pipes and scheduler logs."""

    @override
    def title(self, text: Callable[[], str]) -> None:
        click.echo(text(), err=True)

    @override
    def say(self, text: str) -> None:
        click.echo(text, err=True)

    @override
    def log(self, text: str) -> None:
        for line in lines(text):
            click.echo(f"  | {line}", err=True)


class _Title:
    """A text that is computed again whenever rich draws it."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text

    def __rich__(self) -> "Text":
        from rich.text import Text

        return Text(self._text(), no_wrap=True, overflow="ellipsis")


class _Live(Activity):
    """A moving line at the bottom of a terminal, drawn by rich."""

    def __init__(self, console: "Console", status: "Status") -> None:
        self._console = console
        self._status = status

    @override
    def title(self, text: Callable[[], str]) -> None:
        self._status.update(_Title(text))

    @override
    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @override
    def log(self, text: str) -> None:
        for line in lines(text):
            self._console.print(f"  │ {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


class Screen:
    """Prints results, notes and progress for a person or for a program."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def is_terminal(self) -> bool:
        """Whether a person is watching and can answer."""
        return sys.stderr.isatty() and sys.stdin.isatty()

    def line(self, text: str = "") -> None:
        """Print a line of the answer; make other people's text plain first."""
        click.echo(text)

    def note(self, text: str) -> None:
        """Print something besides the answer on standard error, but not for programs."""
        if not self.as_json:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Print a warning on standard error, for people and programs alike."""
        click.echo(f"{click.style('warning', fg='yellow', bold=True)} {text}", err=True)

    def json(self, value: object) -> None:
        """Print models and plain JSON: indented on a terminal, one line in a pipe."""
        from pydantic import TypeAdapter

        plain = TypeAdapter(object).dump_python(value, mode="json", by_alias=True)
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))

    def answer(self, value: object, shown: str | Iterable[tuple[str, str]]) -> None:
        """Print the answer: as JSON for programs, or what a person is shown, a line or names and values."""
        if self.as_json:
            self.json(value)
        elif isinstance(shown, str):
            self.line(shown)
        else:
            self.facts(shown)

    def rows(self, values: object, headings: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str) -> None:
        """Print a list: as JSON for programs, or as a table, with a note instead of an empty one."""
        if self.as_json:
            self.json(values)
        elif rows:
            self.table(headings, rows)
        else:
            self.note(nothing)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; cells may hold other people's text. A terminal cuts the first column to fit."""
        on_terminal = sys.stdout.isatty()
        drawn = table(headings, rows, columns=shutil.get_terminal_size().columns if on_terminal else None)
        click.echo(click.style(drawn[0], dim=True))
        for row in drawn[1:]:
            click.echo(row)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Print names and values, one pair per line, without empty values."""
        shown = [(name, value) for name, value in pairs if value]
        margin = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            first, *more = value.split("\n")
            click.echo(f"{click.style(name.ljust(margin), dim=True)}  {first}")
            for line in more:
                click.echo(f"{' ' * margin}  {line}")

    def confirm(self, question: str, *, yes: bool, unattended: str) -> None:
        """Ask before anything that costs money; without a terminal and without ``--yes`` the answer is no.

        ``unattended`` is the error message where nobody can answer: it says what to do instead.
        """
        if yes:
            return
        if self.as_json or not self.is_terminal:
            raise click.UsageError(unattended)
        click.confirm(question, default=False, abort=True, err=True)

    @contextmanager
    def activity(self, title: str) -> Iterator[Activity]:
        """Show progress: live on a terminal, as lines in a pipe, not at all with JSON."""
        if self.as_json:
            yield Activity()
            return
        if not sys.stderr.isatty():
            plain = _Lines()
            plain.title(lambda: title)
            yield plain
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True)
        with console.status(Text(title)) as status:
            yield _Live(console, status)
