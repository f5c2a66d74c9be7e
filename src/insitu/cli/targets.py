"""From the ids that a person types to an execution. One id is enough where it leaves no doubt."""

from typing import TYPE_CHECKING

import click

from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.sdk.client import Client
    from insitu.sdk.execution import Execution

__all__ = ["find_execution", "ids"]

ids = click.argument("ids", nargs=-1, required=True, metavar="AGREEMENT|EXECUTION...")
"""An agreement's id (then its newest execution is meant), an execution's, or both."""


async def find_execution(client: "Client", ids: tuple[str, ...]) -> "Execution":
    """Return the execution that is meant.

    Raises ``InvalidId``, ``NotExecuted``, ``ExecutionUnknown`` where nobody knows the execution's agreement.
    """
    if len(ids) > 2:
        raise click.UsageError("give an agreement, an execution, or one of each")
    executions = [one for one in ids if one.startswith("wx")]
    agreements = [one for one in ids if not one.startswith("wx")]
    if executions and agreements:
        return await client.compute.execution(agreements[0], executions[0])
    if len(ids) == 2:
        raise InsituError("InvalidId", "an agreement's id and an execution's (wx…) are needed, not two of a kind")
    if executions:
        return await _by_execution(client, executions[0])
    known = await client.compute.executions(agreements[0])
    if not known:
        raise InsituError("NotExecuted", f"agreement {agreements[0]} has no execution yet")
    return await client.compute.execution(agreements[0], known[0].workflow_execution_id)


async def _by_execution(client: "Client", execution: str) -> "Execution":
    from insitu.domain.ids import read_execution_id

    wanted = read_execution_id(execution)
    for one in await client.compute.executions():
        if one.workflow_execution_id == wanted:
            return await client.compute.execution(one.service_agreement_id, wanted)
    raise InsituError("ExecutionUnknown", f"this account has no execution {wanted} at this provider; add its agreement")
