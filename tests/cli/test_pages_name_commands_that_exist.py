"""Every `insitu …` line of the pages is a command that exists, with options that exist; every command has a page."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from insitu.cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]

pytestmark = pytest.mark.needs("docs")


def lines(page: Path) -> Iterator[str]:
    """The command lines of a page: in blocks without a language or with `sh`, and between backticks in the text."""
    language: str | None = None
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("```"):
            language = line.removeprefix("```") if language is None else None
        elif language is None:
            yield from re.findall(r"`(insitu [^`]+)`", line)
        elif language in {"", "sh"} and (found := re.search(r"(?:^|\s)(insitu .*?)(?:\s+#.*)?$", line)):
            yield found[1]


def named() -> list[tuple[str, str]]:
    return [(page.name, line) for page in PAGES for line in lines(page)]


def followed(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words lead to, and the words behind it."""
    context, command = click.Context(app, info_name="insitu"), app.get_command(click.Context(app), words[0])
    assert command is not None, f"there is no command {words[0]}"
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        nested = command.get_command(context, rest[0])
        assert nested is not None, f"there is no command {' '.join(words[:2])}"
        command, rest = nested, rest[1:]
    return command, rest


@pytest.mark.parametrize(("page", "line"), named())
def test_a_line_of_a_page_is_a_command(page: str, line: str) -> None:
    words = [word for word in shlex.split(line.partition(" >>")[0].replace("…", "")) if word][1:]
    command, rest = followed(words)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {option for parameter in app.params for option in parameter.opts}
    options = [word.partition("=")[0] for word in rest if word.startswith("-") and len(word) > 1]
    passed_on = {option for option in options if "=" in line and command.name == "run"}
    assert not set(options) - known - passed_on, f"{page}: {line}"


def test_the_pages_are_read() -> None:
    assert len(named()) > 40


@pytest.mark.parametrize("name", [name for group in COMMANDS.values() for name in group if name not in {"pod", "did"}])
def test_every_command_is_shown_in_a_page(name: str) -> None:
    assert any(line.split()[1] == name for _, line in named() if len(line.split()) > 1)
