"""``GET publications/{key}``: what the caller published under an Idempotency-Key, in this catalogue (ADR 0129)."""

from dataclasses import dataclass

from insitu.domain.errors import InsituError
from insitu.domain.publication_key import lookup_digest
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.catalog import AssetRecord

__all__ = ["PublicationFinder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationFinder:
    """Asks the catalogue for callers who signed in, because a key can be guessed from its description."""

    ports: GatewayPorts

    async def find(self, caller: Caller, key: str) -> AssetRecord:
        """Return what the caller published under a key. Raises ``AssetNotFound``."""
        now = self.ports.clock.now()
        signature = self.ports.signer.sign_digest(lookup_digest(caller.address, key, now))
        found = await self.ports.metadata.published(caller.address, key, now, signature)
        if found is None:
            raise InsituError("AssetNotFound", "the caller has published nothing under this key")
        return found
