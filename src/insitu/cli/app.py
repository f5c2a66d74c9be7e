"""The table of commands, and the options that come before a command."""

import functools
import importlib
from pathlib import Path

import click
from typing_extensions import override

from insitu.cli.arguments import check_usage
from insitu.cli.failure import read_failure, report
from insitu.cli.session import Session
from insitu.domain.errors import InsituError

INTERRUPTED = 130
"""The same as in ``insitu.domain.exit_codes``, not imported because help must be fast; a test compares the two."""

COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Use a compute service": {
        "open": ("marketplace", "open the marketplace in a browser"),
        "search": ("assets", "find data sets, algorithms and workflows"),
        "show": ("assets", "show an asset: services, prices, rules, versions"),
        "check": ("purchase", "ask whether a workflow may run, where, and at what price"),
        "run": ("run", "run an algorithm next to a data set and bring back the result"),
        "buy": ("purchase", "buy a compute service for a workflow"),
        "agreements": ("purchase", "list what you bought"),
        "executions": ("executions", "list executions"),
        "status": ("executions", "show where an execution stands, and why"),
        "logs": ("executions", "read or follow what the algorithm prints"),
        "stop": ("executions", "stop an execution"),
        "result": ("executions", "show or download the result"),
        "receipt": ("receipts", "fetch the signed receipt"),
        "verify": ("receipts", "check a receipt, offline or against the chain"),
        "release": ("receipts", "release the payment with a receipt; anyone may"),
        "close": ("receipts", "end an agreement early and get back what is not charged"),
        "refund": ("receipts", "get back the money of an agreement that timed out"),
    },
    "Offer data": {
        "validate": ("assets", "check a document without publishing it"),
        "publish": ("publish", "publish a data set, an algorithm or a workflow"),
        "update": ("update", "change an asset: its price, files, rules or description"),
        "list": ("listing", "let strangers find an asset"),
        "unlist": ("listing", "take an asset off the lists"),
        "pause": ("assets", "stop listing an asset, or let nothing run on it"),
        "resume": ("assets", "end the pause of an asset"),
        "transfer": ("assets", "transfer an asset to another owner"),
    },
    "Run the infrastructure": {
        "up": ("serve", "run all services of a provider on this machine"),
        "serve": ("serve", "run some of the services: metadata, gateway, operator, marketplace"),
        "pod": ("pod", "run one step of a pod (started by the engine)"),
        "hide": ("listing", "keep an asset off the lists of the catalogue, for a public reason"),
        "unhide": ("listing", "undo hide"),
        "feature": ("listing", "show an asset first, for a public reason"),
        "unfeature": ("listing", "undo feature"),
        "curated": ("listing", "list what is hidden or featured, and why"),
        "image": ("images", "build, import, list and remove container images"),
        "chain": ("chain", "deploy, check and hand over the contracts"),
        "marketplace": ("marketplace", "compare the scripts of a marketplace with this release"),
        "doctor": ("doctor", "check this machine and say how to fix what is wrong"),
    },
    "Tools": {
        "demo": ("demo", "watch everything happen on real data"),
        "keys": ("keys", "create, import, list and rotate keys"),
        "did": ("did", "inspect DIDs and documents"),
    },
}
"""Command → (module in ``insitu.cli.commands``, help), grouped by who needs it. Help imports no command."""

_PLACES = {name: place for group in COMMANDS.values() for name, (place, _) in group.items()}

_ELSEWHERE = {
    "start": "up",
    "ls": "search",
    "ps": "executions",
    "kill": "stop",
    "download": "result",
    "account": "keys",
    "images": "image ls",
    "build": "image build",
    "pull": "image pull",
}
"""What other tools call a command of ours."""


class LazyGroup(click.Group):
    """A group that imports the module of a command when the command is called."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PLACES)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _PLACES.get(cmd_name)
        if place is None:
            return None
        return _load(place, cmd_name)

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = _ELSEWHERE.get(args[0]) or next(iter(difflib.get_close_matches(args[0], _PLACES, n=1)), None)
            hint = f" Did you mean {near!r}?" if near else " See insitu --help."
            raise click.UsageError(f"there is no command {args[0]!r}.{hint}", ctx) from error

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


@functools.cache
def _load(place: str, name: str) -> click.Command:
    command = getattr(importlib.import_module(f"insitu.cli.commands.{place}"), name)
    assert isinstance(command, click.Command)
    return check_usage(_with_examples(command), name)


def _with_examples(command: click.Command) -> click.Command:
    """Keep the line breaks of indented paragraphs in a help text: they are examples."""
    import inspect

    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join("\b\n" + text if text.startswith("    ") else text for text in paragraphs)
    for nested in getattr(command, "commands", {}).values():
        _with_examples(nested)
    return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="Data folder (INSITU_HOME).")
@click.option("--url", help="Provider to talk to; default: the one on this machine.")
@click.option("--account", help="Key to sign with (see insitu keys).")
@click.option("--set", "flags", multiple=True, metavar="SECTION.KEY=VALUE", help="Override a setting.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.version_option(package_name="insitu", message="insitu %(version)s")
@click.pass_context
def app(
    context: click.Context,
    home: Path | None,
    url: str | None,
    account: str | None,
    flags: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run code on data that stays where it is, and pay against a signed receipt.

    Start with:  insitu demo
    """
    context.obj = Session.from_options(home=home, url=url, account=account, flags=flags, as_json=as_json)


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code; errors are printed on standard error.

    A command returns None or an exit code of :mod:`insitu.domain.exit_codes`.
    """
    try:
        outcome = app.main(args=arguments, prog_name="insitu", standalone_mode=False)
    except click.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except InsituError as error:
        return report(error, as_json="--json" in arguments)
    except OSError as error:
        return report(read_failure(error), as_json="--json" in arguments)
    return outcome if isinstance(outcome, int) else 0
