"""What each argument and option of the command line changes, and beside which others it is refused (ADR 0108).

The table is complete: a test compares it with the commands, and calls every command with every option. What has no row
in ``REFUSED`` may be given beside everything else. Names are those of the parameters, as click knows them.
"""

import functools
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from insitu.sdk.arguments import FILE, REQUEST, WAITING, Beside, useless

__all__ = ["CHANGES", "COMMON", "REFUSED", "SCREEN", "checked", "refuse"]

SCREEN = "screen"
"""What is printed, or asked."""

COMMON = {REQUEST: "home flags url account rpc", SCREEN: "as_json yes"}
"""Options of several commands: whose keys, settings, provider and node; what the screen shows, whether it asks."""

_SENDING = "relay offer"
_IDS = {REQUEST: "ids"}

CHANGES: Mapping[str, Mapping[str, str]] = {
    "search": {REQUEST: "words kind tag author owner service max_price sort page limit"},
    "show": {REQUEST: "did checksum"},
    "check": {REQUEST: "what data image entrypoint server service_index"},
    "run": {
        REQUEST: f"words data agreement image entrypoint server max_price {_SENDING}",
        FILE: "output force",
        WAITING: "no_follow",
    },
    "buy": {REQUEST: f"workflow service_index max_price {_SENDING}", WAITING: "no_wait"},
    "agreements": {REQUEST: "agreement"},
    "executions": {REQUEST: "agreement"},
    "status": _IDS | {WAITING: "follow"},
    "logs": _IDS | {WAITING: "no_follow"},
    "stop": _IDS,
    "result": _IDS | {FILE: "output force"},
    "receipt": _IDS | {FILE: "output"},
    "verify": {REQUEST: "on_chain", SCREEN: "file provider files"},
    "release": {REQUEST: "source"},
    "refund": {REQUEST: "agreement"},
    "validate": {SCREEN: "file without_compute"},
    "publish": {
        REQUEST: "files name algorithm document price allow_any allowed publishers images timeout logs max_executions "
        "max_output max_files max_log types entrypoint description author license_ tags categories without_compute",
    },
    "pause": {REQUEST: "did resume"},
    "transfer": {REQUEST: "did recipient"},
    "up": {REQUEST: "data", SCREEN: "verbose"},
    "serve": {REQUEST: "actors", SCREEN: "verbose"},
    "pod": {REQUEST: "kind step workspace ticket consoles", FILE: "result"},
    "image build": {FILE: "packages name tag python site_packages"},
    "image import": {FILE: "path name tag"},
    "image pull": {REQUEST: "reference insecure"},
    "image rm": {FILE: "references"},
    "image verify": {SCREEN: "references"},
    "chain deploy": {REQUEST: "token owner key_file"},
    "chain accept-ownership": {REQUEST: "key_file"},
    "chain fund": {REQUEST: "accounts amount key_file"},
    "doctor": {SCREEN: "role"},
    "demo": {FILE: "output clean", SCREEN: "show"},
    "keys create": {FILE: "name password_file"},
    "keys import": {FILE: "name file password_file"},
    "did resolve": {REQUEST: "did"},
    "did verify": {SCREEN: "document main"},
}
"""Command → aspect → its own arguments and options that change it."""

_RULES = "allow_any allowed publishers images timeout logs max_executions max_output max_files max_log types"
_KEY_FILE = (Beside("key_file", "account", "the key file says who signs"),)
_RELAYED = Beside("relay", "offer", "what the gateway sends is granted in the same transaction")

_NOT_DOWNLOADED = Beside("no output", "force", "nothing is downloaded without --output")

REFUSED: Mapping[str, tuple[Beside, ...]] = {
    "run": (
        Beside(
            "agreement",
            f"words data image entrypoint server max_price no_relay {_SENDING}",
            "--agreement runs what was bought, as it was bought and paid",
        ),
        Beside("no_follow", "output force", "the result is not waited for: insitu result ID -o FOLDER brings it later"),
        Beside("published", "entrypoint", "a published algorithm says itself how it starts"),
        Beside(
            "workflow",
            "data parameters image entrypoint server",
            "a workflow names its data sets, parameters, image and server itself",
        ),
        _RELAYED,
        _NOT_DOWNLOADED,
    ),
    "buy": (_RELAYED,),
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
