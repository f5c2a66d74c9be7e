"""Two ways to change the registry (P3): one signed request that the gateway sends, or transactions of the account."""

from collections.abc import Sequence
from typing import Any

import anyio

from insitu.api.gateway_v1 import GatewayInfo
from insitu.domain.assembly import UnsignedDdo
from insitu.domain.did import Did
from insitu.domain.errors import Conflict, InsituError, LimitReached, NotAllowed, Unavailable
from insitu.domain.ids import Address
from insitu.domain.ledger import Call, DidRecord, transfer_ownership
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationBatch,
    RegistrationItem,
    Transfer,
    UpdateBatch,
    UpdateItem,
    registry_domain,
)
from insitu.domain.signed_request import SignedRequest
from insitu.ports.chain import Chain, require_record
from insitu.ports.keys import Signer
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.waiting import Backoff, Pauses

VALID = 540
"""Seconds for which a request can be sent; gateways refuse more than 600, by a clock of their own."""
LEFT = 30
"""Seconds that a request must stay valid to be sent again: gateways want 15, and a block takes time."""
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
        return info.relay or not await self._sends()

    async def _sends(self) -> bool:
        """Return whether this account can send transactions: it has coin, and is not the account of a contract."""
        account = self._signer.address
        return bool(await self._chain.native_balance(account)) and not await self._chain.has_code(account)

    async def sign(self, documents: Sequence[UnsignedDdo], info: GatewayInfo) -> SignedRequest:
        """Sign the registration of new documents, all with one signature."""
        items = tuple(
            RegistrationItem(
                document.seed, bytes.fromhex(document.checksum), (info.provider_address,), self._metadata.address
            )
            for document in documents
        )
        batch = RegistrationBatch(self._signer.address, items, await self._deadline())
        return self._signed(registrations=batch)

    async def sign_updates(self, documents: Sequence[UnsignedDdo]) -> SignedRequest:
        """Sign the registration of new versions, all with one signature. Raises ``AssetNotFound``."""
        items = []
        for document in documents:
            record = await require_record(self._chain, str(document.did))
            checksum = bytes.fromhex(document.checksum)
            items.append(UpdateItem(bytes(document.did), checksum, self._metadata.address, record.version + 1))
        batch = UpdateBatch(self._signer.address, tuple(items), await self._deadline())
        return self._signed(updates=batch)

    async def transfer(self, did: str, owner: Address) -> str:
        """Give an asset of this account to another one, and return the transaction.

        Raises ``AssetNotFound``, ``NotDIDOwner``, ``ChangesMismatch``, and what relaying raises.
        """
        raw, record = bytes(Did.parse(did)), await self._own(did)
        change = Transfer(raw, owner, record.changes, await self._deadline())
        return await self._carry_out(transfer_ownership(raw, owner), transfer=change)

    async def provide(self, did: str) -> None:
        """Let the gateway provide an asset of this account again. Nothing changes where it is the owner itself.

        Raises as :meth:`transfer` does, and ``NotDIDProvider`` if the gateway names an account that never provided it.
        """
        provider, owner = (await self._gateway.info()).provider_address, (await require_record(self._chain, did)).owner
        if provider.lower() == owner.lower():
            return
        known = await self._chain.providers(did)
        if provider not in known:
            detail = f"{self._gateway.url} names {provider} as its account, which no owner of {did} ever let provide it"
            raise InsituError("NotDIDProvider", detail, did=did)
        if not known[provider]:
            await self._change_provider(did, provider, allowed=True)

    async def remove_providers(self, did: str) -> None:
        """Remove every provider of an asset of this account. The chain names them: a gateway could name another one.

        An owner always provides what it owns. Raises as :meth:`transfer` does, once each removal was tried.
        """
        owner, failed = (await self._own(did)).owner, list[InsituError]()
        for provider, allowed in (await self._chain.providers(did)).items():
            if allowed and provider.lower() != owner.lower():
                try:
                    await self._change_provider(did, provider, allowed=False)
                except InsituError as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    async def _change_provider(self, did: str, provider: Address, *, allowed: bool) -> None:
        raw, function = bytes(Did.parse(did)), "addDIDProvider" if allowed else "removeDIDProvider"
        change = ProviderChange(raw, provider, allowed, (await self._own(did)).changes, await self._deadline())
        await self._carry_out(Call("DIDRegistry", function, (raw, provider)), provider_change=change)

    async def _carry_out(self, call: Call, **request: Transfer | ProviderChange) -> str:
        """Send a transaction, or have the request for the same sent if this account cannot pay for one."""
        if await self._sends():
            try:
                return (await self._chain.transact(call, self._signer)).hash
            except InsituError as error:
                if error.code != "InsufficientFunds":
                    raise
        return await self.send(self._signed(**request))

    async def _own(self, did: str) -> DidRecord:
        record = await require_record(self._chain, did)
        if not self._owns(record):
            raise InsituError("NotDIDOwner", f"{record.owner} owns {did}, and only its owner can do this", did=did)
        return record

    def _owns(self, record: DidRecord) -> bool:
        return record.owner.lower() == self._signer.address.lower()

    async def is_sendable(self, request: SignedRequest) -> bool:
        """Return whether this account has signed these updates, and the registry takes them for some time yet."""
        updates, ours = request.updates, (self._chain.agreements.chain_id, self._chain.contract("DIDRegistry").lower())
        if updates is None or (request.chain_id, request.registry.lower()) != ours:
            return False
        if updates.deadline < await self._chain.time() + LEFT:
            return False
        for did, item in zip(request.dids, updates.items, strict=True):
            record = await require_record(self._chain, did)
            if not self._owns(record) or item.version != record.version + 1:
                return False
        return await self._chain.signed_by(self._signer.address, request.digest, request.signature_bytes)

    async def send(self, request: SignedRequest) -> str:
        """Have a request sent by the gateway, or send it where the gateway does not, and return the transaction.

        Raises the gateway's refusal if this account cannot pay for gas either; ``DIDExists`` when an asset has another
        owner by now; ``TransactionUnconfirmed``.
        """
        try:
            return await self._relay(request)
        except (NotAllowed, LimitReached, Unavailable) as refused:
            if not await self._sends():
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
        """Return whether the chain has every version of the request, each owned by this account, or the change.

        The registry skips an asset that is registered with the same checksum, so its owner has to be looked at.
        """
        if isinstance(request.request, Transfer | ProviderChange):
            return await self._is_changed(request.dids[0], request.request)
        for did, checksum in request.versions:
            record = await self._chain.did_record(did)
            if record is None or record.checksum.removeprefix("0x") != checksum:
                return False
            if not self._owns(record):
                raise InsituError("DIDExists", f"{did} is registered, and {record.owner} owns it now", did=did)
        return True

    async def _is_changed(self, did: str, change: Transfer | ProviderChange) -> bool:
        record = await require_record(self._chain, did)
        if record.changes <= change.changes:
            return False
        if isinstance(change, Transfer):
            done = record.owner.lower() == change.new_owner.lower()
        else:
            done = await self._chain.is_provider(did, change.provider) is change.allowed
        if not done:
            raise InsituError("ChangesMismatch", f"another change of {did} came first", did=did)
        return True

    async def _deadline(self) -> int:
        return await self._chain.time() + VALID

    def _signed(self, **request: RegistrationBatch | UpdateBatch | Transfer | ProviderChange) -> SignedRequest:
        chain_id, registry = self._chain.agreements.chain_id, self._chain.contract("DIDRegistry")
        (wanted,) = request.values()
        signature = self._signer.sign_digest(wanted.digest(registry_domain(chain_id, registry)))
        named: dict[str, Any] = dict(request)
        return SignedRequest(chain_id=chain_id, registry=registry, signature="0x" + signature.hex(), **named)
