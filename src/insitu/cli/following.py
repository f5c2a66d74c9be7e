"""Watching an execution: its phases and what its algorithms print, live."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from insitu.cli.render import plain
from insitu.domain.readable import duration

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import EventView, ExecutionView, LogView
    from insitu.cli.screen import Activity
    from insitu.sdk.execution import Execution

_DOING = {
    "Registered": "waiting for capacity",
    "Configuring": "preparing the inputs",
    "Executing": "running the algorithm",
    "Reviewing": "all stages have ended",
    "Publishing": "checking the output against the owner's rules and publishing the result",
}


async def watch(execution: "Execution", activity: "Activity", *, logs: bool = True) -> "ExecutionView":
    """Show phases and logs until the execution is completely finished, and return how it ended."""
    from insitu.api.gateway_v1 import LogView

    printer, began = LogPrinter(activity.log, activity.say), time.monotonic()
    async for happened in execution.stream() if logs else execution.events():
        if isinstance(happened, LogView):
            printer.print(happened)
        else:
            _show(happened, activity, began)
    printer.finish()
    view = await execution.status()
    if logs and "logs" not in view.actions:
        activity.say("the owner's rules hide the logs of this execution")
    return view


class LogPrinter:
    """Prints whole lines; an unfinished line waits for its rest, and a notice for the end."""

    def __init__(self, log: Callable[[str], None], say: Callable[[str], None]) -> None:
        self._log = log
        self._say = say
        self._pending = self._notice = ""

    def print(self, piece: "LogView") -> None:
        """Print what a piece completes."""
        if piece.notice:
            self._notice = plain(piece.text.strip())
            return
        *complete, self._pending = (self._pending + piece.text).split("\n")
        for line in complete:
            self._log(line)

    def finish(self) -> None:
        """Print what has waited."""
        if self._pending:
            self._log(self._pending)
        if self._notice:
            self._say(self._notice)


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
