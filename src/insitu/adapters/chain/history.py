"""Find logs in the whole past of a deployment, even at nodes that only answer for a few blocks at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from insitu.adapters.chain.headers import newest_header
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.ids import Address

_SMALLEST = 64
"""Blocks; a node that refuses even this few is not usable."""


async def find_logs(rpc: JsonRpc, address: Address, topics: Sequence[str | None], first: int) -> list[dict[str, Any]]:
    """Return the newest logs with these topics since block ``first``: those of the newest answer that has any."""
    async for logs in _stretches(rpc, address, topics, first):
        if logs:
            return logs
    return []


async def all_logs(rpc: JsonRpc, address: Address, topics: Sequence[str | None], first: int) -> list[dict[str, Any]]:
    """Return every log with these topics since block ``first``, newest first; None matches any topic."""
    found: list[dict[str, Any]] = []
    async for logs in _stretches(rpc, address, topics, first):
        found += reversed(logs)
    return found


async def _stretches(
    rpc: JsonRpc, address: Address, topics: Sequence[str | None], first: int
) -> AsyncIterator[list[dict[str, Any]]]:
    """Ask for the whole past first; when the node refuses, for shorter and shorter stretches, newest first."""
    last = (await newest_header(rpc)).number
    stretch = last - first + 1
    while last >= first:
        begin = max(first, last - stretch + 1)
        wanted = {"address": address, "topics": list(topics), "fromBlock": hex(begin), "toBlock": hex(last)}
        try:
            logs: list[dict[str, Any]] = await rpc.call("eth_getLogs", wanted)
        except NodeError:
            if stretch <= _SMALLEST:
                raise
            stretch //= 2
            continue
        yield logs
        last = begin - 1
