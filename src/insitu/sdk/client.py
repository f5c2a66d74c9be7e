"""The client: publish, find, buy, run (design §10). Made by ``insitu.connect()``; or here, with ports of your own."""

from types import TracebackType
from typing import Self

import anyio

from insitu.api.gateway_v1 import ReceiptView
from insitu.domain.agreement import SignedSettlement
from insitu.domain.ids import Address
from insitu.domain.receipt import VerifiedReceipt
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk import receipts
from insitu.sdk.agreements import Agreements
from insitu.sdk.assets import Assets
from insitu.sdk.compute import Compute
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.http import Http
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.resolving import Resolver

__all__ = ["Client"]


class Client:
    """Everything that a data owner or a data scientist does, in the name of one account. Asynchronous.

    Parameters
    ----------
    chain
        The chain with our contracts; closed with the client.
    signer
        The account's key.
    url
        Address of the provider to publish at and to ask first. What is bought is called where its document says.
    metadata_url
        Address of the catalogue, where it is another server.
    http
        Another HTTP client; it is not closed with this one.
    """

    def __init__(
        self, chain: Chain, signer: Signer, url: str, *, metadata_url: str | None = None, http: Http | None = None
    ) -> None:
        self.chain = chain
        self._signer = signer
        self._own_http = http is None
        self._http = http if http is not None else Http()
        self._gateways: dict[str, GatewayClient] = {}
        self.metadata = MetadataClient(self._http, metadata_url or url)
        self.gateway = self.gateway_at(url)
        resolver = Resolver(chain, self.metadata)
        self.assets = Assets(chain, signer, self.metadata, self.gateway, resolver)
        self.agreements = Agreements(chain, signer, resolver, self.gateway_at)
        self.compute = Compute(self.agreements, resolver, self.gateway, self.gateway_at)

    @property
    def account(self) -> Address:
        """The account in whose name everything happens."""
        return self._signer.address

    def gateway_at(self, url: str) -> GatewayClient:
        """Return the client of the gateway at an address; its tokens are shared by all callers."""
        return self._gateways.setdefault(url.rstrip("/"), GatewayClient(self._http, url, self._signer))

    async def balance(self) -> int:
        """Return the account's tokens in base units."""
        return await self.chain.balance(self.account)

    async def verify(self, receipt: receipts.Receipt, *, on_chain: bool = True) -> VerifiedReceipt:
        """Check a receipt; with ``on_chain`` also that its hash is committed. Raises ``SignatureInvalid``."""
        return await receipts.verify_on_chain(receipt, self.chain) if on_chain else receipts.verify(receipt)

    async def release(self, receipt: ReceiptView | SignedSettlement) -> Mined:
        """Release the payment of a receipt, whoever you are. Raises ``ExecutionAlreadySettled``."""
        return await receipts.release(receipt, self.chain, self._signer)

    async def close(self) -> None:
        """Close connections."""
        with anyio.CancelScope(shield=True):
            if self._own_http:
                await self._http.close()
            await self.chain.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
