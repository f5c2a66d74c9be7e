"""Whether the gateway sends a signed request to the registry, and whether that has happened already (ADR 0128)."""

from collections.abc import Iterator
from dataclasses import dataclass

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRecord
from insitu.domain.registry_requests import ProviderChange, RegistrationBatch, Transfer, UpdateBatch
from insitu.domain.signed_request import SignedRequest
from insitu.gateway.ports import GatewayPorts
from insitu.ports.chain import require_record

LARGEST_BATCH = 4
LONGEST = 600
"""Seconds for which a request may stay valid, so that what was not sent soon cannot surprise its signer later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChecker:
    """Compares signed requests with what this gateway sends, and with the chain."""

    ports: GatewayPorts

    async def signer(self, signed: SignedRequest) -> Address:
        """Return the account that has to sign a request: the creator, or else the owner of the assets.

        Raises ``AssetNotFound``, and ``SignatureMismatch`` if it did not.
        """
        request = signed.request
        if isinstance(request, RegistrationBatch):
            account = request.creator
        elif isinstance(request, UpdateBatch):
            account = request.owner
        else:
            account = (await require_record(self.ports.chain, signed.dids[0])).owner
        if not await self.ports.chain.signed_by(account, signed.digest, signed.signature_bytes):
            raise InsituError("SignatureMismatch", f"the request is not signed by {account}, who has to sign it")
        return account

    def require_ours(self, signed: SignedRequest) -> None:
        """Refuse what this gateway never sends. Raises ``ContractMismatch``, ``RequestNotRelayed``."""
        chain = self.ports.chain
        ours = (chain.agreements.chain_id, chain.contract("DIDRegistry").lower())
        if (signed.chain_id, signed.registry.lower()) != ours:
            detail = (
                f"the request is for registry {signed.registry} on chain {signed.chain_id}, and this gateway sends to "
            )
            raise InsituError("ContractMismatch", f"{detail}{ours[1]} on chain {ours[0]}: sign it for that one")
        for objection in _objections(signed, self.ports.provider, self.ports.configuration.metadata_url):
            raise InsituError("RequestNotRelayed", objection)

    async def require(self, signed: SignedRequest, now: int) -> None:
        """Refuse what the contract would skip or this gateway does not send. Call it when the request is not done.

        Raises ``RequestNotRelayed``, ``AssetNotFound``, ``DIDExists``.
        """
        if signed.request.deadline > now + LONGEST:
            detail = (
                f"it is valid until {signed.request.deadline}, which may be {LONGEST} seconds from now ({now}) at most"
            )
            raise InsituError("RequestNotRelayed", detail)
        await self.require_unsold(signed)
        if isinstance(signed.request, UpdateBatch | Transfer):
            for did in signed.dids:
                await require_record(self.ports.chain, did)
                if not await self.ports.chain.is_provider(did, self.ports.provider):
                    raise InsituError("RequestNotRelayed", f"{self.ports.provider} is not a provider of {did}")

    async def require_unsold(self, signed: SignedRequest) -> None:
        """Refuse the registration of an asset that another account owns by now: the registry would only skip it.

        Raises ``DIDExists``.
        """
        if not isinstance(signed.request, RegistrationBatch):
            return
        for did in signed.dids:
            record = await self.ports.chain.did_record(did)
            if record is not None and record.owner.lower() != signed.request.creator.lower():
                raise InsituError("DIDExists", f"{did} is registered, and {record.owner} owns it now", did=did)

    async def is_done(self, signed: SignedRequest) -> bool:
        """Return whether the chain has what the request asks for, no matter who sent it.

        The registry skips an asset that is registered with the same checksum, even if another account owns it by now.
        So a batch of registrations is done only if its creator owns every asset.
        """
        request = signed.request
        records = [await self.ports.chain.did_record(did) for did in signed.dids]
        if isinstance(request, RegistrationBatch):
            pairs = zip(records, request.items, strict=True)
            return all(_is(record, request.creator, item.checksum) for record, item in pairs)
        if isinstance(request, UpdateBatch):
            numbered = zip(records, request.items, strict=True)
            return all(_is(record, request.owner, item.checksum, item.version) for record, item in numbered)
        record = records[0]
        if record is None or record.changes != request.changes + 1:
            return False
        if isinstance(request, Transfer):
            return record.owner.lower() == request.new_owner.lower()
        return await self.ports.chain.is_provider(signed.dids[0], request.provider) == request.allowed


def _is(record: DidRecord | None, owner: Address, checksum: bytes, version: int | None = None) -> bool:
    if record is None or (record.owner.lower(), record.checksum.removeprefix("0x")) != (owner.lower(), checksum.hex()):
        return False
    return version is None or record.version == version


def _objections(signed: SignedRequest, provider: Address, url: str) -> Iterator[str]:
    """Yield why this gateway does not send a request, whatever the chain says."""
    request = signed.request
    if isinstance(request, ProviderChange) and request.provider.lower() != provider.lower():
        yield f"it is about the provider {request.provider}, and the account of this gateway is {provider}"
    if isinstance(request, RegistrationBatch | UpdateBatch):
        if not 0 < len(request.items) <= LARGEST_BATCH:
            yield f"it has {len(request.items)} items, and this gateway sends 1 to {LARGEST_BATCH} at a time"
        if len(set(signed.dids)) < len(request.items):
            yield "two of its items are about the same asset"
        yield from (
            f"an item says that its document is at {item.url[:200]}, and this gateway's documents are at {url}"
            for item in request.items
            if item.url != url
        )
    if isinstance(request, RegistrationBatch):
        yield from (
            f"an item lets {', '.join(item.providers[:4]) or 'nobody'} provide it, and may let only {provider}"
            for item in request.items
            if [account.lower() for account in item.providers] != [provider.lower()]
        )
