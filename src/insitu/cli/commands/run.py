"""The whole way in one command: publish, check, buy, execute, follow, bring home."""

from typing import TYPE_CHECKING, Any

import click

from insitu.cli.options import connected, into, sending, yes
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.sdk.client import Client

__all__ = ["run"]

_PASSED_ON = {"ignore_unknown_options": True}


@click.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ALGORITHM|WORKFLOW] [--NAME=VALUE]...")
@click.option("--on", "data", multiple=True, metavar="DID", help="Data set to read; several in the order of --input1 …")
@click.option("--agreement", metavar="ID", help="Run again what was bought: no question, nothing to pay.")
@click.option(
    "--image", metavar="NAME:TAG|DIGEST", help="Image to run in; default: the first that is allowed and fits."
)
@click.option("--entrypoint", metavar="COMMAND", help="How the algorithm starts; found out for a single script.")
@click.option("--server", metavar="ID", help="Server to run on; default: the cheapest that is large enough.")
@click.option("--max-price", metavar="AMOUNT", help="Refuse a higher price, in tokens.")
@into("the result")
@click.option("--no-follow", is_flag=True, help="Start it, print its id, and end.")
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
    max_price: str | None,
    **options: Any,
) -> int:
    """Run an algorithm next to a data set, and bring the result back.

    ALGORITHM is a script, a folder with compute-entrypoint.sh, or the DID of an algorithm. The provider is asked, the
    price is shown and asked for; then the algorithm is published with a workflow (equal ones are reused), bought, and
    followed to its end. Other options are given to the algorithm as they are. Standard output has the new DID alone.

        insitu run count.py --on did:nv:… --column=carrier -o out/

    A WORKFLOW is run by its DID. With --agreement the same runs again without a question, from cron for instance:

        insitu run --agreement ID -o /srv/results
    """
    from insitu.cli.orders import Order
    from insitu.cli.running import carry_out

    parameters, names = _parameters(words), [word for word in words if not word.startswith("-")]
    _check_usage(names, data, agreement)
    order = Order(
        what=names[0] if names else None,
        data=data,
        agreement=agreement,
        parameters=parameters,
        image=options["image"],
        entrypoint=options["entrypoint"],
        server=options["server"],
        max_price=max_price,
        output=options["output"],
        force=options["force"],
        follow=not options["no_follow"],
        yes=options["yes"],
        relay=options["relay"],
        offer=options["offer"],
    )

    async def carried_out(client: "Client") -> int:
        return await carry_out(client, session, order)

    return session.act(carried_out)


def _parameters(words: tuple[str, ...]) -> dict[str, str]:
    """Return what is given to the algorithm: ``--name=value``."""
    parameters = {}
    for word in words:
        if not word.startswith("-"):
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals or not name:
            raise click.UsageError(f"{word!r} is not an option of insitu run; the algorithm's are written --name=value")
        parameters[name] = value
    return parameters


def _check_usage(names: list[str], data: tuple[str, ...], agreement: str | None) -> None:
    if len(names) > 1:
        raise click.UsageError(f"one algorithm at a time, not {names}; its options are written --name=value")
    if agreement is None and not names:
        raise click.UsageError("name an algorithm, or what was bought with --agreement")
    if agreement is None and not data and not names[0].startswith("did:"):
        raise click.UsageError("say on which data set: --on did:nv:… (insitu search --type dataset)")
