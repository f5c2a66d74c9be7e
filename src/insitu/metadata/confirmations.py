"""How many blocks confirm what is pending: asked of the node once for each block, however many people ask."""

from dataclasses import dataclass, field

import anyio

from insitu.api import metadata_v1 as wire
from insitu.domain.errors import InsituError
from insitu.domain.ledger import DidRecord
from insitu.ports.chain import Chain


@dataclass(slots=True)
class _Answer:
    """What the node says about a DID. Whoever asks first holds the lock until it has answered."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    known: bool = False
    record: DidRecord | None = None


class Confirmations:
    """Counts them for pending assets; ``needed`` is how many blocks an event waits for."""

    def __init__(self, chain: Chain, needed: int) -> None:
        self._chain = chain
        self._needed = needed
        self._block: int | None = None
        self._answers: dict[str, _Answer] = {}

    async def of(self, status: wire.AssetStatus, block: int | None) -> wire.AssetStatus:
        """Return a status with how many blocks confirm what is pending, if the chain has it and answers.

        ``block`` is up to where the catalogue has read. A node that fails is asked again after the next one.
        """
        if status.state != "pending" or block is None:
            return status
        record = await self._record(status.did, block)
        if record is None or record.checksum.removeprefix("0x") != status.checksum:
            return status
        seen = min(max(block + self._needed - record.block, 0), self._needed)
        return status.model_copy(update={"confirmed": seen, "confirmations": self._needed})

    async def _record(self, did: str, block: int) -> DidRecord | None:
        if block != self._block:
            self._block, self._answers = block, {}
        answer = self._answers.setdefault(did, _Answer())
        async with answer.lock:
            if not answer.known:
                try:
                    answer.record = await self._chain.did_record(did)
                except InsituError:
                    answer.record = None
                answer.known = True
        return answer.record
