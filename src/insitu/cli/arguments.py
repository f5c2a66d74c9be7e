"""Beside which others an argument or option of the command line would change nothing and is refused (ADR 0108).

What has no row in ``REFUSED`` may be given beside everything else. Names are those of the parameters, as click knows
them.
"""

import functools
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from insitu.sdk.arguments import RELAYED, Beside, useless

__all__ = ["REFUSED", "checked", "refuse"]

_RULES = "allow_any allowed publishers images timeout logs max_executions max_output max_files max_log types"
_KEY_FILE = (Beside("key_file", "account", "the key file says who signs"),)
_NOT_DOWNLOADED = Beside("no output", "force", "nothing is downloaded without --output")

REFUSED: Mapping[str, tuple[Beside, ...]] = {
    "run": (
        Beside(
            "agreement",
            "words data image entrypoint server max_price no_relay relay offer",
            "--agreement runs what was bought, as it was bought and paid",
        ),
        Beside("no_follow", "output force", "the result is not waited for: insitu result ID -o FOLDER brings it later"),
        Beside("published", "entrypoint", "a published algorithm says itself how it starts"),
        Beside(
            "workflow",
            "data parameters image entrypoint server",
            "a workflow names its data sets, parameters, image and server itself",
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
            "--document says it all",
        ),
        Beside("algorithm", _RULES, "it belongs to data sets; who owns an algorithm uses it"),
        Beside("no algorithm", "entrypoint", "a data set is not started; --algorithm publishes an algorithm"),
        Beside("no document", "without_compute", "it belongs to --document"),
        Beside("allow_any", "allowed publishers", "--allow-any leaves nothing to allow beside it"),
    ),
    "doctor": (Beside("no role", "account", "only --role consumer looks at an account"),),
    "demo": (Beside("clean", "output show", "--clean deletes and ends"),),
    "chain deploy": _KEY_FILE,
    "chain accept-ownership": _KEY_FILE,
    "chain fund": _KEY_FILE,
}
"""Command → what is refused beside what. A name that is no option is a state that the command finds out."""


def refuse(command: str, given: Mapping[str, str]) -> None:
    """Refuse what would change nothing, before anything is done; ``given`` has names and spellings.

    Raises a usage error.
    """
    found = useless(REFUSED.get(command, ()), given)
    if found is not None:
        raise click.UsageError(f"{given[found[0]]} would change nothing here: {found[1]}")


def checked(command: click.Command, name: str) -> click.Command:
    """Let a command refuse what would change nothing before it does anything; those of a group as well."""
    for nested in getattr(command, "commands", {}).values():
        checked(nested, f"{name} {nested.name}")
    callback = command.callback
    if name in REFUSED and callback is not None:

        @functools.wraps(callback)
        def refusing(*arguments: Any, **options: Any) -> Any:
            refuse(name, _given(click.get_current_context()))
            return callback(*arguments, **options)

        command.callback = refusing
    return command


def _given(context: click.Context) -> dict[str, str]:
    """Return what was typed behind a command, each with how it is spelt; the no of a flag under a name of its own."""
    given = {}
    for one in context.command.params:
        name = str(one.name)
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        if isinstance(one, click.Argument):
            given[name] = one.metavar or name.upper()
        elif context.params.get(name) is not False:
            given[name] = one.opts[0]
        elif one.secondary_opts:
            given[f"no_{name}"] = one.secondary_opts[0]
    return given
