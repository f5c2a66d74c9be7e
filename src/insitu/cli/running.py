"""What ``insitu run`` does, step by step, and what a person sees of each step."""

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from insitu.cli.commands.purchase import refuse, show_quote, uses_of
from insitu.cli.following import watch
from insitu.cli.render import plain
from insitu.cli.run_request import RunRequest, read_wanted
from insitu.cli.views import amount, history_lines, left_out, phase
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ExecutionView
    from insitu.cli.run_request import Wanted
    from insitu.cli.session import Session
    from insitu.domain.revisions import Parameters
    from insitu.sdk.client import Client
    from insitu.sdk.execution import Execution


async def carry_out(client: "Client", session: "Session", request: RunRequest) -> int:
    """Publish, buy, execute, follow, download; return the exit code."""
    from insitu.sdk.downloads import Destination

    if request.output is not None:
        await Destination(request.output, overwrite=request.force).missing({})
    agreement = request.agreement or await _buy(client, session, request)
    if isinstance(agreement, int):
        return agreement
    execution = await _start(client, session, request, agreement)
    session.screen.note(f"execution   {execution.execution_id}")
    return await _follow(client, session, request, execution)


async def _buy(client: "Client", session: "Session", request: RunRequest) -> str | int:
    """Check and ask first, then publish and buy; return the agreement's id, or the exit code if it is not allowed."""
    from insitu.sdk.amounts import read_amount

    screen, token = session.screen, await client.chain.token()
    limit = None if request.max_price is None else await read_amount(request.max_price, client.chain)
    with screen.activity("checking"):
        wanted = await read_wanted(client, request)
        quote = await wanted.check(client)
    if not quote.allowed:
        return refuse(session, quote)
    show_quote(session, quote, token, client.account, await uses_of(client, quote))
    await client.agreements.require_agreeable(quote, limit)
    if quote.price:
        screen.confirm(
            f"Pay {amount(quote.price, token)} and run?",
            yes=request.yes,
            unattended="nobody is there to confirm the payment: give --yes, or buy first and run with --agreement ID",
        )
    workflow = await _publish(client, session, request, wanted)
    with screen.activity("buying, then waiting for the provider's grant"):
        agreement = await client.agreements.buy(
            workflow, max_price=quote.price, relay=request.relay, offer=request.offer
        )
    screen.note(f"agreement   {agreement.id}{'  (sent by the gateway)' if agreement.relayed else ''}")
    return agreement.id


async def _start(client: "Client", session: "Session", request: RunRequest, agreement: str) -> "Execution":
    if request.agreement is None:
        return await client.compute.execute(agreement)
    if request.what is None:
        return await client.compute.execute(agreement, parameters=await _parameters(client, agreement, request))
    with session.screen.activity(f"publishing a revision with {plain(request.what)}"):
        return await client.revise(agreement, request.what, configuration=request.parameters or None)


async def _parameters(client: "Client", agreement: str, request: RunRequest) -> "Parameters | None":
    """Return the parameters for the only stage of a bought workflow.

    Raises ``InvalidRequest`` if it has several, because the command line does not say which one is meant.
    """
    from insitu.domain.workflow import read_workflow

    if not request.parameters:
        return None
    bought = await client.agreements.show(agreement)
    stages = read_workflow(await client.assets.resolve(bought.workflow_did, bought.terms.workflow_hash)).stages
    if len(stages) > 1:
        detail = f"the workflow has {len(stages)} stages: say which one you mean with compute.execute in Python"
        raise InsituError("InvalidRequest", detail)
    return {str(stages[0].number): request.parameters}


async def _publish(client: "Client", session: "Session", request: RunRequest, wanted: "Wanted") -> str:
    """Return the DID of the workflow to run: the one that was named, or a new one with a single stage."""
    stage = wanted.stage
    if stage is None:
        return wanted.what
    with session.screen.activity(f"publishing {plain(wanted.name)}"):
        reused = isinstance(stage.algorithm, str)
        if reused:
            workflow = await client.assets.publish_workflow(wanted.name, [stage])
        else:
            path, start = Path(wanted.what), request.entrypoint
            workflow = await client.assets.publish_with_workflow(wanted.name, path, stage, entrypoint=start)
    if not wanted.what.startswith("did:"):
        algorithm = workflow.ddo.main["workflow"]["stages"][0]["transformation"]["id"]
        session.screen.note(f"algorithm   {algorithm}{_note_reuse(reused=reused)}")
    session.screen.note(f"workflow    {workflow.did}{_note_reuse(reused=workflow.reused)}")
    return workflow.did


def _note_reuse(*, reused: bool) -> str:
    return "  (already published)" if reused else ""


async def _follow(client: "Client", session: "Session", request: RunRequest, execution: "Execution") -> int:
    """Follow an execution to its end, download its result, and print what a script needs."""
    from insitu.domain.exit_codes import OK, exit_code_of_outcome

    screen = session.screen
    ids = f"{execution.agreement_id} {execution.execution_id}"
    if request.no_follow:
        screen.answer(_ids(execution), ids)
        return OK
    try:
        with screen.activity("starting") as activity:
            view = await watch(execution, activity)
    except anyio.get_cancelled_exc_class():
        screen.note(
            f"it is still running; to look:  insitu status {ids}\nto stop it:                    insitu stop {ids}"
        )
        raise
    paths = await _download(session, request, execution, view)
    await _show_end(client, session, execution, view, paths)
    return exit_code_of_outcome(view.phase)


async def _download(
    session: "Session", request: RunRequest, execution: "Execution", view: "ExecutionView"
) -> list[Path]:
    if request.output is None or view.result_did is None:
        return []
    with session.screen.activity("downloading"):
        return await execution.download(request.output, overwrite=request.force)


async def _show_end(
    client: "Client", session: "Session", execution: "Execution", view: "ExecutionView", paths: list[Path]
) -> None:
    screen, token = session.screen, await client.chain.token()
    if session.choices.as_json:
        end = {"phase": view.phase, "reason": view.reason, "resultDid": view.result_did, "downloaded": paths}
        screen.json(_ids(execution) | end)
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
        if not paths and view.reason is None:  # an execution that failed has nothing to download
            screen.note(f"  download it:  insitu result {execution.execution_id} -o {execution.execution_id}")
        screen.line(view.result_did)


def _ids(execution: "Execution") -> dict[str, object]:
    return {"serviceAgreementId": execution.agreement_id, "workflowExecutionId": execution.execution_id}
