"""What an owner does with a published asset: a new version, retire, pause, give away; its versions (P2, P3)."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync

from insitu.api.gateway_v1 import PausedAsset
from insitu.api.metadata_v1 import AssetStatus
from insitu.domain.asset import ALGORITHM
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import read_compute_service
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.errors import NotFound
from insitu.domain.ids import Address, read_address
from insitu.domain.sealed_list import public_files
from insitu.domain.version_changes import describe_changes
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.amounts import price_shower
from insitu.sdk.descriptions import patch_metadata, revise_services
from insitu.sdk.files import FileLike, describe_files, read_contents
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.publishing import Asset, Publisher
from insitu.sdk.registrations import Registrations
from insitu.sdk.resolving import Resolver


@dataclass(frozen=True, slots=True)
class AssetVersion:
    """A registered version of an asset.

    Attributes
    ----------
    number, checksum, block
        Counted from 1; its on-chain checksum; the block that registered it.
    registrant
        The account that answers for it: the creator for version 1, otherwise the owner at that time.
    changes
        What it changed in the version before, in words.
    """

    number: int
    checksum: str
    block: int
    registrant: Address
    ddo: Ddo | None
    changes: tuple[str, ...] = ()


class OwnedAssets:
    """The part of :class:`insitu.sdk.assets.Assets` that changes what is published."""

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        metadata: MetadataClient,
        gateway: GatewayClient,
        resolver: Resolver,
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._metadata = metadata
        self._gateway = gateway
        self._resolver = resolver
        self._publisher = Publisher(chain, signer, metadata, gateway)
        self._registrations = Registrations(chain, signer, gateway, metadata)
        self._imports: dict[str, frozenset[str]] = {}  # what our algorithms import, by DID

    async def update_asset(
        self,
        did: str,
        asset_metadata: Mapping[str, Any] | None = None,
        services_description: Sequence[Mapping[str, Any]] = (),
        *,
        files: Sequence[FileLike] | None = None,
        confirm: Callable[[tuple[str, ...]], None] | None = None,
    ) -> Asset:
        """Publish and register a new version of an asset that the account owns, and return once it is listed.

        Without a change nothing happens.

        Parameters
        ----------
        asset_metadata, services_description
            What changes, in the form of :meth:`register_asset`: a member replaces the present one, and None removes it
            (RFC 7396). A service is named by its index or type.
        files
            All files, as for :meth:`publish_dataset` or :meth:`publish_algorithm`. They are sealed again, for this
            account. Without them the list stays: one that came with the asset is kept or replaced as a whole.
        confirm
            Called with what changes, in words, before anything is signed. Raise to stop.

        Raises ``NotOwner``, ``NotDIDOwner``, ``VersionNotAllowed``, ``ServiceNotFound``, ``InvalidDocument``,
        ``CreatorNotAllowed``.
        """
        present = await self._resolver.resolve(did)
        entries = revise_services(present.ddo, asset_metadata or {}, services_description)
        if files is not None:
            listed = await self._describe_files(files, read_ddo({"service": entries}))
            sealed = await self._publisher.seal(did, listed)
            change = {"main": {"files": list(public_files(listed))}, "encryptedFiles": sealed}
            entries = patch_metadata(entries, change)
        if entries == present.ddo.to_json().get("service"):
            return Asset(did, present.ddo, present.checksum, present.owner)
        if confirm is not None:
            confirm(describe_changes(present.ddo, read_ddo({"service": entries}), await price_shower(self._chain)))
        return await self._publisher.revise(present.ddo, entries)

    async def versions(self, did: str) -> list[AssetVersion]:
        """Return the registered versions of an asset, newest first, at most 1,000, with what each changed in words.

        A document that is gone is None, and so are the changes next to it.
        """
        record, found = await self._resolver.record(did), list[AssetVersion]()
        show = await price_shower(self._chain)
        async for event in self._chain.registrations(did):
            ddo, registrant = None, event.owner
            with contextlib.suppress(NotFound):
                asset = await self._resolver.read(record, event)
                ddo, registrant = asset.ddo, asset.registrant
            if found and found[-1].ddo is not None and ddo is not None:
                found[-1] = replace(found[-1], changes=describe_changes(ddo, found[-1].ddo, show))
            found.append(AssetVersion(event.version, event.checksum, event.block, registrant, ddo))
        return found

    async def status(self, did: str) -> AssetStatus:
        """Return where an asset stands in the catalogue. Raises ``AssetNotFound``."""
        return await self._metadata.status(did)

    async def set_listed(self, did: str, *, listed: bool) -> AssetStatus:
        """Let strangers find an asset of this account, or not. At first they find data sets, except results.

        Either way it can be used by its DID, and is found by searches that name its owner. Raises ``NotOwner``,
        ``AssetNotFound``.
        """
        return await self._metadata.set_listed(did, self._signer, self._chain, listed=listed)

    async def hide(self, did: str, reason: str) -> AssetStatus:
        """As a curator, hide an asset from everybody's searches, for a public reason. Raises ``NotCurator``."""
        return await self._metadata.curate(did, self._signer, self._chain, "hide", reason)

    async def unhide(self, did: str) -> AssetStatus:
        """Undo :meth:`hide`: what its owner asked for holds again. Raises ``NotCurator``."""
        return await self._metadata.curate(did, self._signer, self._chain, "unhide")

    async def feature(self, did: str, reason: str) -> AssetStatus:
        """As a curator, have pages show an asset first, for a public reason.

        Raises ``NotCurator``, ``FeaturedFull``.
        """
        return await self._metadata.curate(did, self._signer, self._chain, "feature", reason)

    async def unfeature(self, did: str) -> AssetStatus:
        """Undo :meth:`feature`. Raises ``NotCurator``."""
        return await self._metadata.curate(did, self._signer, self._chain, "unfeature")

    async def retire(self, did: str) -> AssetStatus:
        """Take an asset off the lists. Existing purchases stay usable. Raises ``NotOwner``."""
        return await self._metadata.retire(did, self._signer, self._chain)

    async def relist(self, did: str) -> Asset:
        """List a retired asset again, with the same document as a new version. Raises ``NotDIDOwner``."""
        ddo = (await self._resolver.resolve(did)).ddo
        return await self._publisher.revise(ddo, [service.to_json() for service in ddo.service])

    async def pause(self, did: str, *, stop_running: bool = False) -> PausedAsset:
        """Let nothing start on a data set from now on, and take it off the lists; :meth:`resume` is the way back.

        Every provider is removed in the registry, which contract and gateways obey. What waits ends, and so does what
        runs at this gateway if ``stop_running``. Agreements without a charge are returned. If the gateway's own account
        owns the data set, only this gateway obeys. Raises ``NotDIDOwner``, ``InsufficientFunds``, what relaying raises.
        """
        await self._registrations.remove_providers(did)
        paused = await self._gateway.pause(did, stop=stop_running)
        await self.retire(did)
        return paused

    async def resume(self, did: str) -> AssetStatus:
        """Undo :meth:`pause` and :meth:`retire`. Raises as they do."""
        await self._registrations.provide(did)
        await self._gateway.pause(did, stop=None)
        if (await self.status(did)).state == "retired":
            await self.relist(did)
        return await self.status(did)

    async def transfer(self, did: str, owner: str) -> str:
        """Transfer an asset to another owner, and return the transaction. This cannot be undone.

        If this account cannot pay for gas, it signs and the gateway sends. Raises ``NotDIDOwner``, ``ChangesMismatch``,
        what relaying raises.
        """
        return await self._registrations.transfer(did, read_address(owner))

    async def _describe_files(self, files: Sequence[FileLike], ddo: Ddo) -> list[JsonObject]:
        """Describe files with URLs, as the document's rules need it; those of an algorithm are uploaded first."""
        if ddo.asset_type != ALGORITHM:
            policies = [read_compute_service(service).policy for service in ddo.compute_services]
            pinned = any(policy.data == "pinned" for policy in policies)
            return await run_sync(partial(describe_files, files, pinned=pinned))
        contents = await run_sync(read_contents, [Path(str(file)) for file in files])
        return await self._publisher.upload(contents)
