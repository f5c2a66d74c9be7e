"""Forgetting: records and logs of executions that ended long ago are deleted. The gateway keeps what was agreed."""

import logging
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.operator.engine.parts import Parts

__all__ = ["forget_regularly"]

logger = logging.getLogger("insitu.engine")

PAUSE = timedelta(hours=6)
"""Time between two looks for what is too old."""


async def forget_regularly(parts: Parts) -> None:
    """Delete what is kept for longer than ``parts.retention``, at once and whenever the pause is over.

    Where that fails, it is tried again with the next regular look.
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
    # What is named again has not gone yet; it is for the next time.
    while old := [each for each in await _too_old(parts) if each not in forgotten]:
        for execution_id in old:
            # The record goes last: while it is there, an interrupted deletion is found again.
            await parts.logs.remove(execution_id)
            await parts.executions.remove(execution_id)
        forgotten.update(old)
    if forgotten:
        logger.info("records and logs of %d executions were old enough to be deleted", len(forgotten))


async def _too_old(parts: Parts) -> tuple[ExecutionId, ...]:
    return await parts.executions.ended_before(parts.clock.now() - parts.retention)
