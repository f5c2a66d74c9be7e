"""Looking for logs in the whole past of a deployment, also at nodes that answer for few blocks at a time."""

from collections.abc import Sequence
from typing import Any

from insitu.adapters.chain.headers import newest_header
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.ids import Address

__all__ = ["find_logs"]

_SMALLEST = 64
"""Blocks; a node that refuses even so few is not usable."""


async def find_logs(rpc: JsonRpc, address: Address, topics: Sequence[str], first: int) -> list[dict[str, Any]]:
    """Return the newest logs with these topics since block ``first``: all of one answer, found from the newest down.

    The whole past is asked for first; where the node refuses, ever shorter stretches.
    """
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
        if logs:
            return logs
        last = begin - 1
    return []
