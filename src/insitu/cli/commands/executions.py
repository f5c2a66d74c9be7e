"""Executions: list, look, follow, stop, and bring the result home."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from insitu.cli.options import connected, into
from insitu.cli.render import ago, lines, moment, plain, size
from insitu.cli.session import Session, pass_session
from insitu.cli.targets import find_execution, ids
from insitu.cli.views import execution_facts, history_lines, now, phase, stage_line

if TYPE_CHECKING:
    from insitu.sdk.client import Client

__all__ = ["executions", "logs", "result", "status", "stop"]

STOP_SECONDS = 20.0
"""How long the end of an execution that is stopped is waited for; what comes later, its status tells."""


@click.command()
@click.argument("agreement", required=False)
@connected
@pass_session
def executions(session: Session, agreement: str | None) -> None:
    """List the executions that this account may see, newest first: its own, and those on its data sets."""

    async def listed(client: "Client") -> None:
        found = await client.compute.executions(agreement)
        if session.choices.as_json:
            session.screen.json([one.model_dump(mode="json", by_alias=True) for one in found])
            return
        if not found:
            session.screen.note("no executions yet")
            return
        rows = [
            (
                one.phase.value,
                one.reason.code if one.reason else "",
                ago(one.created_at, now()),
                one.workflow_execution_id,
            )
            for one in found
        ]
        session.screen.table(("PHASE", "WHY", "STARTED", "EXECUTION"), rows)

    session.act(listed)


@click.command()
@ids
@click.option("--follow", "-f", is_flag=True, help="Wait for the end, and show each phase.")
@connected
@pass_session
def status(session: Session, ids: tuple[str, ...], *, follow: bool) -> int | None:
    """Show where an execution stands, and why. With --follow the exit code tells how it ended."""
    from insitu.domain.exit_codes import exit_code_of_outcome

    async def shown(client: "Client") -> int | None:
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

    return session.act(shown)


@click.command()
@ids
@click.option("--no-follow", is_flag=True, help="Print what there is now, and end.")
@connected
@pass_session
def logs(session: Session, ids: tuple[str, ...], *, no_follow: bool) -> None:
    """Print what the algorithms of an execution print, live until its end.

    What a terminal would obey (colours, cursor movements) is removed. With --json every piece is a line of JSON.
    """

    async def printed(client: "Client") -> None:
        execution, pending, notice = await find_execution(client, ids), "", ""
        async for piece in execution.logs(follow=not no_follow):
            if session.choices.as_json:
                session.screen.json(piece)
                continue
            if piece.notice:
                notice = plain(piece.text.strip())
                continue
            *complete, pending = (pending + piece.text).split("\n")
            for line in complete:
                session.screen.line("\n".join(lines(line)))
        if pending:
            session.screen.line("\n".join(lines(pending)))
        if notice:
            session.screen.warn(notice)

    session.act(printed)


@click.command()
@ids
@connected
@pass_session
def stop(session: Session, ids: tuple[str, ...]) -> None:
    """Stop an execution, and wait for its end. An ended one stays as it is.

    Its consumer, the owner of an input, and the provider may.
    """
    from insitu.domain.execution import ENDED

    async def stopped(client: "Client") -> None:
        execution = await find_execution(client, ids)
        view = await execution.stop()
        if view.phase not in ENDED:
            with session.screen.activity("stopping"):
                view = await execution.wait(STOP_SECONDS)
        if session.choices.as_json:
            session.screen.json(view)
            return
        name = phase(view.phase.value) if view.phase in ENDED else f"is stopping, after {phase(view.phase.value)}"
        session.screen.line(f"{name}  {view.workflow_execution_id}")

    session.act(stopped)


@click.command()
@ids
@into("the files")
@connected
@pass_session
def result(session: Session, ids: tuple[str, ...], output: Path | None, *, force: bool) -> None:
    """Show the result of an execution, a new asset of yours; with --output download it.

    Every file is compared with its published checksum. A second download fetches what is missing.
    """

    async def brought(client: "Client") -> None:
        execution, screen = await find_execution(client, ids), session.screen
        view = await execution.result()
        paths: list[Path] = []
        if output is not None:
            with screen.activity(f"downloading {len(view.files)} files"):
                paths = await execution.download(output, overwrite=force)
        if session.choices.as_json:
            downloaded = {"downloaded": [str(path) for path in paths]} if output is not None else {}
            screen.json(view.model_dump(mode="json", by_alias=True) | downloaded)
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

    session.act(brought)
