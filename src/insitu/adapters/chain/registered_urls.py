"""The urls of registered documents: the registry keeps checksums only, the url is in the event of the registration."""

from collections import OrderedDict

from insitu.adapters.chain.bindings.did_registry import DIDAttributeRegistered
from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered

__all__ = ["RegisteredUrls"]

KEPT = 4096


class RegisteredUrls:
    """Finds the url of one version of a DID; what an event said never changes, so it is kept."""

    def __init__(self, rpc: JsonRpc, events: EventReader, registry: Address) -> None:
        self._rpc = rpc
        self._events = events
        self._registry = registry
        self._kept: OrderedDict[tuple[str, int, int, bytes], str] = OrderedDict()

    async def find(self, digits: str, block: int, version: int, checksum: bytes) -> str:
        """Return the url that was registered in this block with this version and checksum.

        Raises ``ChainUnavailable`` where the node does not have the event.
        """
        # After a reorganisation the same block number may hold another registration, of another checksum.
        key = (digits, block, version, checksum)
        if key not in self._kept:
            self._kept[key] = await self._read(digits, block, version)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    async def _read(self, digits: str, block: int, version: int) -> str:
        topics = [event_topic(DIDAttributeRegistered), "0x" + digits]
        span = {"fromBlock": hex(block), "toBlock": hex(block), "address": self._registry}
        for logged in self._events.read(await self._rpc.call("eth_getLogs", {**span, "topics": topics})):
            if isinstance(logged.event, DidRegistered) and logged.event.version == version:
                return logged.event.url
        raise InsituError("ChainUnavailable", f"the node has no event of did:nv:{digits} in block {block}")
