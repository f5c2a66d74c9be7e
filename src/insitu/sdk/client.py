"""The client: publish, find, buy, run. ``insitu.connect()`` makes one, or make one here with ports of your own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import anyio

from insitu.api.gateway_v1 import Quote, ReceiptView
from insitu.domain.agreement import SignedSettlement
from insitu.domain.amount import Amount, AmountLike
from insitu.domain.ids import Address
from insitu.domain.receipt import VerifiedReceipt
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk import receipts
from insitu.sdk.agreements import Agreements
from insitu.sdk.amounts import read_amount, shown_amount
from insitu.sdk.arguments import refuse
from insitu.sdk.assets import Assets
from insitu.sdk.compute import Compute
from insitu.sdk.execution import Execution
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.http import Http
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.publishing import Publisher
from insitu.sdk.resolving import Resolver
from insitu.sdk.revisions import Revisions
from insitu.sdk.workflows import NewAlgorithm, Stage


class Client:
    """Everything that a data owner or a data scientist does, for one account. Asynchronous.

    Parameters
    ----------
    chain
        The chain with our contracts. It is closed with the client.
    signer
        The account's key.
    url
        Address of the provider to publish at. A purchased service is called at the address in its document.
    metadata_url
        Address of the catalogue, if it is on another server.
    http
        An HTTP client to use instead; it is not closed with this client.
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
        self._revisions = Revisions(self.assets, Publisher(chain, signer, self.metadata, self.gateway), resolver)
        self.agreements = Agreements(chain, signer, resolver, self.gateway_at)
        self.compute = Compute(self.agreements, resolver, self.gateway, self.gateway_at)

    @property
    def account(self) -> Address:
        """The account that this client acts for."""
        return self._signer.address

    def gateway_at(self, url: str) -> GatewayClient:
        """Return the client of the gateway at an address. All callers share its tokens."""
        return self._gateways.setdefault(url.rstrip("/"), GatewayClient(self._http, url, self._signer))

    async def run(
        self,
        algorithm: Path | str,
        *,
        on: str | Sequence[str],
        configuration: Mapping[str, str | int | float | bool] | None = None,
        entrypoint: str | None = None,
        container: Mapping[str, str] | str | None = None,
        server_id: str | None = None,
        max_price: AmountLike | None = None,
        relay: bool | None = None,
        offer: bool = False,
    ) -> Execution:
        """Run an algorithm next to data: check it, publish it with a workflow of one stage, buy, and start.

        Nothing is published if the algorithm may not run. Anything equal that was published before is reused, so then
        only the purchase costs something.

        Parameters
        ----------
        algorithm
            A script or a folder, or the DID of an algorithm.
        on
            DID of a data set, or several in the order of ``--input1``, ``--input2`` …
        configuration
            Passed to the algorithm as ``--name=value``.
        entrypoint, container, server_id
            As for ``publish_algorithm`` and ``Stage``.
        max_price
            Tokens, ``"10.5"`` or ``10``, or an ``Amount``; a higher price is refused before any money moves.
        relay, offer
            As for ``agreements.buy``.

        Raises what publishing and ``agreements.buy`` raise: the verdict's first reason, ``PriceTooHigh`` and others.
        """
        refuse("Client.run", relay=relay, offer=offer)
        limit = None if max_price is None else await read_amount(max_price, self.chain)
        stage = await self._stage(algorithm, on, configuration, entrypoint, container, server_id)
        await self.agreements.require_agreeable(await self.check_stages([stage]), limit)
        if isinstance(stage.algorithm, str):
            workflow = await self.assets.publish_workflow(Path(algorithm).name, [stage])
        else:
            path = Path(algorithm)
            workflow = await self.assets.publish_with_workflow(path.name, path, stage, entrypoint=entrypoint)
        return await self.compute.run_workflow(workflow.did, max_price=limit, relay=relay, offer=offer)

    async def revise(
        self,
        agreement: str,
        algorithm: Path | str,
        *,
        configuration: Mapping[str, str | int | float | bool] | None = None,
        entrypoint: str | None = None,
    ) -> Execution:
        """Run another algorithm in the only stage of a bought workflow, as a revision: nothing more is paid.

        Nothing is published if the revision may not run. A file becomes the next version of the algorithm in the
        workflow's newest version, if this account made and owns that; the wallet signs once for both. Repeating an
        interrupted call goes on with what was signed.

        Parameters
        ----------
        algorithm, entrypoint
            As for :meth:`run`.
        configuration
            Replaces that of the stage; None keeps it.

        Raises what publishing and ``compute.execute`` raise; ``InvalidRequest`` for a workflow of several stages, whose
        new version is published with ``assets.update_asset``.
        """
        refuse("Client.check", published=str(algorithm).startswith("did:"), entrypoint=entrypoint)
        workflow = (await self.agreements.show(agreement)).workflow_did
        revision = await self._revisions.plan(workflow, algorithm, configuration, entrypoint)
        await self.agreements.require_revision(agreement, revision.described)
        return await self.compute.execute(agreement, workflow_checksum=await self._revisions.publish(revision))

    async def check(
        self,
        algorithm: Path | str,
        *,
        on: str | Sequence[str],
        configuration: Mapping[str, str | int | float | bool] | None = None,
        entrypoint: str | None = None,
        container: Mapping[str, str] | str | None = None,
        server_id: str | None = None,
    ) -> Quote:
        """Ask whether :meth:`run` would be allowed with these arguments, on which server and for how much.

        Nothing is published, uploaded or bought. A quote that is not ``allowed`` says why. Raises what reading the
        algorithm and ``agreements.check`` raise.
        """
        return await self.check_stages(
            [await self._stage(algorithm, on, configuration, entrypoint, container, server_id)]
        )

    async def check_stages(self, stages: Sequence[Stage], service_index: int | None = None) -> Quote:
        """Ask whether a workflow of these stages may run, without publishing it. See ``agreements.check``."""
        return await self.agreements.check_planned(await self.assets.describe_workflow(stages), service_index)

    async def _stage(
        self,
        algorithm: Path | str,
        on: str | Sequence[str],
        configuration: Mapping[str, str | int | float | bool] | None,
        entrypoint: str | None,
        container: Mapping[str, str] | str | None,
        server_id: str | None,
    ) -> Stage:
        """Return the stage that would run."""
        known: str | NewAlgorithm = str(algorithm)
        published = str(algorithm).startswith("did:")
        refuse("Client.check", published=published, entrypoint=entrypoint)
        if not published:
            path = Path(algorithm)
            known = await self.assets.read_algorithm(path.name, path, entrypoint=entrypoint)
        return Stage(
            algorithm=known,
            inputs=[on] if isinstance(on, str) else list(on),
            configuration=dict(configuration or {}),
            container=container,
            server_id=server_id,
        )

    async def balance(self) -> Amount:
        """Return the account's token balance."""
        return await shown_amount(await self.chain.balance(self.account), self.chain)

    async def verify(
        self,
        receipt: receipts.Receipt,
        *,
        on_chain: bool = True,
        provider: str | None = None,
        files: Path | str | None = None,
        opening: receipts.Opened = None,
    ) -> VerifiedReceipt:
        """Check a receipt, and with ``on_chain`` also compare it with the chain.

        ``provider`` is the account that must have signed it, ``files`` a folder with the result, ``opening`` what its
        hashes must stand for. Raises ``ReceiptInvalid``, ``ReceiptNotCommitted``.
        """
        if not on_chain:
            return receipts.verify(receipt, provider=provider, files=files, opening=opening)
        return await receipts.verify_on_chain(receipt, self.chain, provider=provider, files=files, opening=opening)

    async def release(self, receipt: ReceiptView | SignedSettlement) -> Mined:
        """Release the payment of a receipt. Anybody may do this. Raises ``ExecutionAlreadySettled``."""
        return await receipts.release(receipt, self.chain, self._signer)

    async def close(self) -> None:
        """Close the connections."""
        with anyio.CancelScope(shield=True):
            if self._own_http:
                await self._http.close()
            await self.chain.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
