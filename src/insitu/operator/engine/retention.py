"""Forgetting: records and logs of executions that ended long ago are deleted. The gateway keeps what was agreed."""

import logging
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.operator.engine.parts import Parts

logger = logging.getLogger("insitu.engine")

PAUSE = timedelta(hours=6)
"""Time between two deletions."""


async def forget_regularly(parts: Parts) -> None:
    """Delete everything older than ``parts.retention``, now and after each pause.

    If that fails, try again at the next regular look.
    """
    while True:
        pause = PAUSE
        try:
            await _forget(parts)
        except InsituError as error:
            logger.warning("old executions cannot be deleted now: %s", error)
            pause = parts.resync
        await parts.clock.sleep_until(parts.clock.now() + pause)


async def _forget(parts: Parts) -> None:
    forgotten: set[ExecutionId] = set()
    # An execution that is named again could not be deleted yet; it is left to the next time.
    while old := [execution_id for execution_id in await _too_old(parts) if execution_id not in forgotten]:
        for execution_id in old:
            # Delete the record last: as long as it exists, an interrupted deletion is found again.
            await parts.logs.remove(execution_id)
            await parts.executions.remove(execution_id)
        forgotten.update(old)
    if forgotten:
        logger.info("records and logs of %d executions were old enough to be deleted", len(forgotten))


async def _too_old(parts: Parts) -> tuple[ExecutionId, ...]:
    return await parts.executions.ended_before(parts.clock.now() - parts.retention)
