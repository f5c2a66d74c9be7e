"""Everything in one command: check, publish, buy, execute, follow, download."""

from typing import TYPE_CHECKING, Any

import click

from insitu.cli.options import complete_did, connected, into, sending, yes
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.sdk.client import Client

_PASS_ON = {"ignore_unknown_options": True}


@click.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ALGORITHM|WORKFLOW] [--NAME=VALUE]...")
@click.option(
    "--on",
    "data",
    type=complete_did,
    multiple=True,
    metavar="DID",
    help="A data set to read; give several in the order of --input1 …",
)
@click.option("--agreement", metavar="ID", help="Run again what you bought, or a correction of it: nothing to pay.")
@click.option("--image", metavar="NAME:TAG|DIGEST", help="Image to run in; default: the first allowed image that fits.")
@click.option("--entrypoint", metavar="COMMAND", help="How the algorithm starts; not needed for a single script.")
@click.option("--server", metavar="ID", help="Server to run on; default: the cheapest that is large enough.")
@click.option("--max-price", metavar="AMOUNT", help="Refuse a higher price, in tokens.")
@into("the result")
@click.option("--no-follow", is_flag=True, help="Start it and print its id, without waiting.")
@sending
@yes
@connected
@pass_session
def run(
    session: Session,
    /,
    words: tuple[str, ...],
    data: tuple[str, ...],
    agreement: str | None,
    **options: Any,
) -> int:
    """Run an algorithm next to a data set and bring back the result.

    ALGORITHM is a script, a folder with compute-entrypoint.sh, or the DID of an algorithm. The command asks the
    provider, shows the price and asks you to confirm it. Then it publishes the algorithm with a workflow (reusing equal
    ones), buys, and follows the execution to its end. Other options are passed on to the algorithm. Standard output
    has only the DID of the result.

        insitu run count.py --on did:nv:… --column=carrier -o out/

    Run a WORKFLOW by its DID. With --agreement, run the same again without questions, for instance from cron. Where the
    owner of the data allows it, --NAME=VALUE sets a parameter of this one execution, and a corrected ALGORITHM runs as
    a revision, without paying again:

        insitu run --agreement ID -o /srv/results

        insitu run count.py --agreement ID
    """
    from insitu.cli.run_request import RunRequest
    from insitu.cli.running import carry_out

    parameters, names = _parameters(words), [word for word in words if not word.startswith("-")]
    _check_usage(names, data, agreement)
    request = RunRequest(names[0] if names else None, data, agreement, parameters, **options)

    async def run_it(client: "Client") -> int:
        return await carry_out(client, session, request)

    return session.act(run_it)


def _parameters(words: tuple[str, ...]) -> dict[str, str]:
    """Return the options for the algorithm: ``--name=value``."""
    parameters = {}
    for word in words:
        if not word.startswith("-"):
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals or not name:
            raise click.UsageError(
                f"{word!r} is not an option of insitu run; write an option of the algorithm as --name=value"
            )
        parameters[name] = value
    return parameters


def _check_usage(names: list[str], data: tuple[str, ...], agreement: str | None) -> None:
    if len(names) > 1:
        raise click.UsageError(f"run one algorithm at a time, not {names}; write its options as --name=value")
    if agreement is None and not names:
        raise click.UsageError("name an algorithm, or a purchase with --agreement ID")
    if agreement is None and not data and not names[0].startswith("did:"):
        raise click.UsageError("name a data set with --on did:nv:… (insitu search --type dataset lists them)")
