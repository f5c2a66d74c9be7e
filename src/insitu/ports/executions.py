"""The operator's records of executions, durable before anything is done for them (E4)."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from insitu.domain.execution import Execution
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogRelease

Decide = Callable[[Execution, LogRelease], LogRelease]
"""Decides what is released of the logs from now on. It may be called several times for one change."""


class Executions(Protocol):
    """A store of execution records. One contract suite (tests/ports/executions) runs over every adapter.

    A record changes by compare and set on its ``version``, so two writers can't overwrite each other. The ticket is
    stored beside the record, never in it, because people see the record.
    """

    async def create(self, execution: Execution, ticket: str) -> Execution:
        """Store a new record and its ticket, and return the record. An existing record is returned as it is.

        Raises ``ExecutionInProgress`` if another execution of the agreement has not ended. The check and the write are
        one transaction, so two callers at once can't both pass.
        """
        ...

    async def get(self, execution_id: ExecutionId) -> Execution | None:
        """Return the record, or None if there is none."""
        ...

    async def ticket(self, execution_id: ExecutionId) -> str:
        """Return the ticket; empty if the execution is unknown or settled, because the gateway then revokes it."""
        ...

    async def replace(self, execution: Execution) -> bool:
        """Store a changed record if the stored version is ``execution.version - 1``, and return whether it was."""
        ...

    async def release(self, execution_id: ExecutionId, decide: Decide) -> LogRelease:
        """Change what is released of the logs, and return it. Reading the record and writing are one transaction.

        It is stored beside the record and does not change the record's version, so that releasing a line does not make
        the engine's next change fail. Raises ``ExecutionUnknown``.
        """
        ...

    async def unsettled(self) -> tuple[Execution, ...]:
        """Return the records with work left (not ended, or not yet cleaned), in the order of their creation."""
        ...

    async def ended_before(self, moment: datetime) -> tuple[ExecutionId, ...]:
        """Return the settled executions that ended before a moment, oldest first, at most 1000 at a time."""
        ...

    async def remove(self, execution_id: ExecutionId) -> None:
        """Delete the record of a settled execution. One with work left stays; a missing one is not an error."""
        ...

    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        """Return the records, of one agreement or all, newest first."""
        ...
