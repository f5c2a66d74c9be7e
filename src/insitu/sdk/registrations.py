"""Two ways to register documents (P3): one signed request that the gateway sends, or transactions of the account."""

from collections.abc import Sequence
from typing import Any

import anyio

from insitu.api.gateway_v1 import GatewayInfo
from insitu.domain.assembly import UnsignedDdo
from insitu.domain.errors import Conflict, InsituError, LimitReached, NotAllowed, Unavailable
from insitu.domain.registry_requests import (
    RegistrationBatch,
    RegistrationItem,
    UpdateBatch,
    UpdateItem,
    registry_domain,
)
from insitu.domain.signed_request import SignedRequest
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.waiting import Backoff, Pauses

__all__ = ["Registrations"]

VALID = 540
"""Seconds for which a request can be sent; gateways refuse more than 600, by a clock of their own."""
LOOK = Backoff(0.02, 1.0)
"""The pauses between two looks at the chain."""
ASK_AGAIN = 5.0
"""Seconds after which the gateway is asked whether the request is still on its way."""


class Registrations:
    """Signs requests to the registry for one account, and has them sent."""

    def __init__(self, chain: Chain, signer: Signer, gateway: GatewayClient, metadata: MetadataClient) -> None:
        self._chain = chain
        self._signer = signer
        self._gateway = gateway
        self._metadata = metadata

    async def is_wanted(self, info: GatewayInfo) -> bool:
        """Return whether to sign a request: when the gateway sends it, or this account has no coin to send anything."""
        return info.relay or not await self._chain.native_balance(self._signer.address)

    async def sign(self, documents: Sequence[UnsignedDdo], info: GatewayInfo) -> SignedRequest:
        """Sign the registration of new documents, all with one signature."""
        items = tuple(
            RegistrationItem(
                document.seed, bytes.fromhex(document.checksum), (info.provider_address,), self._metadata.address
            )
            for document in documents
        )
        batch = RegistrationBatch(self._signer.address, items, await self._deadline())
        return SignedRequest(registrations=batch, **self._signature_of(batch))

    async def sign_updates(self, documents: Sequence[UnsignedDdo]) -> SignedRequest:
        """Sign the registration of new versions, all with one signature. Raises ``AssetNotFound``."""
        items = []
        for document in documents:
            record = await self._chain.did_record(str(document.did))
            if record is None:
                raise InsituError("AssetNotFound", f"{document.did} is not registered on chain", did=str(document.did))
            checksum = bytes.fromhex(document.checksum)
            items.append(UpdateItem(bytes(document.did), checksum, self._metadata.address, record.version + 1))
        batch = UpdateBatch(self._signer.address, tuple(items), await self._deadline())
        return SignedRequest(updates=batch, **self._signature_of(batch))

    async def send(self, request: SignedRequest) -> str:
        """Have a request sent by the gateway, or send it where the gateway does not, and return the transaction.

        Raises the gateway's refusal if this account cannot pay for gas either; ``DIDExists`` when an asset has another
        owner by now; ``TransactionUnconfirmed``.
        """
        try:
            return await self._relay(request)
        except (NotAllowed, LimitReached, Unavailable) as refused:
            if not await self._chain.native_balance(self._signer.address):
                raise
            try:
                return (await self._chain.transact(request.call, self._signer)).hash
            except Conflict:
                # There is too little coin, or the gateway has sent it after all.
                if not await self._is_done(request):
                    raise refused from None
                return ""

    async def _relay(self, request: SignedRequest) -> str:
        transaction = (await self._gateway.relay_request(request)).transaction
        while not await self._is_done_soon(request):
            if await self._chain.time() > request.request.deadline:
                detail = f"{self._gateway.url} did not send the request before its deadline"
                raise InsituError("TransactionUnconfirmed", detail, transaction=transaction)
            transaction = (await self._gateway.relay_request(request)).transaction
        return transaction or ""

    async def _is_done_soon(self, request: SignedRequest) -> bool:
        pauses = Pauses(LOOK)
        with anyio.move_on_after(ASK_AGAIN):
            while True:
                if await self._is_done(request):
                    return True
                await anyio.sleep(pauses.next())
        return False

    async def _is_done(self, request: SignedRequest) -> bool:
        """Return whether the chain has every version of the request, each owned by this account.

        The registry skips an asset that is registered with the same checksum, so its owner has to be looked at.
        """
        for did, checksum in request.versions:
            record = await self._chain.did_record(did)
            if record is None or record.checksum.removeprefix("0x") != checksum:
                return False
            if record.owner.lower() != self._signer.address.lower():
                raise InsituError("DIDExists", f"{did} is registered, and {record.owner} owns it now", did=did)
        return True

    async def _deadline(self) -> int:
        return await self._chain.time() + VALID

    def _signature_of(self, batch: RegistrationBatch | UpdateBatch) -> dict[str, Any]:
        chain_id, registry = self._chain.agreements.chain_id, self._chain.contract("DIDRegistry")
        signature = self._signer.sign_digest(batch.digest(registry_domain(chain_id, registry)))
        return {"chain_id": chain_id, "registry": registry, "signature": "0x" + signature.hex()}
