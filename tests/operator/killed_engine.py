"""Really kills a whole operator process before or after its n-th call of a port, and starts it again.

Run as a program: `killed_engine.py FOLDER SCENARIO`. It writes one line of JSON for each kill: what was found when
the execution had come to its end. Processes are forked from this one, which has loaded everything and runs no thread.
"""

import json
import logging
import os
import random
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio

from insitu.adapters.clock import SystemClock
from insitu.domain.execution import TRANSITIONS, Execution, Phase
from insitu.domain.plan import ExecutionPlan
from insitu.operator.engine.log_pump import begun_logs
from insitu.ports.peers import LogKey
from tests.doubles.plans import AGREEMENT, plan_of, stage_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator, scripted_operator
from tests.doubles.scripted_runtime import Ending

LOG = (b"first\n", b"second\n", b"third\n")
SCRIPT = {f"{stage}-compute-{attempt}": Ending(log=LOG) for stage in (0, 1) for attempt in (1, 2)}
SCRIPT |= {f"1-publish-{attempt}": Ending(result={"manifest": "aa" * 32}) for attempt in (1, 2)}
STOPPED = {**SCRIPT, "0-compute-1": Ending(log=LOG, held=True), "0-compute-2": Ending(log=LOG, held=True)}
NEVER = 10**9


@dataclass
class Fuse:
    """Counts calls of ports, and kills the process at one of them."""

    left: int

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def attach(self, part: Any, *methods: str) -> None:
        for method in methods:
            setattr(part, method, self._deadly(getattr(part, method)))

    def _deadly(self, real: Any) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            self.burn()
            result = await real(*arguments, **options)
            self.burn()
            return result

        return call


def the_plan(folder: Path) -> ExecutionPlan:
    """The plan, which the gateway stores before it registers; it is the same after every restart."""
    path = folder / "plan.json"
    if not path.exists():
        path.write_text(plan_of(stage_of(0), stage_of(1, previous=0), now=SystemClock().now()).model_dump_json())
    return ExecutionPlan.model_validate_json(path.read_text())


async def live(folder: Path, scenario: str, fuse: Fuse) -> None:
    """One life of the process: register as the gateway does after every start, and work until the end."""
    gateway = RecordingGateway(folder / "gateway")
    script = STOPPED if scenario == "stop" else SCRIPT
    resync = timedelta(milliseconds=200)
    async with scripted_operator(folder / "operator", gateway, script, resync=resync) as operator:
        fuse.attach(operator.executions, "create", "replace")
        fuse.attach(operator.runtime, "ensure", "kill", "remove", "recover")
        fuse.attach(operator.logs, "append", "finish")
        fuse.attach(gateway, "progress", "finish")
        plan = the_plan(folder)
        execution = await operator.service.register(registration_of(plan))
        if scenario == "stop":
            await operator.until(execution.execution_id, Phase.EXECUTING, *_FINAL)
            await operator.service.stop(AGREEMENT, execution.execution_id, "consumer")
        await operator.until(execution.execution_id)


_FINAL = (Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED)


def process(folder: Path, scenario: str, kill_at: int) -> int:
    """Live in a separate process; return how it ended: 0, or minus the signal."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        status = 1
        try:
            anyio.run(live, folder, scenario, Fuse(kill_at))
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def found(folder: Path, scenario: str) -> dict[str, Any]:
    """What is there at the end."""
    gateway = RecordingGateway(folder / "gateway")
    async with scripted_operator(folder / "operator", gateway, {}) as operator:
        plan = the_plan(folder)
        execution = await operator.service.status(AGREEMENT, plan.workflow_execution_id)
        return {
            "scenario": scenario,
            "phase": execution.phase,
            "reason": execution.reason and execution.reason.code,
            "cleaned": execution.cleaned,
            "history": history_problem(execution),
            "frozen": gateway.report(execution.execution_id).outcome.phase,
            "reported": [each.sequence for each in gateway.reported(execution.execution_id)],
            "left": sorted(await operator.runtime.running()),
            "starts": operator.runtime.starts(),
            "logs": await logs_of(operator, execution),
        }


def history_problem(execution: Execution) -> str | None:
    """What is wrong with the history, if anything."""
    if [each.sequence for each in execution.history] != list(range(1, len(execution.history) + 1)):
        return "the sequence has a gap"
    for before, after in zip(execution.history, execution.history[1:], strict=False):
        if after.phase not in TRANSITIONS[before.phase]:
            return f"{before.phase} became {after.phase}"
    return None


async def logs_of(operator: ScriptedOperator, execution: Execution) -> dict[str, str]:
    """The log of every attempt that counts. It is followed, so a log that was never finished would hang."""
    logs = {}
    begun = begun_logs(execution)
    for record in execution.records:
        key = LogKey(stage=record.stage, attempt=record.attempt)
        if key not in begun:
            continue
        chunks = operator.logs.read(execution.execution_id, key, follow=True)
        content = b"".join([chunk.data async for chunk in chunks])
        logs[f"{record.stage}-{record.attempt}-{'good' if record.reason is None else 'bad'}"] = content.decode()
    return logs


def once(folder: Path, scenario: str, kills: list[int]) -> bool:
    """Kill at each of these calls in turn, then let it end. Returns False if it ended before the first kill."""
    folder.mkdir(parents=True)
    ended = [process(folder, scenario, kill_at) for kill_at in kills]
    if ended[-1] == -signal.SIGKILL:
        ended.append(process(folder, scenario, NEVER))
    report = anyio.run(found, folder, scenario)
    sys.stdout.write(json.dumps({"kills": kills, "ended": ended, **report}) + "\n")
    sys.stdout.flush()
    return ended[0] == -signal.SIGKILL


def main(folder: Path, scenario: str) -> None:
    """Kill at every call, one after the other; or several times at random calls."""
    logging.disable(logging.CRITICAL)
    if scenario == "often":
        chance = random.Random(20_190_409)
        for number in range(12):
            once(folder / str(number), scenario, [chance.randint(4, 30) for _ in range(6)])
        return
    kill_at = 1
    while once(folder / str(kill_at), scenario, [kill_at]):
        kill_at += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
