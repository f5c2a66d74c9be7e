"""``GET publications/{key}``: what the caller published under an Idempotency-Key, in this catalogue (ADR 0129)."""

from dataclasses import dataclass

from insitu.api.metadata_v1 import DDO
from insitu.domain.catalogue_requests import SIGNED_FOR, catalogue_digest, catalogues_domain
from insitu.domain.errors import InsituError
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.catalog import AssetRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationFinder:
    """Asks the catalogue for callers who signed in, because a key can be guessed from its description."""

    ports: GatewayPorts

    async def find(self, caller: Caller, key: str) -> AssetRecord:
        """Return what the caller published under a key. Raises ``AssetNotFound``."""
        chain, catalogue = self.ports.chain, self.ports.configuration.metadata_url.partition(DDO)[0]
        deadline = int(self.ports.clock.now().timestamp()) + SIGNED_FOR
        domain = catalogues_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))
        question = {"catalogue": catalogue, "creator": caller.address, "key": key, "deadline": deadline}
        signature = self.ports.signer.sign_digest(catalogue_digest("PublicationQuestion", question, domain))
        found = await self.ports.metadata.published(caller.address, key, deadline, signature)
        if found is None:
            raise InsituError("AssetNotFound", "the caller has published nothing under this key")
        return found
