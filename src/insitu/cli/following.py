"""Watching an execution: its phases and what its algorithms print, as they come."""

import time
from typing import TYPE_CHECKING

import anyio

from insitu.cli.render import duration, plain
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import EventView, ExecutionView
    from insitu.cli.screen import Activity
    from insitu.sdk.execution import Execution

__all__ = ["watch"]

LOGS_LAG = 3.0
"""Seconds that the logs may take to come to their end after the execution has."""

_DOING = {
    "Registered": "waiting for capacity",
    "Configuring": "making the inputs ready",
    "Executing": "running the algorithm",
    "Reviewing": "all stages have ended",
    "Publishing": "comparing the output with the owner's rules, and publishing the result",
}


async def watch(execution: "Execution", activity: "Activity", *, logs: bool = True) -> "ExecutionView":
    """Show phases and logs until everything of the end is done, and return how it ended."""
    async with anyio.create_task_group() as tasks:
        printed = anyio.Event()
        if logs:
            tasks.start_soon(_print_logs, execution, activity, printed)
        else:
            printed.set()
        began = time.monotonic()
        async for event in execution.events():
            _tell(event, activity, began)
        with anyio.move_on_after(LOGS_LAG):
            await printed.wait()
        tasks.cancel_scope.cancel()
    return await execution.status()


def _tell(event: "EventView", activity: "Activity", began: float) -> None:
    def clock() -> str:
        return duration(time.monotonic() - began).rjust(8)

    data = event.data
    if event.type == "phase":
        phase, reason = str(data.get("phase")), data.get("reason")
        doing = _DOING.get(phase, "")
        if doing and data.get("stage") is not None:
            doing += f", stage {data['stage']}"
        if isinstance(reason, dict):
            doing = plain(str(reason.get("message")))

        def told() -> str:
            return f"{phase.ljust(11)} {clock()}  {doing}".rstrip()

        activity.title(told)
    elif event.type == "settled":
        activity.say(f"settled     {clock()}  in {plain(str(data.get('transaction')))}")
    elif event.type == "alarm":
        activity.say(f"given up    {clock()}  {data.get('what')}: {plain(str(data.get('code')))}")


async def _print_logs(execution: "Execution", activity: "Activity", printed: anyio.Event) -> None:
    """Print whole lines; what has no end yet waits for the rest of its line."""
    pending = notice = ""
    try:
        async for piece in execution.logs():
            if piece.notice:
                notice = plain(piece.text.strip())
                continue
            *complete, pending = (pending + piece.text).split("\n")
            if complete:
                activity.log("\n".join(complete))
    except InsituError as error:
        if error.code != "LogsHidden":
            raise
        notice = "the owner's rules do not show logs of this execution"
    if pending:
        activity.log(pending)
    if notice:
        activity.say(notice)
    printed.set()
