"""Receiving the files of an asset: many as one stream, or a few in parallel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from insitu.domain.errors import InsituError
from insitu.sdk.downloads import Destination
from insitu.sdk.gateway import GatewayClient

STREAMED = 8
"""If there are more files than this, those that the gateway stores come as one stream."""
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file as its asset describes it. None means that the server chooses the name, or that the digest is unknown."""

    name: str | None
    sha256: str | None


async def receive(
    gateway: GatewayClient, did: str, into: Destination, files: Mapping[int, ExpectedFile]
) -> dict[int, Path]:
    """Receive the files that are not there yet, and return the paths of all files by index.

    Each file is complete or not there at all. A stream that breaks off is requested again from the next file on, as
    long as it brings any. Raises what ``Destination.missing``, ``GatewayClient.download`` and ``Destination.save``
    raise.
    """
    missing = await into.missing({file.name: file.sha256 for file in files.values() if file.name is not None})
    there = {index: file.name for index, file in files.items() if file.name not in (None, *missing)}
    wanted = {index: file for index, file in files.items() if index not in there}
    received = await _receive(gateway, did, into, wanted)
    return {index: received[index] if index in received else into.folder / str(there[index]) for index in files}


async def _receive(
    gateway: GatewayClient, did: str, into: Destination, files: Mapping[int, ExpectedFile]
) -> dict[int, Path]:
    paths: dict[int, Path] = {}
    while len(rest := [index for index in files if index not in paths]) > STREAMED:
        try:
            async with gateway.archive(did, min(rest)) as archive:
                async for file in archive:
                    expected = files.get(file.index)
                    if expected is not None and file.index not in paths:
                        name = expected.name or file.name
                        paths[file.index] = await into.save(file.content, name, sha256=expected.sha256)
            break
        except InsituError as error:
            if error.code == "NotFound":
                break  # this gateway has no archives
            if error.code != "PeerUnavailable" or len(paths) + len(rest) == len(files):
                raise
    await _one_by_one(gateway, did, into, files, paths)
    return paths


async def _one_by_one(
    gateway: GatewayClient, did: str, into: Destination, files: Mapping[int, ExpectedFile], paths: dict[int, Path]
) -> None:
    waiting, failures = [index for index in files if index not in paths], list[Exception]()

    async def work() -> None:
        while waiting and not failures:
            index = waiting.pop(0)
            try:
                async with gateway.download(did, index) as download:
                    name = files[index].name or download.name
                    paths[index] = await into.save(download.chunks, name, sha256=files[index].sha256)
            except (InsituError, OSError) as error:
                failures.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(work)
    if failures:
        raise failures[0]
