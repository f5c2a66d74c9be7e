"""Where the command line prints: a terminal, a pipe, or JSON for a program.

Standard output carries what was asked for, and nothing else; what happens on the way goes to standard error. So
``did=$(insitu run …)`` works while a person still sees the progress.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click
from typing_extensions import override

from insitu.cli.render import lines, table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text

__all__ = ["Activity", "Screen"]


class Activity(Protocol):
    """What goes on while a person waits: a title that changes, and text that scrolls by."""

    def title(self, tell: Callable[[], str]) -> None:
        """Say what is being done now; on a terminal ``tell`` is asked at each redraw, so a clock in it runs."""
        ...

    def say(self, text: str) -> None:
        """Add a line of ours."""
        ...

    def log(self, text: str) -> None:
        """Add text of an algorithm; it is made harmless here."""
        ...


class _Lines(Activity):
    """Plain lines on standard error, for pipes and logs of schedulers."""

    @override
    def title(self, tell: Callable[[], str]) -> None:
        click.echo(tell(), err=True)

    @override
    def say(self, text: str) -> None:
        click.echo(text, err=True)

    @override
    def log(self, text: str) -> None:
        for line in lines(text):
            click.echo(f"  | {line}", err=True)


class _Silent(Activity):
    """Nothing, for ``--json``."""

    @override
    def title(self, tell: Callable[[], str]) -> None:
        return

    @override
    def say(self, text: str) -> None:
        return

    @override
    def log(self, text: str) -> None:
        return


class _Told:
    """A text that is told anew whenever rich draws it."""

    def __init__(self, tell: Callable[[], str]) -> None:
        self._tell = tell

    def __rich__(self) -> "Text":
        from rich.text import Text

        return Text(self._tell(), no_wrap=True, overflow="ellipsis")


class _Live(Activity):
    """A moving line at the bottom of a terminal, drawn by rich."""

    def __init__(self, console: "Console", status: "Status") -> None:
        self._console = console
        self._status = status

    @override
    def title(self, tell: Callable[[], str]) -> None:
        self._status.update(_Told(tell))

    @override
    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @override
    def log(self, text: str) -> None:
        for line in lines(text):
            self._console.print(f"  │ {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


class Screen:
    """Prints results, notes and progress in the form that fits who reads them."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def is_terminal(self) -> bool:
        """True where a person sees what happens and can answer."""
        return sys.stderr.isatty() and sys.stdin.isatty()

    def line(self, text: str = "") -> None:
        """Print a line of the answer; text of others has to be made plain before."""
        click.echo(text)

    def note(self, text: str) -> None:
        """Say something beside the answer, on standard error; programs do not hear it."""
        if not self.as_json:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Say what somebody should know, also to a program that reads only standard output."""
        click.echo(f"{click.style('warning', fg='yellow', bold=True)} {text}", err=True)

    def json(self, value: object) -> None:
        """Print a model or plain JSON: indented on a terminal, one line in a pipe."""
        from pydantic import BaseModel

        plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; cells may be text of others. On a terminal its first column is cut to fit."""
        on_terminal = sys.stdout.isatty()
        drawn = table(headings, rows, columns=shutil.get_terminal_size().columns if on_terminal else None)
        click.echo(click.style(drawn[0], dim=True))
        for row in drawn[1:]:
            click.echo(row)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Print names and values below each other; values that are empty are left out."""
        shown = [(name, value) for name, value in pairs if value]
        margin = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            first, *more = value.split("\n")
            click.echo(f"{click.style(name.ljust(margin), dim=True)}  {first}")
            for line in more:
                click.echo(f"{' ' * margin}  {line}")

    def confirm(self, question: str, *, yes: bool, unattended: str) -> None:
        """Ask before something that costs; without a terminal and without ``--yes`` the answer is no.

        Parameters
        ----------
        unattended
            What to do where nobody can answer, for the error message.
        """
        if yes:
            return
        if self.as_json or not self.is_terminal:
            raise click.UsageError(unattended)
        click.confirm(question, default=False, abort=True, err=True)

    @contextmanager
    def activity(self, title: str) -> Iterator[Activity]:
        """Show what goes on: live on a terminal, as lines in a pipe, not at all as JSON."""
        if self.as_json:
            yield _Silent()
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
