"""What a Compute Pod prints, followed as its node captures it (E3).

A node keeps lines, so a last line without an end gets one. And it keeps only as many bytes as it is configured to
(``containerLogMaxSize``): a log that is continued after an interruption is complete only below that.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

import anyio

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.sealing import MAIN
from insitu.adapters.runtime.kubernetes.watching import PodWatch
from insitu.domain.errors import InsituError
from insitu.ports.runtime import LogChunk
from insitu.waiting import Backoff, Pauses

_RETRY = Backoff(1.0, 30.0)
"""Before a log is requested again; the watch wakes earlier.

A log that broke off is continued after the first pause: its node may be back, and nothing announces that.
"""


async def follow(
    cluster: Cluster,
    watch: PodWatch,
    pod: str,
    *,
    offset: int,
    limit: int,
    ended: Callable[[], Awaitable[bool]],
) -> AsyncGenerator[LogChunk, None]:
    """Yield the log from ``offset`` to at most ``limit``, until ``ended`` returns True and all is read."""
    pauses = Pauses(_RETRY)
    while True:
        seen = watch.bell.count
        # Ask before reading, so that everything written before the end is read.
        is_over = await ended()
        try:
            with suppress(ConflictError):  # there is no log yet, or no longer
                async with aclosing(_read(cluster, pod, offset, limit)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                        offset = chunk.end
                pauses.restart()
        except RefusedError as error:
            raise InsituError("InfrastructureFailed", f"the log cannot be read: {error}") from error
        if is_over or offset >= limit:
            return
        with anyio.move_on_after(pauses.next()) as pause:
            await watch.bell.wait(seen)
        # A ring while the pod starts is no reason to wait longer for its log: it may be the last one.
        if not pause.cancelled_caught:
            pauses.restart()


async def _read(cluster: Cluster, pod: str, offset: int, limit: int) -> AsyncGenerator[LogChunk, None]:
    """Read what is beyond ``offset``; a cluster always sends a log from its beginning."""
    position = 0
    async with cluster.log(pod, MAIN, limit=limit) as chunks:
        async for data in chunks:
            fresh = data[max(offset - position, 0) :] if position + len(data) > offset else b""
            begin = max(position, offset)
            position += len(data)
            if fresh:
                yield LogChunk(begin, fresh)
