"""Assets: publish, find, resolve, download (P1–P3)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from anyio.to_thread import run_sync

from insitu.api.folders_v1 import Folder
from insitu.api.metadata_v1 import (
    AssetFacets,
    AssetSummaries,
    CuratedPage,
    CuratedRequest,
    SearchFilters,
    SearchPage,
    SearchRequest,
)
from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.amount import AmountLike
from insitu.domain.asset import ALGORITHM, DATASET, DEFAULT_LICENSE, WORKFLOW
from insitu.domain.asset import Asset as AssetMain
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import Ddo
from insitu.domain.ids import Address
from insitu.domain.image_contents import ImageContents, imports_of
from insitu.domain.policy import Revisions
from insitu.ports.catalog import Curation
from insitu.sdk.amounts import read_amount
from insitu.sdk.arguments import refuse
from insitu.sdk.containers import choose_containers
from insitu.sdk.descriptions import describe_attributes
from insitu.sdk.downloads import Destination
from insitu.sdk.files import AlgorithmFiles, FileLike, describe_algorithm, describe_files, read_contents
from insitu.sdk.metadata import read_filters
from insitu.sdk.offers import ComputeOffer
from insitu.sdk.owned_assets import OwnedAssets
from insitu.sdk.publishing import Asset, Prepared
from insitu.sdk.receiving import ExpectedFile, receive
from insitu.sdk.workflows import NewAlgorithm, Stage, describe_stages, named_version


class Assets(OwnedAssets):
    """The assets of a catalogue, for one account; ``client.assets``."""

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
        prepared = await self._publisher.prepare(
            asset_metadata, services_description, publisher_public_key, without_compute=without_compute
        )
        return await self._publisher.register(prepared)

    async def files(self, path: str | None = None, *, after: str = "", limit: int = 100) -> Folder:
        """List a folder of the provider from which this account may publish, sorted by name, without hidden files.

        Parameters
        ----------
        path
            Absolute, of a folder below the data roots; None lists the data roots.
        after, limit
            The page after this name (``next`` of the page before), and its length, 1 to 500.

        Raises ``CreatorNotAllowed`` unless the provider's settings name the account; ``InputUnreadable`` if there is no
        such folder, or a part of its path is a link; ``InvalidRequest``.
        """
        return await self._gateway.files(path, after=after, limit=limit)

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
        identity = {**attributes, "offer": given}
        prepared = await self._publisher.prepare(attributes, [offer.service()], identity=identity)
        return await self._publisher.register(prepared)

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
        return await self._publisher.register(await self._prepare_algorithm(attributes, contents))

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

    async def search(self, text: str = "", **filters: Any) -> SearchPage:
        """Find listed assets, with the filters of :class:`insitu.api.metadata_v1.SearchRequest`.

        With ``owner``, also what that account has not listed. Raises ``InvalidRequest`` for a wrong filter.

        ``price_min`` and ``price_max`` are tokens, or an ``Amount``.
        """
        return await self._metadata.search(read_filters(SearchRequest, await self._filters(text, filters)))

    async def facets(self, text: str = "", **filters: Any) -> AssetFacets:
        """Count types, services, tags, categories, rules, authors, licenses, prices and states of :meth:`search`.

        The filters are those of :meth:`search`, without order and page. The newest 1,000 assets are counted; with
        ``more`` there are others, and each count is the least that it can be.
        """
        return await self._metadata.facets(read_filters(SearchFilters, await self._filters(text, filters)))

    async def summaries(self, dids: Sequence[str]) -> AssetSummaries:
        """Return what a list shows of at most 100 assets, as the catalogue says it, without verifying documents."""
        return await self._metadata.summaries(dids)

    async def curated(self, what: Curation, page: int = 1) -> CuratedPage:
        """Return which assets curators of the catalogue hide or feature now: who decided, when and why.

        ``what`` is ``hidden`` or ``featured``; at most 20 are on a page. Raises ``InvalidRequest``.
        """
        return await self._metadata.curated(read_filters(CuratedRequest, {"what": what, "page": page}))

    async def _filters(self, text: str, filters: dict[str, Any]) -> dict[str, Any]:
        limits = {name: filters[name] for name in ("price_min", "price_max") if filters.get(name) is not None}
        amounts = {name: (await read_amount(limit, self._chain)).base_units for name, limit in limits.items()}
        return {"text": text, **filters, **amounts}

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

    async def _pinned(self, algorithm: str | NewAlgorithm) -> JsonObject:
        """Return the ``transformation`` of a stage, so that nobody else decides later what runs."""
        if isinstance(algorithm, NewAlgorithm):
            return {}
        asset = await self._resolver.resolve(*named_version(algorithm))
        return {"id": asset.did, "checksum": asset.checksum}

    async def version_of(self, did: str) -> JsonObject:
        """Return DID and current checksum, as ``policy.algorithms`` names an algorithm. Raises ``AssetNotFound``."""
        return {"did": did, "checksum": (await self._resolver.record(did)).checksum.removeprefix("0x")}
