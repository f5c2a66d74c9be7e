"""Registrations of DIDs as the chain logged them: the registry stores no url and only the current version."""

from collections import OrderedDict

from insitu.adapters.chain.bindings.did_registry import DIDAttributeRegistered
from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered

__all__ = ["Registrations"]

KEPT = 4096


class Registrations:
    """Finds the event of one version of a DID, and caches it because events never change."""

    def __init__(self, rpc: JsonRpc, events: EventReader, registry: Address) -> None:
        self._rpc = rpc
        self._events = events
        self._registry = registry
        self._kept: OrderedDict[tuple[str, int, int, str, str], DidRegistered] = OrderedDict()

    async def current(self, did: str, block: int, version: int, checksum: str, owner: Address) -> DidRegistered | None:
        """Return the event of the registry's current version; None if the node does not have it.

        After a reorganisation the same block may have another registration: with another checksum, or after a sale.
        """
        key = (did, block, version, checksum, owner)
        if key not in self._kept:
            found = await self.find(did, version, block)
            if found is None or found.checksum != checksum:
                return None
            self._kept[key] = found
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    async def find(self, did: str, version: int, block: int) -> DidRegistered | None:
        """Ask the node for the event of a version in a block; None if there is none."""
        topics = [event_topic(DIDAttributeRegistered), "0x" + did.removeprefix("did:nv:")]
        span = {"fromBlock": hex(block), "toBlock": hex(block), "address": self._registry}
        for logged in self._events.read(await self._rpc.call("eth_getLogs", {**span, "topics": topics})):
            if isinstance(logged.event, DidRegistered) and (logged.event.did, logged.event.version) == (did, version):
                return logged.event
        return None
