"""Find the execution that a person means. One id is enough where it is unambiguous."""

from typing import TYPE_CHECKING

import click

from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.sdk.client import Client
    from insitu.sdk.execution import Execution

ids = click.argument("ids", nargs=-1, required=True, metavar="AGREEMENT|EXECUTION...")
"""The id of an agreement, which means its newest execution; the id of an execution; or both."""


async def find_execution(client: "Client", ids: tuple[str, ...]) -> "Execution":
    """Return the execution that a person means.

    Raises ``InvalidId``, ``NotExecuted``, ``ExecutionUnknown`` if this account has no such execution here.
    """
    if len(ids) > 2:
        raise click.UsageError("give an agreement, an execution, or one of each")
    executions = [text for text in ids if text.startswith("wx")]
    agreements = [text for text in ids if not text.startswith("wx")]
    if executions and agreements:
        return await client.compute.execution(agreements[0], executions[0])
    if len(ids) == 2:
        raise InsituError(
            "InvalidId", "give the id of an agreement and the id of an execution (wx…), not two of the same kind"
        )
    if executions:
        return await _by_execution(client, executions[0])
    known = await client.compute.executions(agreements[0])
    if not known:
        raise InsituError("NotExecuted", f"agreement {agreements[0]} has no execution yet")
    return await client.compute.execution(agreements[0], known[0].workflow_execution_id)


async def _by_execution(client: "Client", execution: str) -> "Execution":
    from insitu.domain.ids import read_execution_id

    wanted = read_execution_id(execution)
    for view in await client.compute.executions():
        if view.workflow_execution_id == wanted:
            return await client.compute.execution(view.service_agreement_id, wanted)
    raise InsituError("ExecutionUnknown", f"this account has no execution {wanted} at this provider; add its agreement")
