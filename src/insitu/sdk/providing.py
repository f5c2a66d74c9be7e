"""Enters a gateway in the registry as a provider of an asset, or removes it, with or without coin."""

from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from insitu.domain.registry_requests import ProviderChange, registry_domain
from insitu.domain.signed_request import SignedRequest
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.gateway import GatewayClient

__all__ = ["provide"]

SIGNED_FOR = 300
"""Seconds in which the gateway may send a signed request."""


async def provide(chain: Chain, signer: Signer, gateway: GatewayClient, did: str, *, allowed: bool) -> None:
    """Let a gateway provide an asset of the signer, or no longer. Nothing changes where its own account is the owner.

    If the account has no coin, the gateway sends what it signs. Raises ``AssetNotFound``, ``NotDIDOwner``, and what
    relaying raises.
    """
    provider, record = (await gateway.info()).provider_address, await chain.did_record(did)
    if record is None:
        raise InsituError("AssetNotFound", f"{did} is not registered on chain", did=did)
    if provider.lower() == record.owner.lower() or await chain.is_provider(did, provider) is allowed:
        return
    raw, function = bytes(Did.parse(did)), "addDIDProvider" if allowed else "removeDIDProvider"
    try:
        await chain.transact(Call("DIDRegistry", function, (raw, provider)), signer)
    except InsituError as error:
        if error.code != "InsufficientFunds":
            raise
        change = ProviderChange(raw, provider, allowed, record.changes, await chain.time() + SIGNED_FOR)
        chain_id, registry = chain.agreements.chain_id, chain.contract("DIDRegistry")
        signature = "0x" + signer.sign_digest(change.digest(registry_domain(chain_id, registry))).hex()
        signed = SignedRequest(chain_id=chain_id, registry=registry, provider_change=change, signature=signature)
        await gateway.relay_request(signed)
