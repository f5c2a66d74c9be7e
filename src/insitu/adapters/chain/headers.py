"""Blocks as JSON-RPC returns them, without their transactions."""

from dataclasses import dataclass

from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.domain.errors import InsituError
from insitu.ports.chain import Cursor


@dataclass(frozen=True, slots=True)
class Header:
    """A block: its cursor, its parent's hash, its time in seconds since 1970."""

    cursor: Cursor
    parent: str
    timestamp: int

    @property
    def number(self) -> int:
        """The number of blocks below it."""
        return self.cursor.number


async def newest_header(rpc: JsonRpc) -> Header:
    """Return the newest mined block. Raises ``ChainUnavailable``."""
    found = await rpc.call("eth_getBlockByNumber", "latest", False)
    if found is None:
        raise InsituError("ChainUnavailable", f"{rpc.host} has no newest block")
    return _read(found)


async def header(rpc: JsonRpc, height: int) -> Header | None:
    """Return the block with this number, or None if the chain has not reached it."""
    found = await rpc.call("eth_getBlockByNumber", hex(height), False)
    return None if found is None else _read(found)


def _read(found: object) -> Header:
    cursor = Cursor(number(member(found, "number")), str(member(found, "hash")))
    return Header(cursor, str(member(found, "parentHash")), number(member(found, "timestamp")))
