"""Blocks as JSON-RPC shows them, without their transactions."""

from dataclasses import dataclass

from insitu.adapters.chain.rpc import JsonRpc, member, number
from insitu.domain.errors import InsituError
from insitu.ports.chain import Cursor

__all__ = ["Header", "header", "newest_header"]


@dataclass(frozen=True, slots=True)
class Header:
    """A block: where it is, its parent's hash, its time in seconds since 1970."""

    cursor: Cursor
    parent: str
    timestamp: int

    @property
    def number(self) -> int:
        """How many blocks are below it."""
        return self.cursor.number


async def newest_header(rpc: JsonRpc) -> Header:
    """Return the newest mined block. Raises ``ChainUnavailable``."""
    found = await rpc.call("eth_getBlockByNumber", "latest", False)
    if found is None:
        raise InsituError("ChainUnavailable", f"{rpc.host} has no newest block")
    return _read(found)


async def header(rpc: JsonRpc, height: int) -> Header | None:
    """Return the block of this number, or None where the chain doesn't reach it."""
    found = await rpc.call("eth_getBlockByNumber", hex(height), False)
    return None if found is None else _read(found)


def _read(found: object) -> Header:
    cursor = Cursor(number(member(found, "number")), str(member(found, "hash")))
    return Header(cursor, str(member(found, "parentHash")), number(member(found, "timestamp")))
