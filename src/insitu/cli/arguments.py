"""Options and arguments that would have no effect when combined with others, and are refused (ADR 0108).

An option without a row in ``REFUSED`` may be combined with everything. Names are click's parameter names.
"""

import functools
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from insitu.sdk.arguments import RELAYED, Beside, useless

_RULES = (
    "allow_any allowed publishers consumers use images timeout logs max_executions revisions parameters failures data "
    "max_output max_files max_log types"
)
_KEY_FILE = (Beside("key_file", "account", "the key file decides who signs"),)
_NOT_DOWNLOADED = Beside("no output", "force", "nothing is downloaded without --output")

REFUSED: Mapping[str, tuple[Beside, ...]] = {
    "run": (
        Beside(
            "agreement",
            "data image entrypoint server max_price no_relay relay offer",
            "--agreement runs what was bought and paid for",
        ),
        Beside(
            "no_follow",
            "output force",
            "the command does not wait for the result: fetch it later with insitu result ID -o FOLDER",
        ),
        Beside("published", "entrypoint", "a published algorithm already says how it starts"),
        Beside(
            "workflow",
            "data parameters image entrypoint server",
            "a workflow already names its data sets, parameters, image and server",
        ),
        RELAYED,
        _NOT_DOWNLOADED,
    ),
    "buy": (RELAYED,),
    "result": (_NOT_DOWNLOADED,),
    "publish": (
        Beside(
            "document",
            f"files algorithm name price {_RULES} entrypoint description author license_ tags categories",
            "--document already says everything",
        ),
        Beside("algorithm", _RULES, "it is for data sets; only the owner of an algorithm uses it"),
        Beside("no algorithm", "entrypoint", "a data set does not start; publish an algorithm with --algorithm"),
        Beside("no document", "without_compute", "it needs --document"),
        Beside("allow_any", "allowed publishers", "--allow-any already allows everything"),
    ),
    "update": (Beside("allow_any", "allowed publishers", "--allow-any already allows everything"),),
    "show": (Beside("versions", "checksum", "--versions lists all of them"),),
    "pause": (Beside("no now", "stop_running", "without --now everything goes on"),),
    "doctor": (Beside("no role", "account", "only --role consumer checks an account"),),
    "demo": (Beside("clean", "output show stay", "--clean only deletes"),),
    "chain deploy": _KEY_FILE,
    "chain accept-ownership": _KEY_FILE,
    "chain fund": _KEY_FILE,
}
"""Command → what is refused together with what. A name that is not an option is a state that the command finds out."""


def refuse(command: str, given: Mapping[str, str]) -> None:
    """Raise a usage error for an option that would have no effect; ``given`` maps names to spellings."""
    found = useless(REFUSED.get(command, ()), given)
    if found is not None:
        raise click.UsageError(f"{given[found[0]]} has no effect here: {found[1]}")


def check_usage(command: click.Command, name: str) -> click.Command:
    """Make a command, or every command of a group, refuse useless options before it does anything."""
    for nested in getattr(command, "commands", {}).values():
        check_usage(nested, f"{name} {nested.name}")
    callback = command.callback
    if name in REFUSED and callback is not None:

        @functools.wraps(callback)
        def check_and_call(*arguments: Any, **options: Any) -> Any:
            refuse(name, _spellings(click.get_current_context()))
            return callback(*arguments, **options)

        command.callback = check_and_call
    return command


def _spellings(context: click.Context) -> dict[str, str]:
    """Return the parameters that were typed after a command, with their spelling; ``--no-x`` has the name ``no_x``."""
    given = {}
    for parameter in context.command.params:
        name = str(parameter.name)
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        if isinstance(parameter, click.Argument):
            given[name] = parameter.metavar or name.upper()
        elif context.params.get(name) is not False:
            given[name] = parameter.opts[0]
        elif parameter.secondary_opts:
            given[f"no_{name}"] = parameter.secondary_opts[0]
    return given
