"""The Configuration Pod: fetches what is fetched, verifies everything, and reports what was found (E6)."""

import logging
import os
from collections.abc import AsyncIterator, Mapping
from functools import partial

from anyio.to_thread import run_sync
from pydantic import JsonValue

from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.file_names import path_problem
from insitu.domain.merkle import FileDigest, files_root
from insitu.domain.plan import Claim, Fetch, InputFile, Mount, StageInput
from insitu.guarded_files import open_beneath
from insitu.pods.digests import PIECE, DigestCache, InputDigest, digest_input
from insitu.pods.fetching import Room, write_file
from insitu.pods.patience import PATIENCE, Patience
from insitu.ports.peers import GatewayPeer
from insitu.ports.pods import Workspace
from insitu.ports.runtime import Step

logger = logging.getLogger("insitu.pods")

MOST_RESULT = 3584
"""Bytes of JSON that a result may have: with the status around it, it must fit a termination message (4096)."""

Found = dict[str, str]
"""File index → SHA-256, or for a folder its Merkle root."""


class Configure:
    """Makes one stage ready. Implements :class:`insitu.ports.pods.ConfigurePod`.

    After an interruption it starts from the beginning. The runtime, which knows the sandbox's user and the mounts,
    proves that every input opens for that user.
    """

    def __init__(self, gateway: GatewayPeer, cache: DigestCache | None = None, *, patience: float = PATIENCE) -> None:
        self._gateway = gateway
        self._cache = cache or DigestCache()
        self._patience = patience

    async def __call__(self, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
        """Fetch and verify; return ``{"inputs": {position: {index: sha256}}, "algorithm": {index: sha256}}``.

        Raises ``AlgorithmChanged``, ``InputChanged``, ``InputUnreadable``, ``ConfigurationFailed``.
        """
        stage = step.plan.stage(step.key.stage)
        room = Room(step.plan.limits.disk_bytes)
        inputs: dict[str, Found] = {}
        for item in stage.inputs:
            if item.did is not None:
                inputs[str(item.position)] = await self._input(step, item, workspace, room)
        algorithm: Found = {}
        for file in stage.transformation.files:
            found = await self._algorithm(step, file, workspace, room)
            _verify(file, found, "AlgorithmChanged", stage.transformation.did)
            algorithm[str(file.index)] = found.sha256
        return _result(inputs, algorithm)

    async def _input(self, step: Step, item: StageInput, workspace: Workspace, room: Room) -> Found:
        found: Found = {}
        folder = workspace.fetched / str(item.position)
        for file in item.files:
            if isinstance(file.source, Fetch):
                path = folder / file.component()
                digest = await write_file(path, self._fetch(step, file.source), room)
            else:
                digest = await self._in_place(file, workspace)
            _verify(file, digest, "InputChanged", item.did or "")
            found[str(file.index)] = digest.sha256
        return found

    async def _in_place(self, file: InputFile, workspace: Workspace) -> InputDigest:
        name = f"file {file.index} ({file.name})" if file.name else f"folder {file.index}"
        opened = await run_sync(_open, file.source, workspace, name)
        try:
            return await digest_input(opened, self._cache)
        except OSError as error:
            raise InsituError("InputUnreadable", f"{name} cannot be read: {error.strerror}") from error
        finally:
            os.close(opened)

    async def _algorithm(self, step: Step, file: InputFile, workspace: Workspace, room: Room) -> InputDigest:
        path = workspace.algorithm / _path(file)
        await run_sync(partial(path.parent.mkdir, parents=True, exist_ok=True))
        if isinstance(file.source, Fetch):
            return await write_file(path, self._fetch(step, file.source), room, mode=0o555)
        opened = await run_sync(_open, file.source, workspace, file.name)
        try:
            return await write_file(path, _read(opened), room, mode=0o555)
        finally:
            os.close(opened)

    async def _fetch(self, step: Step, source: Fetch) -> AsyncIterator[bytes]:
        """Stream a file; request it again as long as the gateway, or its store, is away and no byte has arrived."""
        patience, has_begun = Patience(self._patience), False
        while True:
            try:
                async for chunk in self._gateway.fetch(step.ticket, source.reference):
                    has_begun = True
                    yield chunk
            except InsituError as error:
                if has_begun or not _is_away(error) or patience.is_over:
                    raise _not_fetched(source, error) from error
                logger.warning("the gateway does not give %s now: %s", source.reference, error)
            else:
                return
            await patience.pause()


def _is_away(error: InsituError) -> bool:
    # A file that a stranger's server does not give is not worth waiting for: the next attempt requests it again.
    return error.definition.retry and error.definition.status == 503


def _not_fetched(source: Fetch, error: InsituError) -> InsituError:
    if error.code == "ConfigurationFailed":
        return error
    return InsituError("ConfigurationFailed", f"{source.reference}: {error}")


def _open(source: Mount | Claim | Fetch, workspace: Workspace, name: str) -> int:
    if isinstance(source, Mount):
        return open_beneath(source.root, source.path, name)
    if isinstance(source, Claim) and source.claim in workspace.claims:
        root = workspace.claims[source.claim]
        return open_beneath(str(root), str(root / source.path.strip("/")), name)
    raise InsituError("ConfigurationFailed", f"{name} is on a volume that is not here")


async def _read(opened: int) -> AsyncIterator[bytes]:
    at = 0
    while piece := await run_sync(os.pread, opened, PIECE, at):
        at += len(piece)
        yield piece


def _path(file: InputFile) -> str:
    """Return the path of an algorithm's file, in its folders."""
    problem = path_problem(file.name)
    if problem is not None:
        raise InsituError("ConfigurationFailed", f"the path of file {file.index} {problem}")
    return file.name


def _verify(file: InputFile, found: InputDigest, code: str, did: str) -> None:
    if file.sha256 is not None and found.sha256 != file.sha256:
        raise InsituError(code, f"file {file.index} of {did} has SHA-256 {found.sha256}, published is {file.sha256}")
    if file.size is not None and not found.is_folder and found.size != file.size:
        raise InsituError(code, f"file {file.index} of {did} has {found.size} bytes, published are {file.size}")


def _result(inputs: Mapping[str, Found], algorithm: Found) -> dict[str, JsonValue]:
    """Return the digests, or where there are too many for a result, a root over those of each volume."""
    whole: dict[str, JsonValue] = {
        "inputs": {position: {**found} for position, found in inputs.items()},
        "algorithm": {**algorithm},
    }
    if len(canonical_json(whole)) <= MOST_RESULT:
        return whole
    roots: dict[str, JsonValue] = {
        "inputs": {position: {"root": _root(found)} for position, found in inputs.items()},
        "algorithm": {"root": _root(algorithm)},
    }
    if len(canonical_json(roots)) <= MOST_RESULT:
        return roots
    return {"root": files_root(FileDigest(position, _root(found), 0) for position, found in inputs.items())}


def _root(found: Found) -> str:
    return files_root(FileDigest(index, sha256, 0) for index, sha256 in found.items())
