"""Executions: list, show, follow, stop, and download the result."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from insitu.cli.options import connected, into
from insitu.cli.render import ago, lines, moment, plain
from insitu.cli.session import Session, pass_session
from insitu.cli.targets import find_execution, ids
from insitu.cli.views import execution_facts, history_lines, now, phase, stage_line
from insitu.domain.readable import size

if TYPE_CHECKING:
    from insitu.sdk.client import Client

STOP_SECONDS = 20.0
"""How long to wait for a stopped execution to end; after that, ask for its status."""


@click.command()
@click.argument("agreement", required=False)
@connected
@pass_session
def executions(session: Session, agreement: str | None) -> None:
    """List the executions that this account may see, newest first: its own, and those on its data sets."""

    async def list_them(client: "Client") -> None:
        found = await client.compute.executions(agreement)
        rows = [
            (
                view.phase.value,
                view.reason.code if view.reason else "",
                ago(view.created_at, now()),
                view.workflow_execution_id,
            )
            for view in found
        ]
        session.screen.rows(found, ("PHASE", "WHY", "STARTED", "EXECUTION"), rows, nothing="no executions yet")

    session.act(list_them)


@click.command()
@ids
@click.option("--follow", "-f", is_flag=True, help="Show each phase until the execution ends.")
@connected
@pass_session
def status(session: Session, ids: tuple[str, ...], *, follow: bool) -> int | None:
    """Show where an execution stands, and why. With --follow the exit code says how it ended."""
    from insitu.domain.exit_codes import exit_code_of_outcome

    async def show_it(client: "Client") -> int | None:
        from insitu.cli.following import watch

        execution = await find_execution(client, ids)
        if follow:
            with session.screen.activity("following") as activity:
                view = await watch(execution, activity, logs=False)
        else:
            view = await execution.status()
        if session.choices.as_json:
            session.screen.json(view)
        else:
            session.screen.facts(execution_facts(view, await client.chain.token()))
            session.screen.facts([("history", "\n".join(history_lines(view.history)))])
            session.screen.facts([("stages ", "\n".join(map(stage_line, view.stages)))])
        return exit_code_of_outcome(view.phase) if follow else None

    return session.act(show_it)


@click.command()
@ids
@click.option("--no-follow", is_flag=True, help="Print what there is so far, and stop.")
@connected
@pass_session
def logs(session: Session, ids: tuple[str, ...], *, no_follow: bool) -> None:
    """Print what the algorithms of an execution print, live until it ends.

    Terminal control sequences (colours, cursor movements) are removed. With --json every piece is a line of JSON.
    """

    async def print_them(client: "Client") -> None:
        from insitu.cli.following import LogPrinter

        screen, execution = session.screen, await find_execution(client, ids)
        printer = LogPrinter(lambda line: screen.line("\n".join(lines(line))), screen.warn)
        async for piece in execution.logs(follow=not no_follow):
            if session.choices.as_json:
                screen.json(piece)
            else:
                printer.print(piece)
        printer.finish()

    session.act(print_them)


@click.command()
@ids
@connected
@pass_session
def stop(session: Session, ids: tuple[str, ...]) -> None:
    """Stop an execution and wait for it to end. An execution that has ended is not changed.

    Its consumer, the owners of its inputs, and the provider may stop it.
    """
    from insitu.domain.execution import ENDED

    async def stop_it(client: "Client") -> None:
        execution = await find_execution(client, ids)
        view = await execution.stop()
        if view.phase not in ENDED:
            with session.screen.activity("stopping"):
                view = await execution.wait(STOP_SECONDS)
        name = phase(view.phase.value) if view.phase in ENDED else f"stopping, was {phase(view.phase.value)}"
        session.screen.answer(view, f"{name}  {view.workflow_execution_id}")

    session.act(stop_it)


@click.command()
@ids
@into("the files")
@connected
@pass_session
def result(session: Session, ids: tuple[str, ...], output: Path | None, *, force: bool) -> None:
    """Show the result of an execution, which is a new asset of yours; with --output, download it.

    Every file is compared with its published checksum. Repeating a download fetches only what is missing.
    """

    async def fetch_it(client: "Client") -> None:
        execution, screen = await find_execution(client, ids), session.screen
        view = await execution.result()
        paths: list[Path] = []
        if output is not None:
            with screen.activity(f"downloading {len(view.files)} files"):
                paths = await execution.download(output, overwrite=force)
        if session.choices.as_json:
            downloaded = {"downloaded": paths} if output is not None else {}
            screen.json(view.model_dump(by_alias=True) | downloaded)
            return
        if output is not None:
            for path in paths:
                screen.line(str(path))
            return
        screen.facts(
            [
                ("DID", view.did),
                ("owner", view.owner),
                ("registered", f"in {view.transaction}" if view.registered else "not yet"),
                ("kept until", moment(view.expires_at, now())),
                ("files", "\n".join(f"{plain(file.name)}  {size(file.content_length)}" for file in view.files)),
            ]
        )

    session.act(fetch_it)
