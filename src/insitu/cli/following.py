"""Watching an execution: its phases and what its algorithms print, live."""

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
"""Seconds to wait for the rest of the logs after the execution has ended."""

_DOING = {
    "Registered": "waiting for capacity",
    "Configuring": "preparing the inputs",
    "Executing": "running the algorithm",
    "Reviewing": "all stages have ended",
    "Publishing": "checking the output against the owner's rules and publishing the result",
}


async def watch(execution: "Execution", activity: "Activity", *, logs: bool = True) -> "ExecutionView":
    """Show phases and logs until the execution is completely finished, and return how it ended."""
    async with anyio.create_task_group() as tasks:
        printed = anyio.Event()
        if logs:
            tasks.start_soon(_print_logs, execution, activity, printed)
        else:
            printed.set()
        began = time.monotonic()
        async for event in execution.events():
            _show(event, activity, began)
        with anyio.move_on_after(LOGS_LAG):
            await printed.wait()
        tasks.cancel_scope.cancel()
    return await execution.status()


def _show(event: "EventView", activity: "Activity", began: float) -> None:
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

        activity.title(lambda: f"{phase.ljust(11)} {clock()}  {doing}".rstrip())  # noqa: PLW0108  the clock runs
    elif event.type == "settled":
        activity.say(f"settled     {clock()}  in {plain(str(data.get('transaction')))}")
    elif event.type == "alarm":
        activity.say(f"given up    {clock()}  {data.get('what')}: {plain(str(data.get('code')))}")


async def _print_logs(execution: "Execution", activity: "Activity", printed: anyio.Event) -> None:
    """Print whole lines; an unfinished line waits for its rest."""
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
        notice = "the owner's rules hide the logs of this execution"
    if pending:
        activity.log(pending)
    if notice:
        activity.say(notice)
    printed.set()
