"""Assets: publish, find, resolve, change, transfer, download (P1–P3)."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from anyio.to_thread import run_sync

from insitu.api.gateway_v1 import PausedAsset
from insitu.api.metadata_v1 import AssetStatus, SearchPage, SearchRequest
from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.amount import AmountLike
from insitu.domain.asset import ALGORITHM, DATASET, DEFAULT_LICENSE, WORKFLOW
from insitu.domain.asset import Asset as AssetMain
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import read_compute_service
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.did import Did
from insitu.domain.errors import InsituError, NotFound
from insitu.domain.ids import Address, read_address
from insitu.domain.image_contents import ImageContents, imports_of
from insitu.domain.ledger import transfer_ownership
from insitu.domain.policy import Revisions
from insitu.domain.sealed_list import public_files
from insitu.domain.service import METADATA
from insitu.domain.version_changes import describe_changes
from insitu.domain.workflow import read_workflow
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk.amounts import price_shower, read_amount
from insitu.sdk.arguments import refuse
from insitu.sdk.containers import choose_containers
from insitu.sdk.descriptions import describe_attributes, merge_patch, revise_services
from insitu.sdk.downloads import Destination
from insitu.sdk.files import AlgorithmFiles, FileLike, describe_algorithm, describe_files, read_contents
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.metadata import MetadataClient
from insitu.sdk.offers import ComputeOffer
from insitu.sdk.providing import provide
from insitu.sdk.publishing import Asset, Prepared, Publisher
from insitu.sdk.receiving import ExpectedFile, receive
from insitu.sdk.resolving import Resolver
from insitu.sdk.workflows import NewAlgorithm, Stage, describe_stages, named_version

__all__ = ["AssetVersion", "Assets"]


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


class Assets:
    """The assets of a catalogue, for one account; ``client.assets``."""

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
        self._imports: dict[str, frozenset[str]] = {}

    async def register_asset(
        self,
        asset_metadata: Mapping[str, Any],
        services_description: Sequence[Mapping[str, Any]] = (),
        publisher_public_key: str | None = None,
        *,
        without_compute: bool = False,
    ) -> Asset:
        """Make, publish and register an asset (P1–P3), and return once it is listed.

        Repeating the same call with the same account, after a lost answer or in another process, gives the same DID.

        Parameters
        ----------
        asset_metadata
            ``{"main": {...}, "additionalInformation": {...}}`` of the METADATA specification, or ``main`` alone.
            ``main.files`` may contain URLs: the gateway seals them and they are never published.
        services_description
            The other services, for instance ``{"type": "compute", "attributes": {"main": {...}}}``. Index, endpoint,
            templateId and serviceAgreementTemplate are filled in if absent.
        publisher_public_key
            Key to publish, as an address or in hexadecimal digits; by default the account's own.
        without_compute
            Publish a data set although nobody can compute on it.

        Raises ``InvalidDocument`` and related codes with pointers, ``NoComputeService``, ``CreatorNotAllowed``,
        ``InsufficientFunds``, ``ContractMismatch``, ``PeerUnavailable``, ``ChainUnavailable``.
        """
        return await self._publisher.register(
            asset_metadata, services_description, publisher_public_key, without_compute=without_compute
        )

    async def publish_dataset(
        self,
        name: str,
        files: Sequence[FileLike],
        *,
        algorithms: Literal["any"] | Sequence[str],
        publishers: Sequence[str] = (),
        price: AmountLike = 0,
        timeout: int = 86400,  # noqa: ASYNC109 - the specification's word; nothing waits for it
        containers: Sequence[Mapping[str, Any]] | None = None,
        servers: Sequence[Mapping[str, Any]] | None = None,
        consumers: Literal["any"] | Sequence[str] = "any",
        use: str = "",
        output: Mapping[str, Any] | None = None,
        logs: Literal["live", "none"] = "live",
        revisions: Revisions = "untilSuccess",
        parameters: Sequence[str] = (),
        failures: Literal["charged", "free"] = "charged",
        data: Literal["newest", "pinned"] = "newest",
        max_executions: int | None = None,
        author: str = "",
        license: str = DEFAULT_LICENSE,  # noqa: A002 - the specification's word
        description: str = "",
        tags: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> Asset:
        """Publish a data set with a compute service, without moving it.

        Parameters
        ----------
        files
            Paths at the provider (opened in place), URLs, or descriptions as in ``main.files``.
        algorithms
            DIDs of the algorithms that may run, each in its current version, or ``"any"``.
        publishers
            Addresses whose algorithms may all run.
        price
            Tokens for each agreement, ``"2.5"`` or ``10``, or an ``Amount``; added to the server's price.
        timeout
            Seconds after the purchase during which executions may start.
        containers, servers
            Like ``supportedContainers`` and ``supportedServers`` in documents, whose prices are base units; by default
            what the gateway offers.
        consumers
            Addresses of the accounts that may buy and execute, or ``"any"``.
        use
            What the data may be used for; consumers see it before they pay.
        output, logs, max_executions
            Rules of the policy: ``{maxBytes, maxFiles, maxLogBytes, types}``, where ``maxBytes`` includes the paths and
            ``maxFiles`` is 100 by default; whether the consumer sees logs; executions per agreement, by default 100 and
            one for each day of ``timeout``.
        revisions, parameters
            Whether a consumer may run a changed workflow under the same agreement; which parameters they may set.
        failures, data
            Whether an agreement in which nothing succeeded costs its price; whether executions read the newest files,
            or exactly those that were bought.
        """
        refuse("Assets.publish_dataset", any=algorithms == "any", publishers=tuple(publishers))
        base_units = (await read_amount(price, self._chain)).base_units
        info = await self._publisher.gateway_info()
        rules: JsonObject = {"consumers": consumers if isinstance(consumers, str) else list(consumers), "logs": logs}
        rules |= {"revisions": revisions, "parameters": list(parameters), "failures": failures, "data": data}
        rules |= {"use": use} if use else {}
        main = self._main(name, DATASET, author, license)
        described = await run_sync(partial(describe_files, files, pinned=data == "pinned"))
        main |= {"price": str(base_units), "files": described}
        attributes = describe_attributes(main, description, tags, categories)
        given: JsonObject = {"timeout": timeout, "containers": containers, "servers": servers, "algorithms": algorithms}
        given |= {"publishers": publishers, "output": output, "maxExecutions": max_executions, "rules": rules}
        offer = ComputeOffer(
            price=base_units,
            timeout=timeout,
            containers=tuple(info.supported_containers if containers is None else containers),
            servers=tuple(info.supported_servers if servers is None else servers),
            algorithms="any" if algorithms == "any" else [await self.version_of(did) for did in algorithms],
            publishers=tuple(publishers),
            output=output,
            max_executions=max_executions,
            rules=rules,
        )
        return await self._publisher.register(attributes, [offer.service()], identity={**attributes, "offer": given})

    async def publish_algorithm(
        self,
        name: str,
        files: AlgorithmFiles,
        *,
        entrypoint: str | None = None,
        container: Mapping[str, Any] | None = None,
        language: str = "",
        version: str = "1",
        price: AmountLike = 0,
        author: str = "",
        license: str = DEFAULT_LICENSE,  # noqa: A002 - the specification's word
        description: str = "",
        tags: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> Asset:
        """Publish an algorithm. Its files are uploaded to the gateway, and verified before each run.

        The same files with the same description are the same asset.

        Parameters
        ----------
        files
            Paths, a folder, or name → content.
        entrypoint
            How it is started, like ``python3 count.py``; may be omitted for a single script.
        container
            ``{image, tag, checksum}`` that it needs; None leaves that to the workflow.
        price
            Tokens, or an ``Amount``. With 0 everybody may use it, otherwise only its owner.
        """
        main, contents = await self._algorithm(name, files, entrypoint, container, price)
        main |= {"author": author or self._signer.address, "license": license}
        main["algorithm"] |= {"language": language, "version": version}
        attributes = describe_attributes(main, description, tags, categories)
        return (await self._publisher.register_all([await self._prepare_algorithm(attributes, contents)]))[0]

    async def publish_with_workflow(
        self, name: str, files: AlgorithmFiles, stage: Stage, *, entrypoint: str | None = None
    ) -> Asset:
        """Publish an algorithm and a workflow of one stage that runs it, with one signature; return the workflow.

        ``stage`` has the algorithm as :meth:`read_algorithm` returns it. What is published already is reused.
        """
        containers = await self._choose_containers([stage])
        main, contents = await self._algorithm(name, files, entrypoint)
        algorithm = await self._prepare_algorithm(describe_attributes(main, "", (), ()), contents)
        pinned: JsonObject = {"id": str(algorithm.unsigned.did), "checksum": algorithm.unsigned.checksum}
        main = self._main(name, WORKFLOW) | {"price": "0", "files": []}
        main["workflow"] = describe_stages([stage], containers, [pinned])
        prepared = await self._publisher.prepare(describe_attributes(main, "", (), ()))
        return (await self._publisher.register_all([algorithm, prepared]))[1]

    async def _prepare_algorithm(self, attributes: JsonObject, contents: dict[str, bytes]) -> Prepared:
        prepared = await self._publisher.prepare_algorithm(attributes, contents)
        entrypoint = attributes["main"]["algorithm"].get("entrypoint")
        self._imports[str(prepared.unsigned.did)] = imports_of(entrypoint, contents)
        return prepared

    async def _describe_files(self, files: Sequence[FileLike], ddo: Ddo) -> list[JsonObject]:
        """Describe files with URLs, as the document's rules need it; those of an algorithm are uploaded first."""
        if ddo.asset_type != ALGORITHM:
            policies = [read_compute_service(service).policy for service in ddo.compute_services]
            pinned = any(policy.data == "pinned" for policy in policies)
            return await run_sync(partial(describe_files, files, pinned=pinned))
        contents = await run_sync(read_contents, [Path(str(file)) for file in files])
        return await self._publisher.upload(contents)

    async def read_algorithm(
        self, name: str, files: AlgorithmFiles, *, entrypoint: str | None = None
    ) -> str | NewAlgorithm:
        """Return the DID of the equal algorithm that is published already, or else the algorithm to publish.

        Nothing is published or uploaded. Raises ``InvalidRequest``, ``InvalidDocument``.
        """
        main, contents = await self._algorithm(name, files, entrypoint)
        imports = imports_of(main["algorithm"].get("entrypoint"), contents)
        earlier = await self._publisher.find_algorithm(describe_attributes(main, "", (), ()), contents)
        if earlier is None or await self._chain.did_record(str(earlier.did)) is None:
            return NewAlgorithm(AlgorithmDescription.read(main["algorithm"]), imports)
        self._imports[str(earlier.did)] = imports
        return str(earlier.did)

    async def _algorithm(
        self,
        name: str,
        files: AlgorithmFiles,
        entrypoint: str | None,
        container: Mapping[str, Any] | None = None,
        price: AmountLike = 0,
    ) -> tuple[JsonObject, dict[str, bytes]]:
        """Read an algorithm: its ``main`` without files, and name → content."""
        contents = await run_sync(read_contents, files)
        algorithm = describe_algorithm(contents, entrypoint, container)
        main = self._main(name, ALGORITHM)
        main |= {"price": str((await read_amount(price, self._chain)).base_units), "algorithm": algorithm}
        return main, contents

    async def publish_workflow(
        self,
        name: str,
        stages: Sequence[Stage],
        *,
        author: str = "",
        license: str = DEFAULT_LICENSE,  # noqa: A002 - the specification's word
        description: str = "",
        tags: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> Asset:
        """Publish a workflow, or reuse an equal one."""
        workflow = await self.describe_workflow(stages)
        main = self._main(name, WORKFLOW, author, license) | {"price": "0", "files": [], "workflow": workflow}
        return await self.register_asset(describe_attributes(main, description, tags, categories))

    async def describe_workflow(self, stages: Sequence[Stage]) -> JsonObject:
        """Return ``main.workflow`` with these stages, each in its container and with the version of its algorithm.

        Raises ``ImageNotAllowed`` or ``ImageUnsuitable`` if no container fits.
        """
        transformations = [await self._pinned(stage.algorithm) for stage in stages]
        return describe_stages(stages, await self._choose_containers(stages), transformations)

    async def _choose_containers(self, stages: Sequence[Stage]) -> list[JsonObject]:
        return await choose_containers(stages, self._resolver, self.image_contents, self._imports)

    async def resolve(self, did: str, checksum: str | None = None) -> Ddo:
        """Return the document of a DID: the current version, or the one with this on-chain checksum.

        Raises ``AssetNotFound``, ``ChecksumMismatch``.
        """
        return (await self._resolver.resolve(did, checksum)).ddo

    async def owner(self, did: str) -> Address:
        """Return the on-chain owner. Raises ``AssetNotFound``."""
        return (await self._resolver.record(did)).owner

    async def status(self, did: str) -> AssetStatus:
        """Return where an asset stands in the catalogue. Raises ``AssetNotFound``."""
        return await self._metadata.status(did)

    async def search(self, text: str = "", **filters: Any) -> SearchPage:
        """Find listed assets, with the filters of :class:`insitu.api.metadata_v1.SearchRequest`.

        ``price_min`` and ``price_max`` are tokens, or an ``Amount``.
        """
        for limit in ("price_min", "price_max"):
            if filters.get(limit) is not None:
                filters[limit] = (await read_amount(filters[limit], self._chain)).base_units
        return await self._metadata.search(SearchRequest(text=text, **filters))

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
            change = {"attributes": {"main": {"files": list(public_files(listed))}, "encryptedFiles": sealed}}
            entries = [merge_patch(entry, change) if entry.get("type") == METADATA else entry for entry in entries]
        if entries == present.ddo.to_json().get("service"):
            return Asset(did, present.ddo, present.checksum, present.owner)
        if confirm is not None:
            confirm(describe_changes(present.ddo, read_ddo({"service": entries}), await price_shower(self._chain)))
        return await self._publisher.revise(present.ddo, entries, without_compute=True)

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

    async def retire(self, did: str) -> AssetStatus:
        """Take an asset off the lists. Existing purchases stay usable. Raises ``NotOwner``."""
        return await self._metadata.retire(did, self._signer, self._chain)

    async def relist(self, did: str) -> Asset:
        """List a retired asset again, with the same document as a new version. Raises ``NotDIDOwner``."""
        ddo = (await self._resolver.resolve(did)).ddo
        return await self._publisher.revise(ddo, [service.to_json() for service in ddo.service], without_compute=True)

    async def pause(self, did: str, *, stop_running: bool = False) -> PausedAsset:
        """Let nothing start on a data set from now on, and take it off the lists; :meth:`resume` is the way back.

        The gateway is removed as a provider in the registry, which contract and gateway obey. What waits ends, and so
        does what runs if ``stop_running``. Agreements without a charge are returned. If the gateway's own account owns
        the data set, only this gateway obeys. Raises ``NotDIDOwner``, ``InsufficientFunds``, what relaying raises.
        """
        await provide(self._chain, self._signer, self._gateway, did, allowed=False)
        paused = await self._gateway.pause(did, stop=stop_running)
        await self.retire(did)
        return paused

    async def resume(self, did: str) -> AssetStatus:
        """Undo :meth:`pause` and :meth:`retire`. Raises as they do."""
        await provide(self._chain, self._signer, self._gateway, did, allowed=True)
        await self._gateway.pause(did, stop=None)
        if (await self.status(did)).state == "retired":
            await self.relist(did)
        return await self.status(did)

    async def transfer(self, did: str, owner: str) -> Mined:
        """Transfer an asset to another owner. This cannot be undone. Raises ``NotDIDOwner``."""
        return await self._chain.transact(transfer_ownership(bytes(Did.parse(did)), read_address(owner)), self._signer)

    async def download(self, did: str, folder: Path | str, *, overwrite: bool = False) -> list[Path]:
        """Download and verify the files of an asset that the account owns, and return their paths.

        ``folder`` must be new, empty, or contain only files that an earlier call downloaded; ``overwrite`` replaces
        files of the same names.

        Raises ``FolderNotEmpty``, ``DownloadNotAllowed``, ``FileNotDownloadable``, ``ResultExpired``,
        ``ChecksumMismatch``.
        """
        asset = AssetMain.read((await self.resolve(did)).main)
        files = {
            position if file.index is None else file.index: ExpectedFile(file.name, file.sha256)
            for position, file in enumerate(asset.files)
        }
        into = Destination(folder, overwrite=overwrite)
        return list((await receive(self._gateway, did, into, files)).values())

    async def image_contents(self) -> Mapping[str, ImageContents]:
        """Return what is in the images on the gateway's machine, by digest."""
        return (await self._gateway.info()).image_contents

    def _main(self, name: str, kind: str, author: str = "", license_: str = DEFAULT_LICENSE) -> JsonObject:
        return {"name": name, "type": kind, "author": author or self._signer.address, "license": license_}

    async def describe_revision(
        self,
        workflow_did: str,
        algorithm: str | NewAlgorithm,
        configuration: Mapping[str, str | int | float | bool] | None = None,
    ) -> JsonObject:
        """Return the ``main.workflow`` of a workflow of one stage with another algorithm, and another configuration.

        Raises ``InvalidRequest`` for several stages, ``InvalidDocument`` for anything but a workflow.
        """
        ddo = await self.resolve(workflow_did)
        if len(read_workflow(ddo).stages) != 1:
            detail = "the workflow has several stages: change it with assets.update_asset, which names them"
            raise InsituError("InvalidRequest", detail)
        described: JsonObject = deepcopy(ddo.main["workflow"])
        changes = {} if configuration is None else {"configuration": dict(configuration)}
        described["stages"][0] |= {"transformation": await self._pinned(algorithm)} | changes
        return described

    async def _pinned(self, algorithm: str | NewAlgorithm) -> JsonObject:
        """Return the ``transformation`` of a stage, so that nobody else decides later what runs."""
        if isinstance(algorithm, NewAlgorithm):
            return {}
        asset = await self._resolver.resolve(*named_version(algorithm))
        return {"id": asset.did, "checksum": asset.checksum}

    async def version_of(self, did: str) -> JsonObject:
        """Return DID and current checksum, as ``policy.algorithms`` names an algorithm. Raises ``AssetNotFound``."""
        return {"did": did, "checksum": (await self._resolver.record(did)).checksum.removeprefix("0x")}
