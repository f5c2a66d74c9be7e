"""What ``insitu run`` does, step by step, with what a person sees of each."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from insitu.cli.commands.purchase import refuse, show_quote
from insitu.cli.following import watch
from insitu.cli.orders import Order, read_wanted
from insitu.cli.render import plain
from insitu.cli.views import amount, history_lines, left_out, phase

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ExecutionView
    from insitu.cli.orders import Wanted
    from insitu.cli.session import Session
    from insitu.sdk.client import Client
    from insitu.sdk.execution import Execution

__all__ = ["Order", "carry_out"]


async def carry_out(client: "Client", session: "Session", order: Order) -> int:
    """Publish, buy, execute, follow, download; return the exit code."""
    from insitu.sdk.downloads import Destination

    if order.output is not None:
        await Destination(order.output, overwrite=order.force).missing({})
    agreement = order.agreement or await _bought(client, session, order)
    if isinstance(agreement, int):
        return agreement
    execution = await client.compute.execute(agreement)
    session.screen.note(f"execution   {execution.execution_id}")
    return await _followed(client, session, order, execution)


async def _bought(client: "Client", session: "Session", order: Order) -> str | int:
    """Check and ask before anything is published, then publish and buy; the exit code where the verdict is no."""
    from insitu.sdk.amounts import read_amount

    screen, token = session.screen, await client.chain.token()
    limit = None if order.max_price is None else await read_amount(order.max_price, client.chain)
    with screen.activity("checking"):
        wanted = await read_wanted(client, order)
        quote = await wanted.check(client)
    if not quote.allowed:
        return refuse(session, quote)
    show_quote(session, quote, token, client.account)
    await client.agreements.require_agreeable(quote, limit)
    if quote.price:
        screen.confirm(
            f"Pay {amount(quote.price, token)} and run?",
            yes=order.yes,
            unattended="paying needs an answer: give --yes, or buy first and run with --agreement ID",
        )
    workflow = await _published(client, session, order, wanted)
    with screen.activity("buying, then waiting for the provider's grant"):
        agreement = await client.agreements.buy(workflow, max_price=quote.price, relay=order.relay, offer=order.offer)
    screen.note(f"agreement   {agreement.id}{'  (sent by the gateway)' if agreement.relayed else ''}")
    return agreement.id


async def _published(client: "Client", session: "Session", order: Order, wanted: "Wanted") -> str:
    """Return the DID of the workflow to run: the one that is named, or one with a single stage."""
    stage = wanted.stage
    if stage is None:
        return wanted.what
    with session.screen.activity(f"publishing {plain(wanted.name)}"):
        if not wanted.what.startswith("did:"):
            path = Path(wanted.what)
            published = await client.assets.publish_algorithm(wanted.name, path, entrypoint=order.entrypoint)
            stage = replace(stage, algorithm=published.did)
            session.screen.note(f"algorithm   {published.did}{_again(reused=published.reused)}")
        workflow = await client.assets.publish_workflow(wanted.name, [stage])
    session.screen.note(f"workflow    {workflow.did}{_again(reused=workflow.reused)}")
    return workflow.did


def _again(*, reused: bool) -> str:
    return "  (published before)" if reused else ""


async def _followed(client: "Client", session: "Session", order: Order, execution: "Execution") -> int:
    """Follow an execution to its end, download its result, and print what a script needs."""
    from insitu.domain.exit_codes import OK, exit_code_of_outcome

    screen = session.screen
    ids = f"{execution.agreement_id} {execution.execution_id}"
    if not order.follow:
        if session.choices.as_json:
            screen.json(_ids(execution))
        else:
            screen.line(ids)
        return OK
    try:
        with screen.activity("starting") as activity:
            view = await watch(execution, activity)
    except anyio.get_cancelled_exc_class():
        screen.note(f"it goes on without you:  insitu status {ids}\nto end it:               insitu stop {ids}")
        raise
    paths = await _downloaded(session, order, execution, view)
    await _told(client, session, execution, view, paths)
    return exit_code_of_outcome(view.phase)


async def _downloaded(session: "Session", order: Order, execution: "Execution", view: "ExecutionView") -> list[Path]:
    if order.output is None or view.result_did is None:
        return []
    with session.screen.activity("downloading"):
        return await execution.download(order.output, overwrite=order.force)


async def _told(
    client: "Client", session: "Session", execution: "Execution", view: "ExecutionView", paths: list[Path]
) -> None:
    screen, token = session.screen, await client.chain.token()
    if session.choices.as_json:
        reason = view.reason.model_dump(mode="json", by_alias=True) if view.reason else None
        ended = {"phase": view.phase.value, "reason": reason, "resultDid": view.result_did}
        screen.json(_ids(execution) | ended | {"downloaded": [str(path) for path in paths]})
        return
    for line in history_lines(view.history):
        screen.note(f"  {line}")
    charge = "" if view.charge is None else f"  charged {amount(view.charge, token) if view.charge else 'nothing'}"
    screen.note(phase(view.phase.value) + charge)
    if view.reason is not None:
        screen.note(f"  {view.reason.code}: {plain(view.reason.message)}\n  → {plain(view.reason.next_step)}")
    for path in paths:
        screen.note(f"  {path}")
    if view.left_out:
        screen.note(f"  left out: {left_out(view)}")
    if view.result_did is not None:
        if not paths and view.reason is None:  # what delivered nothing has nothing to download
            screen.note(f"  download it:  insitu result {execution.execution_id} -o {execution.execution_id}")
        screen.line(view.result_did)


def _ids(execution: "Execution") -> dict[str, object]:
    return {"serviceAgreementId": execution.agreement_id, "workflowExecutionId": execution.execution_id}
