"""The Configuration Pod and the Publishing Pod as processes, for a cluster. The engine starts them, not people."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insitu.cli.documents import read_json
from insitu.cli.options import local
from insitu.cli.session import Session, pass_session
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.ports.pods import OutputVolume
    from insitu.ports.runtime import Step

MOST_MESSAGE = 2000
"""Characters of a reason: a cluster keeps 4096 bytes of a termination message, and half a status is useless."""


@click.command()
@click.argument("kind", type=click.Choice(["configure", "publish"]))
@click.argument("step", metavar="STEP.json")
@click.option(
    "--workspace",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with fetched/, algorithm/, and outputs/STAGE/{output,logs,console.log}.",
)
@click.option(
    "--ticket",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the execution's ticket; default: the variable INSITU_TICKET.",
)
@click.option(
    "--consoles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the captured output of the stages, compressed and in parts: STAGE.NNN.z.",
)
@click.option("--result", type=click.Path(dir_okay=False, path_type=Path), help="File for the step's status as JSON.")
@local
@pass_session
def pod(
    session: Session,
    kind: str,
    step: str,
    workspace: Path,
    ticket: Path | None,
    consoles: Path | None,
    result: Path | None,
) -> int:
    """Run one step of a pod and write its status. The engine calls this; people have no use for it.

    STEP.json has plan, stage, attempt, attempts (stage to attempt), deadline (RFC 3339) and logs: how many bytes of
    each stage's console, and of files in the logs volumes, may be in the result.
    """
    from insitu.domain.execution import Reason, StepStatus
    from insitu.ports.pods import Workspace
    from insitu.stack.pods import run_pod

    wanted, began = _read_step(kind, read_json(step), _read_ticket(ticket)), datetime.now(UTC)
    outputs = _outputs(workspace / "outputs", {} if consoles is None else _unpack(consoles))
    folders = Workspace(workspace / "fetched", workspace / "algorithm", outputs, _claims(workspace / "claims"))
    left = (wanted.deadline - began).total_seconds()

    async def run_it() -> dict[str, Any]:
        import anyio

        with anyio.fail_after(max(left, 0.0)):
            return await run_pod(session.settings, wanted, folders)

    try:
        found = session.wait_for(run_it)
    except InsituError as error:
        status = StepStatus(
            state="ended", reason=Reason(code=error.code, message=error.detail[:MOST_MESSAGE]), started_at=began
        )
    except TimeoutError:
        reason = Reason(code="InfrastructureFailed", message=f"{kind} did not end before its deadline")
        status = StepStatus(state="ended", reason=reason, started_at=began)
    else:
        status = StepStatus(state="ended", result=found, started_at=began)
    status = status.model_copy(update={"ended_at": datetime.now(UTC)})
    if result is None:
        session.screen.json(status)
    else:
        result.write_text(status.model_dump_json(by_alias=True, exclude_none=True) + "\n", "utf-8")
    return 0 if status.ok else 1


def _read_ticket(file: Path | None) -> str:
    ticket = os.environ.get("INSITU_TICKET", "") if file is None else file.read_text("utf-8").strip()
    if not ticket:
        raise InsituError(
            "InvalidRequest", "the execution's ticket is missing: give --ticket FILE, or set INSITU_TICKET"
        )
    return ticket


def _read_step(kind: str, value: Any, ticket: str) -> "Step":
    """Read the engine's order. Raises ``InvalidRequest``."""
    from insitu.domain.execution import StepKey, StepKind
    from insitu.domain.plan import ExecutionPlan
    from insitu.ports.runtime import LogShare, Step

    try:
        logs = value.get("logs", {})
        consoles = {int(stage): int(size) for stage, size in logs.get("consoles", {}).items()}
        return Step(
            key=StepKey(StepKind(kind), int(value["stage"]), int(value["attempt"])),
            plan=ExecutionPlan.model_validate(value["plan"]),
            attempts={int(stage): int(attempt) for stage, attempt in value.get("attempts", {}).items()},
            ticket=ticket,
            deadline=datetime.fromisoformat(value["deadline"]).astimezone(UTC),
            logs=LogShare(consoles, int(logs.get("files", 0))),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InsituError("InvalidRequest", f"the step cannot be read: {type(error).__name__}: {error}"[:500]) from None


def _outputs(folder: Path, consoles: dict[int, Path]) -> "dict[int, OutputVolume]":
    from insitu.ports.pods import OutputVolume

    found = {}
    for stage in folder.iterdir() if folder.is_dir() else ():
        if stage.name.isdigit():
            console = consoles.get(int(stage.name), stage / "console.log")
            found[int(stage.name)] = OutputVolume(
                int(stage.name), stage / "output", stage / "logs", console if console.exists() else None
            )
    return found


def _claims(folder: Path) -> dict[str, Path]:
    """Return the cluster's volumes that hold inputs."""
    return {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}


def _unpack(folder: Path) -> dict[int, Path]:
    """Join the parts of each stage's captured output, in a temporary folder."""
    import tempfile
    import zlib

    found, into = {}, Path(tempfile.mkdtemp(prefix="insitu-consoles-"))
    stages = {int(path.name.partition(".")[0]) for path in folder.glob("*.z")}
    for stage in sorted(stages):
        unpacking, found[stage] = zlib.decompressobj(), into / f"{stage}.log"
        with found[stage].open("wb") as file:
            for part in sorted(folder.glob(f"{stage}.*.z")):
                file.write(unpacking.decompress(part.read_bytes()))
            file.write(unpacking.flush())
    return found
