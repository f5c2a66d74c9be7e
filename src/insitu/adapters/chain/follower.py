"""Follow a chain: every block once, reorganisations noticed, resumable from any stored cursor (C6).

Near the newest block it reads one block at a time and asks for logs by block hash, which cannot be answered for another
block. Far behind it asks for the logs of many blocks, and checks before and after that both ends are still there.
"""

import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import anyio

from insitu.adapters.chain.events import EventReader
from insitu.adapters.chain.headers import Header, header, newest_header
from insitu.adapters.chain.heads import Heads
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc, items, member, number
from insitu.domain.errors import InsituError
from insitu.ports.chain import Block, Cursor
from insitu.waiting import Backoff, Pauses

logger = logging.getLogger(__name__)

_REMEMBERED = 256
"""Cursors kept for finding the common ancestor after a reorganisation."""

_NEAR = 16
"""Up to this many blocks behind, blocks are read one by one."""

_STRETCH = 2000
"""Blocks in one request for logs; halved when the node refuses that many."""

_RETRY = Backoff(0.1, 15.0)
"""After a question that the node did not answer."""


class Follower:
    """One reader's progress along the chain; create one for each call of ``follow``.

    Parameters
    ----------
    start
        The number of the block before the deployment, where reading begins without a cursor.
    grace
        Seconds for which a node may be behind our cursor before that counts as a reorganisation, because one of several
        nodes behind one address can lag. 0 for our own node.
    """

    def __init__(self, rpc: JsonRpc, events: EventReader, heads: Heads, *, start: int, grace: float) -> None:
        self._rpc = rpc
        self._events = events
        self._heads = heads
        self._start = start
        self._grace = grace
        self._stretch = _STRETCH
        self._known: deque[Cursor] = deque(maxlen=_REMEMBERED)
        self._rolled_back_to: Cursor | None = None
        self._behind_since: float | None = None

    async def follow(self, after: Sequence[Cursor], confirmations: int) -> AsyncIterator[Block]:
        """Yield blocks forever; see the port."""
        self._known.extend(after)
        while True:
            seen = self._heads.count
            blocks = await self._step_until_answered(confirmations)
            for block in blocks:
                yield self._remember(block)
            if not blocks:
                await self._heads.wait(seen)

    def _remember(self, block: Block) -> Block:
        """Remember the block's cursor; mark the first block after a reorganisation."""
        if block.cursor not in itertools.islice(self._known, 1):
            self._known.appendleft(block.cursor)
        back_to, self._rolled_back_to = self._rolled_back_to, None
        return replace(block, rolled_back_to=back_to)

    async def _step_until_answered(self, confirmations: int) -> list[Block]:
        """Make one step, asking the node as often as necessary."""
        pauses = Pauses(_RETRY)
        while True:
            try:
                return await self._step(confirmations)
            except InsituError as error:
                if error.code != "ChainUnavailable":
                    raise
                pause = pauses.next()
                logger.warning("following the chain: %s; trying again in %g s", error.detail, pause)
            await anyio.sleep(pause)

    async def _step(self, confirmations: int) -> list[Block]:
        """Return the next blocks, or none if there are none yet."""
        position = await self._position()
        newest = await newest_header(self._rpc)
        if newest.number < position.number:
            return await self._behind(confirmations)
        self._behind_since = None
        reach = newest.number - confirmations
        if reach > position.number:
            near = reach - position.number <= _NEAR
            return await (self._near(newest, confirmations) if near else self._far(reach, confirmations))
        found = newest if newest.number == position.number else await header(self._rpc, position.number)
        if found is not None and found.cursor != position:
            return await self._roll_back(confirmations)
        return []

    async def _position(self) -> Cursor:
        """Return the newest block that was read; at first the block before the deployment."""
        if not self._known:
            first = await header(self._rpc, self._start)
            if first is None:
                raise InsituError("ChainUnavailable", f"{self._rpc.host} has no block {self._start} yet")
            self._known.append(first.cursor)
        return self._known[0]

    async def _near(self, newest: Header, confirmations: int) -> list[Block]:
        """Read block by block; each must be the child of the previous one."""
        position, blocks = self._known[0], list[Block]()
        for height in range(position.number + 1, newest.number - confirmations + 1):
            found = newest if height == newest.number else await header(self._rpc, height)
            if found is None or found.parent != position.hash:
                break
            logs = await self._rpc.call(
                "eth_getLogs", {"blockHash": found.cursor.hash, "address": list(self._events.addresses)}
            )
            blocks.append(Block(found.cursor, found.timestamp, self._events.read(logs)))
            position = found.cursor
        return blocks or await self._roll_back(confirmations)

    async def _far(self, reach: int, confirmations: int) -> list[Block]:
        """Read the logs of many blocks at once."""
        position = self._known[0]
        end = await header(self._rpc, min(reach, position.number + self._stretch))
        if end is None or not await self._is_on_chain(position):
            return await self._roll_back(confirmations)
        logs = await self._logs_between(position.number + 1, end.number)
        if logs is None or not await self._is_on_chain(end.cursor):
            return await self._step(confirmations)
        blocks = [await self._block_of(list(group)) for _, group in groupby(logs, lambda log: log["blockNumber"])]
        if not blocks or blocks[-1].cursor != end.cursor:
            blocks.append(Block(end.cursor, end.timestamp, ()))
        return blocks

    async def _logs_between(self, first: int, last: int) -> list[dict[str, Any]] | None:
        """Return the logs of these blocks; after a refusal None, and the next request asks for fewer blocks."""
        span = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(self._events.addresses)}
        try:
            logs = await self._rpc.call("eth_getLogs", span)
        except NodeError:
            if self._stretch == 1:
                raise
            self._stretch = max(1, self._stretch // 2)
            return None
        return sorted(
            items(logs), key=lambda log: (number(member(log, "blockNumber")), number(member(log, "logIndex")))
        )

    async def _block_of(self, logs: list[dict[str, Any]]) -> Block:
        """Return the block of these logs, which all belong to it."""
        cursor = Cursor(number(logs[0]["blockNumber"]), str(member(logs[0], "blockHash")))
        time = logs[0].get("blockTimestamp")
        if time is not None:
            return Block(cursor, number(time), self._events.read(logs))
        found = await header(self._rpc, cursor.number)
        if found is None or found.cursor != cursor:
            raise InsituError("ChainUnavailable", f"block {cursor.number} changed while it was read")
        return Block(cursor, found.timestamp, self._events.read(logs))

    async def _behind(self, confirmations: int) -> list[Block]:
        """Decide about a node that has not reached our position: it lags, or the chain became shorter."""
        now = anyio.current_time()
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since < self._grace:
            return []
        return await self._roll_back(confirmations)

    async def _roll_back(self, confirmations: int) -> list[Block]:
        """Go back to the newest block that is still on the chain, and continue from there."""
        lost = 0
        while self._known and not await self._is_on_chain(self._known[0]):
            self._known.popleft()
            lost += 1
        if not lost:  # the node was between two states when it answered
            return []
        ancestor = await self._position()
        self._rolled_back_to, self._behind_since = ancestor, None
        logger.warning("the chain was reorganised above block %d", ancestor.number)
        found = await header(self._rpc, ancestor.number)
        if found is None or found.cursor != ancestor:
            raise InsituError("ChainUnavailable", "the chain is being reorganised")
        # If nothing is above the ancestor yet, it is returned again, so that the roll-back is known at once.
        return await self._step(confirmations) or [Block(ancestor, found.timestamp, ())]

    async def _is_on_chain(self, cursor: Cursor) -> bool:
        found = await header(self._rpc, cursor.number)
        return found is not None and found.cursor == cursor
