"""What ``insitu run`` does, step by step, with what a person sees of each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from insitu.cli.commands.purchase import refuse, show_quote
from insitu.cli.following import watch
from insitu.cli.render import name_of, plain
from insitu.cli.views import amount, history_lines, left_out, phase
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ExecutionView
    from insitu.cli.session import Session
    from insitu.domain.compute_service import Container
    from insitu.sdk.client import Client
    from insitu.sdk.execution import Execution

__all__ = ["Order", "carry_out"]


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line; ``what`` is a path or a DID, ``data`` the DIDs of the inputs."""

    what: str | None
    data: tuple[str, ...]
    agreement: str | None
    parameters: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    entrypoint: str | None = None
    server: str | None = None
    max_price: str | None = None
    output: Path | None = None
    force: bool = False
    follow: bool = True
    yes: bool = False
    relay: bool | None = None
    offer: bool = False


async def carry_out(client: "Client", session: "Session", order: Order) -> int:
    """Publish, buy, execute, follow, download; return the exit code."""
    from insitu.domain.exit_codes import NOT_ALLOWED
    from insitu.sdk.downloads import Destination

    if order.output is not None:
        await Destination(order.output, overwrite=order.force).missing({})
    agreement = order.agreement
    if agreement is None:
        workflow = await _workflow(client, session, order)
        agreement = await _bought(client, session, order, workflow)
        if agreement is None:
            return NOT_ALLOWED
    execution = await client.compute.execute(agreement)
    session.screen.note(f"execution   {execution.execution_id}")
    return await _followed(client, session, order, execution)


async def _workflow(client: "Client", session: "Session", order: Order) -> str:
    """Return the DID of the workflow to run: the one that is named, or one with a single stage."""
    from insitu.domain.asset import WORKFLOW
    from insitu.sdk.workflows import Stage

    assert order.what is not None, "the usage was checked"
    algorithm, name = order.what, ""
    if algorithm.startswith("did:"):
        ddo = await client.assets.resolve(algorithm)
        name = name_of(str(ddo.main.get("name") or ""), algorithm)
        if ddo.asset_type == WORKFLOW:
            return algorithm
    with session.screen.activity(f"publishing {plain(name or algorithm)}"):
        if not name:
            name = Path(algorithm).name
            published = await client.assets.publish_algorithm(name, Path(algorithm), entrypoint=order.entrypoint)
            algorithm = published.did
            session.screen.note(f"algorithm   {algorithm}{_again(reused=published.reused)}")
        stage = Stage(
            algorithm=algorithm,
            inputs=order.data,
            container=await _container(client, order) if order.image else None,
            configuration=order.parameters,
            server_id=order.server,
        )
        workflow = await client.assets.publish_workflow(name, [stage])
    session.screen.note(f"workflow    {workflow.did}{_again(reused=workflow.reused)}")
    return workflow.did


def _again(*, reused: bool) -> str:
    return "  (published before)" if reused else ""


async def _container(client: "Client", order: Order) -> "Container":
    """Return the image that is meant, among those that the first data set supports. Raises ``ImageNotAllowed``."""
    from insitu.domain.compute_service import read_compute_service

    service = read_compute_service((await client.assets.resolve(order.data[0])).compute_service())
    for one in service.containers:
        if order.image in {one.image, f"{one.image}:{one.tag}", one.checksum, one.digest}:
            return one
    allowed = ", ".join(f"{one.image}:{one.tag}" for one in service.containers) or "none"
    raise InsituError("ImageNotAllowed", f"{order.image} is not among the images of {order.data[0]}: {plain(allowed)}")


async def _bought(client: "Client", session: "Session", order: Order, workflow: str) -> str | None:
    """Show price and verdict, ask, and buy; None where the owners' rules refuse."""
    from insitu.sdk.amounts import read_amount

    screen, token = session.screen, await client.chain.token()
    quote = await client.agreements.check(workflow)
    if not quote.allowed:
        refuse(session, quote)
        return None
    show_quote(session, quote, token, client.account)
    limit = quote.price
    if order.max_price is not None:
        limit = min(limit, await read_amount(order.max_price, client.chain))
    if quote.price > limit:
        shown = f"the price is {quote.price}, allowed are {limit}"
        raise InsituError("PriceTooHigh", shown, price=str(quote.price.base_units))
    if quote.price:
        screen.confirm(
            f"Pay {amount(quote.price, token)} and run?",
            yes=order.yes,
            unattended="paying needs an answer: give --yes, or buy first and run with --agreement ID",
        )
    with screen.activity("buying, then waiting for the provider's grant"):
        agreement = await client.agreements.buy(workflow, max_price=limit, relay=order.relay, offer=order.offer)
    screen.note(f"agreement   {agreement.id}{'  (sent by the gateway)' if agreement.relayed else ''}")
    return agreement.id


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
        if not paths:
            screen.note(f"  download it:  insitu result {execution.execution_id} -o {execution.execution_id}")
        screen.line(view.result_did)


def _ids(execution: "Execution") -> dict[str, object]:
    return {"serviceAgreementId": execution.agreement_id, "workflowExecutionId": execution.execution_id}
