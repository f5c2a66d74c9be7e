"""Registrations of DIDs as the chain logged them: the registry stores no url and only the current version."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.rpc import JsonRpc, items, member
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered

KEPT = 4096
STEPS = 1000
"""The most versions that a walk goes back."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """An event and the hash of its block, which commits to every earlier event."""

    event: DidRegistered
    block_hash: str


class Registrations:
    """Finds the events of a DID's versions, and remembers them."""

    def __init__(self, rpc: JsonRpc, events: EventReader, registry: Address) -> None:
        self._rpc = rpc
        self._events = events
        self._registry = registry
        self._kept: OrderedDict[tuple[object, ...], _Placed] = OrderedDict()

    async def current(self, did: str, block: int, version: int, checksum: str, owner: Address) -> DidRegistered | None:
        """Return the event of the registry's current version; None if the node does not have it.

        After a reorganisation the same block may have another registration: with another checksum, or after a sale.
        """
        placed = await self._remember((did, block, version, checksum, owner), did, version, block, checksum)
        return placed.event if placed is not None else None

    async def find(self, did: str, checksum: str, block: int) -> DidRegistered | None:
        """Ask the node for the newest event with this checksum in a block; None if there is none."""
        found = await self._ask(did, block, checksum.lower().removeprefix("0x"))
        return found[-1].event if found else None

    async def walk(self, did: str, version: int, block: int) -> AsyncIterator[DidRegistered]:
        """Yield the event of this version in this block, and those before it.

        Each is remembered under the block hash of the one after it, so a reorganisation invalidates what it changed.
        Raises ``ChainUnavailable`` if the node does not have one of them.
        """
        placed = _of_version(version, await self._ask(did, block))
        for _ in range(STEPS):
            if placed is None:
                raise InsituError("ChainUnavailable", f"the node has no event of version {version} of {did}")
            yield placed.event
            if version == 1:
                return
            version -= 1
            key = (did, version, placed.block_hash)
            placed = await self._remember(key, did, version, placed.event.previous_block)

    async def _remember(
        self, key: tuple[object, ...], did: str, version: int, block: int, checksum: str | None = None
    ) -> _Placed | None:
        if key not in self._kept:
            placed = _of_version(version, await self._ask(did, block, checksum))
            if placed is None:
                return None
            self._kept[key] = placed
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    async def _ask(self, did: str, block: int, checksum: str | None = None) -> list[_Placed]:
        """Ask the node for the registrations of a DID in a block, in their order."""
        digits = "0x" + checksum if checksum is not None else None
        topics = [
            event_topic("DIDRegistry", "DIDAttributeRegistered"),
            "0x" + did.removeprefix("did:nv:"),
            None,
            digits,
        ]
        span = {"fromBlock": hex(block), "toBlock": hex(block), "address": self._registry}
        logs = items(await self._rpc.call("eth_getLogs", {**span, "topics": topics}))
        return [
            _Placed(logged.event, str(member(log, "blockHash")))
            for log in logs
            for logged in self._events.read([log])
            if isinstance(logged.event, DidRegistered) and logged.event.did == did
        ]


def _of_version(version: int, placed: list[_Placed]) -> _Placed | None:
    return next((found for found in placed if found.event.version == version), None)
