"""The logs of algorithms: what a container wrote, per stage and attempt, kept after the container is gone."""

from collections.abc import AsyncIterator
from typing import Protocol

from insitu.domain.ids import ExecutionId
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk


class Logs(Protocol):
    """Append-only logs. One contract suite (tests/ports/logs) runs over every adapter.

    Each log has a cap in bytes, which the adapter is built with. What exceeds the cap is dropped.
    """

    async def append(self, execution_id: ExecutionId, key: LogKey, chunk: LogChunk) -> int:
        """Store the chunk at its offset and return the log's size. Bytes that are there already are skipped.

        An interrupted copy can therefore start again anywhere at or before the size. Raises ``StorageFailed`` for a
        chunk that would leave a gap.
        """
        ...

    async def finish(self, execution_id: ExecutionId, key: LogKey) -> None:
        """Mark the log as complete, which ends every stream that follows it. An empty log can be finished too."""
        ...

    async def finished(self, execution_id: ExecutionId, key: LogKey) -> bool:
        """Return whether the log is complete."""
        ...

    async def size(self, execution_id: ExecutionId, key: LogKey) -> int:
        """Return the number of bytes; 0 when there is no such log."""
        ...

    def read(
        self, execution_id: ExecutionId, key: LogKey, offset: int = 0, *, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        """Stream the log from ``offset`` to its current end, or with ``follow`` as it grows until it is finished."""
        ...

    async def keys(self, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        """List the logs of an execution, in order of stage and attempt."""
        ...

    async def remove(self, execution_id: ExecutionId) -> None:
        """Delete every log of the execution. Missing ones are not an error."""
        ...
