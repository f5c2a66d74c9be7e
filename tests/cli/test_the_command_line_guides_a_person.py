"""Help, misspelt commands, options before and after the command, errors with a next step, exit codes."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from rich.console import Console

from insitu.cli.app import _ELSEWHERE, COMMANDS, INTERRUPTED, app, run
from insitu.cli.screen import _Live
from insitu.domain import exit_codes

NAMES = [name for group in COMMANDS.values() for name in group]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"insitu {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_the_overview_says_what_each_command_is_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert re.search(rf"^  {name} +[a-z]", capsys.readouterr().out, re.MULTILINE)


def test_a_misspelt_command_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serach"]) == exit_codes.USAGE
    assert "Did you mean 'search'?" in capsys.readouterr().err


@pytest.mark.parametrize("word", _ELSEWHERE)
def test_a_command_of_another_tool_is_answered_with_ours(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word]) == exit_codes.USAGE
    assert f"Did you mean '{_ELSEWHERE[word]}'?" in capsys.readouterr().err
    assert word not in NAMES
    assert run([*_ELSEWHERE[word].split(), "--help"]) == 0


def test_a_malformed_setting_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "--set", "port:8030", "keys", "ls"]) == exit_codes.USAGE
    assert "section.key=value" in capsys.readouterr().err


def test_an_unknown_setting_is_refused_with_its_neighbour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "--set", "server.prot=1", "keys", "ls"]) == exit_codes.INVALID
    printed = capsys.readouterr().err
    assert "did you mean 'port'" in printed
    assert "→" in printed


def test_an_error_is_a_problem_document_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(tmp_path / "missing.json"), "--json"]) == exit_codes.NOT_FOUND
    problem = json.loads(capsys.readouterr().err)
    assert problem["type"] == "urn:insitu:error:FileMissing"
    assert problem["nextStep"]


def test_options_may_stand_on_either_side_of_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "--json", "keys", "ls"]) == 0
    before = capsys.readouterr().out
    assert run(["keys", "ls", "--home", str(tmp_path), "--json"]) == 0
    assert capsys.readouterr().out == before != ""


def leaves(command: click.Command = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        nested = command.get_command(click.Context(command), name)
        assert nested is not None
        yield from leaves(nested, (*path, name))


@pytest.mark.parametrize(("path", "command"), [pytest.param(*leaf, id=" ".join(leaf[0])) for leaf in leaves()])
def test_options_of_the_application_may_stand_after_every_command(
    path: tuple[str, ...], command: click.Command
) -> None:
    own = {option for parameter in command.params for option in parameter.opts}
    assert {"--home", "--set"} <= own, path
    assert path == ("demo",) or "--json" in own
    if path[0] in {"chain", "doctor", "run", "show", "publish", "buy", "stop"} and path != ("chain", "check"):
        assert "--account" in own


def test_a_setting_after_the_command_is_stronger_than_one_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ["--home", str(tmp_path), "--set", "server.port=nonsense"]
    assert run([*before, "keys", "ls"]) == exit_codes.INVALID
    assert run([*before, "keys", "ls", "--set", "server.port=0"]) == exit_codes.OK
    capsys.readouterr()
    assert run(["keys", "ls", "--home", str(tmp_path), "--set", "port"]) == exit_codes.USAGE
    assert "section.key=value" in capsys.readouterr().err


def test_the_clock_on_a_terminal_runs_between_two_events() -> None:
    drawn, seconds = io.StringIO(), iter(range(100))
    console = Console(file=drawn, force_terminal=True, width=80)
    status = console.status("starting")
    _Live(console, status).title(lambda: f"Executing  {next(seconds)} s")
    for _ in range(2):
        console.print(status.renderable)
    shown = re.findall(r"Executing  (\d+) s", drawn.getvalue())
    assert len(set(shown)) > 1, "every redraw shows the time again"


def test_the_code_of_an_interruption_is_the_documented_one() -> None:
    assert exit_codes.INTERRUPTED == INTERRUPTED


def test_no_option_takes_a_secret() -> None:
    wanted = {"--password", "--key", "--private-key", "--secret"}
    assert not {option for parameter in app.params for option in parameter.opts} & wanted


def test_a_command_that_leaves_the_rest_as_it_is_shows_no_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    """``insitu update`` has the options of ``insitu publish``, and what it does not name stays as it is."""
    options: dict[str, dict[str, str]] = {}
    for name in ("publish", "update"):
        command = app.get_command(click.Context(app), name)
        assert command is not None
        options[name] = {one.opts[0]: one.help or "" for one in command.params if isinstance(one, click.Option)}
    defaults = {name for name, text in options["publish"].items() if "default" in text} - {"--url"}
    assert {"--price", "--timeout", "--failures", "--max-log"} <= defaults
    assert not {name for name in defaults if "default" in options["update"].get(name, "")}
    assert options["update"]["--price"] == "Tokens for each agreement."
    assert run(["pause", "--help"]) == 0
    assert "executions that run        go on     go on     end" in capsys.readouterr().out
