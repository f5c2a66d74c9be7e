"""A gateway that records in a folder what the operator and its pods report, and freezes an outcome once."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import anyio
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import Transition
from insitu.domain.ids import ExecutionId
from insitu.ports.peers import ExecutionReport, GatewayPeer

__all__ = ["TICKET", "RecordingGateway"]

TICKET = "ticket-of-a-test"


class RecordingGateway(GatewayPeer):
    """Implements the contract of :class:`insitu.ports.peers.GatewayPeer` for one ticket.

    ``files`` are what can be fetched, by reference. ``broken`` names methods that raise.
    """

    def __init__(self, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.files = dict(files or {})
        self.broken: set[str] = set()
        self.calls: list[str] = []

    @override
    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        self._call("progress", ticket)
        known = {each.sequence for each in self.reported(execution_id)}
        with (self._folder / f"{execution_id}.progress").open("a", encoding="utf-8") as file:
            for transition in transitions:
                if transition.sequence not in known:
                    file.write(transition.model_dump_json(by_alias=True) + "\n")

    @override
    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        self._call("fetch", ticket)
        if reference not in self.files:
            raise InsituError("ConfigurationFailed", f"the plan has no file {reference}")
        content = self.files[reference]
        for at in range(0, len(content), 65536):
            yield content[at : at + 65536]

    @override
    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        self._call("put_output", ticket)
        content = b"".join([chunk async for chunk in chunks])
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InsituError("ChecksumMismatch", "these are other bytes")
        await anyio.Path(self._folder / f"{sha256}.blob").write_bytes(content)

    @override
    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        self._call("finish", ticket)
        path = self._folder / f"{report.plan.workflow_execution_id}.report"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(report.model_dump_json(by_alias=True))
        except FileExistsError:
            report = ExecutionReport.model_validate_json(path.read_text("utf-8"))
        return report.outcome

    def reported(self, execution_id: ExecutionId) -> list[Transition]:
        """The transitions that were reported, in order."""
        path = self._folder / f"{execution_id}.progress"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [Transition.model_validate_json(line) for line in lines]

    def report(self, execution_id: ExecutionId) -> ExecutionReport:
        """The report that was frozen. Raises ``FileNotFoundError``."""
        return ExecutionReport.model_validate_json((self._folder / f"{execution_id}.report").read_text("utf-8"))

    def blob(self, sha256: str) -> bytes:
        """The bytes that were handed over. Raises ``FileNotFoundError``."""
        return (self._folder / f"{sha256}.blob").read_bytes()

    def _call(self, method: str, ticket: str) -> None:
        self.calls.append(method)
        if ticket != TICKET:
            raise InsituError("InvalidToken", "this is not the ticket")
        if method in self.broken:
            raise InsituError("PeerUnavailable", f"{method} does not answer")
