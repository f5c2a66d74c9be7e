"""A corrected algorithm in a bought workflow: the next versions of both, registered with one signature (ADR 0139)."""

import contextlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from anyio.to_thread import run_sync

from insitu.domain.canonical import JsonObject, canonical_json, sha256_hex
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError, NotFound
from insitu.domain.sealed_list import public_files
from insitu.domain.timestamps import format_time
from insitu.domain.workflow import read_workflow
from insitu.sdk.assets import Assets
from insitu.sdk.descriptions import describe_contents, patch_metadata, revise_services
from insitu.sdk.files import describe_algorithm, read_contents
from insitu.sdk.publishing import Publisher
from insitu.sdk.resolving import ResolvedAsset, Resolver
from insitu.sdk.workflows import named_version

DIGEST = "contents"
"""The member of ``additionalInformation`` by which a version is found again."""


@dataclass(frozen=True, slots=True)
class _Code:
    """The files of an algorithm, and how it starts: as it was given, and as a document describes it."""

    name: str
    contents: Mapping[str, bytes]
    given: str | None
    entrypoint: str | None

    def digest(self, did: str) -> str:
        """Return the hash of names and contents for a version of this DID, whose list of files hides the names."""
        return sha256_hex(canonical_json([did, {name: sha256_hex(data) for name, data in self.contents.items()}]))

    def is_in(self, ddo: Ddo) -> bool:
        """Return whether a document describes the same files and the same start, which names a single file."""
        ours = [file["checksum"] for file in describe_contents(self.contents)]
        if [file.get("checksum") for file in ddo.main.get("files", [])] != ours:
            return False
        if ddo.main["algorithm"].get("entrypoint") != self.entrypoint:
            return False
        told = ddo.metadata.attributes if ddo.metadata is not None else None
        said = (told.additional_information if told is not None else None) or {}
        return len(ours) == 1 or said.get(DIGEST) == self.digest(str(ddo.did))


@dataclass(frozen=True, slots=True)
class Revision:
    """What is to run.

    Attributes
    ----------
    workflow
        The present version of the bought workflow.
    described
        Its next ``main.workflow``; without the id of an algorithm that is not published yet.
    code
        The algorithm, if it is not published yet.
    own
        The algorithm of this account whose next version it becomes; None for a new asset.
    """

    workflow: ResolvedAsset
    described: JsonObject
    code: _Code | None = None
    own: ResolvedAsset | None = None

    def pinning(self, did: str, checksum: str) -> "Revision":
        """Return the revision with a version of an algorithm."""
        described = deepcopy(self.described)
        described["stages"][0]["transformation"] = {"id": did, "checksum": checksum}
        return replace(self, described=described)


class Revisions:
    """Plans and publishes revisions for one account."""

    def __init__(self, assets: Assets, publisher: Publisher, resolver: Resolver) -> None:
        self._assets = assets
        self._publisher = publisher
        self._resolver = resolver

    async def plan(
        self,
        workflow_did: str,
        algorithm: Path | str,
        configuration: Mapping[str, str | int | float | bool] | None,
        entrypoint: str | None,
    ) -> Revision:
        """Read what is to run in the only stage of a workflow. Nothing is signed, uploaded or published.

        Raises ``InvalidRequest`` for several stages, and what reading the algorithm raises.
        """
        workflow = await self._resolver.resolve(workflow_did)
        stages = read_workflow(workflow.ddo).stages
        if len(stages) != 1:
            detail = "the workflow has several stages: change it with assets.update_asset, which names them"
            raise InsituError("InvalidRequest", detail)
        described: JsonObject = deepcopy(workflow.ddo.main["workflow"])
        described["stages"][0] |= {} if configuration is None else {"configuration": dict(configuration)}
        revision = Revision(workflow, described)
        if str(algorithm).startswith("did:"):
            return await self._pinned(revision, str(algorithm))
        described["stages"][0]["transformation"] = {}
        contents = await run_sync(read_contents, Path(algorithm))
        start = describe_algorithm(contents, entrypoint, None).get("entrypoint")
        code = _Code(Path(algorithm).name, contents, entrypoint, start)
        own = await self._own(stages[0].transformation.id)
        if own is not None:
            if code.is_in(own.ddo):
                return revision.pinning(own.did, own.checksum)
            return replace(revision, code=code, own=own)
        published = await self._assets.read_algorithm(code.name, contents, entrypoint=entrypoint)
        return await self._pinned(revision, published) if isinstance(published, str) else replace(revision, code=code)

    async def publish(self, revision: Revision) -> str:
        """Register what is new, and return the on-chain checksum of the workflow's version.

        What an interrupted call has signed is sent as it is, as long as that is possible. A call without anything new
        signs nothing. Raises what publishing raises.
        """
        if revision.code is not None and revision.own is not None:
            return await self._publish_both(revision, revision.code, revision.own)
        if revision.code is not None:
            code = revision.code
            published = await self._assets.publish_algorithm(code.name, code.contents, entrypoint=code.given)
            revision = revision.pinning(published.did, published.checksum)
        workflow, entries = revision.workflow, _entries(revision)
        if entries == workflow.ddo.to_json()["service"]:
            return workflow.checksum
        waiting = await self._publisher.find_waiting(workflow.did)
        if waiting is not None and waiting[0].document["service"] == entries:
            next_one, request = waiting
        else:
            next_one, request = self._publisher.propose(workflow.ddo, entries, format_time(datetime.now(UTC))), None
        return (await self._publisher.register_versions([next_one], request))[0].checksum

    async def _publish_both(self, revision: Revision, code: _Code, own: ResolvedAsset) -> str:
        """Register the next versions of algorithm and workflow.

        The algorithm's document goes first: with its time the workflow's can be made again, so both can be finished.
        """
        waiting = await self._publisher.find_waiting(own.did)
        if waiting is not None and code.is_in(waiting[0].ddo):
            algorithm, request = waiting
        else:
            files = await self._publisher.upload(code.contents)
            sealed = await self._publisher.seal(own.did, files)
            main = {"files": list(public_files(files)), "algorithm": {"entrypoint": code.entrypoint}}
            told = {DIGEST: code.digest(own.did)}
            change = {"main": main, "additionalInformation": told, "encryptedFiles": sealed}
            entries = patch_metadata(own.ddo.to_json()["service"], change)
            algorithm, request = self._publisher.propose(own.ddo, entries, format_time(datetime.now(UTC))), None
        entries = _entries(revision.pinning(own.did, algorithm.checksum))
        workflow = self._publisher.propose(revision.workflow.ddo, entries, str(algorithm.document["updated"]))
        if request is not None and (str(workflow.did), workflow.checksum) not in request.versions:
            request = None
        return (await self._publisher.register_versions([algorithm, workflow], request))[1].checksum

    async def _pinned(self, revision: Revision, algorithm: str) -> Revision:
        asset = await self._resolver.resolve(*named_version(algorithm))
        return revision.pinning(asset.did, asset.checksum)

    async def _own(self, did: str | None) -> ResolvedAsset | None:
        """Return an algorithm that this account made, owns and has not retired, in its present version."""
        if did is None or (await self._resolver.record(did)).owner.lower() != self._publisher.account.lower():
            return None
        with contextlib.suppress(NotFound):
            asset, status = await self._resolver.resolve(did), await self._assets.status(did)
            if asset.creator.lower() == asset.owner.lower() and status.state != "retired":
                return asset
        return None


def _entries(revision: Revision) -> list[JsonObject]:
    return revise_services(revision.workflow.ddo, {"main": {"workflow": revision.described}}, ())
